//go:build unix

package terminal_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/alwayson-sync/alwayson/ds/cmd/terminal"
)

// person answers a prompt the moment it shows, faster than anybody could.
type person struct {
	keyboard io.Writer
	answers  string
	seen     strings.Builder
}

func (p *person) Write(b []byte) (int, error) {
	p.seen.Write(b)
	if p.answers != "" {
		if _, err := io.WriteString(p.keyboard, p.answers); err != nil {
			return 0, err
		}
		p.answers = ""
	}
	return len(b), nil
}

func open(t *testing.T) (keyboard, tty *os.File) {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		tty.Close()
		keyboard.Close()
	})
	return keyboard, tty
}

// echoed is what the terminal shows of its own accord, up to a mark that is typed now.
func echoed(t *testing.T, keyboard *os.File) string {
	t.Helper()
	const mark = "<mark>"
	if _, err := io.WriteString(keyboard, mark); err != nil {
		t.Fatal(err)
	}
	var all []byte
	for b := make([]byte, 64); !strings.Contains(string(all), mark); {
		n, err := keyboard.Read(b)
		if err != nil {
			t.Fatalf("the terminal does not echo any more: %v, after %q", err, all)
		}
		all = append(all, b[:n]...)
	}
	return string(all)
}

func TestASecretThatIsTypedAtOnceDoesNotShow(t *testing.T) {
	keyboard, tty := open(t)
	in := terminal.New(t.Context(), tty)
	p := &person{keyboard: keyboard, answers: "hunter2\nnext\n"}
	secret, err := in.Secret(p, "Secret: ")
	if secret != "hunter2" || err != nil || !in.Person() {
		t.Errorf("%q, %v, a person: %t", secret, err, in.Person())
	}
	if p.seen.String() != "Secret: \n" {
		t.Errorf("the person sees %q", p.seen.String())
	}
	if line, err := in.ReadString('\n'); line != "next\n" || err != nil {
		t.Errorf("what was typed ahead is %q, %v", line, err)
	}
	if shown := echoed(t, keyboard); strings.Contains(shown, "hunter2") {
		t.Errorf("the terminal shows %q", shown)
	}
}

func TestAPersonLeavesAPrompt(t *testing.T) {
	keyboard, tty := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	in := terminal.New(ctx, tty)
	_, err := in.Secret(ends(cancel), "Secret: ")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	echoed(t, keyboard) // the shell's line shows what is typed
}

// ends is a screen in front of which a person ends the program.
type ends context.CancelFunc

func (e ends) Write(b []byte) (int, error) {
	e()
	return len(b), nil
}

func TestASecretFromAPipe(t *testing.T) {
	for in, want := range map[string]string{"hunter2\r\nrest": "hunter2", "last": "last", "": ""} {
		i := terminal.New(t.Context(), strings.NewReader(in))
		got, err := i.Secret(io.Discard, "Secret: ")
		if got != want || i.Person() || (err == nil) != strings.Contains(in, "\n") {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
}
