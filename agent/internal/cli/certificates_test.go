package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert/certtest"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
)

// secure is a server and a broker with TLS, and the agent's program on a device of theirs.
type secure struct {
	*testing.T
	site *site.Site
	cert atomic.Pointer[tls.Certificate] // of the server
	dir  string
	c    *control.Client
}

func newSecure(t *testing.T, ca *certtest.CA) *secure {
	w := &secure{T: t, dir: t.TempDir()}
	w.present(ca)
	conf := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*w.cert.Load()}, SessionTicketsDisabled: true,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return w.cert.Load(), nil }}
	s, err := site.Start(t.Context(), site.Options{DataDir: t.TempDir(), TLS: conf})
	if err != nil {
		t.Fatal(err)
	}
	w.site = s
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	if err := site.PutUser(t.Context(), s.Store(), "ana", "", false); err != nil {
		t.Fatal(err)
	}
	secret, err := site.Enrol(t.Context(), s.Store(), "ana", "d")
	if err != nil {
		t.Fatal(err)
	}
	ca.File(t, w.dir)
	w.write("secret", secret+"\n")
	w.write("contacts/1.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Ana\r\nEND:VCARD\r\n")
	w.write("alwayson.toml", fmt.Sprintf("device = \"d\"\nstate = \"state\"\nsocket = \"sock\"\n[account]\nserver = %q\nuser = \"ana\"\nsecret_file = \"secret\"\n"+
		"ca_file = \"ca.pem\"\n[push]\nbroker = %q\n[session]\nattempts = 1000\nbackoff = \"50ms\"\nmax_pause = \"200ms\"\nprobation = \"2s\"\n"+
		"[[store]]\nname = \"contacts\"\nkind = \"contacts\"\ndir = \"contacts\"\n", s.URL(), s.BrokerURL()))
	w.serve()
	return w
}

// present has the server show a certificate that an authority has signed just now.
func (w *secure) present(ca *certtest.CA) {
	cert := ca.Server(w)
	w.cert.Store(&cert)
}

func (w *secure) write(name, text string) string {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

// serve runs the agent's program until the test ends.
func (w *secure) serve() {
	w.Helper()
	settings, err := managed.Open(filepath.Join(w.dir, "alwayson.toml"), time.Now)
	if err != nil {
		w.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := serve(ctx, &host{settings: settings, ready: func() {}}, io.Discard); err != nil {
			w.Error(err)
		}
	})
	w.Cleanup(func() { stop(); wg.Wait() })
	w.c = control.Dial(filepath.Join(w.dir, "sock"))
	w.ask("the agent answers", func() error { _, err := w.c.On(w.Context()); return err })
}

// ask asks until there is no error.
func (w *secure) ask(what string, fn func() error) {
	w.Helper()
	again, late := time.NewTicker(10*time.Millisecond), time.After(time.Minute)
	defer again.Stop()
	for {
		err := fn()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-late:
			w.Fatalf("%s: %v", what, err)
		}
	}
}

func (w *secure) inSync(what string, is func(control.Status) bool) (s control.Status) {
	w.Helper()
	w.ask(what, func() (err error) {
		if s, err = w.c.Status(w.Context()); err == nil && (s.State != "idle" || !s.InSync() || s.Push.State != "connected" || !is(s)) {
			err = fmt.Errorf("%+v", s)
		}
		return err
	})
	return s
}

func anyway(control.Status) bool { return true }

// push has the administrator set settings, and waits until they are what is wanted.
func (w *secure) push(state, reason string, values map[string]*string) {
	w.Helper()
	if _, err := site.SetSettings(w.Context(), w.site.Store(), "@root", site.Whom{Device: "d"}, values, false); err != nil {
		w.Fatal(err)
	}
	w.ask(state, func() error {
		list, err := site.Settings(w.Context(), w.site.Store(), "d", false)
		for _, s := range list {
			if _, ours := values[s.Key]; ours && (s.State != state || !strings.Contains(s.Reason, reason)) {
				err = errors.Join(err, fmt.Errorf("%s is %s %s", s.Key, s.State, s.Reason))
			}
		}
		return err
	})
}

