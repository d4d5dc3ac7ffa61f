// Package notify wakes devices: it finds out which ones have something to fetch, and sends each of them at most one notification until
// it has answered with an exchange. How it is carried is the caller's business.
package notify

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/pim"
)

// Options of a Notifier. All but Log and Now must be set.
type Options struct {
	Store    dsstore.Store
	ServerID string
	Stores   []Datastore // of each user
	// Send carries a notification to a device. An error means that it did not get there; it is sent again after Reconnected.
	Send func(ctx context.Context, device string, payload []byte) error
	Now  func() time.Time
	Log  *slog.Logger
}

// Datastore is one that every user has.
type Datastore struct {
	URI  string
	Kind pim.Kind
}

// Notifier has one goroutine, Run. Its other methods may be called from anywhere and do not block.
type Notifier struct {
	o     Options
	wake  chan struct{}
	index *scope.Index

	warmed chan struct{}
	next   uint16 // session id of the next notification

	mu    sync.Mutex
	users map[string]bool // whose data changed; guarded by mu
	asked map[string]bool // devices that have not answered yet; guarded by mu
	busy  map[string]bool // devices that exchange; guarded by mu
	// told is of what a device was notified: what it was told of once and could not take (a conflict, a full disk) is no reason to wake it
	// again. Guarded by mu.
	told  map[string]news
	again map[string]bool // devices to look at again; guarded by mu
	all   bool            // look at everybody; guarded by mu
}

// indexSize bounds what is remembered of items, in octets: some 400,000 of them. What does not fit is read anew.
const indexSize = 64 << 20

// New makes a Notifier. It starts nothing.
func New(o Options) *Notifier {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	var b [2]byte
	rand.Read(b[:]) //nolint:errcheck // it never fails
	return &Notifier{o: o, wake: make(chan struct{}, 1), index: scope.NewIndex(indexSize), warmed: make(chan struct{}), next: binary.BigEndian.Uint16(b[:]),
		users: make(map[string]bool), asked: make(map[string]bool), busy: make(map[string]bool), again: make(map[string]bool), told: make(map[string]news), all: true}
}

// Changed says that a collection has changed, by a device in the middle of an exchange or by the server itself (""). A device that is
// exchanging gets what there is anyway; it is looked at when it has answered.
func (n *Notifier) Changed(c dsstore.Collection, by string) {
	n.note(func() {
		n.users[c.User] = true
		if by != "" {
			n.busy[by] = true
		}
	})
}

// Answered says that a device has made an exchange. What came up during it is a reason for another notification.
func (n *Notifier) Answered(device string) {
	n.mu.Lock()
	concerns := n.asked[device] || n.busy[device]
	n.mu.Unlock()
	if concerns {
		n.note(func() { delete(n.asked, device); delete(n.busy, device); n.again[device] = true })
	}
}

// Filtered says that what a device wants was changed, or that time has changed what that is (F5, F12).
func (n *Notifier) Filtered(device string) { n.FilteredAll([]string{device}) }

// FilteredAll is Filtered for many devices, which are looked at together.
func (n *Notifier) FilteredAll(devices []string) {
	n.note(func() {
		for _, d := range devices {
			n.again[d] = true
		}
	})
}

// Reconnected says that the road to the devices was interrupted: what was under way may be lost (deps.md 0.1).
func (n *Notifier) Reconnected() { n.note(func() { clear(n.asked); clear(n.told); n.all = true }) }

func (n *Notifier) note(fn func()) {
	n.mu.Lock()
	fn()
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run sends notifications until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		defer close(n.warmed)
		if err := n.warm(ctx); err != nil && ctx.Err() == nil {
			n.o.Log.Error("cannot read ahead what filters look at", "reason", err)
		}
	})
	for {
		if err := n.round(ctx); err != nil && ctx.Err() == nil {
			n.o.Log.Error("cannot find out whom to notify", "reason", err)
		}
		select {
		case <-n.wake:
		case <-ctx.Done():
			return
		}
	}
}

// Warmed is closed when what filters look at has been read ahead after the start, as far as it is to be remembered.
func (n *Notifier) Warmed() <-chan struct{} { return n.warmed }

