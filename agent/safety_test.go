package agent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// crowd is a device and a server with 40 contacts.
func crowd(t *testing.T) (*site.Site, *device) {
	t.Helper()
	s, d := pushed(t)
	for i := range 40 {
		d.write(fmt.Sprintf("p%02d.vcf", i), card(fmt.Sprint("u", i), fmt.Sprint("Person ", i)))
	}
	d.fence()
	d.both(s, 40, 40)
	return s, d
}

// both waits until the device and the server have so many contacts.
func (d *device) both(s *site.Site, here, there int) {
	d.t.Helper()
	d.until(fmt.Sprintf("%d here, %d there", here, there), func(st control.Status) bool {
		return st.State == "idle" && st.Running == "" && len(d.files()) == here && len(alive(d.t, s)) == there
	})
}

func (d *device) held(here, there int) {
	d.t.Helper()
	d.until("held", func(s control.Status) bool { return s.State == "idle" && s.Stores[0].Held == here+there })
	list, err := d.c.Holds(d.t.Context())
	if err != nil || len(list) != 1 || list[0].Here != here || list[0].There != there || len(list[0].Items) == 0 || list[0].Since.IsZero() {
		d.t.Fatalf("%+v %v", list, err)
	}
}

func (d *device) decide(approve bool) {
	d.t.Helper()
	if list, err := d.c.DecideHold(d.t.Context(), "contacts", approve); err != nil || len(list) != 0 {
		d.t.Fatalf("%+v %v", list, err)
	}
}

// TestManyDeletionsHereAreHeld: nothing is deleted on the server before somebody has said so, other edits go on, and a no brings all back.
func TestManyDeletionsHereAreHeld(t *testing.T) {
	s, d := crowd(t)
	remove := func() { // at once, as far as the agent can see
		d.stop()
		for i := range 30 {
			if err := os.Remove(filepath.Join(d.dir, fmt.Sprintf("p%02d.vcf", i))); err != nil {
				t.Fatal(err)
			}
		}
		d.start(d.o.Server)
	}
	remove()
	d.held(0, 30)
	d.write("new.vcf", card("new", "New"))
	d.both(s, 11, 41)
	d.stop()
	d.start(d.o.Server) // it is still held after a restart
	d.held(0, 30)
	d.decide(false)
	d.both(s, 41, 41)
	remove()
	d.held(0, 30)
	d.decide(true)
	d.both(s, 11, 11)
	d.until("in sync", idle)
}

