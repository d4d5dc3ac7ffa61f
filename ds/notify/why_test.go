package notify_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/ds/notify"
	"github.com/alwayson-sync/alwayson/pim"
)

// office is a notifier over a store in memory, in a bubble of its own time. What is sent is counted.
type office struct {
	t     *testing.T
	store *memstore.Store
	n     *notify.Notifier

	mu   sync.Mutex
	sent map[string][]time.Time // by device; guarded by mu
	fail error                  // of the road; guarded by mu
}

// bubble runs a test in an office in which nothing is left to do.
func bubble(t *testing.T, test func(*office)) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{t: t, store: memstore.New(), sent: map[string][]time.Time{}}
		o.n = notify.New(notify.Options{Store: o.store, ServerID: "srv", Stores: []notify.Datastore{{URI: "contacts", Kind: pim.Contacts}}, Send: o.send})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); o.n.Run(ctx) }()
		synctest.Wait()
		test(o)
		cancel()
		<-done
	})
}

func (o *office) send(_ context.Context, device string, _ []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sent[device] = append(o.sent[device], time.Now())
	return o.fail
}

func (o *office) road(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = err
}

// counts lists how many notifications each device got.
func (o *office) counts() string {
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]int{}
	for d, times := range o.sent {
		out[d] = len(times)
	}
	return fmt.Sprint(out)
}

func (o *office) update(fn func(dsstore.Tx) error) {
	o.t.Helper()
	if err := o.store.Update(o.t.Context(), fn); err != nil {
		o.t.Fatal(err)
	}
}

func collectionOf(user string) dsstore.Collection {
	return dsstore.Collection{User: user, Store: "contacts"}
}

// device makes one that has all of its user's items.
func (o *office) device(id, user string, session bool) {
	o.update(func(tx dsstore.Tx) error {
		c, now := collectionOf(user), time.Now()
		rev, err := tx.Rev(c)
		items, e := tx.List(c)
		err = errors.Join(err, e, tx.PutDevice(dsstore.Device{ID: id, User: user, Credential: "c"}), tx.PutLink(id, c, dsstore.Link{ClientNext: "1", Done: rev}))
		for _, it := range items {
			err = errors.Join(err, tx.PutMapping(id, c, dsstore.Mapping{GUID: it.GUID, LUID: it.GUID, Rev: it.Rev}))
		}
		if session {
			err = errors.Join(err, tx.PutSession(dsstore.Session{ID: id, Device: id, Opened: now, Renewed: now, Lease: 1000 * time.Hour}))
		}
		return err
	})
}

func (o *office) put(user, name string) {
	o.update(func(tx dsstore.Tx) error {
		body := []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:" + name + "\r\nN:" + name + ";;;;\r\nEND:VCARD\r\n")
		_, err := tx.PutItem(collectionOf(user), dsstore.Item{GUID: name, Type: pim.TypeVCard, Hash: sha256.Sum256(body), Size: int64(len(body))}, body)
		return err
	})
}

func (o *office) filter(user, text string, devices ...string) {
	o.update(func(tx dsstore.Tx) (err error) {
		for _, d := range devices {
			err = errors.Join(err, tx.PutFilter(d, collectionOf(user), dsstore.Filter{Text: text, By: "@root", At: time.Now()}))
		}
		return err
	})
	o.n.Filtered(devices...)
}

