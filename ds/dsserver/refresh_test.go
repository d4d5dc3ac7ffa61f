package dsserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

var anasContacts = dsstore.Collection{User: "ana", Store: "contacts"}

// braked is a world with a brake and so many items on the server, which device a has not got: it has one of its own.
func braked(t *testing.T, items int) (*world, *device) {
	w := newWorld(t)
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(), Brake: reconcile.DefaultBrake})
	for i := range items {
		w.put("contacts", "", "text/vcard", contact(fmt.Sprint("u", i), ""))
	}
	a := w.device("a")
	a.mem.put("own", contact("own", ""))
	return w, a
}

func (d *device) refresh() {
	d.w.t.Helper()
	if _, err := d.run(dsclient.Open, ds.AlertRefreshFromClient); err != nil {
		d.w.t.Fatal(err)
	}
}

// decide is the word of an administrator.
func (w *world) decide(device string, approve bool) (n int) {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), func(tx dsstore.Tx) (err error) {
		n, err = dsserver.DecideHeld(tx, device, anasContacts, approve, time.Now())
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestARefreshFromADeviceIsHeld: a device that replaces all cannot empty the server before somebody has looked (pains.md 7).
func TestARefreshFromADeviceIsHeld(t *testing.T) {
	for _, approve := range []bool{true, false} {
		w, a := braked(t, 30)
		a.refresh()
		a.sync()
		if live, mine := len(w.live("contacts")), len(a.mem.bodies()); live != 31 || mine != 1 {
			t.Errorf("before somebody has looked %d of 31 are on the server, and %d of 1 on the device", live, mine)
		}
		if n := w.decide("a", approve); n != 30 {
			t.Errorf("%d of 30 were held", n)
		}
		a.sync()
		want := map[bool]int{true: 1, false: 31}[approve]
		if live, mine := len(w.live("contacts")), len(a.mem.bodies()); live != want || mine != want {
			t.Errorf("approved %t: %d are on the server and %d on the device, want %d", approve, live, mine, want)
		}
	}
}

// TestASmallRefreshIsNotHeld deletes what the device has not got, keeps it in the history, and leaves alone what is the same.
func TestASmallRefreshIsNotHeld(t *testing.T) {
	w, a := braked(t, 3)
	a.mem.put("same", contact("u1", ""))
	a.mem.put("other", contact("u2", "NOTE:mine\r\n"))
	former := w.live("contacts")
	a.refresh()
	live := w.live("contacts")
	if len(live) != 3 || !w.kept(contact("u0", "")) || !w.kept(contact("u2", "")) {
		t.Errorf("%d of 3 are there; what was replaced is not in the history", len(live))
	}
	for _, it := range former[1:] {
		if !slices.ContainsFunc(live, func(x dsstore.Item) bool { return x.GUID == it.GUID }) {
			t.Errorf("%s has got another id", it.UID)
		}
	}
	if !slices.ContainsFunc(live, func(x dsstore.Item) bool { return x.GUID == former[1].GUID && x.Rev == former[1].Rev }) {
		t.Error("what is the same was written anew")
	}
	if got := strings.Join(a.mem.bodies(), ""); !strings.Contains(got, "NOTE:mine") {
		t.Errorf("the device has %q", got)
	}
}

// TestARefreshThatIsCutOffDeletesNothing: all the device has must have come first.
func TestARefreshThatIsCutOffDeletesNothing(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w, a := braked(t, 3)
		a.loseOut = 1 // to the Alert
		if _, err := a.run(dsclient.Open, ds.AlertRefreshFromClient); err == nil {
			t.Fatal("nothing was lost")
		}
		if restart {
			w.restart()
		}
		if n := len(w.live("contacts")); n != 3 {
			t.Errorf("%d of 3 are left", n)
		}
		a.refresh()
		if n := len(w.live("contacts")); n != 1 {
			t.Errorf("after the refresh %d are there, want 1", n)
		}
	}
}

// TestARefreshLeavesAloneWhatTheFilterLeavesOut: the device does not have it because it does not want it.
func TestARefreshLeavesAloneWhatTheFilterLeavesOut(t *testing.T) {
	w, a := braked(t, 3)
	w.put("contacts", "red", "text/vcard", contact("u9", "CATEGORIES:red\r\n"))
	err := w.store.Update(t.Context(), func(tx dsstore.Tx) error {
		return tx.PutFilter("a", anasContacts, dsstore.Filter{Text: "category:red", By: "a", At: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	a.refresh()
	live := w.live("contacts")
	if len(live) != 4 || slices.ContainsFunc(live, func(it dsstore.Item) bool { return it.GUID == "red" }) {
		t.Errorf("%d of 4 are there", len(live))
	}
}

// TestARefreshWithoutASyncDeletesNothing: a device that says that it replaces all, and then says nothing, has not said what it has.
func TestARefreshWithoutASyncDeletesNothing(t *testing.T) {
	w := newWorld(t)
	w.put("contacts", "g", "text/vcard", contact("u", ""))
	s := w.stranger()
	alert := &syncml.Alert{ID: "1", Code: ds.AlertRefreshFromClient, Items: []syncml.Item{{Target: &syncml.Location{URI: "contacts"}, Source: &syncml.Location{URI: "./contacts"},
		Meta: syncml.Meta{Anchor: &ds.Anchors{Next: "1"}}}}}
	for range 2 { // the first answer brings the nonce
		s.session, s.msg = s.session+1, 0
		s.send(true, alert)
	}
	s.send(true)
	if len(w.live("contacts")) != 1 {
		t.Error("the item is gone")
	}
}
