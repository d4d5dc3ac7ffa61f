package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/notify"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// What the fleets are: devices each of which has the 10,000 messages of its user.
const (
	fleetDevices = 1000
	fleetItems   = 10_000
	fleetBefore  = "since:365d"
	fleetAfter   = "since:30d"
)

// BenchmarkFleet measures what a change of filters costs the server until it knows which devices need a session: of devices of few users, and of
// as many users as BENCH_USERS says, who have one each. With 1,000 of them it builds a database of 10 GB first.
//
//	BENCH_USERS=1000 go test ./test/bench -run '^$' -bench Fleet -benchtime 1x -timeout 60m
func BenchmarkFleet(b *testing.B) {
	many := 100
	if n, err := strconv.Atoi(os.Getenv("BENCH_USERS")); err == nil {
		many = n
	}
	for _, size := range []struct{ users, devices int }{{20, fleetDevices / 20}, {many, 1}} {
		b.Run(fmt.Sprintf("%dx%d", size.users, size.devices), func(b *testing.B) {
			f := newFleet(b, size.users, size.devices)
			for b.Loop() {
				t := &table{b: b}
				f.measure(t)
				t.print()
			}
		})
	}
}

// fleet is a server's store with its notifier, without devices: what would go to them is counted.
type fleet struct {
	b     *testing.B
	store *sqlstore.Store
	path  string
	now   time.Time
	n     *notify.Notifier

	users, devices int // devices of each user

	mu   sync.Mutex
	sent map[string]int // octets by device; guarded by mu
	end  chan struct{}  // the sentinel was notified: all before it is decided
}

// sentinel is a device that is woken for the change of an item, so that the end of what was decided before shows.
const sentinel = "sentinel"

func newFleet(b *testing.B, users, devices int) *fleet {
	f := &fleet{b: b, path: filepath.Join(b.TempDir(), "s.db"), now: time.Now(), end: make(chan struct{}, 1), users: users, devices: devices}
	f.open()
	b.Cleanup(func() { f.store.Close() })
	start := time.Now()
	for u := range users {
		f.update(func(tx dsstore.Tx) error { return f.user(tx, u) })
	}
	f.update(func(tx dsstore.Tx) error { return f.device(tx, sentinel, "other", 0) })
	f.multiply()
	b.Logf("the fleet was built in %s", time.Since(start).Round(time.Second))
	return f
}

// open opens the store as a server does that was started anew.
func (f *fleet) open() {
	var err error
	if f.store, err = sqlstore.Open(f.b.Context(), f.path); err != nil {
		f.b.Fatal(err)
	}
}

// cool closes the store, and drops its file from the memory of the machine.
func (f *fleet) cool() {
	if err := f.store.Close(); err != nil {
		f.b.Fatal(err)
	}
	file, err := os.Open(f.path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer file.Close()
	if err := errors.Join(file.Sync(), unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)); err != nil {
		f.b.Fatal(err)
	}
	f.open()
}

func fleetUser(u int) dsstore.Collection {
	return dsstore.Collection{User: fmt.Sprintf("user%d", u), Store: "mail"}
}

// fleetModels are users whose messages are made one by one; those of the others are copies of theirs.
const fleetModels = 2

// user makes one with devices. The messages of every other user are of the last 30 days, so that the new filter makes no difference to his devices;
// of the rest, one in a hundred is older.
func (f *fleet) user(tx dsstore.Tx, u int) error {
	for i := range fleetItems {
		if u >= fleetModels {
			break
		}
		at := f.now.Add(-time.Duration(i) * 4 * time.Minute)
		if u%2 == 0 && i%100 == 99 {
			at = f.now.Add(-100 * 24 * time.Hour)
		}
		if err := f.message(tx, fleetUser(u), i, at); err != nil {
			return err
		}
	}
	for d := range f.devices {
		if err := f.device(tx, fleetDevice(u, d), fleetUser(u).User, fleetItems); err != nil {
			return err
		}
	}
	return nil
}

func fleetDevice(u, d int) string { return fmt.Sprintf("user%d-%d", u, d) }

func (f *fleet) message(tx dsstore.Tx, c dsstore.Collection, i int, at time.Time) error {
	body := []byte(fmt.Sprintf("From: Person %d <p%d@bench.example>\r\nTo: b@bench.example\r\nSubject: Message %d about this and that\r\nDate: %s\r\n\r\nText\r\n",
		i%300, i%300, i, at.Format(time.RFC1123Z)))
	guid := fmt.Sprintf("%026d", i)
	it := dsstore.Item{GUID: guid, Type: pim.TypeMessage, Hash: sha256.Sum256(body), Size: int64(len(body)), UID: guid, Modified: at, By: "d"}
	facts, err := json.Marshal(filter.FactsOf(pim.Item{Type: it.Type, Body: body}, pim.Mail))
	if err != nil {
		return err
	}
	_, err = tx.PutItem(c, it, body)
	return errors.Join(err, tx.PutFacts(c, guid, facts))
}

// device makes one that is in sync up to a revision under the former filter.
func (f *fleet) device(tx dsstore.Tx, id, user string, done int64) error {
	c := dsstore.Collection{User: user, Store: "mail"}
	l := dsstore.Link{ClientNext: "1", Scope: fleetBefore, Done: done, Roll: f.now.Add(100 * 24 * time.Hour)}
	return errors.Join(tx.PutDevice(dsstore.Device{ID: id, User: user, Credential: "c"}), tx.PutLink(id, c, l),
		tx.PutFilter(id, c, dsstore.Filter{Text: fleetBefore, At: f.now}),
		tx.PutSession(dsstore.Session{ID: id, Device: id, Opened: f.now, Renewed: f.now, Lease: 24 * time.Hour}))
}

