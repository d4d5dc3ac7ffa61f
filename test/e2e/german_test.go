package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// shown waits until a command writes something.
func shown(t *testing.T, d *testenv.Device, want string, args ...string) {
	t.Helper()
	testenv.Ask(t, "alwayson "+strings.Join(args, " "), func(context.Context) error {
		out, _ := d.Command(args...) // its exit code is of other tests
		if !strings.Contains(out, want) {
			return fmt.Errorf("it does not say %q:\n%s", want, out)
		}
		return nil
	})
}

// TestInGerman is a day with a device whose user speaks German: the agent does not, and he is told everything in his language (A1).
func TestInGerman(t *testing.T) {
	t.Setenv("LC_ALL", "de_DE.UTF-8")
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.On()
	const many = 30
	card := func(i int) string { return filepath.Join(d.Dir, "contacts", fmt.Sprint(i, ".vcf")) }
	for i := range many {
		if err := os.WriteFile(card(i), fmt.Appendf(nil, "BEGIN:VCARD\r\nUID:%d\r\nEND:VCARD\r\n", i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shown(t, d, "Sie können die Verbindung jetzt trennen", "sync", "--wait")
	shown(t, d, "Always-On ist EIN      abgeglichen (geprüft ", "status")
	shown(t, d, "contacts: 30 gesendet, 0 empfangen", "why")

	for i := range many {
		if err := os.Remove(card(i)); err != nil {
			t.Fatal(err)
		}
	}
	shown(t, d, "viele Löschungen von contacts werden zurückgehalten, bis Sie sie angesehen haben", "status")
	shown(t, d, "contacts: 30 Einträge wurden auf diesem Gerät gelöscht", "hold", "list")
	shown(t, d, "nichts wird zurückgehalten", "hold", "reject", "contacts")

	login := exec.Command(d.Program(), "--config", d.Config(), "login")
	login.Stdin = strings.NewReader("falsch\n")
	if out, _ := login.CombinedOutput(); !strings.Contains(string(out), "alwayson: der Server antwortet 401 (Anmeldedaten ungültig): Benutzername oder Passwort ist falsch") {
		t.Errorf("a wrong password: %s", out)
	}
	shown(t, d, "der Server hat die Anmeldedaten abgelehnt; nichts geht verloren", "status")
	shown(t, d, "der Server hat die Anmeldedaten abgelehnt", "status", "--check")
	shown(t, d, `"summary": "the server refused the credentials; nothing is lost`, "status", "--json")

	login = exec.Command(d.Program(), "--config", d.Config(), "login")
	login.Stdin = strings.NewReader(w.Admin("device", "secret", "laptop") + "\n")
	if out, err := login.CombinedOutput(); err != nil || !strings.Contains(string(out), "fertig nach ") {
		t.Errorf("the right password: %v %s", err, out)
	}
	w.Server.Kill()
	if err := os.WriteFile(card(many), []byte("BEGIN:VCARD\r\nUID:x\r\nEND:VCARD\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	shown(t, d, "es wird von selbst wieder versucht; 1 Änderung wartet", "status")
	shown(t, d, "der Server ist nicht erreichbar: ", "sync", "--wait")
	d.Kill()
	shown(t, d, "alwayson: der Agent läuft nicht; nichts geht verloren", "status")
}
