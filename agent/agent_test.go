package agent_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// exchange is one exchange as Options.Done tells of it.
type exchange struct {
	cause  session.Cause
	report dsclient.Report
	err    error
}

// TestARestartGoesOnInTheSession is N11: the next sync after a restart of agent and server is incremental, in the same session,
// and brings what was edited meanwhile (T5 for a process that did not run).
func TestARestartGoesOnInTheSession(t *testing.T) {
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "server.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	err = store.Update(t.Context(), func(tx dsstore.Tx) error {
		return tx.PutDevice(dsstore.Device{ID: "d", User: "ana", Credential: syncml.Credential("ana", "s")})
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan exchange, 100)
	dir := t.TempDir()
	o := agent.Options{StateDir: filepath.Join(t.TempDir(), "state"), DeviceID: "d", User: "ana", Secret: "s",
		Stores: []agent.Store{{Name: "contacts", Kind: pim.Contacts, Dir: dir}},
		Done:   func(c session.Cause, r dsclient.Report, err error) { done <- exchange{c, r, err} }}

	write(t, dir, "1.vcf", "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	var first string
	for round := range 3 {
		srv := httptest.NewServer(dsserver.New(dsserver.Options{Store: store, Datastores: dsserver.DefaultDatastores()}))
		o.Server = srv.URL
		a, err := agent.Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		a.On(t.Context())
		e := next(t, done)
		if e.err != nil || e.report.Stores[0].Sent != 1 {
			t.Errorf("round %d: %+v, %v", round, e.report, e.err)
		}
		switch {
		case round == 0:
			first = e.report.Session
		case e.report.Session != first || e.cause != session.CauseStart || e.report.RoundTrips != 1:
			t.Errorf("round %d: session %s (%s) in %d round trips, want %s at the start in 1", round, e.report.Session, e.cause, e.report.RoundTrips, first)
		}
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
		srv.Close()
		write(t, dir, "1.vcf", "BEGIN:VCARD\r\nUID:1\r\nNOTE:"+time.Duration(round).String()+"\r\nEND:VCARD\r\n")
	}
}

func write(t *testing.T, dir, name, body string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func next(t *testing.T, done <-chan exchange) exchange {
	t.Helper()
	select {
	case e := <-done:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no exchange took place")
	}
	return exchange{}
}
