package svc

import (
	"encoding/xml"
	"fmt"
	"path"
	"strings"
)

// Plist is the job for launchd. It has no equivalent of "not after exit code 78": such an agent is tried once a minute, and runs as soon as its
// configuration is good.
func (s *Spec) Plist() string {
	b := &strings.Builder{}
	b.WriteString(xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n")
	fmt.Fprintf(b, "<!-- %s, which changes and removes it. -->\n<plist version=\"1.0\">\n<dict>\n", Marker)
	key(b, "Label", text(s.Name))
	var args strings.Builder
	for _, a := range append([]string{s.Program}, s.arguments()...) {
		args.WriteString("\n\t\t" + text(a))
	}
	key(b, "ProgramArguments", "<array>"+args.String()+"\n\t</array>")
	key(b, "RunAtLoad", "<true/>")
	key(b, "KeepAlive", "<dict>\n\t\t<key>SuccessfulExit</key>\n\t\t<false/>\n\t</dict>")
	key(b, "ThrottleInterval", "<integer>60</integer>")
	key(b, "ProcessType", text("Background"))
	key(b, "Umask", "<integer>63</integer>") // 0077
	if s.System {
		key(b, "UserName", text(s.RunAs))
	}
	if s.StateHome != "" {
		key(b, "EnvironmentVariables", "<dict>\n\t\t<key>XDG_STATE_HOME</key>\n\t\t"+text(s.StateHome)+"\n\t</dict>")
	}
	dir := path.Dir(s.Config)
	if s.System {
		dir = "/var/log"
	}
	log := path.Join(dir, s.Name+".log")
	key(b, "StandardOutPath", text(log))
	key(b, "StandardErrorPath", text(log))
	b.WriteString("</dict>\n</plist>\n")
	return b.String()
}

func key(b *strings.Builder, name, value string) {
	fmt.Fprintf(b, "\t<key>%s</key>\n\t%s\n", name, value)
}

func text(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) //nolint:errcheck // a Builder takes everything
	return "<string>" + b.String() + "</string>"
}