func pemOf(t *testing.T, cas ...*certtest.CA) *string {
	t.Helper()
	text := ""
	for _, ca := range cas {
		b, err := os.ReadFile(ca.File(t, t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		text += string(b)
	}
	return &text
}

// TestAuthoritiesArePushed is S18 and S10 for certificates: the authority that signs for server and broker from now on is pushed beside the former one, the
// server changes its certificate, and the device goes on; a wrong one is taken back by the device, which reports why.
func TestAuthoritiesArePushed(t *testing.T) {
	former, next, wrong := certtest.New(t), certtest.New(t), certtest.New(t)
	w := newSecure(t, former)
	before := w.inSync("at first", func(s control.Status) bool { return s.Stores[0].Items == 1 })
	w.push("applied", "", map[string]*string{"account.ca_file": pemOf(t, former, next)})
	w.inSync("with both", func(s control.Status) bool { return s.Session.ID != before.Session.ID })

	w.present(next)
	w.push("applied", "", map[string]*string{"account.ca_file": pemOf(t, next)})
	w.write("contacts/2.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:2\r\nFN:Ben\r\nEND:VCARD\r\n")
	w.inSync("with the new one", func(s control.Status) bool { return s.Stores[0].Items == 2 })

	w.push("failed", "certificate", map[string]*string{"account.ca_file": pemOf(t, wrong)})
	w.write("contacts/3.vcf", "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:3\r\nFN:Cem\r\nEND:VCARD\r\n")
	w.inSync("as before", func(s control.Status) bool { return s.Stores[0].Items == 3 })
}

// TestACertificateOfTheDeviceIsPushed: with its key, both or neither; the key is in no answer and in no file that others can read.
func TestACertificateOfTheDeviceIsPushed(t *testing.T) {
	ca := certtest.New(t)
	w := newSecure(t, ca)
	before := w.inSync("at first", anyway)
	certFile, keyFile := ca.Client(t, t.TempDir(), "d", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	cert, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	certificate, private := string(cert), string(key)
	w.push("failed", "belong together", map[string]*string{"account.cert_file": &certificate})
	w.push("applied", "", map[string]*string{"account.cert_file": &certificate, "account.key_file": &private})
	now := w.inSync("with it", func(s control.Status) bool { return s.Session.ID != before.Session.ID })
	if len(now.Certificates) != 2 || now.Certificates[0].File != "the settings" {
		t.Errorf("%+v", now.Certificates)
	}
	list, err := w.c.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := w.c.Tree(t.Context())
	if err != nil || !slices.Contains(nodes, control.Node{URI: "./Vendor/AlwaysOn/Account/Key", Format: "chr", Secret: true}) || strings.Contains(fmt.Sprint(nodes), "PRIVATE KEY") {
		t.Error(nodes, err)
	}
	shown, err := site.Settings(t.Context(), w.site.Store(), "d", true)
	if text := fmt.Sprint(list, shown); err != nil || strings.Contains(text, "PRIVATE KEY") || strings.Count(text, "(secret)") != 2 {
		t.Error(text, err)
	}
	if fi, err := os.Stat(filepath.Join(w.dir, "state-settings", "managed.json")); err != nil || runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Error(fi, err)
	}
}

// TestALargeBundleIsPushed: certificates that fit into no message, together with another setting: both or neither.
func TestALargeBundleIsPushed(t *testing.T) {
	ca := certtest.New(t)
	w := newSecure(t, ca)
	before := w.inSync("at first", anyway)
	all := []*certtest.CA{ca}
	for range 200 {
		all = append(all, certtest.New(t))
	}
	bundle, poll, filter := pemOf(t, all...), "7m", "name:ana"
	if len(*bundle) < 100_000 {
		t.Fatalf("%d octets", len(*bundle))
	}
	w.push("failed", "", map[string]*string{"account.ca_file": bundle, "session.poll": &poll, "store.nothing.filter": &filter})
	w.is("session.poll", "30m")
	w.is("account.ca_file", "ca.pem")
	w.push("applied", "", map[string]*string{"account.ca_file": bundle, "session.poll": &poll, "store.contacts.filter": &filter})
	w.inSync("with it", func(s control.Status) bool { return s.Session.ID != before.Session.ID })
	w.is("session.poll", "7m")
	w.is("account.ca_file", *bundle)
}

// is looks at a setting of the device.
func (w *secure) is(key, want string) {
	w.Helper()
	list, err := w.c.Settings(w.Context())
	for _, s := range list {
		if s.Key == key && s.Value != want {
			err = errors.Join(err, fmt.Errorf("%s = %.40q, want %.40q", key, s.Value, want))
		}
	}
	if err != nil {
		w.Error(err)
	}
}
