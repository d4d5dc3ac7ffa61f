package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

// fleet is a server whose triggers reach the engines without a broker, and engines on real folders.
type fleet struct {
	t     *testing.T
	url   string
	store *sqlstore.Store

	mu      sync.Mutex
	engines map[string]*engine.Engine // by device
	down    bool                      // the server is not reachable
	blind   bool                      // nobody watches the folders; only the poll finds anything
	limit   error                     // why they cannot be watched
	begins  func(*member)             // an exchange is about to begin, and somebody has looked; may be nil
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t, engines: make(map[string]*engine.Engine)}
	var err error
	if f.store, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "server.db")); err != nil {
		t.Fatal(err)
	}
	srv := dsserver.New(dsserver.Options{Store: f.store, Datastores: dsserver.DefaultDatastores(), Changed: f.trigger})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		down := f.down
		f.mu.Unlock()
		if down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		srv.ServeHTTP(w, r)
	}))
	f.url = s.URL
	t.Cleanup(func() { s.Close(); f.store.Close() })
	return f
}

func (f *fleet) trigger(_ dsstore.Collection, by string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, e := range f.engines {
		if id != by {
			go e.Send(f.t.Context(), session.Wanted{Cause: session.CauseServer})
		}
	}
}

func (f *fleet) setDown(down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

// member is a running engine; done gets each exchange.
type member struct {
	*device
	e    *engine.Engine
	done chan session.Cause
}

func (f *fleet) start(id string) *member {
	f.t.Helper()
	m := &member{device: newDevice(f.t, f.url, f.store, id, syncml.WBXML), done: make(chan session.Cause, 1000)}
	o := engine.Options{Client: m.client, Config: session.DefaultConfig(), Record: session.Record{On: true},
		Save: func(session.Record, string) error { return nil },
		Done: func(x engine.Exchange) { m.done <- x.Cause }}
	o.Config.Backoff = 10 * time.Millisecond
	if f.blind {
		o.Config.Poll = 20 * time.Millisecond
	}
	if f.begins != nil {
		o.Secret = func() (string, error) {
			f.begins(m)
			return m.client.Secret, nil
		}
	}
	for i, kind := range []pim.Kind{pim.Contacts, pim.Calendar} {
		dir := filepath.Join(m.dir, string(kind))
		st := engine.Store{Replica: m.stores[i],
			Watch: func(ctx context.Context, hint func(pim.Hint)) error { return watch.Dir(ctx, dir, hint) }}
		if f.blind {
			st.Watch = nil
		}
		if f.limit != nil {
			st.Watch = func(context.Context, func(pim.Hint)) error { return f.limit }
		}
		o.Stores = append(o.Stores, st)
	}
	m.e = engine.New(o)
	f.mu.Lock()
	f.engines[id] = m.e
	f.mu.Unlock()
	ctx, cancel := context.WithCancel(f.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.e.Run(ctx) }()
	f.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			f.t.Error(err)
		}
	})
	return m
}

// arrives waits until a file of m holds body ("" is: is gone).
func (m *member) arrives(name, body string) {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	holds := func() bool {
		got, err := os.ReadFile(path)
		return body == "" && errors.Is(err, os.ErrNotExist) || err == nil && string(got) == body && body != ""
	}
	wake := make(chan struct{}, 100)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		watch.Dir(ctx, filepath.Dir(path), func(pim.Hint) { wake <- struct{}{} }) //nolint:errcheck // the deadline tells
	}()
	for !holds() {
		select {
		case <-wake:
		case <-ctx.Done():
			m.t.Fatalf("%s did not become %q", path, body)
		}
	}
	cancel()
	<-watching
}

