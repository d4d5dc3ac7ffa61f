package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestCommandLine goes through the commands as a user types them, with the exit codes that scripts rely on (ux.md 5.2).
func TestCommandLine(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts", "mail"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	file := filepath.Join(d.Dir, "contacts", "ana.vcf")
	testenv.Ask(t, "the agent does not answer", func(ctx context.Context) error {
		_, err := d.Control.Status(ctx)
		return err
	})
	says := func(code int, want string, args ...string) {
		t.Helper()
		out, err := d.Command(args...)
		if got := exitCode(err); got != code || !strings.Contains(out, want) {
			t.Errorf("alwayson %s: exit %d, want %d, and it says\n%s\nwant %q", strings.Join(args, " "), got, code, out, want)
		}
	}
	inSync := func() { // the broker may have called once more meanwhile
		t.Helper()
		testenv.Ask(t, "alwayson status --check says", func(context.Context) error {
			out, err := d.Command("status", "--check")
			if err == nil && !strings.Contains(out, "in sync") {
				t.Fatal(out)
			}
			return err
		})
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	says(0, "Always-On is OFF", "status")
	says(10, "not in sync", "status", "--check")
	says(1, "Always-On is off", "session", "open")
	says(1, "nothing to pause", "pause")
	says(0, "Always-On is ON", "on")
	write("BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	says(0, "safe to disconnect", "sync", "--wait")
	inSync()
	says(0, "paused until", "pause", "2h")
	says(0, "alwayson resume", "status")
	says(2, "no time", "pause", "soon")
	says(0, "Always-On is ON", "resume")
	inSync()
	says(0, `"always_on": true`, "status", "--json")
	says(0, "./DS/1/DB/contacts/Filter", "settings", "tree")
	says(0, `"acl": "Delete=alwayson-server`, "settings", "tree", "--json")
	says(0, "everything", "filter", "show")
	says(0, "1 would leave this device and stay on the server", "filter", "preview", "contacts", "name:zoe")
	says(2, "from", "filter", "set", "mail", "frm:ben")
	says(1, "cannot filter", "filter", "set", "contacts", "since:3d")
	says(0, "since:30d", "filter", "set", "mail", "since:30d")
	says(0, "safe to disconnect", "sync", "mail", "--filter", "from:@customer.example since:14d body:full attachments:all", "--for", "3d", "--wait")
	says(0, "from:@customer.example", "filter", "show")
	says(0, "everything", "filter", "reset", "mail")
	says(0, "nothing is held", "hold", "list")
	says(1, "nothing of contacts is held", "hold", "approve", "contacts")
	says(0, "no conflicts", "conflict", "list")
	says(1, "is no conflict", "conflict", "show", "ana.vcf")
	says(2, "--keep", "conflict", "resolve", "ana.vcf")
	says(0, "REPLACED", "history")
	says(1, "no such former version", "undo")
	says(2, "--at", "restore")
	says(0, "equal on both sides", "verify")
	says(0, "asked by the user", "why")
	says(0, "every item can be synchronized", "quarantine")
	says(1, "no store has an item", "fetch", "nothing")
	if out := w.Admin("filter", "set", "laptop", "contacts", "name:zoe", "--preview"); !strings.Contains(out, "1 come again in another form") && !strings.Contains(out, "1 leave") {
		t.Errorf("preview on the server: %s", out)
	}
	for _, args := range [][]string{{"filter", "show", "laptop"}, {"hold", "list"}, {"history", "--user", "ana"}} {
		w.Admin(args...)
	}
	whyOnServer(t, w)
	says(0, "set; the change is in use at once", "settings", "set", "log.level", "debug")
	says(0, "user, ", "settings", "show", "log", "--origin")
	says(0, "set; the change is in use at once", "settings", "reset", "log.level")
	says(1, "nothing is changed: account.server", "settings", "set", "account.server", "ftp://x")
	says(1, "there is no setting nothing", "settings", "set", "nothing", "x")
	says(2, "there is no setting nothing", "settings", "show", "nothing")
	says(0, "no transport", "session", "show")
	says(0, "the last one was closed", "session", "close")
	says(0, "open since", "session", "open")
	says(0, "nothing waits", "pending")
	says(0, "asked by the user", "log")
	says(0, `"cause": "asked by the user"`, "log", "--json", "-n", "3")
	says(2, "unknown flag", "sync", "--fast")
	says(2, "unknown command", "sink")
	says(2, "none of", "sync", "--mode", "backwards")
	says(2, "on this device", "sync", "--mode", "refresh-from-server")
	says(1, "there is no store cards", "sync", "cards", "--mode", "slow")
	says(0, "received 1", "sync", "contacts", "--mode", "refresh-from-server", "--yes", "--wait")
	says(0, "Always-On is OFF", "off")
	write("BEGIN:VCARD\r\nUID:1\r\nNOTE:more\r\nEND:VCARD\r\n")
	says(0, "sent 1", "sync", "--timeout", "20s")

	says(0, "Always-On is ON", "on")
	secret := w.Admin("device", "secret", "laptop") // A3, A6: changed on the server in the middle of a session
	says(6, "the password has changed", "sync", "--wait")
	says(6, "alwayson login", "sync", "--wait")
	says(0, "alwayson login", "status")
	says(6, "credentials are needed", "status", "--check")
	login := exec.Command(d.Program(), "--config", d.Config(), "login")
	login.Stdin = strings.NewReader(secret + "\n")
	if out, err := login.CombinedOutput(); err != nil || !strings.Contains(string(out), "safe to disconnect") {
		t.Errorf("login: %v %s", err, out)
	}
	inSync()

	w.Server.Kill()
	write("BEGIN:VCARD\r\nUID:1\r\nNOTE:even more\r\nEND:VCARD\r\n")
	says(7, "cannot reach the server", "sync", "--wait")
	says(0, "waits since", "status") // G6
	d.Kill()
	says(3, "the agent is not running", "status")
	w.Admin("device", "remove", "laptop")
	if list := w.Admin("session", "list"); !strings.Contains(list, "closed") || !strings.Contains(list, "finalized") {
		t.Errorf("the server's sessions:\n%s", list)
	}
}

// whyOnServer asks the server about a device: its exchanges, that it is connected, and why a change of filters led to a notification or did not.
func whyOnServer(t *testing.T, w *testenv.World) {
	t.Helper()
	for _, filter := range []string{"name:nobody", ""} {
		w.Admin("filter", "set", "laptop", "contacts", filter)
		testenv.Ask(t, "alwayson-server why says", func(context.Context) error {
			if out := w.Admin("why", "laptop", "-n", "1000"); strings.Count(out, "what its filter keeps was changed") == 0 || !strings.Contains(out, "contacts: ") {
				return errors.New(out)
			}
			return nil
		})
	}
	if out := w.Admin("filter", "set-all", "contacts", "", "--user", "ana"); !strings.HasPrefix(out, "1 devices") {
		t.Error(out)
	}
	testenv.Ask(t, "alwayson-server device list says", func(context.Context) error {
		if out := w.Admin("device", "list"); !strings.Contains(out, "online") {
			return errors.New(out)
		}
		return nil
	})
	if out := w.Admin("why", "laptop", "--json", "-n", "1"); !strings.Contains(out, `"what": "`) {
		t.Errorf("why as JSON: %s", out)
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return 0
}
