package agent_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// endpoint is a Data Sync Server that can be restarted.
type endpoint struct {
	t        *testing.T
	store    *sqlstore.Store
	http     *httptest.Server
	requests atomic.Int32
	open     atomic.Int32  // connections
	closed   chan struct{} // one for each that was closed
}

func newEndpoint(t *testing.T) *endpoint {
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "server.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := &endpoint{t: t, store: store}
	s.start()
	t.Cleanup(func() { s.http.Close(); store.Close() })
	s.password("s", "")
	return s
}

func (s *endpoint) start() {
	srv := dsserver.New(dsserver.Options{Store: s.store, Datastores: dsserver.DefaultDatastores()})
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		srv.ServeHTTP(w, r)
	}))
	s.closed = make(chan struct{}, 1000)
	s.http.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.open.Add(1)
		case http.StateClosed:
			s.open.Add(-1)
			s.closed <- struct{}{}
		}
	}
	s.http.Start()
}

// password changes that of the device; former is the one it had before.
func (s *endpoint) password(secret, former string) {
	s.t.Helper()
	err := s.store.Update(s.t.Context(), func(tx dsstore.Tx) error {
		d, err := tx.Device("d")
		if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
			return err
		}
		d.ID, d.User, d.Credential, d.Former = "d", "ana", syncml.Credential("ana", secret), ""
		if former != "" {
			d.Former = syncml.Credential("ana", former)
		}
		return tx.PutDevice(d)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// session is the newest one of the device.
func (s *endpoint) session() (l dsstore.Session) {
	s.t.Helper()
	err := s.store.View(s.t.Context(), func(tx dsstore.Tx) error {
		all, err := tx.Sessions("d")
		if err == nil {
			l = all[0]
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return l
}

// device is an agent as its user sees it: a folder and the control API.
type device struct {
	t     *testing.T
	o     agent.Options
	dir   string
	c     *control.Client
	agent *agent.Agent
}

func newDevice(t *testing.T) *device {
	d := &device{t: t, dir: t.TempDir()}
	base := t.TempDir()
	d.o = agent.Options{StateDir: filepath.Join(base, "state"), Socket: filepath.Join(base, "s"), DeviceID: "d", User: "ana", Secret: "s",
		SaveSecret: func(string) error { return nil }, Version: "test",
		Stores: []agent.Store{{Name: "contacts", Kind: pim.Contacts, Dir: d.dir}}}
	d.c = control.Dial(d.o.Socket)
	t.Cleanup(d.c.Close)
	return d
}

func (d *device) start(url string) {
	d.t.Helper()
	d.o.Server = url
	a, err := agent.Start(d.t.Context(), d.o)
	if err != nil {
		d.t.Fatal(err)
	}
	d.agent = a
	d.t.Cleanup(d.stop)
}

func (d *device) stop() {
	if d.agent == nil {
		return
	}
	if err := d.agent.Stop(); err != nil {
		d.t.Error(err)
	}
	d.agent = nil
}

func (d *device) write(name, body string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(body), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// until waits for a status.
func (d *device) until(what string, holds func(control.Status) bool) control.Status {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	var last control.Status
	for s, err := range d.c.Watch(ctx) {
		if err != nil {
			d.t.Fatal(err)
		}
		if last = s; holds(s) {
			return s
		}
	}
	d.t.Fatalf("not %s: %+v", what, last)
	return last
}

func idle(s control.Status) bool { return s.State == "idle" && s.InSync() }

func (d *device) on() control.Status {
	d.t.Helper()
	if _, err := d.c.On(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	return d.until("in sync", idle)
}

func (d *device) off() {
	d.t.Helper()
	if _, err := d.c.Off(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
	d.until("off", func(s control.Status) bool { return s.State == "off" && s.Running == "" })
}

func (d *device) log() []control.Exchange {
	d.t.Helper()
	list, err := d.c.Log(d.t.Context(), 0)
	if err != nil {
		d.t.Fatal(err)
	}
	return list
}

func (d *device) last() control.Exchange {
	d.t.Helper()
	list := d.log()
	return list[len(list)-1]
}

// TestARestartGoesOnInTheSession is N11: the next sync after a restart of agent and server is incremental, in the same session,
// and brings what was edited meanwhile (T5 for a process that did not run). The log outlives it, too.
func TestARestartGoesOnInTheSession(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	d.start(s.http.URL)
	first := d.on()
	for round := range 3 {
		d.stop()
		s.http.Close()
		d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nNOTE:"+time.Duration(round).String()+"\r\nEND:VCARD\r\n")
		s.start()
		d.start(s.http.URL)
		now := d.until("in sync", idle)
		x := d.last()
		if now.Session.ID != first.Session.ID || x.Cause != "start" || x.RoundTrips != 1 || x.Stores[0].Sent != 1 || x.Stores[0].Alert != int(ds.AlertTwoWay) {
			t.Errorf("round %d: session %s, want %s; %+v", round, now.Session.ID, first.Session.ID, x)
		}
	}
	if n := len(d.log()); n != 4 {
		t.Errorf("%d exchanges in the log, want 4", n)
	}
}

// TestAManualSyncIsShared is M4 and M5: who waits gets the outcome of an exchange that covers what was there when he asked.
func TestAManualSyncIsShared(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	before := d.on()
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if x, err := d.c.Sync(t.Context(), true); err != nil || x.Error != "" {
				t.Errorf("%+v, %v", x, err)
			}
		})
	}
	wg.Wait()
	now, err := d.c.Status(t.Context())
	if err != nil || now.Stores[0].Pending != 0 || now.Session.ID != before.Session.ID {
		t.Errorf("%+v, %v", now, err)
	}
	if n := len(d.log()); n > 4 {
		t.Errorf("eight wishes took %d exchanges", n-1)
	}
}

// TestNoTransportWhileIdle is N8: after each exchange the connection is closed.
func TestNoTransportWhileIdle(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	d.on()
	for s.open.Load() > 0 {
		select {
		case <-s.closed:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d connections are open", s.open.Load())
		}
	}
	if now, err := d.c.Status(t.Context()); err != nil || now.Session == nil || now.Running != "" {
		t.Errorf("%+v, %v", now, err)
	}
}

// TestManualSyncWhileOff is T4: Always-On off leaves the manual sync, and edits wait (T5).
func TestManualSyncWhileOff(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	d.on()
	d.off() // without transport
	requests := s.requests.Load()
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	d.until("waiting", func(s control.Status) bool { return s.Stores[0].Pending == 1 })
	if n := s.requests.Load(); n != requests {
		t.Errorf("%d requests while off", n-requests)
	}
	if l := s.session(); l.Ending != ds.Closed {
		t.Errorf("the server's session is %q", l.Ending)
	}
	x, err := d.c.Sync(t.Context(), true)
	if err != nil || x.Stores[0].Sent != 1 || x.Session != "" {
		t.Errorf("%+v, %v", x, err)
	}
}

// TestASessionOpensWithoutASync is S3, and the sync after it is neither slow nor full.
func TestASessionOpensWithoutASync(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	first := d.on()
	if _, err := d.c.CloseSession(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l := s.session(); l.ID != first.Session.ID || l.Ending != ds.Closed {
		t.Errorf("the server has %+v", l)
	}
	now, err := d.c.OpenSession(t.Context())
	if err != nil || now.Session == nil || now.Session.ID == first.Session.ID || now.State != "idle" {
		t.Fatalf("%+v, %v", now, err)
	}
	if x := d.last(); len(x.Stores) != 0 && x.Stores[0].Sent+x.Stores[0].Received != 0 {
		t.Errorf("it synchronized: %+v", x)
	}
	if now.ServerDevInf == "" {
		t.Error("the server's device information is missing (N2)")
	}
	d.write("2.vcf", "BEGIN:VCARD\r\nUID:2\r\nEND:VCARD\r\n")
	x, err := d.c.Sync(t.Context(), true)
	if err != nil || x.Session != now.Session.ID || x.Stores[0].Alert != int(ds.AlertTwoWay) || x.Stores[0].Sent > 1 {
		t.Errorf("%+v, %v", x, err)
	}
}

// aged is a device with an open session whose credentials have aged, with its status before and since it knows.
func aged(t *testing.T) (s *endpoint, d *device, before, held control.Status) {
	t.Helper()
	s, d = newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	before = d.on()
	s.password("new", "s")
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	return s, d, before, d.until("held", func(s control.Status) bool { return s.State == "held" })
}

// TestAgedCredentialsHold is A1, A3, A4, A6, A8: told to the user, one attempt, the session kept, and incremental after the login.
func TestAgedCredentialsHold(t *testing.T) {
	s, d, before, held := aged(t)
	if held.Session == nil || held.Session.ID != before.Session.ID || held.Advice != "alwayson login" {
		t.Errorf("%+v", held)
	}
	requests := s.requests.Load()
	var refused *control.Error
	if _, err := d.c.Sync(t.Context(), true); !errors.As(err, &refused) || refused.Problem != control.Credentials {
		t.Errorf("a sync while held: %v", err)
	}
	if n := s.requests.Load(); n != requests {
		t.Errorf("%d more attempts with the same credentials", n-requests)
	}
	x, err := d.c.Login(t.Context(), "new")
	if err != nil || x.Error != "" || x.Session != before.Session.ID || x.Stores[0].Sent != 1 || x.Stores[0].Alert != int(ds.AlertTwoWay) {
		t.Errorf("%+v, %v", x, err)
	}
}

// TestWrongCredentialsEndTheSession is A2.
func TestWrongCredentialsEndTheSession(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	before := d.on()
	s.password("another", "")
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	held := d.until("held", func(s control.Status) bool { return s.State == "held" })
	if held.Session != nil || held.Ended == nil || held.Ended.Ending != "terminated" {
		t.Errorf("%+v", held)
	}
	if l := s.session(); l.ID != before.Session.ID || l.Ending != ds.Terminated {
		t.Errorf("the server has %+v", l)
	}
	if x := d.last(); x.Problem != control.Credentials {
		t.Errorf("%+v", x)
	}
}

// TestASecondAgentIsRefused: two agents on one state would be two truths.
func TestASecondAgentIsRefused(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	if a, err := agent.Start(t.Context(), d.o); err == nil {
		t.Error("a second agent started", a.Stop())
	}
	if _, err := d.c.Status(t.Context()); err != nil {
		t.Errorf("the first one suffered: %v", err)
	}
}

// TestABadItemIsNamed and leaves the others alone; when it is mended it goes out.
func TestABadItemIsNamed(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.write("broken.vcf", "this is no card")
	d.write("good.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	d.write("huge.vcf", "")
	if err := os.Truncate(filepath.Join(d.dir, "huge.vcf"), pim.MaxItemSize+1); err != nil {
		t.Fatal(err)
	}
	d.start(s.http.URL)
	if _, err := d.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := d.until("synced", func(s control.Status) bool { return s.State == "idle" && s.Running == "" })
	if now.InSync() || now.Stores[0].Problems != 1 || now.Stores[0].Pending != 0 || now.Advice != "alwayson pending" {
		t.Errorf("%+v", now)
	}
	list, err := d.c.Pending(t.Context())
	if err != nil || len(list) != 1 || list[0].Item != "huge.vcf" || list[0].Problem == "" {
		t.Errorf("%+v, %v", list, err)
	}
	if x := d.last(); x.Stores[0].Sent != 2 {
		t.Errorf("%+v", x)
	}
	d.write("huge.vcf", "BEGIN:VCARD\r\nUID:2\r\nEND:VCARD\r\n")
	d.until("in sync", idle)
}

// TestAStoreThatVanishedDeletesNothing: a missing folder is a problem of the folder (pains.md 7).
func TestAStoreThatVanishedDeletesNothing(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	d.write("1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	d.on()
	away := d.dir + "-away"
	if err := os.Rename(d.dir, away); err != nil {
		t.Fatal(err)
	}
	d.until("unavailable", func(s control.Status) bool { return s.Stores[0].Unavailable != "" })
	if x, err := d.c.Sync(t.Context(), true); err != nil || x.Stores[0].Sent != 0 {
		t.Errorf("%+v, %v", x, err)
	}
	if err := os.Rename(away, d.dir); err != nil {
		t.Fatal(err)
	}
	if x, err := d.c.Sync(t.Context(), true); err != nil || x.Stores[0].Sent+x.Stores[0].Received != 0 {
		t.Errorf("%+v, %v", x, err)
	}
	d.until("available", func(s control.Status) bool { return s.Stores[0].Unavailable == "" && s.Stores[0].Items == 1 })
}