func (m *member) write(name, body string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(body), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// TestEditsTravelByThemselves is G1, G2, G6, G8: a save on one device is a file on the other, with nobody doing anything.
func TestEditsTravelByThemselves(t *testing.T) {
	f := newFleet(t)
	a, b := f.start("a"), f.start("b")
	a.write("contacts/ana.vcf", card("u1", "Ana"))
	b.arrives("contacts/ana.vcf", card("u1", "Ana"))
	b.write("contacts/ana.vcf", card("u1", "Ana Maria"))
	a.arrives("contacts/ana.vcf", card("u1", "Ana Maria"))
	if err := os.Remove(filepath.Join(a.dir, "contacts/ana.vcf")); err != nil {
		t.Fatal(err)
	}
	b.arrives("contacts/ana.vcf", "")
}

// TestEditsThatAnExchangeFindsAreSent: it looks by itself if an item is not as it was seen last, and what it finds besides goes out after it.
func TestEditsThatAnExchangeFindsAreSent(t *testing.T) {
	f := newFleet(t)
	b := f.start("b")
	var once sync.Once
	f.begins = func(m *member) {
		if _, err := os.Stat(filepath.Join(m.dir, "contacts/1.vcf")); err != nil {
			return
		}
		once.Do(func() {
			m.write("contacts/1.vcf", card("u1", "Ana Maria"))
			m.write("contacts/2.vcf", card("u2", "Ben"))
		})
	}
	a := f.start("a")
	<-a.done
	a.write("contacts/1.vcf", card("u1", "Ana"))
	b.arrives("contacts/1.vcf", card("u1", "Ana Maria"))
	b.arrives("contacts/2.vcf", card("u2", "Ben"))
}

// TestThePollFindsWhatNobodyTold: no watcher and no trigger, as on a network file system without a broker.
func TestThePollFindsWhatNobodyTold(t *testing.T) {
	f := newFleet(t)
	f.blind = true
	a := f.start("a")
	<-a.done // the look at the start is over
	a.write("contacts/1.vcf", card("u1", "Ana"))
	b := f.start("b")
	b.arrives("contacts/1.vcf", card("u1", "Ana"))
}

// TestEditsMadeWhileOffArriveAfterOn is T1, T5. That switching off itself sends nothing (T3) is in the transcripts of ds/session.
func TestEditsMadeWhileOffArriveAfterOn(t *testing.T) {
	f := newFleet(t)
	a, b := f.start("a"), f.start("b")
	a.write("contacts/1.vcf", card("u1", "Ana"))
	b.arrives("contacts/1.vcf", card("u1", "Ana"))
	a.e.Send(t.Context(), session.SwitchOff{})
	a.write("contacts/2.vcf", card("u2", "Ben"))
	b.write("contacts/3.vcf", card("u3", "Cem"))
	a.e.Send(t.Context(), session.SwitchOn{})
	b.arrives("contacts/2.vcf", card("u2", "Ben"))
	a.arrives("contacts/3.vcf", card("u3", "Cem"))
}

// TestALinkThatComesBackHealsByItself is L8, L13.
func TestALinkThatComesBackHealsByItself(t *testing.T) {
	f := newFleet(t)
	a, b := f.start("a"), f.start("b")
	a.write("contacts/1.vcf", card("u1", "Ana"))
	b.arrives("contacts/1.vcf", card("u1", "Ana"))
	f.setDown(true)
	a.write("contacts/2.vcf", card("u2", "Ben"))
	for c := range a.done {
		if c == session.CauseRetry { // it has noticed
			break
		}
	}
	f.setDown(false)
	a.e.Send(t.Context(), session.LinkUp{})
	b.arrives("contacts/2.vcf", card("u2", "Ben"))
}

func card(uid, name string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + name + "\r\nEND:VCARD\r\n"
}

// TestAStoreThatCannotBeWatchedSaysSo, and why; one that can says nothing.
func TestAStoreThatCannotBeWatchedSaysSo(t *testing.T) {
	f := newFleet(t)
	seen := f.start("seen")
	<-seen.done
	if p := seen.e.Snapshot().Polled; len(p) != 0 {
		t.Errorf("%v", p)
	}
	f.limit = errors.New("no more watches")
	m := f.start("unseen")
	<-m.done
	if p := m.e.Snapshot().Polled; len(p) != 2 || p[m.stores[0].Local()] != "no more watches" {
		t.Errorf("%v", p)
	}
}