// warm reads ahead the collections of devices that can be notified.
func (n *Notifier) warm(ctx context.Context) error {
	all, err := n.collections(ctx)
	if err != nil {
		return err
	}
	for c, k := range all {
		if room, err := n.index.Warm(ctx, n.o.Store, c, k); err != nil || !room {
			return err
		}
	}
	return nil
}

// collections are those that devices with an open session synchronize.
func (n *Notifier) collections(ctx context.Context) (map[dsstore.Collection]pim.Kind, error) {
	out := map[dsstore.Collection]pim.Kind{}
	return out, n.o.Store.View(ctx, func(tx dsstore.Tx) error {
		all, err := tx.Devices("")
		for _, d := range all {
			if err != nil {
				return err
			}
			err = n.addCollections(tx, d, out)
		}
		return err
	})
}

func (n *Notifier) addCollections(tx dsstore.Tx, d dsstore.Device, out map[dsstore.Collection]pim.Kind) error {
	sessions, err := tx.Sessions(d.ID)
	if err != nil || len(sessions) == 0 || !sessions[0].Open(n.o.Now()) {
		return err
	}
	for _, s := range n.o.Stores {
		c := dsstore.Collection{User: d.User, Store: s.URI}
		l, err := tx.Link(d.ID, c)
		if err != nil {
			return err
		}
		if l.Known() {
			out[c] = s.Kind
		}
	}
	return nil
}

// round looks at the users whose data changed, and at the devices that have answered.
func (n *Notifier) round(ctx context.Context) error {
	n.mu.Lock()
	users, again, all := n.users, n.again, n.all
	n.users, n.again, n.all = make(map[string]bool), make(map[string]bool), false
	n.mu.Unlock()
	var devices []dsstore.Device
	err := n.o.Store.View(ctx, func(tx dsstore.Tx) (err error) {
		devices, err = candidates(tx, users, again, all)
		return err
	})
	if err != nil {
		return err
	}
	due, err := n.look(ctx, devices)
	if err != nil {
		return err
	}
	for _, d := range due {
		n.send(ctx, d)
	}
	return n.index.Note(ctx, n.o.Store)
}

// manyDevices is from how many on they are looked at by several goroutines.
const manyDevices = 32

// look finds the devices to be notified. Those of one user are looked at together, for what is found about a collection holds for all of them.
func (n *Notifier) look(ctx context.Context, devices []dsstore.Device) ([]target, error) {
	parts := make([][]dsstore.Device, 1)
	if len(devices) > manyDevices {
		parts = make([][]dsstore.Device, min(runtime.GOMAXPROCS(0), 4))
	}
	for _, d := range devices {
		i := crc32.ChecksumIEEE([]byte(d.User)) % uint32(len(parts)) //nolint:gosec // a few
		parts[i] = append(parts[i], d)
	}
	due, errs := make([][]target, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { due[i], errs[i] = n.lookAt(ctx, parts[i]) })
	}
	wg.Wait()
	return slices.Concat(due...), errors.Join(errs...)
}

