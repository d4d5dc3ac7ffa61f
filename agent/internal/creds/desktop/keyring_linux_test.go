// Package desktop tries package creds with a real keyring: its own tests replace that by the library's mock, for good.
package desktop

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// here is a place in the keyring of the test's session.
func here() creds.Place { return creds.Place{Keyring: true, Account: "d@host", Key: "account"} }

func problem(t *testing.T, err error, want creds.Problem, text string) {
	t.Helper()
	var e *creds.Error
	if !errors.As(err, &e) || e.Problem != want || !strings.Contains(e.Error(), text) {
		t.Errorf("%v, want %q", err, text)
	}
}

// TestNoKeyring: where there is no session, or nobody in it who keeps secrets, that is said, and nothing is started.
func TestNoKeyring(t *testing.T) {
	bin := t.TempDir()
	started := filepath.Join(bin, "started")
	launch := "#!/bin/sh\ntouch " + started + "\n"
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte(launch), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	at := here()
	for name, address := range map[string]string{"nobody listens": "unix:path=" + filepath.Join(bin, "none"), "a bad address": "none"} {
		t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		_, err := at.Read(t.Context())
		problem(t, err, creds.Unreachable, "there is no desktop session here (no session bus); log in to the desktop, or name a file")
		problem(t, at.Write(t.Context(), "s"), creds.Unreachable, "no desktop session")
		if _, err := os.Stat(started); err == nil {
			t.Error(name + ": a bus was started")
		}
	}
	testenv.Bus(t)
	_, err := at.Read(t.Context())
	problem(t, err, creds.Unreachable, "no keyring answers in this desktop session")
}

// TestNoBusIsStarted is for a session that says nothing of a bus: the library would start one, and leave it behind.
func TestNoBusIsStarted(t *testing.T) {
	if os.Getenv("KEYRING_CHILD") != "" {
		at := here()
		var e *creds.Error // which one depends on whether there is a session on this machine
		if _, err := at.Read(t.Context()); !errors.As(err, &e) {
			t.Error(err)
		}
		return
	}
	bin := t.TempDir()
	started := filepath.Join(bin, "started")
	if err := os.WriteFile(filepath.Join(bin, "dbus-launch"), []byte("#!/bin/sh\necho >"+started+"\n"), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^TestNoBusIsStarted$")
	cmd.Env = []string{"KEYRING_CHILD=1", "PATH=" + bin, "HOME=" + bin}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("a bus was started")
	}
}

// TestRealKeyring: GNOME's keyring, which is told apart when it is locked, and when it has nothing of ours. No question is asked of anybody.
func TestRealKeyring(t *testing.T) {
	k := testenv.NewKeyring(t)
	at := here()
	_, err := at.Read(t.Context())
	problem(t, err, creds.Missing, "the keyring is unlocked, and has no entry alwayson for d@host; type alwayson login")
	if err := at.Write(t.Context(), "geheim"); err != nil {
		t.Fatal(err)
	}
	if s, err := at.Read(t.Context()); err != nil || s != "geheim" {
		t.Errorf("%q %v", s, err)
	}
	k.Lock()
	_, err = at.Read(t.Context())
	problem(t, err, creds.Locked, "the keyring is locked; unlock it (log in to the desktop), nothing is lost")
	problem(t, at.Write(t.Context(), "other"), creds.Locked, "the keyring is locked")
	k.Unlock()
	if s, err := at.Read(t.Context()); err != nil || s != "geheim" {
		t.Errorf("after the lock: %q %v", s, err)
	}
}

// TestAKeyringThatHangs is given up: an agent must not hang with it.
func TestAKeyringThatHangs(t *testing.T) {
	k := testenv.NewKeyring(t)
	k.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	at := here()
	_, err := at.Read(ctx)
	problem(t, err, creds.Unreachable, "no keyring answers in this desktop session")
}