// why lists what the journal says of a device, once it is written.
func (o *office) why(device string) string {
	o.t.Helper()
	time.Sleep(time.Second)
	synctest.Wait()
	var out []string
	err := o.store.View(o.t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.Events(device)
		for _, e := range list {
			out = append(out, fmt.Sprintf("%s: %s: %s ×%d", e.What, e.Why, e.Outcome, e.Times))
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

// TestAChangeOfFiltersWakesOnlyWhoNeedsIt is F8 for a fleet: of devices whose filter an administrator changes, those for which it makes a
// difference get one notification, the others nothing, and of each is known why.
func TestAChangeOfFiltersWakesOnlyWhoNeedsIt(t *testing.T) {
	bubble(t, func(o *office) {
		for u := range 10 {
			user := fmt.Sprint("user", u)
			o.put(user, "Ana")
			if u%2 == 0 {
				o.put(user, "Zoe")
			}
			for d := range 10 {
				o.device(fmt.Sprintf("%s-%d", user, d), user, true)
			}
		}
		for u := range 10 {
			user := fmt.Sprint("user", u)
			for d := range 10 {
				o.filter(user, "name:ana", fmt.Sprintf("%s-%d", user, d))
			}
		}
		synctest.Wait()
		for u := range 10 {
			for d := range 10 {
				id := fmt.Sprintf("user%d-%d", u, d)
				if got, want := len(o.sent[id]), 1-u%2; got != want {
					t.Errorf("%s got %d notifications, want %d", id, got, want)
				}
			}
		}
		if got := o.why("user0-3"); got != "notified: what its filter keeps was changed, by somebody or by time: to sync contacts ×1" {
			t.Error(got)
		}
		if got := o.why("user1-3"); got != "not notified: what its filter keeps was changed, by somebody or by time: there is nothing in its scope to fetch ×1" {
			t.Error(got)
		}
	})
}

// has makes a device have just some items, under a filter.
func (o *office) has(device, user, filter string, names ...string) {
	o.update(func(tx dsstore.Tx) error {
		c := collectionOf(user)
		rev, err := tx.Rev(c)
		err = errors.Join(err, tx.ClearMappings(device, c), tx.PutLink(device, c, dsstore.Link{ClientNext: "1", Done: rev, Scope: filter}))
		for _, name := range names {
			it, e := tx.Item(c, name)
			err = errors.Join(err, e, tx.PutMapping(device, c, dsstore.Mapping{GUID: name, LUID: name, Rev: it.Rev}))
		}
		return err
	})
	o.n.Answered(device)
	synctest.Wait()
}

// TestAFilterThatIsChangedBack: what a device was told of and has taken is news again when it comes up again.
func TestAFilterThatIsChangedBack(t *testing.T) {
	bubble(t, func(o *office) {
		o.put("ana", "Ana")
		o.put("ana", "Ben")
		o.device("open", "ana", true)
		change := func(text string) {
			time.Sleep(time.Second) // of the bubble: filters are found by their time
			o.filter("ana", text, "open")
			o.n.Filtered("open")
			synctest.Wait()
		}
		change("name:ana")
		o.has("open", "ana", "name:ana", "Ana")
		o.filter("ana", "name:ben", "open") // by the device itself
		o.has("open", "ana", "name:ben", "Ben")
		change("name:ana")
		if got := o.counts(); got != "map[open:2]" {
			t.Errorf("%s\n%s", got, o.why("open"))
		}
	})
}

// TestEveryNonSessionHasACause: what did not lead to a notification is explained, too.
func TestEveryNonSessionHasACause(t *testing.T) {
	bubble(t, func(o *office) {
		o.device("open", "ana", true)
		o.device("closed", "ana", false)
		o.put("ana", "Ana")
		o.n.Changed(collectionOf("ana"), "laptop")
		synctest.Wait()
		o.n.Written(collectionOf("ana"), 1) // seen already
		o.put("ana", "Ben")
		o.n.Written(collectionOf("ana"), 2)
		if got := o.why("closed"); got != "not notified: contacts was changed by laptop: it has no open session; it fetches when it opens one ×1\n"+
			"not notified: contacts was changed on the server: it has no open session; it fetches when it opens one ×1" {
			t.Error(got)
		}
		got := o.why("open")
		if !strings.HasPrefix(got, "notified: contacts was changed by laptop: to sync contacts ×1\nnot notified: contacts was changed on the server: the notification of ") ||
			!strings.HasSuffix(got, " is not answered yet ×1") {
			t.Error(got)
		}
		if _, ok := o.n.Asked("open"); !ok {
			t.Error("nobody knows that the device was asked")
		}
		o.n.Answered("open") // Ben is a reason for another one
		synctest.Wait()
		o.n.Answered("open") // it took nothing
		o.n.Changed(collectionOf("ana"), "phone")
		if got := o.why("open"); !strings.HasSuffix(got, "not notified: contacts was changed by phone: it was told of that and has not taken it ×1") {
			t.Error(got)
		}
	})
}

// TestAFlappingBrokerMultipliesNothing: whatever the broker does, a device that does not answer has few notifications in its queue, and one that
// did not get to the broker is sent as soon as that is back.
func TestAFlappingBrokerMultipliesNothing(t *testing.T) {
	bubble(t, func(o *office) {
		for d := range 50 {
			o.device(fmt.Sprint(d), "ana", true)
		}
		o.put("ana", "Ana")
		o.n.Changed(collectionOf("ana"), "")
		synctest.Wait()
		for range 3600 { // an hour
			o.n.Reconnected()
			time.Sleep(time.Second)
		}
		synctest.Wait()
		for d, times := range o.sent {
			if n := len(times); n < 2 || n > 12 {
				t.Fatalf("device %s got %d notifications in an hour", d, n)
			}
			if again := times[1].Sub(times[0]); again > 3*time.Second {
				t.Errorf("what may be lost was sent again after %s", again)
			}
		}
		o.n.Answered("0")
		o.update(func(tx dsstore.Tx) error {
			return tx.PutMapping("0", collectionOf("ana"), dsstore.Mapping{GUID: "Ana", LUID: "1", Rev: 1})
		})
		before := o.sent["0"]
		o.n.Reconnected()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := len(o.sent["0"]) - len(before); n != 0 {
			t.Errorf("a device that had answered got %d more", n)
		}
	})
}

// TestWithoutABrokerNothingIsSentTwice: what could not be sent goes out once when the broker is back.
func TestWithoutABrokerNothingIsSentTwice(t *testing.T) {
	bubble(t, func(o *office) {
		o.device("d", "ana", true)
		o.road(errors.New("no broker"))
		o.put("ana", "Ana")
		o.n.Changed(collectionOf("ana"), "")
		synctest.Wait()
		o.road(nil)
		o.n.Reconnected()
		if got := o.counts(); got != "map[d:2]" {
			t.Error(got)
		}
		o.n.Reconnected()
		if got := o.counts(); got != "map[d:2]" {
			t.Errorf("at once again: %s", got)
		}
		if got := o.why("d"); !strings.Contains(got, "waits for the broker") || !strings.Contains(got, "the broker was away") {
			t.Error(got)
		}
	})
}
