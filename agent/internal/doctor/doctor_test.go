package doctor_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/crash"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// bed is a device in good health, with a server that asks for credentials.
type bed struct {
	t       *testing.T
	p       *doctor.Patient
	dir     string
	server  *httptest.Server
	answer  http.HandlerFunc
	request *syncml.Message // that the server got last
}

func newBed(t *testing.T) *bed {
	b := &bed{t: t, dir: t.TempDir()}
	b.answer = b.challenge
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.answer(w, r) }))
	t.Cleanup(b.server.Close)
	c := &config.Config{Device: "d", State: filepath.Join(b.dir, "state"), Stores: []config.Store{{Name: "contacts", Kind: pim.Contacts, Dir: filepath.Join(b.dir, "contacts")}}}
	c.Account = config.Account{Server: b.server.URL + "/ds", User: "ana", SecretFile: filepath.Join(b.dir, "secret")}
	c.Push = config.Push{Broker: "mqtt://" + b.listener(), SecretFile: c.Account.SecretFile}
	c.Session.Poll = config.Duration(time.Hour)
	now := time.Now()
	b.p = &doctor.Patient{Version: "1", ConfigPath: filepath.Join(b.dir, "alwayson.toml"), Config: c, Now: now, Agent: &control.Status{Version: "1", AlwaysOn: true, State: "idle",
		Summary: "in sync", Verified: &now, Push: control.Push{State: "connected"}}, Service: &svc.Status{Installed: true, Current: true, Enabled: true, Running: true}}
	b.write("alwayson.toml", "", 0o600)
	b.write("secret", "s", 0o600)
	b.write("contacts/a.vcf", "BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:Ana\nEND:VCARD\n", 0o600)
	return b
}

// challenge is what a Data Sync Server answers to somebody without credentials.
func (b *bed) challenge(w http.ResponseWriter, r *http.Request) {
	enc, _ := syncml.ParseContentType(r.Header.Get("Content-Type"))
	body := make([]byte, r.ContentLength)
	r.Body.Read(body) //nolint:errcheck // what is missing is no message
	m, err := syncml.Decode(body, enc)
	if err != nil {
		b.t.Errorf("what the server got: %v", err)
		return
	}
	b.request = m
	out, err := syncml.Encode(&syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: m.Header.SessionID, MsgID: "1", Target: m.Header.Source,
		Source: m.Header.Target}, Final: true}, enc)
	if err != nil {
		b.t.Error(err)
	}
	w.Header().Set("Content-Type", enc.ContentType())
	w.Write(out) //nolint:errcheck // who has gone needs no answer
}

func (b *bed) listener() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func (b *bed) write(name, text string, mode os.FileMode) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bed) examine() (out []doctor.Finding) {
	doctor.Examine(context.Background(), b.p, func(f doctor.Finding) { out = append(out, f) })
	return out
}

// TestAHealthyDevice: nothing is found, and the server saw no credentials.
func TestAHealthyDevice(t *testing.T) {
	b := newBed(t)
	for _, f := range b.examine() {
		if f.State != doctor.OK || f.Section == "" || f.ID == "" {
			t.Errorf("%+v", f)
		}
	}
	if b.request == nil || b.request.Header.Cred != nil {
		t.Errorf("the server got %+v", b.request)
	}
}

