package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestANewcomer: one command on a new device, and what is saved there is on the other one, and the other way round. No file was edited, and the system
// runs the agent. It must take less than a minute, which the limit of the test's waiting sees to.
func TestANewcomer(t *testing.T) {
	if !testenv.InSystemd(t) {
		return
	}
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"desk"}})
	desk := w.Devices[0]
	desk.On()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(home, ".contacts", "family")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "ana.vcf"), "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Ana\r\nEND:VCARD\r\n")
	setup := exec.CommandContext(ctx, testenv.Program("alwayson"), "setup", w.Address(), "--user", "ana", "--device", "phone", "--broker", w.Broker(), "--yes", "--service")
	setup.Stdin = strings.NewReader(w.Admin("device", "add", "phone", "--user", "ana") + "\n")
	out, err := setup.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Always-On is ON") || !strings.Contains(string(out), "signed in as ana, device phone") {
		t.Fatalf("%v\n%s", err, out)
	}
	has := func(path string) {
		t.Helper()
		testenv.Ask(t, path+" arrives", func(context.Context) error {
			if ctx.Err() != nil {
				t.Fatal("it takes more than a minute")
			}
			_, err := os.Stat(path)
			return err
		})
	}
	has(filepath.Join(desk.Dir, "contacts", "family", "ana.vcf"))
	write(t, filepath.Join(desk.Dir, "contacts", "ben.vcf"), "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:2\r\nFN:Ben\r\nEND:VCARD\r\n")
	has(filepath.Join(home, ".contacts", "ben.vcf"))

	examined, err := exec.CommandContext(ctx, testenv.Program("alwayson"), "doctor").CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 || !strings.Contains(string(examined), "the system runs the agent, at each login") {
		t.Errorf("%v\n%s", err, examined)
	}
	if out, err := exec.CommandContext(ctx, testenv.Program("alwayson"), "service", "--user", "uninstall").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
