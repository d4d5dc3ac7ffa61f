package e2e

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestAPersonAtATerminal sets a device up, is asked what no flag says, and keeps the secret, which does not show, in the keyring that is offered.
func TestAPersonAtATerminal(t *testing.T) {
	testenv.NewKeyring(t)
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.Kill()
	secret := strings.TrimSpace(d.Secret())
	answers(t, w)
	home := t.TempDir()
	conf := filepath.Join(home, "alwayson.toml")
	cmd, p := atTerminal(t, home, d.Program(), "setup", w.Address(), "--config", conf, "--broker", w.Broker(), "--store", "contacts="+home+"/Contacts")
	p.until("User [")
	p.types("ana")
	p.until("as the administrator enrolled it [")
	p.types("laptop")
	p.until("ecret")
	p.types(secret)
	p.until("Keep the secret in the keyring of this desktop? yes, or no for a file [yes]")
	p.types("")
	p.until("Go? [yes]: ")
	p.types("")
	p.types("no") // whether it shall run from now on, of which root is not asked
	p.until("written: the entry alwayson for laptop@127.0.0.1 in the keyring")
	p.rest()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, p.seen.String())
	}
	if strings.Contains(p.seen.String(), secret) {
		t.Errorf("the secret shows on the terminal: %s", p.seen.String())
	}
	if text, err := os.ReadFile(conf); err != nil || !strings.Contains(string(text), "keyring = true") {
		t.Errorf("%v: %s", err, text)
	}
}

// TestAPersonLeavesSetup presses Ctrl-C at a question and at the prompt of the secret: nothing is written, and the terminal echoes again.
func TestAPersonLeavesSetup(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	answers(t, w)
	for prompt, flags := range map[string][]string{"User [": nil, "ecret": {"--user", "ana", "--device", "laptop"}} {
		home := t.TempDir()
		conf := filepath.Join(home, "alwayson.toml")
		cmd, p := atTerminal(t, home, w.Devices[0].Program(), append([]string{"setup", w.Address(), "--config", conf, "--broker", w.Broker()}, flags...)...)
		p.until(prompt)
		if _, err := p.terminal.WriteString("\x03"); err != nil {
			t.Fatal(err)
		}
		p.rest()
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
			t.Errorf("at %q: %v: %s", prompt, err, p.seen.String())
		}
		if _, err := os.Stat(conf); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("at %q: it has written a configuration: %v", prompt, err)
		}
	}
}

// answers waits for the server.
func answers(t *testing.T, w *testenv.World) {
	t.Helper()
	testenv.Ask(t, "the server does not answer", func(context.Context) error {
		res, err := http.Get(w.Address() + "/healthz")
		if err == nil {
			err = res.Body.Close()
		}
		return err
	})
}

// person sits at a terminal.
type person struct {
	t        *testing.T
	terminal *os.File
	sees     *bufio.Reader
	seen     strings.Builder
}

// atTerminal runs a program in front of a person.
func atTerminal(t *testing.T, home, program string, args ...string) (*exec.Cmd, *person) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "NO_COLOR=1")
	f, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return cmd, &person{t: t, terminal: f, sees: bufio.NewReader(f)}
}

// until reads until it says something.
func (p *person) until(text string) {
	p.t.Helper()
	for from := p.seen.Len(); !strings.Contains(p.seen.String()[from:], text); {
		b, err := p.sees.ReadByte()
		if err != nil {
			p.t.Fatalf("it never said %q: %v: %s", text, err, p.seen.String())
		}
		p.seen.WriteByte(b)
	}
}

// rest reads until the program ends, of which a terminal makes an error.
func (p *person) rest() {
	rest, _ := p.sees.ReadString(0)
	p.seen.WriteString(rest)
}

func (p *person) types(line string) {
	p.t.Helper()
	if _, err := p.terminal.WriteString(line + "\n"); err != nil {
		p.t.Fatal(err)
	}
}