// TestWhatIsWrongIsFound: each fault is found under its id, with what it means and what to do.
func TestWhatIsWrongIsFound(t *testing.T) {
	for _, c := range []struct {
		name, id  string
		state     doctor.State
		text, fix string
		make      func(b *bed)
	}{
		{"no configuration", "config.file", doctor.Fault, "no such file", "alwayson setup", func(b *bed) {
			os.Remove(b.p.ConfigPath)
			b.p.Config, b.p.ConfigErr = nil, errors.New("no such file")
		}},
		{"a mistake in it", "config.file", doctor.Fault, "line 3", "edit ", func(b *bed) { b.p.Config, b.p.ConfigErr = nil, errors.New("line 3: unknown key") }},
		{"others can change it", "config.mode", doctor.Warning, "others can change", "chmod", func(b *bed) { b.write("alwayson.toml", "", 0o666) }},
		{"no secret", "config.secret", doctor.Fault, "not there", "alwayson login", func(b *bed) { os.Remove(filepath.Join(b.dir, "secret")) }},
		{"others read it", "config.secret", doctor.Fault, "others may read it", "chmod 600", func(b *bed) { b.write("secret", "s", 0o644) }},
		{"sealed elsewhere", "keyring.secret", doctor.Fault, "sealed on another machine", "alwayson login", func(b *bed) {
			at := creds.Place{File: filepath.Join(b.dir, "secret"), MachineID: "another"}
			if err := at.Write(b.t.Context(), "s"); err != nil {
				b.t.Error(err)
			}
		}},
		{"a command that fails", "keyring.secret", doctor.Fault, "nothing is synchronized without it, and nothing is lost", "type it yourself", func(b *bed) {
			b.p.Config.Account.SecretFile, b.p.Config.Account.SecretCommand = "", filepath.Join(b.dir, "none")
		}},
		{"the broker's, too", "keyring.push_secret", doctor.Fault, "the secret for the broker: the command", "type it yourself", func(b *bed) {
			b.p.Config.Push.SecretFile, b.p.Config.Push.SecretCommand = "", filepath.Join(b.dir, "none")
		}},
		{"no certificate", "config.certificate", doctor.Fault, "c.pem", "", func(b *bed) { b.p.Config.Account.CertFile, b.p.Config.Account.KeyFile = "c.pem", "k.pem" }},
		{"no agent", "agent.running", doctor.Fault, "nothing is lost", "alwayson", func(b *bed) { b.p.Agent, b.p.AgentErr = nil, control.ErrNoAgent }},
		{"crashed", "agent.crash", doctor.Warning, "panic: too much; nothing is lost", "support-bundle", func(b *bed) { b.p.Crash = &crash.Crash{Reason: "panic: too much"} }},
		{"another version", "agent.version", doctor.Warning, "version 0", "restart", func(b *bed) { b.p.Agent.Version = "0" }},
		{"off", "agent.on", doctor.Warning, "off", "alwayson on", func(b *bed) { b.p.Agent.AlwaysOn = false }},
		{"no service", "service.installed", doctor.Warning, "after the next login", "service install", func(b *bed) { b.p.Service = &svc.Status{} }},
		{"an old service", "service.current", doctor.Warning, "another version", "service install", func(b *bed) { b.p.Service.Current = false }},
		{"a service that is not enabled", "service.enabled", doctor.Warning, "next login", "service install", func(b *bed) { b.p.Service.Enabled = false }},
		{"a service that is stopped", "service.running", doctor.Warning, "does not run", "service start", func(b *bed) { b.p.Service.Running = false }},
		{"a crash", "service.crash", doctor.Warning, "out of memory", "support-bundle", func(b *bed) { b.p.Service.LastCrash = &svc.Crash{Reason: "out of memory"} }},
		{"held", "agent.state", doctor.Fault, "refused", "alwayson login", func(b *bed) { b.p.Agent.Summary, b.p.Agent.Advice = "refused", "alwayson login" }},
		{"a proxy that is gone", "server.reach", doctor.Fault, "cannot be reached", "", func(b *bed) { b.p.Config.Network.Proxy = "http://127.0.0.1:1" }},
		{"nobody there", "server.reach", doctor.Fault, "cannot be reached", "by itself", func(b *bed) { b.p.Config.Account.Server = "http://127.0.0.1:1/ds" }},
		{"no TLS", "server.tls", doctor.Warning, "not encrypted", "https", func(b *bed) { // it is this machine, under an address that says nothing of that
			b.p.Config.Account.Server = strings.Replace(b.p.Config.Account.Server, "127.0.0.1", "0.0.0.0", 1)
		}},
		{"no TLS where it should be", "server.tls", doctor.Fault, "does not speak TLS", "http://", func(b *bed) {
			b.p.Config.Account.Server = strings.Replace(b.p.Config.Account.Server, "http:", "https:", 1)
		}},
		{"another authority", "server.tls", doctor.Fault, "not trusted", "ca_file", func(b *bed) { b.secure() }},
		{"the authority is a lie", "server.tls", doctor.Fault, "no certificate", "edit", func(b *bed) { b.secure(); b.p.Config.Account.CAFile = b.p.ConfigPath }},
		{"a web server", "server.answer", doctor.Fault, "no Data Sync Server", "account.server", func(b *bed) { b.answer = http.NotFound }},
		{"a portal", "server.answer", doctor.Fault, "wants you to go to http://portal.example", "sign in", func(b *bed) {
			b.answer = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://portal.example/login", http.StatusFound)
			}
		}},
		{"a busy one", "server.answer", doctor.Warning, "more to do", "by itself", func(b *bed) {
			b.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }
		}},
		{"the clock", "time.clock", doctor.Warning, "apart", "timedatectl", func(b *bed) {
			b.answer = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
				b.challenge(w, r)
			}
		}},
		{"the secret ages", "server.secret", doctor.Warning, "expires", "alwayson login", func(b *bed) { at := b.p.Now.Add(time.Hour); b.p.Agent.SecretExpires = &at }},
		{"no broker", "broker.none", doctor.Warning, "no broker", "push.broker", func(b *bed) { b.p.Config.Push.Broker = "" }},
		{"the broker is gone", "broker.reach", doctor.Fault, "cannot be reached", "", func(b *bed) { b.p.Config.Push.Broker = "mqtt://127.0.0.1:1" }},
		{"a way round it", "broker.fallback.reach", doctor.Warning, "cannot be reached", "", func(b *bed) { b.p.Config.Push.Fallbacks = "mqtt://127.0.0.1:1" }},
		{"the broker refuses", "broker.agent", doctor.Fault, "refused", "alwayson login", func(b *bed) {
			b.p.Agent.Push = control.Push{State: "refused", Reason: "not authorized", Advice: "alwayson login"}
		}},
		{"a folder is gone", "store.folder", doctor.Fault, "nothing is deleted", "mount it", func(b *bed) { b.p.Config.Stores[0].Dir += "2" }},
		{"twins", "store.duplicates", doctor.Warning, "e.g. 1", "delete", func(b *bed) {
			b.write("contacts/b.vcf", "BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:Ana again\nEND:VCARD\n", 0o600)
		}},
		{"items with problems", "store.problems", doctor.Warning, "2 items", "quarantine", func(b *bed) { b.p.Agent.Stores = []control.Store{{Name: "contacts", Problems: 2}} }},
		{"held deletions", "store.held", doctor.Warning, "3 deletions", "hold", func(b *bed) { b.p.Agent.Stores = []control.Store{{Name: "contacts", Held: 3}} }},
		{"differences", "store.differ", doctor.Fault, "4 items", "verify", func(b *bed) { b.p.Agent.Stores = []control.Store{{Name: "contacts", Differ: 4}} }},
		{"others read the state", "data.folder", doctor.Warning, "others can read", "chmod 700", func(b *bed) {
			b.write("state/x", "", 0o600)
			os.Chmod(filepath.Join(b.dir, "state"), 0o755)
		}},
		{"long ago", "data.verified", doctor.Warning, "agreed last", "sync", func(b *bed) { at := b.p.Now.Add(-3 * time.Hour); b.p.Agent.Verified = &at }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			c.make(b)
			list := b.examine()
			if !found(list, c.id, c.state, c.text, c.fix) {
				t.Errorf("no %s %s with %q and %q among %+v", c.state, c.id, c.text, c.fix, list)
			}
			if doctor.Worst(list) == doctor.OK {
				t.Error("all is well")
			}
		})
	}
}

