package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
)

// newcomer is somebody with contacts, events and mail, and a server that knows him.
type newcomer struct {
	t                      *testing.T
	home, conf             string
	address, broker, typed string // typed: the secret
}

func newNewcomer(t *testing.T) *newcomer {
	n := &newcomer{t: t, home: t.TempDir()}
	n.conf = filepath.Join(n.home, ".config", "alwayson", "alwayson.toml")
	for k, v := range map[string]string{"HOME": n.home, "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": "", "XDG_STATE_HOME": "", "XDG_RUNTIME_DIR": "", "ALWAYSON_CONFIG": ""} {
		t.Setenv(k, v)
	}
	n.write(".contacts/family/a.vcf", "BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:Ana\nEND:VCARD\n")
	n.write(".config/khal/config", "[calendars]\n[[all]]\npath = ~/cal/*\n")
	n.write("cal/home/e.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR\n")
	n.write("cal/home/t.ics", "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:3\nEND:VTODO\nEND:VCALENDAR\n")
	for _, dir := range []string{"Mail/INBOX/new", "Mail/INBOX/tmp"} {
		if err := os.MkdirAll(filepath.Join(n.home, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	n.write("Mail/INBOX/cur/m:2,S", "Subject: x\n\nx\n")
	s, err := site.Start(t.Context(), site.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:0", BrokerListen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	if err := site.PutUser(t.Context(), s.Store(), "ana", "", false); err != nil {
		t.Fatal(err)
	}
	if n.typed, err = site.Enrol(t.Context(), s.Store(), "ana", "laptop"); err != nil {
		t.Fatal(err)
	}
	n.address, n.broker = strings.TrimSuffix(s.URL(), "/ds"), s.BrokerURL()
	return n
}

func (n *newcomer) write(name, text string) {
	n.t.Helper()
	path := filepath.Join(n.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}

// setup types a command and answers.
func (n *newcomer) setup(in string, args ...string) (code int, said string) {
	n.t.Helper()
	var out bytes.Buffer
	code = Run(n.t.Context(), append([]string{"setup", "--config", n.conf}, args...), strings.NewReader(in), &out, &out)
	if strings.Contains(out.String(), n.typed) {
		n.t.Errorf("the secret is shown: %s", out.String())
	}
	return code, out.String()
}

func (n *newcomer) nothing(said string) {
	n.t.Helper()
	if _, err := os.Stat(n.conf); err == nil || !strings.Contains(said, "nothing was changed") {
		n.t.Errorf("%v: %s", err, said)
	}
	if _, err := os.Stat(filepath.Join(n.home, "AlwaysOn")); err == nil {
		n.t.Error("folders were made")
	}
}

// TestANewcomer sets a device up without editing a file: the folders of other programs are found, everything is tested and shown before it is written.
func TestANewcomer(t *testing.T) {
	n := newNewcomer(t)
	answers := []string{n.address, "ana", "laptop", n.typed, "", "yes", filepath.Join(n.home, "Memos"), "", "yes"}
	code, said := n.setup(strings.Join(answers, "\n")+"\n", "--broker", n.broker)
	for _, want := range []string{"speaks SyncML/1.2", "the broker at", ".contacts (1 items in 1 folders", "khal/config)", "signed in as ana", "receives at most 0 items, sends at most 4",
		"tasks lie in the folder of calendar", "alwayson service install", "written"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in what it says", want)
		}
	}
	if code != exitOK {
		t.Fatal(code, said)
	}
	c, err := config.Load(n.conf)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range c.Stores {
		rel, err := filepath.Rel(n.home, s.Dir)
		if _, there := os.Stat(s.Dir); there != nil {
			t.Error(there)
		}
		if got[s.Name] = rel; err != nil {
			t.Error(err)
		}
	}
	if got["contacts"] != ".contacts" || got["calendar"] != "cal" || got["mail"] != "Mail" || got["notes"] != "Memos" || len(got) != 4 || c.Push.Broker != n.broker || c.Account.Server != n.address+"/ds" {
		t.Errorf("%v %+v", got, c)
	}
}

// TestSetupWithoutQuestions is for scripts: what is not said is found, and the secret comes on standard input.
func TestSetupWithoutQuestions(t *testing.T) {
	n := newNewcomer(t)
	code, said := n.setup(n.typed+"\n", n.address, "--user", "ana", "--device", "laptop", "--broker", n.broker, "--store", "mail=~/Mail", "--yes", "--json")
	c, err := config.Load(n.conf)
	if code != exitOK || err != nil || len(c.Stores) != 1 || c.Stores[0].Dir != filepath.Join(n.home, "Mail") || !strings.Contains(said, `"device": "laptop"`) {
		t.Errorf("%d %v %s", code, err, said)
	}
}

// TestWhatIsWrongIsSaidBeforeAnythingIsWritten: each has its exit code, and leaves nothing behind.
func TestWhatIsWrongIsSaidBeforeAnythingIsWritten(t *testing.T) {
	n := newNewcomer(t)
	all := []string{n.address, "--user", "ana", "--device", "laptop", "--broker", n.broker, "--yes"}
	for name, c := range map[string]struct {
		in   string
		args []string
		code int
		said string
	}{
		"nobody there":         {n.typed, []string{"http://127.0.0.1:1", "--yes"}, exitUnreachable, "cannot be reached"},
		"no address":           {n.typed, []string{"--yes"}, exitUsage, "address of the server"},
		"another secret":       {"wrong\n", all, exitCredentials, "alwayson-server device add laptop"},
		"no secret":            {"", all, exitUsage, "standard input"},
		"another broker":       {n.typed, append(all[:5:5], "--broker", "mqtt://127.0.0.1:1", "--yes"), exitUnreachable, "the broker"},
		"no such kind":         {n.typed, append(all, "--store", "letters=/x"), exitConfig, "letters"},
		"half a store":         {n.typed, append(all, "--store", "mail"), exitUsage, "KIND=FOLDER"},
		"no name of a device":  {n.typed, append(all[:3:3], "--device", "a b", "--yes"), exitUsage, "no name of a device"},
		"nobody to ask":        {"", all[:1], exitUsage, "nobody to ask"},
		"a no in the end":      {strings.Join([]string{"ana", "laptop", n.typed, "", "", "", "", "no", ""}, "\n"), []string{n.address, "--broker", n.broker}, exitUsage, ""},
		"nothing is wanted":    {strings.Join([]string{"ana", "laptop", n.typed, "no", "no", "no", "no", "no", ""}, "\n"), []string{n.address, "--broker", n.broker}, exitUsage, "nothing is to be"},
		"a document, too":      {"", []string{n.address, "--provision", document}, exitUsage, "one of both"},
		"a web server instead": {n.typed, []string{n.address + "/healthz", "--yes"}, exitUnreachable, "no Data Sync Server"},
	} {
		code, said := n.setup(c.in, c.args...)
		if code != c.code || !strings.Contains(said, c.said) {
			t.Errorf("%s: exit code %d, want %d: %s", name, code, c.code, said)
		}
		if name != "a document, too" {
			n.nothing(said)
		}
	}
}
