package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// examples are those of commands that have none beside their code, by path.
var examples = map[string]string{
	"conflict list":     "alwayson conflict list",
	"conflict show":     "alwayson conflict show contacts/ana.conflict-laptop-20261124-180000.vcf",
	"conflict resolve":  "alwayson conflict resolve --keep this contacts/ana.conflict-laptop-20261124-180000.vcf",
	"fetch":             "alwayson fetch ~/Mail/cur/1732471200.M1P2.host:2,S",
	"filter preview":    "alwayson filter preview mail 'since:14d'",
	"filter reset":      "alwayson filter reset mail",
	"filter show":       "alwayson filter show",
	"history":           "alwayson history\nalwayson history contacts --json",
	"hold approve":      "alwayson hold approve contacts",
	"hold list":         "alwayson hold list",
	"hold reject":       "alwayson hold reject contacts",
	"log":               "alwayson log\nalwayson log -n 50 --json",
	"login":             "alwayson login\npass show alwayson | alwayson login",
	"off":               "alwayson off",
	"on":                "alwayson on",
	"page":              "alwayson page --open\nalwayson page",
	"pause":             "alwayson pause\nalwayson pause 2h",
	"pending":           "alwayson pending\nalwayson pending --json",
	"quarantine":        "alwayson quarantine",
	"resume":            "alwayson resume",
	"run":               "alwayson run\nalwayson run --config /etc/alwayson/kiosk.toml",
	"service install":   "alwayson service install\nsudo alwayson service install --system --run-as kiosk",
	"service restart":   "alwayson service restart",
	"service start":     "alwayson service start",
	"service status":    "alwayson service status --json",
	"service stop":      "alwayson service stop",
	"service uninstall": "alwayson service uninstall",
	"session close":     "alwayson session close",
	"session open":      "alwayson session open",
	"session show":      "alwayson session show",
	"settings reset":    "alwayson settings reset session.poll",
	"settings show":     "alwayson settings show --origin\nalwayson settings show session.poll",
	"settings tree":     "alwayson settings tree",
	"status":            "alwayson status\nalwayson status --check || echo 'something waits'",
	"syncml decode":     "alwayson syncml decode message.wbxml",
	"syncml encode":     "alwayson syncml encode message.xml > message.wbxml",
	"undo":              "alwayson undo",
	"verify":            "alwayson verify",
	"version":           "alwayson version --json",
	"why":               "alwayson why\nalwayson why --json",
}

// illustrate gives each command an example.
func illustrate(c *cobra.Command) {
	path := strings.TrimPrefix(c.CommandPath(), "alwayson ")
	if text := examples[path]; c.Example == "" && text != "" {
		c.Example = "  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	for _, sub := range c.Commands() {
		illustrate(sub)
	}
}