func (n *Notifier) lookAt(ctx context.Context, devices []dsstore.Device) (due []target, err error) {
	return due, n.o.Store.View(ctx, func(tx dsstore.Tx) (err error) {
		now := n.o.Now()
		for _, d := range devices {
			if due, err = n.add(tx, due, d, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// candidates are the devices that a round is about.
func candidates(tx dsstore.Tx, users, again map[string]bool, all bool) (out []dsstore.Device, err error) {
	if all {
		return tx.Devices("")
	}
	for id := range again {
		d, err := tx.Device(id)
		if errors.Is(err, dsstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !users[d.User] {
			out = append(out, d)
		}
	}
	for user := range users {
		list, err := tx.Devices(user)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// add adds a device that has something to fetch which it was not told of.
func (n *Notifier) add(tx dsstore.Tx, due []target, d dsstore.Device, now time.Time) ([]target, error) {
	n.mu.Lock()
	waits, told := n.asked[d.ID] || n.busy[d.ID], n.told[d.ID]
	n.mu.Unlock()
	if waits {
		return due, nil
	}
	t, err := n.target(tx, d, now)
	if err == nil && len(t.syncs) > 0 && (t.revs > told.revs || t.scopes != told.scopes) {
		due = append(due, t)
	}
	return due, err
}

// target is a device that has something to fetch.
type target struct {
	device  dsstore.Device
	session string // the logical session it belongs to
	syncs   []san.Sync
	news
}

// news is what there is for a device: the sum of the revisions of its datastores, and what it shall have of those whose filter brings or
// takes away something.
type news struct {
	revs   int64
	scopes string
}

// target finds what a device has to fetch. One without an open session is not woken: it fetches when it opens one.
func (n *Notifier) target(tx dsstore.Tx, d dsstore.Device, now time.Time) (t target, err error) {
	t.device = d
	sessions, err := tx.Sessions(d.ID)
	if err != nil || len(sessions) == 0 || !sessions[0].Open(now) {
		return t, err
	}
	t.session = sessions[0].ID
	for _, store := range n.o.Stores {
		if err := n.examine(tx, &t, store, now); err != nil {
			return t, err
		}
	}
	return t, nil
}

// examine adds one datastore. Where only the filter has something, the server's changes alone are asked for (F6).
func (n *Notifier) examine(tx dsstore.Tx, t *target, store Datastore, now time.Time) error {
	c := dsstore.Collection{User: t.device.User, Store: store.URI}
	l, err := tx.Link(t.device.ID, c)
	if err != nil || !l.Known() {
		return err // the device does not synchronize this one
	}
	rev, err := tx.Rev(c)
	if err != nil {
		return err
	}
	t.revs += rev
	due, filtered, err := n.index.Due(tx, t.device.ID, c, store.Kind, l, now)
	if err != nil || !due {
		return err
	}
	s := san.Sync{Type: twoWay, URI: store.URI}
	if filtered {
		wanted, err := scope.Of(tx, t.device.ID, c, store.Kind, now)
		if err != nil {
			return err
		}
		s.Type = fromServer
		t.scopes += fmt.Sprintln(store.URI, wanted.String(), l.Roll.Unix())
	}
	t.syncs = append(t.syncs, s)
	return nil
}

func (n *Notifier) send(ctx context.Context, t target) {
	payload, err := n.build(t)
	if err != nil {
		n.o.Log.Error("cannot notify", "device", t.device.ID, "reason", err)
		return
	}
	n.mu.Lock()
	n.asked[t.device.ID], n.told[t.device.ID] = true, t.news
	n.mu.Unlock()
	if err := n.o.Send(ctx, t.device.ID, payload); err != nil && ctx.Err() == nil {
		n.o.Log.Info("notification waits for the broker", "device", t.device.ID, "reason", err)
	}
}

// What a notification asks for (protocol.md F.5): a two-way sync, or the server's changes only.
const (
	twoWay     = int(ds.AlertTwoWayByServer)
	fromServer = int(ds.AlertOneWayFromServerByServer)
)

func (n *Notifier) build(t target) ([]byte, error) {
	n.next++
	if n.next == 0 {
		n.next++ // 0 would leave the id to the device
	}
	s := &san.Notification{Version: san.DS, UI: san.Background, ByServer: true, SessionID: n.next, ServerID: n.o.ServerID}
	s.Syncs = t.syncs
	return s.Build(Key(t.device.Credential, t.session))
}

// Key is what both sides know of a notification: the device's credential, and as nonce the id of the logical session, which only they
// know and which ends with it. A notification of a former session or for another device says nothing.
func Key(credential, session string) san.Key {
	return san.Key{Password: credential, Nonce: []byte(session)}
}

// ErrNotForUs is a notification that does not come from our server or is not for our session.
var ErrNotForUs = errors.New("the notification is not from our server, or not for our session")

// Read reads a notification on the device and checks where it comes from.
func Read(payload []byte, credential, session string) (*san.Notification, error) {
	s, err := san.Parse(payload)
	if err != nil {
		return nil, err
	}
	if s.Version != san.DS {
		return nil, fmt.Errorf("cannot use notification: version %d is not for data synchronization", s.Version)
	}
	if !san.Verify(payload, s.ServerID, Key(credential, session)) {
		return nil, ErrNotForUs
	}
	return s, nil
}
