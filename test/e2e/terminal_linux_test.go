package e2e

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestAPersonAtATerminal sets a device up, is asked what no flag says, and keeps the secret, which does not show, in the keyring that is offered.
func TestAPersonAtATerminal(t *testing.T) {
	testenv.NewKeyring(t)
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.Kill()
	secret := strings.TrimSpace(d.Secret())
	testenv.Ask(t, "the server does not answer", func(context.Context) error {
		res, err := http.Get(w.Address() + "/healthz")
		if err == nil {
			err = res.Body.Close()
		}
		return err
	})
	home := t.TempDir()
	conf := filepath.Join(home, "alwayson.toml")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, pimtest.Program(t, "script", "bsdutils"), "-qec",
		d.Program()+" setup "+w.Address()+" --config "+conf+" --broker "+w.Broker()+" --store contacts="+home+"/Contacts", os.DevNull)
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME=", "XDG_STATE_HOME=", "NO_COLOR=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &person{t: t, sees: bufio.NewReader(out)}
	p.until("User [")
	p.types(in, "ana")
	p.until("as the administrator enrolled it [")
	p.types(in, "laptop")
	p.until("ecret")
	p.types(in, secret)
	p.until("Keep the secret in the keyring of this desktop? yes, or no for a file [yes]")
	p.types(in, "")
	p.until("Go? [yes]: ")
	p.types(in, "")
	p.types(in, "no") // whether it shall run from now on, of which root is not asked
	p.until("written: the entry alwayson for laptop@127.0.0.1 in the keyring")
	in.Close()
	rest, _ := p.sees.ReadString(0)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s%s", err, p.seen.String(), rest)
	}
	if strings.Contains(p.seen.String()+rest, secret) {
		t.Error("the secret shows on the terminal")
	}
	if text, err := os.ReadFile(conf); err != nil || !strings.Contains(string(text), "keyring = true") {
		t.Errorf("%v: %s", err, text)
	}
}

// person reads what is on a terminal.
type person struct {
	t    *testing.T
	sees *bufio.Reader
	seen strings.Builder
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

func (p *person) types(to interface{ Write([]byte) (int, error) }, line string) {
	p.t.Helper()
	if _, err := to.Write([]byte(line + "\n")); err != nil {
		p.t.Fatal(err)
	}
}
