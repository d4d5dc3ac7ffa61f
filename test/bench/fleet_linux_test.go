package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/notify"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// What the fleet is: 1,000 devices, each of which has the 10,000 messages of its user. Ten million mappings are stored, but not ten million
// messages: the devices are those of 20 users.
const (
	fleetUsers   = 20
	fleetDevices = 50 // of each user
	fleetItems   = 10_000
	fleetBefore  = "since:365d"
	fleetAfter   = "since:30d"
)

// BenchmarkFleet measures what a change of filters costs the server until it knows which devices need a session.
//
//	go test ./test/bench -run '^$' -bench Fleet -benchtime 1x -timeout 20m
func BenchmarkFleet(b *testing.B) {
	f := newFleet(b)
	for b.Loop() {
		t := &table{b: b}
		f.measure(t)
		t.print()
	}
}

// fleet is a server's store with its notifier, without devices: what would go to them is counted.
type fleet struct {
	b     *testing.B
	store *sqlstore.Store
	path  string
	now   time.Time
	n     *notify.Notifier

	mu   sync.Mutex
	sent map[string]int // octets by device; guarded by mu
	end  chan struct{}  // the sentinel was notified: all before it is decided
}

// sentinel is a device that is woken for the change of an item, so that the end of what was decided before shows.
const sentinel = "sentinel"

func newFleet(b *testing.B) *fleet {
	f := &fleet{b: b, path: filepath.Join(b.TempDir(), "s.db"), now: time.Now(), end: make(chan struct{}, 1)}
	var err error
	if f.store, err = sqlstore.Open(b.Context(), f.path); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.store.Close() })
	start := time.Now()
	for u := range fleetUsers {
		f.update(func(tx dsstore.Tx) error { return f.user(tx, u) })
	}
	f.update(func(tx dsstore.Tx) error { return f.device(tx, sentinel, "other", 0) })
	f.mappings()
	b.Logf("the fleet was built in %s", time.Since(start).Round(time.Second))
	return f
}

func fleetUser(u int) dsstore.Collection {
	return dsstore.Collection{User: fmt.Sprintf("user%d", u), Store: "mail"}
}

// user makes the messages and devices of one. Those of every other user are of the last 30 days, so that the new filter makes no difference to
// his devices; of the rest, one in a hundred is older.
func (f *fleet) user(tx dsstore.Tx, u int) error {
	c := fleetUser(u)
	for i := range fleetItems {
		at := f.now.Add(-time.Duration(i) * 4 * time.Minute)
		if u%2 == 0 && i%100 == 99 {
			at = f.now.Add(-100 * 24 * time.Hour)
		}
		body := []byte(fmt.Sprintf("From: Person %d <p%d@bench.example>\r\nTo: b@bench.example\r\nSubject: Message %d about this and that\r\nDate: %s\r\n\r\nText\r\n",
			i%300, i%300, i, at.Format(time.RFC1123Z)))
		guid := fmt.Sprintf("%026d", i)
		it := dsstore.Item{GUID: guid, Type: pim.TypeMessage, Hash: sha256.Sum256(body), Size: int64(len(body)), UID: guid, Modified: at, By: "d"}
		facts, err := json.Marshal(filter.FactsOf(pim.Item{Type: it.Type, Body: body}, pim.Mail))
		if err != nil {
			return err
		}
		_, err = tx.PutItem(c, it, body)
		if err = errors.Join(err, tx.PutFacts(c, guid, facts)); err != nil {
			return err
		}
	}
	for d := range fleetDevices {
		if err := f.device(tx, fmt.Sprintf("user%d-%d", u, d), c.User, fleetItems); err != nil {
			return err
		}
	}
	return nil
}

// device makes one that is in sync up to a revision under the former filter.
func (f *fleet) device(tx dsstore.Tx, id, user string, done int64) error {
	c := dsstore.Collection{User: user, Store: "mail"}
	l := dsstore.Link{ClientNext: "1", Scope: fleetBefore, Done: done, Roll: f.now.Add(100 * 24 * time.Hour)}
	return errors.Join(tx.PutDevice(dsstore.Device{ID: id, User: user, Credential: "c"}), tx.PutLink(id, c, l),
		tx.PutFilter(id, c, dsstore.Filter{Text: fleetBefore, At: f.now}),
		tx.PutSession(dsstore.Session{ID: id, Device: id, Opened: f.now, Renewed: f.now, Lease: 24 * time.Hour}))
}

// mappings says in one statement for each user that the devices have everything.
func (f *fleet) mappings() {
	db, err := sql.Open("sqlite", "file:"+f.path+"?_pragma=synchronous(OFF)&_pragma=cache_size(-200000)")
	if err != nil {
		f.b.Fatal(err)
	}
	defer db.Close()
	for u := range fleetUsers {
		for d := range fleetDevices {
			_, err := db.Exec(`INSERT INTO mappings (device, collection, guid, luid, rev, hash) SELECT ?, i.collection, i.guid, CAST(i.rev AS TEXT), i.rev, i.hash
				FROM items i JOIN collections c ON c.id = i.collection WHERE c.user_name = ? ORDER BY i.guid`, fmt.Sprintf("user%d-%d", u, d), fleetUser(u).User)
			if err != nil {
				f.b.Fatal(err)
			}
		}
	}
	if _, err := db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil { // that of the building is not what is measured
		f.b.Fatal(err)
	}
}

