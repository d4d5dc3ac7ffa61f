package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestKeyring is the life of a device whose secret is in the keyring of a desktop: login, a start while it is locked, and how it goes on by itself.
func TestKeyring(t *testing.T) {
	k := testenv.NewKeyring(t)
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.Kill()
	secret := d.Secret()
	requests := countRequests(t, d)
	rewrite(t, d, `secret_file = .*`, "keyring = true")
	if err := os.Remove(d.SecretFile()); err != nil {
		t.Fatal(err)
	}

	says(t, d, anyCode, "the keyring is unlocked, and has no entry alwayson for laptop@127.0.0.1", "doctor")
	cmd := exec.Command(d.Program(), "--config", d.Config(), "login")
	cmd.Stdin = strings.NewReader(secret)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "saved; the agent is not running") {
		t.Fatalf("%v %s", err, out)
	}
	d.Start()
	d.On()
	testenv.Ask(t, "not in sync", func(context.Context) error { return checks(d) })
	says(t, d, anyCode, "the secret of the account is in the keyring, which is unlocked", "doctor")
	d.Kill()

	k.Lock()
	n := requests.Load()
	d.Start()
	testenv.Ask(t, "the agent does not hold", func(ctx context.Context) error {
		s, err := d.Control.Status(ctx)
		if err == nil && s.State != "held" {
			err = errors.New(s.Summary)
		}
		return err
	})
	says(t, d, 6, "held: the keyring is locked; unlock it (log in to the desktop), nothing is lost", "status", "--check")
	says(t, d, 6, "the keyring is locked", "sync", "--wait")
	if got := requests.Load(); got != n {
		t.Errorf("%d requests to the server without a secret", got-n)
	}
	says(t, d, anyCode, "the secret of the account: the keyring is locked; nothing is synchronized without it, and nothing is lost", "doctor")
	k.Unlock()
	testenv.Ask(t, "it does not go on by itself", func(context.Context) error { return checks(d) })
}

// TestSecretCommand: the agent asks the command, keeps nothing, and login says where the secret is to be changed.
func TestSecretCommand(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.Kill()
	file := d.SecretFile()
	rewrite(t, d, `secret_file = .*`, fmt.Sprintf(`secret_command = "cat '%s'"`, file))
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	d.Start()
	d.On()
	testenv.Ask(t, "no complaint", func(context.Context) error {
		if out, err := d.Command("status", "--check"); exitCode(err) != 6 || !strings.Contains(out, "held: the command that has the secret fails: exit status 1: cat: ") {
			return errors.New(out)
		}
		return nil
	})
	says(t, d, 1, "No such file or directory", "login")
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	says(t, d, 2, "the secret comes from a command (account.secret_command); change it there", "login")
	testenv.Ask(t, "not in sync", func(context.Context) error { return checks(d) })
	says(t, d, anyCode, "the secret of the account comes from a command, which works", "doctor")
}

// TestALoginSealsTheFile that was plain text, and the agent reads it again.
func TestALoginSealsTheFile(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	file := d.SecretFile()
	secret := d.Secret()
	d.On()
	says(t, d, anyCode, "in a file as plain text: alwayson login writes it anew", "doctor")
	cmd := exec.Command(d.Program(), "--config", d.Config(), "login")
	cmd.Stdin = strings.NewReader(secret)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	sealed, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(sealed), "alwayson-sealed-1 ") || strings.Contains(string(sealed), strings.TrimSpace(secret)) {
		t.Errorf("%q %v", sealed, err)
	}
	d.Kill()
	d.Start()
	testenv.Ask(t, "not in sync after a restart", func(context.Context) error { return checks(d) })
	says(t, d, anyCode, "is sealed in its file", "doctor")
}

// anyCode is for doctor, which may find something else as well.
const anyCode = -1

func says(t *testing.T, d *testenv.Device, code int, want string, args ...string) {
	t.Helper()
	out, err := d.Command(args...)
	if got := exitCode(err); code != anyCode && got != code || !strings.Contains(out, want) {
		t.Errorf("alwayson %s: exit %d, want %d, and it says\n%s\nwant %q", strings.Join(args, " "), got, code, out, want)
	}
}

func checks(d *testenv.Device) error {
	out, err := d.Command("status", "--check")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// rewrite changes the configuration of a device.
func rewrite(t *testing.T, d *testenv.Device, pattern, text string) {
	t.Helper()
	conf, err := os.ReadFile(d.Config())
	if err != nil {
		t.Fatal(err)
	}
	conf = regexp.MustCompile(pattern).ReplaceAllLiteral(conf, []byte(text))
	if err := os.WriteFile(d.Config(), conf, 0o600); err != nil {
		t.Fatal(err)
	}
}

// countRequests puts somebody between device and server who counts.
func countRequests(t *testing.T, d *testenv.Device) *atomic.Int32 {
	t.Helper()
	conf, err := os.ReadFile(d.Config())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(string(regexp.MustCompile(`server = "(.*)/ds"`).FindSubmatch(conf)[1]))
	if err != nil {
		t.Fatal(err)
	}
	n, to := new(atomic.Int32), httputil.NewSingleHostReverseProxy(u)
	between := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(between.Close)
	rewrite(t, d, `server = ".*"`, fmt.Sprintf("server = %q", between.URL+"/ds"))
	return n
}
