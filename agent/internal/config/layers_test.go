package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

// machine is a folder for everybody and a user's file; text of a file that is "" is no file.
func machine(t *testing.T, user string, environ []string, system ...string) config.Sources {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < len(system); i += 2 {
		write("etc/"+system[i], system[i+1])
	}
	if user != "" {
		write("home/alwayson.toml", user)
	}
	return config.Sources{System: filepath.Join(dir, "etc"), User: filepath.Join(dir, "home", "alwayson.toml"), Environ: environ}
}

const everybody = "[account]\nserver = \"https://all.example.org/ds\"\nca_file = \"ca.pem\"\n[session]\npoll = \"20m\"\nprobe = \"40s\"\n[log]\nlevel = \"warn\"\n" +
	"[[store]]\nname = \"contacts\"\nkind = \"contacts\"\ndir = \"/all\"\nfilter = \"name:zoe\"\n[[store]]\nname = \"tasks\"\nkind = \"tasks\"\ndir = \"t\"\n"

// TestLayers: system files, the user's, the environment, each over those before, and where each value comes from.
func TestLayers(t *testing.T) {
	s := machine(t, good, []string{"HOME=/x", "ALWAYSON_SESSION_PROBE=50s", "ALWAYSON_STORE_CONTACTS_CONFLICTS=server", "ALWAYSON_DEVICE=other", "ALWAYSON_TEST_SOMETHING=1", "ALWAYSON_CONFIG=x"},
		"alwayson.toml", everybody, "conf.d/20-late.toml", "[session]\npoll = \"7m\"\n", "conf.d/10-early.toml", "[session]\npoll = \"9m\"\n[brake]\ncount = 5\n", "conf.d/note.txt", "no TOML")
	f, err := config.ReadFrom(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.With(nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"session.poll": "7m system " + s.System + "/conf.d/20-late.toml", "brake.count": "5 system " + s.System + "/conf.d/10-early.toml", "log.level": "warn system " + s.System + "/alwayson.toml",
		"account.server": "https://sync.example.org/ds file " + s.User, "session.probe": "50s environment ALWAYSON_SESSION_PROBE",
		"store.contacts.conflicts": "server environment ALWAYSON_STORE_CONTACTS_CONFLICTS", "store.contacts.filter": " file " + s.User, "store.tasks.conflicts": "merge default ",
		"account.ca_file": s.System + "/ca.pem system " + s.System + "/alwayson.toml", "session.verify": "24h default ",
	} {
		value, _ := c.Get(key)
		origin, where := f.Origin(key)
		if got := value + " " + origin + " " + where; got != want {
			t.Errorf("%s = %s, want %s", key, got, want)
		}
	}
	if c.Device != "other" || len(c.Stores) != 2 || c.Stores[0].Dir == "/all" || c.Stores[1].Dir != filepath.Join(s.System, "t") {
		t.Errorf("%+v", c)
	}
}

// TestAUserNeedsNoFile if there is one for everybody; else its absence is told as such.
func TestAUserNeedsNoFile(t *testing.T) {
	f, err := config.ReadFrom(machine(t, "", []string{"ALWAYSON_DEVICE=d", "ALWAYSON_ACCOUNT_USER=ana", "ALWAYSON_ACCOUNT_SECRET_FILE=/s"}, "alwayson.toml", everybody))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := f.With(nil); err != nil || c.Account.User != "ana" || c.Account.SecretFile != "/s" {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := config.ReadFrom(machine(t, "", nil)); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestMistakesInLayers name the file or the variable; secrets are not taken from the environment.
func TestMistakesInLayers(t *testing.T) {
	for want, s := range map[string]config.Sources{
		"conf.d/1.toml: line 2: unknown key session.pol":                                     machine(t, good, nil, "conf.d/1.toml", "[session]\npol = \"1m\"\n"),
		"ALWAYSON_SESSION_POLL: session.poll: \"soon\" is no duration":                       machine(t, good, []string{"ALWAYSON_SESSION_POLL=soon"}),
		"unknown variable ALWAYSON_SESSION_PLL (did you mean ALWAYSON_SESSION_POLL?)":        machine(t, good, []string{"ALWAYSON_SESSION_PLL=5m"}),
		"ALWAYSON_ACCOUNT_KEY_FILE: a secret does not belong into the environment":           machine(t, good, []string{"ALWAYSON_ACCOUNT_KEY_FILE=" + pem}),
		"ALWAYSON_NETWORK_PROXY: network.proxy: user and password do not belong in the addr": machine(t, good, []string{"ALWAYSON_NETWORK_PROXY=http://a:b@c"}),
	} {
		f, err := config.ReadFrom(s)
		if err == nil {
			_, err = f.With(nil)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
