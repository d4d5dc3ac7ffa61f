package dsserver_test

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// TestALeaseRunsOut is N10, L11 and L12: a device that is never seen again leaves no ghost, and one that comes back opens a new session
// by itself and synchronizes incrementally.
func TestALeaseRunsOut(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(), Lease: 24 * time.Hour,
		Now: func() time.Time { return now }})
	a := w.device("a")
	a.mem.put("1", card("u", "Ana"))
	a.sync()
	first := a.session
	now = now.Add(20 * time.Hour)
	if n, err := w.server.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("%d sessions ended, %v", n, err)
	}
	a.sync() // renews it
	now = now.Add(20 * time.Hour)
	if n, err := w.server.Sweep(t.Context()); n != 0 || err != nil || a.session != first {
		t.Errorf("%d sessions ended though the device was there, %v", n, err)
	}
	now = now.Add(5 * time.Hour)
	if n, err := w.server.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("%d sessions ended, %v, want 1", n, err)
	}
	if l := w.sessionOf(first); l.Ending != ds.Destroyed || l.Reason != "lease ran out" {
		t.Errorf("it ended as %+v", l)
	}
	a.mem.put("1", card("u", "Ana Maria"))
	if r := a.sync(); !r.Unknown || a.session != "" {
		t.Errorf("%+v", r)
	}
	if r := a.sync(); r.Session == "" || r.Session == first || r.Stores[0].Alert != ds.AlertTwoWay || r.Stores[0].Sent != 1 {
		t.Errorf("%+v", r)
	}
}

func (w *world) sessionOf(id string) (l dsstore.Session) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) (err error) {
		l, err = tx.Session(id)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}
