package agent_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/mqtt/broker"
)

// safe is a keyring that is locked and unlocked.
type safe struct {
	mu     sync.Mutex
	secret string // guarded by mu
	locked bool   // guarded by mu
}

func (s *safe) find(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked {
		return "", &creds.Error{Problem: creds.Locked, What: "the keyring is locked", Advice: "unlock it (log in to the desktop)"}
	}
	if s.secret == "" {
		return "", &creds.Error{Problem: creds.Missing, What: "the keyring has no entry", Advice: "type alwayson login"}
	}
	return s.secret, nil
}

func (s *safe) set(secret string, locked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secret, s.locked = secret, locked
}

// keep gives the vault to options, as the program does when it reads the configuration.
func (s *safe) keep(o *agent.Options, id string) {
	o.Vault = agent.Vault{ID: id, Keyring: true, Find: s.find}
	secret, err := s.find(context.Background())
	o.Secret = secret
	errors.As(err, &o.Vault.Missing)
	o.SaveSecret = func(secret string) error { s.set(secret, false); return nil }
	o.SecretLook = 10 * time.Millisecond
}

func held(s control.Status) bool { return s.State == "held" }

// TestALockedKeyringHolds: the agent runs and says why nothing is synchronized, neither server nor broker is shown anything, and it goes on by itself.
func TestALockedKeyringHolds(t *testing.T) {
	var knocks atomic.Int32
	b, err := broker.Start(broker.Options{StoreDir: t.TempDir(), Authorize: func(_, password string) (broker.Rights, bool) {
		knocks.Add(1)
		return broker.Rights{}, password == "s"
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, d := newEndpoint(t), newDevice(t)
	k := &safe{secret: "s", locked: true}
	k.keep(&d.o, "keyring d@host")
	d.o.Push = agent.Push{Broker: b.URL(), Prefix: "alwayson", User: "d", MinPause: time.Millisecond, MaxPause: 5 * time.Millisecond}
	d.start(s.http.URL)
	if _, err := d.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := d.until("held", func(s control.Status) bool { return held(s) && s.Push.State == "held" })
	if now.Problem != control.Credentials || !strings.HasPrefix(now.Summary, "held: the keyring is locked; unlock it (log in to the desktop), nothing is lost") || now.Advice == "" {
		t.Errorf("%+v", now)
	}
	var refused *control.Error
	if _, err := d.c.Sync(t.Context(), true); !errors.As(err, &refused) || refused.Problem != control.Credentials || !strings.Contains(refused.Text, "the keyring is locked") {
		t.Errorf("a sync without a secret: %v", err)
	}
	if err := d.c.LookAgain(t.Context()); err == nil || !strings.Contains(err.Error(), "the keyring is locked") {
		t.Errorf("a look: %v", err)
	}
	if n, m := s.requests.Load(), knocks.Load(); n != 0 || m != 0 {
		t.Errorf("the server was asked %d times, the broker %d times, without a secret", n, m)
	}
	k.set("s", false)
	now = d.until("in sync", func(s control.Status) bool { return idle(s) && s.Push.State == "connected" })
	if now.Problem != "" || now.Advice != "" {
		t.Errorf("%+v", now)
	}
}

// TestALockedKeyringKeepsTheSession over restarts: it was locked when the agent started again, and the session goes on when it is unlocked.
func TestALockedKeyringKeepsTheSession(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	k := &safe{secret: "s"}
	k.keep(&d.o, "keyring d@host")
	d.start(s.http.URL)
	before := d.on()
	d.stop()
	n := s.requests.Load()
	k.set("s", true)
	for range 2 {
		k.keep(&d.o, "keyring d@host")
		d.start(s.http.URL)
		d.until("held", held)
		d.write("1.vcf", card("1", "Ana"))
		d.until("waiting", func(s control.Status) bool {
			return held(s) && s.Stores[0].Pending == 1 && strings.HasSuffix(s.Summary, "; 1 change waits")
		})
		d.stop()
	}
	d.start(s.http.URL)
	d.until("held", held)
	if got := s.requests.Load(); got != n {
		t.Errorf("%d attempts without a secret", got-n)
	}
	k.set("s", false)
	now := d.until("in sync", idle)
	if x := d.last(); now.Session.ID != before.Session.ID || x.Stores[0].Alert != int(ds.AlertTwoWay) || x.Stores[0].Sent != 1 {
		t.Errorf("%+v; %+v", now, x)
	}
}

// TestWhatWasRefusedIsNotTriedAfterALock: a keyring that opens with the same secret is no new one (A8).
func TestWhatWasRefusedIsNotTriedAfterALock(t *testing.T) {
	s, d, _, _ := aged(t)
	d.stop()
	n := s.requests.Load()
	k := &safe{secret: "s", locked: true}
	k.keep(&d.o, "keyring d@host")
	d.start(s.http.URL)
	d.until("held for the keyring", func(s control.Status) bool { return held(s) && strings.Contains(s.Summary, "keyring") })
	k.set("s", false)
	d.until("held for the server", func(s control.Status) bool { return held(s) && strings.Contains(s.Summary, "refused") })
	if got := s.requests.Load(); got != n {
		t.Errorf("%d attempts with what was refused", got-n)
	}
	if x, err := d.c.Login(t.Context(), "new"); err != nil || x.Error != "" {
		t.Errorf("%+v, %v", x, err)
	}
}

// TestALoginFillsTheKeyring that had no entry.
func TestALoginFillsTheKeyring(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	k := &safe{}
	k.keep(&d.o, "keyring d@host")
	d.start(s.http.URL)
	if _, err := d.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.until("held", func(s control.Status) bool { return held(s) && strings.Contains(s.Summary, "has no entry") })
	if x, err := d.c.Login(t.Context(), "s"); err != nil || x.Error != "" || k.secret != "s" {
		t.Errorf("%+v, %v", x, err)
	}
	d.until("in sync", idle)
}

// TestReconfiguringWhileLocked: what is known goes on to hold, an entry that is new in the configuration is waited for, and a server that moves takes
// its entry along.
func TestReconfiguringWhileLocked(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	k := &safe{secret: "s"}
	k.keep(&d.o, "keyring d@host")
	d.start(s.http.URL)
	d.on()
	k.set("s", true)
	var asked *atomic.Int32 // at the last address; the one before is told that its session is over, with the secret that it knows
	take := func(id string) {
		t.Helper()
		n := new(atomic.Int32)
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			s.http.Config.Handler.ServeHTTP(w, r)
		}))
		t.Cleanup(other.Close)
		asked = n
		if err := d.change(func(o *agent.Options) { o.Server = other.URL; k.keep(o, id) }); err != nil {
			t.Fatal(err)
		}
	}
	take("keyring d@host")
	d.until("in sync with the secret that is known", func(s control.Status) bool { return idle(s) && s.Server == d.o.Server })
	take("keyring e@host")
	d.until("held", held)
	if n := asked.Load(); n != 0 {
		t.Errorf("%d attempts without a secret", n)
	}
	k.set("s", false)
	d.until("in sync", idle)
	k.set("", false)
	take("keyring e@other")
	d.until("in sync with the server that has moved", func(s control.Status) bool { return idle(s) && s.Server == d.o.Server })
	if got, err := k.find(t.Context()); got != "s" {
		t.Errorf("the entry of the new server: %q, %v", got, err)
	}
}
