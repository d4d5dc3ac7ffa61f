package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestSetupKeepsTheSecretElsewhere: in the keyring, or where a command has it; no file is written then. What cannot be used is said before anything is.
func TestSetupKeepsTheSecretElsewhere(t *testing.T) {
	n := newNewcomer(t)
	file := filepath.Join(t.TempDir(), "kept")
	if err := config.WriteSecret(file, n.typed); err != nil {
		t.Fatal(err)
	}
	all := []string{n.address, "--user", "ana", "--device", "laptop", "--broker", n.broker, "--store", "mail=~/Mail", "--yes"}
	setUp := func(code int, want, in string, args ...string) {
		t.Helper()
		if got, said := n.setup(in, append(all, args...)...); got != code || !strings.Contains(said, want) || strings.Contains(said, n.typed) {
			t.Errorf("%v: exit code %d, want %d: %s", args, got, code, said)
		}
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+file+".none")
	setUp(exitCredentials, "no desktop session", n.typed, "--keyring")
	setUp(exitUsage, "one of --keyring and --secret-command", n.typed, "--keyring", "--secret-command", "x")
	setUp(exitCredentials, "the command that has the secret fails: ", "", "--secret-command", "cat "+file+".none")
	n.nothing("nothing was changed")

	setUp(exitOK, "the secret comes from: cat "+file, "", "--secret-command", "cat "+file)
	if c, err := config.Load(n.conf); err != nil || c.Account.Secret() != (config.Secret{Command: "cat " + file}) {
		t.Errorf("%+v %v", c, err)
	}
	k := testenv.NewKeyring(t)
	setUp(exitOK, "written: the entry alwayson for laptop@127.0.0.1 in the keyring", n.typed, "--keyring")
	c, err := config.Load(n.conf)
	if err != nil || c.Account.Secret() != (config.Secret{Keyring: true}) {
		t.Fatalf("%+v %v", c, err)
	}
	at := creds.OfAccount(c)
	if s, err := at.Read(t.Context()); err != nil || s != n.typed {
		t.Errorf("%q %v", s, err)
	}
	k.Lock()
	setUp(exitCredentials, "the keyring is locked", n.typed, "--keyring")
}