// TestManyDeletionsThereAreHeld is the same for a server that deletes by mistake, or is hostile.
func TestManyDeletionsThereAreHeld(t *testing.T) {
	s, d := crowd(t)
	c := dsstore.Collection{User: "ana", Store: "contacts"}
	remove := func() {
		var guids []string
		err := s.Store().View(t.Context(), func(tx dsstore.Tx) error {
			list, err := tx.List(c)
			for _, it := range list[:30] {
				guids = append(guids, it.GUID)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		d.off() // so that they come together
		for _, guid := range guids {
			if err := s.Server().Remove(t.Context(), c, guid); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.c.On(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	remove()
	d.held(30, 0)
	d.both(s, 40, 10)
	d.decide(false)
	d.both(s, 40, 40)
	remove()
	d.held(30, 0)
	d.decide(true)
	d.both(s, 10, 10)
	list, err := d.c.History(t.Context(), "contacts")
	if err != nil || len(list) != 30 {
		t.Fatalf("%d former versions: %v", len(list), err)
	}
	back, err := d.c.Restore(t.Context(), control.RestoreRequest{}) // undo
	if err != nil || len(back) != 30 {
		t.Fatalf("%d restored: %v", len(back), err)
	}
	d.both(s, 40, 40)
}

// TestUndoAnOverwrite: what the server overwrote is had back, goes to the server as an edit, and what that replaced is kept as well.
func TestUndoAnOverwrite(t *testing.T) {
	s, d := pushed(t)
	put(t, s, "g1", card("u1", "Ana"))
	d.has("g1")
	before := time.Now()
	put(t, s, "g1", card("u1", "Vandal"))
	d.contact("g1", card("u1", "Vandal"))
	list, err := d.c.History(t.Context(), "")
	if err != nil || len(list) != 1 || list[0].Item != "g1.vcf" || list[0].Reason != "overwritten by the server" {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := d.c.Restore(t.Context(), control.RestoreRequest{Store: "contacts", At: &before}); err != nil {
		t.Fatal(err)
	}
	d.contact("g1", card("u1", "Ana"))
	body := ""
	err = s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		it, err := tx.Item(dsstore.Collection{User: "ana", Store: "contacts"}, "g1")
		if err != nil {
			return err
		}
		b, err := tx.Body(it.Hash)
		body = string(b)
		return err
	})
	if err != nil || body != card("u1", "Ana") {
		t.Errorf("the server has %q %v", body, err)
	}
	if list, err = d.c.History(t.Context(), ""); err != nil || len(list) != 2 {
		t.Errorf("%+v %v", list, err)
	}
	if _, err := d.c.Restore(t.Context(), control.RestoreRequest{ID: "nothing"}); err == nil {
		t.Error("a version that does not exist was restored")
	}
}

// contact waits until a contact here has a body, and all is in sync.
func (d *device) contact(name, body string) {
	d.t.Helper()
	d.until(body, func(s control.Status) bool {
		b, err := os.ReadFile(filepath.Join(d.dir, name+".vcf"))
		return err == nil && string(b) == body && idle(s)
	})
}

// contradict edits the contact g1 on both sides while the device is off, and switches it on again.
func contradict(t *testing.T, s *site.Site, d *device) {
	t.Helper()
	put(t, s, "g1", card("u1", "Ana"))
	d.has("g1")
	d.off()
	d.write("g1.vcf", card("u1", "Ana here"))
	put(t, s, "g1", card("u1", "Ana there"))
	if _, err := d.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestAConflictIsNamedAndResolved: two edits that contradict each other are both kept, with a name that says whose and when; one is chosen, and
// the other can still be had back.
func TestAConflictIsNamedAndResolved(t *testing.T) {
	s, d := pushed(t)
	contradict(t, s, d)
	d.until("both", func(s control.Status) bool { return idle(s) && len(d.files()) == 2 })
	list, err := d.c.Conflicts(t.Context())
	if err != nil || len(list) != 1 || list[0].Other != "g1.vcf" || list[0].Device != "d" || list[0].This != card("u1", "Ana here") || list[0].That != card("u1", "Ana there") {
		t.Fatalf("%+v %v", list, err)
	}
	if list, err = d.c.ResolveConflict(t.Context(), list[0].Item, true); err != nil || len(list) != 0 {
		t.Fatalf("%+v %v", list, err)
	}
	d.has("g1")
	d.contact("g1", card("u1", "Ana here"))
	former, err := d.c.History(t.Context(), "contacts")
	if err != nil || len(former) == 0 || former[0].Reason != "lost in a conflict" {
		t.Errorf("%+v %v", former, err)
	}
	if _, err := d.c.ResolveConflict(t.Context(), "nothing.vcf", true); err == nil {
		t.Error("what is no conflict was resolved")
	}
}

// TestVerify: equal sides are proved equal in a short answer, and what differs is named, on either side.
func TestVerify(t *testing.T) {
	s, d := crowd(t)
	list, err := d.c.Verify(t.Context())
	if err != nil || len(list) != 1 || list[0].Items != 40 || len(list[0].Differ) != 0 || list[0].RoundTrips != 1 || list[0].Bytes > 4096 {
		t.Fatalf("%+v %v", list, err)
	}
	spoil(t, s)
	if list, err = d.c.Verify(t.Context()); err != nil || len(list[0].Differ) != 1 || list[0].Differ[0] != "p07.vcf" {
		t.Errorf("%+v %v", list, err)
	}
}

// spoil is a server that was set back, and has forgotten what it told.
func spoil(t *testing.T, s *site.Site) {
	t.Helper()
	err := s.Store().Update(t.Context(), func(tx dsstore.Tx) error {
		c := dsstore.Collection{User: "ana", Store: "contacts"}
		m, err := tx.ByGUID("d", c, guidOf(t, tx, "p07"))
		if err != nil {
			return err
		}
		it, err := tx.Item(c, m.GUID)
		if err != nil {
			return err
		}
		it.Hash = [32]byte{1}
		rev, err := tx.PutItem(c, it, []byte("other"))
		m.Rev, m.Hash = rev, it.Hash
		return errors.Join(err, tx.PutMapping("d", c, m))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// guidOf is the server's id of a contact.
func guidOf(t *testing.T, tx dsstore.Tx, name string) string {
	t.Helper()
	list, err := tx.List(dsstore.Collection{User: "ana", Store: "contacts"})
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range list {
		if it.Name == name+".vcf" {
			return it.GUID
		}
	}
	t.Fatalf("the server has no %s", name)
	return ""
}

// TestTheSecretAges is A3, A4, A5 and A9: the user is told ahead, the session is kept when the secret has aged, one attempt is made with it and no more,
// and with a new one the work goes on in the same session.
func TestTheSecretAges(t *testing.T) {
	s, d := pushedAt(t, site.Options{DataDir: t.TempDir(), MaxAge: 48 * time.Hour}, func(*agent.Options) {})
	st := d.until("told ahead", func(s control.Status) bool { return s.SecretExpires != nil && idle(s) })
	if left := time.Until(*st.SecretExpires); left < 47*time.Hour || left > 48*time.Hour || !strings.Contains(st.Advice, "login") {
		t.Errorf("%s left, advice %q", left, st.Advice)
	}
	id := st.Session.ID
	age := func(at time.Time) {
		t.Helper()
		err := s.Store().Update(t.Context(), func(tx dsstore.Tx) error {
			dev, err := tx.Device("d")
			dev.ChangedAt = at
			return errors.Join(err, tx.PutDevice(dev))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	age(time.Now().Add(-72 * time.Hour))
	d.write("1.vcf", card("u1", "Ana"))
	st = d.until("held", func(s control.Status) bool { return s.State == "held" })
	if st.Session == nil || st.Session.ID != id {
		t.Errorf("the session was not kept: %+v", st.Session)
	}
	n := len(d.log())
	d.write("2.vcf", card("u2", "Ben"))
	if _, err := d.c.Sync(t.Context(), true); err == nil {
		t.Error("the aged secret was tried again")
	}
	if got := len(d.log()); got != n {
		t.Errorf("%d exchanges with an aged secret", got-n)
	}
	secret, err := site.NewSecret(t.Context(), s.Store(), "d")
	if err != nil {
		t.Fatal(err)
	}
	if x, err := d.c.Login(t.Context(), secret); err != nil || x.Error != "" {
		t.Fatal(x.Error, err)
	}
	st = d.until("in sync", idle)
	if st.Session.ID != id || len(alive(t, s)) != 2 {
		t.Errorf("session %s, want %s; %d contacts on the server", st.Session.ID, id, len(alive(t, s)))
	}
}