// What makes a fleet of the models, by user: the collection, its messages, and that his devices have them.
const (
	copyCollection = `INSERT INTO collections (user_name, store, rev) SELECT ?1, store, rev FROM collections WHERE user_name = ?2 ON CONFLICT DO UPDATE SET rev = excluded.rev`
	copyItems      = `INSERT INTO items SELECT t.id, i.guid, i.rev, i.deleted, i.type, i.folder, i.name, i.flags, i.hash, i.size, i.uid, i.modified, i.written_by, i.alike, i.facts
		FROM items i, collections t, collections m WHERE t.user_name = ?1 AND m.user_name = ?2 AND i.collection = m.id AND t.id <> m.id ORDER BY i.rev`
	giveItems = `INSERT INTO mappings (device, collection, guid, luid, rev, hash) SELECT ?1, i.collection, i.guid, CAST(i.rev AS TEXT), i.rev, i.hash
		FROM items i JOIN collections c ON c.id = i.collection WHERE c.user_name = ?2 ORDER BY i.guid`
)

// multiply fills the database behind the server's back, which a crash would ruin and which takes minutes instead of hours.
func (f *fleet) multiply() {
	if err := f.store.Close(); err != nil {
		f.b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+f.path+"?_pragma=journal_mode(OFF)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)")
	if err != nil {
		f.b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	exec := func(query string, args ...any) {
		if _, err := db.Exec(query, args...); err != nil {
			f.b.Fatal(err)
		}
	}
	for u := range f.users {
		user, model := fleetUser(u).User, fleetUser(u%fleetModels).User
		exec(copyCollection, user, model)
		exec(copyItems, user, model)
		for d := range f.devices {
			exec(giveItems, fleetDevice(u, d), user)
		}
	}
	f.open()
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
			for d := range f.devices {
				id := fleetDevice(u, d)
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
	f.update(func(tx dsstore.Tx) error { // it fetches it
		rev, err := tx.Rev(c)
		return errors.Join(err, f.device(tx, sentinel, c.User, rev))
	})
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
	all := make([]int, f.users)
	for u := range all {
		all[u] = u
	}
	f.pack(t)
	count := f.users * f.devices
	what := fmt.Sprintf("filter change over %d devices × %d items (of %d users)", count, fleetItems, f.users)
	f.set(fleetAfter, all)
	f.cool()
	peak := startPeak(f.b)
	f.sent = make(map[string]int)
	start, cpu := time.Now(), f.cpu()
	stop := f.run()
	f.barrier()
	took, used := time.Since(start), f.cpu()-cpu
	devices, octets := f.notified()
	t.timed(what+", server just started, nothing of its database in memory", took, time.Second,
		fmt.Sprintf("%d devices notified, %d octets; the other %d: 0; CPU %s", devices, octets, count-devices, round(used)))
	if devices != count/2 {
		f.b.Errorf("%d devices were notified", devices)
	}
	f.back(all)
	for _, c := range []struct{ name, text string }{{"", fleetAfter}, {", by size and flag", "since:365d smaller:1m -flag:draft"}, {", by sender", "from:p29"}, {", by subject", "subject:that"}} {
		list, cpu := f.set(c.text, all), f.cpu()
		took := f.decide(list)
		used := f.cpu() - cpu
		devices, _ := f.notified()
		t.timed(what+c.name, took, time.Second, fmt.Sprintf("%d notified; CPU %s", devices, round(used)))
		f.back(all)
	}
	t.add("peak memory meanwhile", peak(), "≤ 300 MB", "")
	stop()
}

// pack has the server pack what filters look at.
func (f *fleet) pack(t *table) {
	f.set(fleetBefore, []int{0})
	k := &scope.Keeper{Store: f.store, Kinds: map[string]pim.Kind{"mail": pim.Mail}}
	start, peak := time.Now(), startPeak(f.b)
	if err := k.Round(f.b.Context()); err != nil {
		f.b.Fatal(err)
	}
	took := time.Since(start)
	db, err := sql.Open("sqlite", "file:"+f.path)
	if err != nil {
		f.b.Fatal(err)
	}
	defer db.Close()
	var octets, pages float64
	if err := db.QueryRow(`SELECT (SELECT SUM(LENGTH(data)) FROM columns), (SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size())`).Scan(&octets, &pages); err != nil {
		f.b.Fatal(err)
	}
	items := float64(f.users * fleetItems)
	t.add(fmt.Sprintf("packing %.0f items, in the background", items), round(took), "", fmt.Sprintf("%.1f µs and %.1f octets of %.0f in the database for each, %s of memory",
		took.Seconds()*1e6/items, octets/items, pages/items, peak()))
}

// cpu is what this process has used, which tells more than the clock where others work on the same machine.
func (f *fleet) cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		f.b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// startPeak begins to measure the memory of this process; what it returns tells the most of it since.
func startPeak(b *testing.B) func() string {
	runtime.GC()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Log(err)
	}
	return func() string { return mb(self{}, "VmHWM") }
}

type self struct{}

func (self) PID() int { return os.Getpid() }

// back sets the former filter, of which nobody has to be told, as the devices have not answered.
func (f *fleet) back(users []int) {
	devices := f.set(fleetBefore, users)
	for _, d := range devices {
		f.n.Answered(d)
	}
	f.barrier()
}