func (f *fleet) update(fn func(dsstore.Tx) error) {
	f.b.Helper()
	if err := f.store.Update(f.b.Context(), fn); err != nil {
		f.b.Fatal(err)
	}
}

// run starts a server's notifier, which knows nothing yet, and returns how to stop it.
func (f *fleet) run() (stop func()) {
	f.n = notify.New(notify.Options{Store: f.store, ServerID: "s", Stores: []notify.Datastore{{URI: "contacts", Kind: pim.Contacts}, {URI: "calendar", Kind: pim.Calendar},
		{URI: "tasks", Kind: pim.Tasks}, {URI: "notes", Kind: pim.Notes}, {URI: "mail", Kind: pim.Mail}},
		Send: func(_ context.Context, device string, payload []byte) error {
			if device == sentinel {
				f.end <- struct{}{}
				return nil
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.sent[device] += len(payload)
			return nil
		}})
	ctx, cancel := context.WithCancel(f.b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.n.Run(ctx) }()
	return func() { cancel(); <-ended }
}

// set changes the filter of devices of users, as an administrator does, and returns the devices.
func (f *fleet) set(text string, users []int) (devices []string) {
	f.update(func(tx dsstore.Tx) error {
		for _, u := range users {
			for d := range fleetDevices {
				id := fmt.Sprintf("user%d-%d", u, d)
				if err := tx.PutFilter(id, fleetUser(u), dsstore.Filter{Text: text, At: time.Now()}); err != nil {
					return err
				}
				devices = append(devices, id)
			}
		}
		return nil
	})
	return devices
}

// decide tells the notifier of devices whose filter was changed, and returns when it has decided about all of them.
func (f *fleet) decide(devices []string) time.Duration {
	f.mu.Lock()
	f.sent = make(map[string]int)
	f.mu.Unlock()
	start := time.Now()
	f.n.Filtered(devices...)
	f.barrier()
	return time.Since(start)
}

// barrier returns when all that the notifier was told of is decided.
func (f *fleet) barrier() {
	c := dsstore.Collection{User: "other", Store: "mail"}
	f.update(func(tx dsstore.Tx) error {
		_, err := tx.PutItem(c, dsstore.Item{GUID: fmt.Sprint(time.Now().UnixNano()), Type: pim.TypeFolder}, []byte{})
		return err
	})
	f.n.Answered(sentinel)
	f.n.Changed(c, "")
	<-f.end
}

func (f *fleet) notified() (devices, octets int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, n := range f.sent {
		octets += n
	}
	return len(f.sent), octets
}

func (f *fleet) measure(t *table) {
	all := make([]int, fleetUsers)
	for u := range all {
		all[u] = u
	}
	f.set(fleetBefore, all)
	stop := f.run()
	f.barrier()
	start := time.Now()
	<-f.n.Warmed()
	t.add(fmt.Sprintf("reading %d items ahead after the start of the server", fleetUsers*fleetItems), round(time.Since(start)), "", "in the background, at most 64 MB of memory")
	what := fmt.Sprintf("filter change over %d devices × %d items (of %d users)", fleetUsers*fleetDevices, fleetItems, fleetUsers)
	took := f.decide(f.set(fleetAfter, all))
	devices, octets := f.notified()
	t.timed(what+", the first one", took, time.Second, fmt.Sprintf("%d devices notified, %d octets; the other %d: 0", devices, octets, fleetUsers*fleetDevices-devices))
	if devices != fleetUsers*fleetDevices/2 {
		f.b.Errorf("%d devices were notified", devices)
	}
	f.back(all)
	took = f.decide(f.set(fleetAfter, all))
	t.timed(what+", again", took, time.Second, "")
	f.back(all)
	took = f.decide(f.set("since:29d", []int{0}))
	devices, _ = f.notified()
	t.timed(fmt.Sprintf("the same for the %d devices of one user, all of which need a session", fleetDevices), took, 100*time.Millisecond, fmt.Sprintf("%d notified", devices))
	took = f.decide(f.set("since:29d", []int{1}))
	devices, _ = f.notified()
	t.timed(fmt.Sprintf("the same for the %d devices of one user, none of which does", fleetDevices), took, 100*time.Millisecond, fmt.Sprintf("%d notified", devices))
	took = f.decide(f.set("from:p29", all))
	t.timed(what+", by a text", took, time.Second, "")
	stop()
}

// back sets the former filter, of which nobody has to be told, as the devices have not answered.
func (f *fleet) back(users []int) {
	devices := f.set(fleetBefore, users)
	for _, d := range devices {
		f.n.Answered(d)
	}
	f.barrier()
}
