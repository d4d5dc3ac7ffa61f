// Package arch checks the arrows between packages (design: vocabulary on the ground floor, machinery above).
package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/alwayson-sync/alwayson/"

// forbidden arrows: a package below from must not import one below to, and why.
var forbidden = []struct{ from, to, why string }{
	{"ds", module + "dm", "synchronization knows nothing of device management"},
	{"ds", module + "mqtt", "the transport of a trigger is the agent's business, not the protocol's"},
	{"ds", module + "agent", "the protocol serves any agent"},
	{"pim", module + "ds", "items know no protocol"},
	{"pim", module + "dm", "items know no protocol"},
	{"pim", module + "agent", "stores serve any agent"},
	{"pim", module + "mqtt", "items know no protocol"},
	{"mqtt", module + "ds", "the post box carries envelopes and knows no meaning"},
	{"mqtt", module + "dm", "the post box carries envelopes and knows no meaning"},
	{"mqtt", module + "pim", "the post box carries envelopes and knows no meaning"},
	{"mqtt", module + "agent", "the post box serves any agent"},
	{"dm", module + "mqtt", "device management is handed its messages"},
	{"dm", module + "agent", "device management serves any agent"},
	{"dm", module + "pim", "device management changes settings, not items"},
	{"ds/reconcile", "net", "decisions are pure"},
	{"ds/reconcile", "os", "decisions are pure"},
	{"ds/reconcile", "time", "decisions are pure: no clock"},
	{"ds/dsclient", module + "ds/dsserver", "the two ends meet on the wire only"},
	{"ds/dsserver", module + "ds/dsclient", "the two ends meet on the wire only"},
	{"dm/dmclient", module + "dm/dmserver", "the two ends meet on the wire only"},
	{"dm/dmserver", module + "dm/dmclient", "the two ends meet on the wire only"},
	{"agent/control", module + "agent/internal/say", "the control API is English: who asks translates, for he knows his user"},
	{"agent/internal/daemon", module + "agent/internal/say", "the control API is English: who asks translates, for he knows his user"},
	{"agent/internal/engine", module + "agent/internal/say", "journals and logs are English, whatever the locale of the service is"},
	{"agent/internal/doctor", module + "agent/internal/say", "findings are told over the control API, too"},
	{"agent/internal/say", module + "agent", "it knows languages, not what is said in them"},
	{"agent/internal/svc", module + "agent", "the service manager knows a program and a file, not what the agent does"},
	{"agent/cmd/alwayson", module + "mqtt/broker", "devices carry no broker"},
	{"agent/cmd/alwayson", module + "ds/dsserver", "devices carry no server"},
	{"agent/cmd/alwayson", "modernc.org/sqlite", "devices carry no SQL"},
	{"agent/internal", "html/template", "a template finds methods by name, for which the linker keeps all there are: 3 MB"},
	{"agent/internal", "text/template", "a template finds methods by name, for which the linker keeps all there are: 3 MB"},
}

// trayNeeds is all of ours that the tray carries: it is a client of the control API, and the engine runs without it.
var trayNeeds = []string{module + "agent/control", module + "agent/internal/browser", module + "agent/internal/say", module + "agent/internal/sock", module + "agent/internal/tray"}

// pageNeeds is all of ours that the status page imports: it renders what the control API tells, in the language of who looks at it.
var pageNeeds = []string{module + "agent/control", module + "agent/internal/say"}

// composes is where a program is put together: it may import what its folder may not.
const composes = "ds/cmd/alwayson-server"

// onlyImporter names the one folder that may import a library.
var onlyImporter = map[string]string{
	"github.com/dgraph-io/badger/v4":      "agent/internal/kv/badgerkv",
	"github.com/eclipse/paho.mqtt.golang": "mqtt/pahoclient",
	"github.com/gorilla/websocket":        "mqtt/pahoclient",
	"github.com/nats-io/nats-server/v2":   "mqtt/broker",
	"github.com/kardianos/service":        "agent/internal/svc",
	"modernc.org/sqlite":                  "ds/dsstore/sqlstore",
	"github.com/pressly/goose/v3":         "ds/dsstore/sqlstore",
	"fyne.io/systray":                     "agent/internal/tray",
	"github.com/zalando/go-keyring":       "agent/internal/creds",
	"github.com/chai2010/gettext-go":      "agent/internal/say",
	"maragu.dev/gomponents":               "agent/internal/page",
	"github.com/moby/term":                "ds/cmd/terminal",
}

type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string // of a program, all the way down
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", module+"...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func below(path, folder string) bool { return path == folder || strings.HasPrefix(path, folder+"/") }

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		imports := p.Imports
		if name == "agent/cmd/alwayson" {
			imports = p.Deps // what a device carries counts all the way down
		}
		if name == "agent/cmd/alwayson-tray" {
			checkTray(t, p.Deps)
		}
		if name == "agent/internal/page" {
			checkPage(t, p.Imports)
		}
		checkForbidden(t, name, imports)
		checkImporters(t, name, p.Imports)
	}
}

func checkForbidden(t *testing.T, name string, imports []string) {
	t.Helper()
	for _, imported := range imports {
		for _, f := range forbidden {
			if below(name, f.from) && below(imported, f.to) && !below(name, composes) {
				t.Errorf("%s imports %s: %s", name, imported, f.why)
			}
		}
	}
}

func checkTray(t *testing.T, deps []string) {
	t.Helper()
	for _, d := range deps {
		if strings.HasPrefix(d, module) && !slices.Contains(trayNeeds, d) {
			t.Errorf("the tray carries %s; it talks to the agent by agent/control and knows nothing else", d)
		}
	}
}

func checkPage(t *testing.T, imports []string) {
	t.Helper()
	for _, i := range imports {
		if strings.HasPrefix(i, module) && !slices.Contains(pageNeeds, i) {
			t.Errorf("the status page imports %s; it renders what agent/control tells and decides nothing", i)
		}
	}
}

func checkImporters(t *testing.T, name string, imports []string) {
	t.Helper()
	for _, imported := range imports {
		for library, home := range onlyImporter {
			if below(imported, library) && !below(name, home) {
				t.Errorf("%s imports %s, which only %s may", name, imported, home)
			}
		}
	}
}
