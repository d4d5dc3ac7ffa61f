package creds_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
)

// unlocked is a keyring that is there.
func unlocked(context.Context, string) error { return nil }

// problem checks what kind of error it is, and that it says what to type.
func problem(t *testing.T, err error, want creds.Problem, text string) {
	t.Helper()
	var e *creds.Error
	if !errors.As(err, &e) || e.Problem != want || !strings.Contains(e.Error(), text) || !strings.HasSuffix(e.Error(), ", nothing is lost") {
		t.Errorf("%v, want %q", err, text)
	}
}

// TestKeyring with the library's mock: what is written is found by its account only.
func TestKeyring(t *testing.T) {
	keyring.MockInit()
	at := creds.Place{Keyring: true, Account: "d@host", Key: "account", Ready: unlocked}
	_, err := at.Read(t.Context())
	problem(t, err, creds.Missing, "has no entry alwayson for d@host; type alwayson login,")
	if err := at.Write(t.Context(), "geheim"); err != nil {
		t.Fatal(err)
	}
	if s, err := at.Read(t.Context()); err != nil || s != "geheim" {
		t.Errorf("%q %v", s, err)
	}
	push := creds.Place{Keyring: true, Account: "d@broker (broker)", Key: "push", Ready: unlocked}
	_, err = push.Read(t.Context())
	problem(t, err, creds.Missing, "type alwayson login --push")
	keyring.MockInitWithError(errors.New("broken"))
	_, err = at.Read(t.Context())
	problem(t, err, creds.Failed, "the keyring fails: broken; type alwayson doctor")
	problem(t, at.Write(t.Context(), "s"), creds.Failed, "broken")
}

// TestWhatIsNotReadyIsNotAsked: the library would ask the user, or start a bus.
func TestWhatIsNotReadyIsNotAsked(t *testing.T) {
	keyring.MockInitWithError(errors.New("asked"))
	locked := &creds.Error{Problem: creds.Locked, What: "the keyring is locked", Advice: "unlock it"}
	at := creds.Place{Keyring: true, Account: "d@host", Ready: func(context.Context, string) error { return locked }}
	_, err := at.Read(t.Context())
	if !errors.Is(err, locked) || !errors.Is(at.Write(t.Context(), "s"), locked) {
		t.Error(err)
	}
}

// TestPlaces: each entry of the keyring is named after the device and its server.
func TestPlaces(t *testing.T) {
	c := &config.Config{Device: "laptop", Account: config.Account{Server: "https://sync.example.org:8443/ds", Keyring: true},
		Push: config.Push{Broker: "mqtts://mq.example.org", User: "laptop", SecretCommand: "pass b"}}
	at := creds.OfAccount(c)
	push, own := creds.OfPush(c)
	if at.ID() != "keyring laptop@sync.example.org" || !own || push.ID() != "command pass b" {
		t.Errorf("%+v %+v %v", at, push, own)
	}
	c.Push.SecretCommand, c.Push.Keyring = "", true
	if _, own := creds.OfPush(c); own {
		t.Error("the broker gets the secret of the account")
	}
}

// TestSealedFile: it is of no use on another machine, what is damaged is said to be, and plain text is read as ever.
func TestSealedFile(t *testing.T) {
	at := creds.Place{File: filepath.Join(t.TempDir(), "secret"), Key: "account", MachineID: "a"}
	if err := at.Write(t.Context(), "geheim"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(at.File)
	if err != nil || !strings.HasPrefix(string(text), "alwayson-sealed-1 ") || strings.Contains(string(text), "geheim") || !at.Sealed() {
		t.Errorf("%q %v", text, err)
	}
	if fi, err := os.Stat(at.File); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi, err)
	}
	if s, err := at.Read(t.Context()); err != nil || s != "geheim" {
		t.Errorf("%q %v", s, err)
	}
	other := at
	other.MachineID = "b"
	var wrong *config.Error
	if _, err := other.Read(t.Context()); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "it was sealed on another machine: type alwayson login") {
		t.Error(err)
	}
	for _, damaged := range []string{"alwayson-sealed-1 a", "alwayson-sealed-1 ! !", strings.TrimSpace(string(text)) + "=", string(text[:len(text)-9])} {
		if err := config.WriteSecret(at.File, damaged); err != nil {
			t.Fatal(err)
		}
		if s, err := at.Read(t.Context()); !errors.As(err, &wrong) || s != "" {
			t.Errorf("%q: %q %v", damaged, s, err)
		}
	}
	if err := config.WriteSecret(at.File, "plain"); err != nil {
		t.Fatal(err)
	}
	if s, err := at.Read(t.Context()); err != nil || s != "plain" || at.Sealed() {
		t.Errorf("%q %v", s, err)
	}
}

// TestTwoFilesHaveTwoKeys: the salt differs, also of the same secret.
func TestTwoFilesHaveTwoKeys(t *testing.T) {
	var texts [2]string
	for i := range texts {
		at := creds.Place{File: filepath.Join(t.TempDir(), "secret"), MachineID: "a"}
		if err := at.Write(t.Context(), "geheim"); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(at.File)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = strings.Fields(string(text))[1]
	}
	if texts[0] == texts[1] {
		t.Error(texts)
	}
}

// TestMain also is the command that has the secret, so that the tests need none of the system's.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "have" {
		os.Stdout.WriteString(strings.ReplaceAll(os.Args[2], "|", "\n"))
		if len(os.Args) > 3 {
			os.Stderr.WriteString("first\n" + os.Args[3] + "\n\n")
			os.Exit(3)
		}
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "hang" {
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

// TestCommand: the first line is the secret; what fails says the last line of its complaint, and not what it has written.
func TestCommand(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	at := creds.Place{Key: "account"}
	for _, c := range []struct{ args, want, problem string }{
		{"'a b|user: ana'", "a b", ""},
		{"'a\r|'", "a", ""},
		{"geheim 'no key'", "", "exit status 3: no key; type it yourself ("},
		{"'|second'", "", "the first line that it writes is empty"},
	} {
		at.Command = `"` + self + `" have ` + c.args
		switch s, err := at.Read(t.Context()); {
		case c.problem != "":
			problem(t, err, creds.Failed, c.problem)
			if s != "" {
				t.Errorf("%q with an error", s)
			}
		case err != nil || s != c.want:
			t.Errorf("%s: %q %v", c.args, s, err)
		}
	}
	at.Command = filepath.Join(t.TempDir(), "none")
	_, err = at.Read(t.Context())
	problem(t, err, creds.Failed, "the command that has the secret fails")
	problem(t, at.Write(t.Context(), "s"), creds.ReadOnly, "the secret comes from a command (account.secret_command); change it there")
}

// TestCommandThatHangs is given up with what waits for it.
func TestCommandThatHangs(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	at := creds.Place{Command: `"` + self + `" hang`, Patience: 200 * time.Millisecond}
	_, err = at.Read(t.Context())
	problem(t, err, creds.Failed, "it has not answered within")
}