func found(list []doctor.Finding, id string, state doctor.State, text, fix string) bool {
	for _, f := range list {
		if f.ID == id && f.State == state && strings.Contains(f.Text, text) && strings.Contains(f.Fix, fix) {
			return true
		}
	}
	return false
}

// secure makes the server one with TLS, of an authority that the device does not know.
func (b *bed) secure() {
	s := httptest.NewTLSServer(http.HandlerFunc(b.challenge))
	b.t.Cleanup(s.Close)
	b.p.Config.Account.Server = s.URL + "/ds"
}

// TestRepair: what is repaired is well afterwards, and nothing else was changed.
func TestRepair(t *testing.T) {
	b := newBed(t)
	b.write("secret", "s", 0o644)
	b.write("alwayson.toml", "", 0o666)
	b.write("state/x", "", 0o600)
	if err := os.Chmod(filepath.Join(b.dir, "state"), 0o755); err != nil {
		t.Fatal(err)
	}
	repaired := 0
	for _, f := range b.examine() {
		if f.Repair == nil {
			continue
		}
		if repaired++; f.Repair() != nil {
			t.Errorf("%+v", f)
		}
	}
	if repaired != 3 || doctor.Worst(b.examine()) != doctor.OK {
		t.Errorf("%d repaired, then %+v", repaired, b.examine())
	}
}
