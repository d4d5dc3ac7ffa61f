package dsserver_test

import (
	"fmt"
	"maps"
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

// TestARefreshReplacesWhatWasEditedBeforeAMapCame: what the device has of an item takes the place of the server's, also if the server learns only in the
// refresh under which id the device has it.
func TestARefreshReplacesWhatWasEditedBeforeAMapCame(t *testing.T) {
	for name, edit := range map[string]string{"as it was": "", "edited": "NOTE:mine\r\n"} {
		w := newWorld(t)
		w.put("contacts", "g", "text/vcard", contact("u", ""))
		a := w.device("a")
		a.sync()
		luid := slices.Collect(maps.Keys(a.mem.items))[0]
		a.mem.maps["g"] = luid // the server's answer to its Map was lost
		if edit != "" {
			a.mem.put(luid, contact("u", edit))
		}
		w.put("contacts", "g", "text/vcard", contact("u", "NOTE:theirs\r\n"))
		a.refresh()
		a.sync()
		if live := w.live("contacts"); len(live) != 1 || live[0].GUID != "g" || ds.VersionOf(live[0].Hash) != ds.Version([]byte(contact("u", edit))) {
			t.Errorf("%s: on the server are %+v", name, live)
		}
		if !w.kept(contact("u", "NOTE:theirs\r\n")) {
			t.Errorf("%s: what was replaced is not in the history", name)
		}
		if got := a.mem.bodies(); len(got) != 1 || got[0] != contact("u", edit) {
			t.Errorf("%s: the device has %q", name, got)
		}
	}
}

// TestARefreshBringsBackWhatWasDeleted: a deletion that the device has not heard of yet does not outlive its user's word that all is to be as it is here.
func TestARefreshBringsBackWhatWasDeleted(t *testing.T) {
	for _, mapped := range []bool{false, true} {
		w := newWorld(t)
		w.put("contacts", "g", "text/vcard", contact("u", ""))
		a := w.device("a")
		a.sync()
		b := w.device("b")
		b.sync()
		b.mem.remove("s001")
		b.sync()
		if n := len(w.live("contacts")); n != 0 {
			t.Fatalf("%d are there after the deletion", n)
		}
		if mapped {
			a.mem.maps["g"] = "s001" // the server's answer to its Map was lost
		}
		a.refresh()
		a.sync()
		b.sync()
		if n := len(w.live("contacts")); n != 1 || len(a.mem.bodies()) != 1 || len(b.mem.bodies()) != 1 {
			t.Errorf("mapped %t: %d on the server, device a %q, device b %q", mapped, n, a.mem.bodies(), b.mem.bodies())
		}
	}
}
