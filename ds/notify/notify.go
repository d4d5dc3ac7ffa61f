// Package notify wakes devices: it finds out which ones have something to fetch, and sends each of them at most one notification until
// it has answered with an exchange. How it is carried is the caller's business.
package notify

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/syncml"
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
	noted chan struct{}
	next  uint16 // session id of the next notification

	mu    sync.Mutex
	users map[string]string // whose data changed, and what was; guarded by mu
	asked map[string]*ask   // devices that have not answered yet; guarded by mu
	busy  map[string]bool   // devices that exchange; guarded by mu
	// told is of what a device was notified: what it was told of once and could not take (a conflict, a full disk) is no reason to wake it
	// again. Guarded by mu.
	told   map[string]news
	again  map[string]string            // devices to look at again, and why; guarded by mu
	all    bool                         // look at everybody; guarded by mu
	seen   map[dsstore.Collection]int64 // revisions that were looked at; guarded by mu
	events []event                      // not in the store yet; guarded by mu
}

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
	return &Notifier{o: o, wake: make(chan struct{}, 1), noted: make(chan struct{}, 1), next: binary.BigEndian.Uint16(b[:]),
		users: make(map[string]string), asked: make(map[string]*ask), busy: make(map[string]bool), again: make(map[string]string), told: make(map[string]news),
		seen: make(map[dsstore.Collection]int64), all: true}
}

// Changed says that a collection has changed, by a device in the middle of an exchange or by the server itself (""). A device that is
// exchanging gets what there is anyway; it is looked at when it has answered.
func (n *Notifier) Changed(c dsstore.Collection, by string) {
	n.note(func() {
		n.users[c.User] = either(n.users[c.User], changeOf(c, by))
		if by != "" {
			n.busy[by] = true
		}
	})
}

// Written says that a collection has a revision, whoever has written it. It is a change unless that was looked at already.
func (n *Notifier) Written(c dsstore.Collection, rev int64) {
	n.mu.Lock()
	known := n.seen[c] >= rev
	n.mu.Unlock()
	if !known {
		n.Changed(c, "")
	}
}

// Answered says that a device has made an exchange. What came up during it is a reason for another notification.
func (n *Notifier) Answered(device string) {
	n.mu.Lock()
	concerns := n.asked[device] != nil || n.busy[device]
	n.mu.Unlock()
	if concerns {
		n.note(func() { delete(n.asked, device); delete(n.busy, device); n.again[device] = either(n.again[device], "") })
	}
}

// Asked tells when a device was notified, if it has not answered since.
func (n *Notifier) Asked(device string) (at time.Time, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.asked[device]
	if a == nil {
		return at, false
	}
	return a.at, true
}

// Filtered says that what devices want was changed, or that time has changed what that is (F5, F12).
func (n *Notifier) Filtered(devices ...string) {
	n.note(func() {
		for _, d := range devices {
			n.again[d] = either(n.again[d], filterChanged)
		}
	})
}

// Reconnected says that the road to the devices was interrupted: what was under way may be lost (deps.md 0.1).
func (n *Notifier) Reconnected() {
	n.note(func() {
		for _, a := range n.asked {
			a.doubtful = true
		}
	})
}

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
	wg.Go(func() { n.keepJournal(ctx) })
	defer n.flush(context.WithoutCancel(ctx))
	for {
		if err := n.round(ctx); err != nil && ctx.Err() == nil {
			n.o.Log.Error("cannot find out whom to notify", "reason", err)
		}
		if !n.wait(ctx) {
			return
		}
	}
}

// wait returns when there is something to look at, false when ctx has ended.
func (n *Notifier) wait(ctx context.Context) bool {
	var repeat <-chan time.Time
	n.mu.Lock()
	if p, ok := n.untilRepeat(); ok {
		repeat = time.After(p)
	}
	n.mu.Unlock()
	select {
	case <-n.wake:
	case <-repeat:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// round looks at the users whose data changed, and at the devices that have answered or may have missed their notification.
func (n *Notifier) round(ctx context.Context) error {
	n.mu.Lock()
	c := causes{n.users, n.again, n.all}
	n.users, n.again, n.all = make(map[string]string), make(map[string]string), false
	for _, d := range n.toRepeat() {
		c.devices[d] = either(c.devices[d], brokerAway)
	}
	n.mu.Unlock()
	var devices []dsstore.Device
	err := n.o.Store.View(ctx, func(tx dsstore.Tx) (err error) {
		if err := n.see(tx, c.users); err != nil {
			return err
		}
		devices, err = c.candidates(tx)
		return err
	})
	if err != nil {
		return err
	}
	due, err := n.look(ctx, devices, &c)
	if err != nil {
		return err
	}
	for _, d := range due {
		n.send(ctx, d)
	}
	return nil
}

// see notes the revisions that are looked at from now on.
func (n *Notifier) see(tx dsstore.Tx, users map[string]string) error {
	for user := range users {
		for _, s := range n.o.Stores {
			c := dsstore.Collection{User: user, Store: s.URI}
			rev, err := tx.Rev(c)
			if err != nil {
				return err
			}
			n.mu.Lock()
			n.seen[c] = rev
			n.mu.Unlock()
		}
	}
	return nil
}

// manyDevices is from how many on they are looked at by several goroutines. They are more than processors may be, for a disk answers several at a time.
const (
	manyDevices = 32
	manyLookers = 4
)

// look finds the devices to be notified. Those of one user are looked at together, for what is found about a collection holds for all of them.
func (n *Notifier) look(ctx context.Context, devices []dsstore.Device, c *causes) ([]target, error) {
	parts := make([][]dsstore.Device, 1)
	if len(devices) > manyDevices {
		parts = make([][]dsstore.Device, manyLookers)
	}
	for _, d := range devices {
		i := crc32.ChecksumIEEE([]byte(d.User)) % uint32(len(parts)) //nolint:gosec // a few
		parts[i] = append(parts[i], d)
	}
	due, errs := make([][]target, len(parts)), make([]error, len(parts))
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { due[i], errs[i] = n.lookAt(ctx, parts[i], c) })
	}
	wg.Wait()
	return slices.Concat(due...), errors.Join(errs...)
}

func (n *Notifier) lookAt(ctx context.Context, devices []dsstore.Device, c *causes) (due []target, err error) {
	return due, n.o.Store.View(ctx, func(tx dsstore.Tx) (err error) {
		now := n.o.Now()
		v := scope.NewSurvey(tx, now)
		slices.SortStableFunc(devices, func(a, b dsstore.Device) int { return strings.Compare(a.User, b.User) })
		for _, d := range devices {
			if due, err = n.add(tx, v, due, d, c.of(d), now); err != nil {
				return err
			}
		}
		return nil
	})
}

// causes are why a round looks at devices.
type causes struct {
	users   map[string]string // by name
	devices map[string]string // by id; "" where nothing has happened that a device would have to be told of
	all     bool
}

// of is why a device is looked at.
func (c *causes) of(d dsstore.Device) string { return either(c.users[d.User], c.devices[d.ID]) }

// candidates are the devices that a round is about.
func (c *causes) candidates(tx dsstore.Tx) (out []dsstore.Device, err error) {
	if c.all {
		return tx.Devices("")
	}
	for id := range c.devices {
		d, err := tx.Device(id)
		if errors.Is(err, dsstore.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if c.users[d.User] == "" {
			out = append(out, d)
		}
	}
	for user := range c.users {
		list, err := tx.Devices(user)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// add adds a device that has something to fetch which it was not told of, and notes why another is not notified.
func (n *Notifier) add(tx dsstore.Tx, v *scope.Survey, due []target, d dsstore.Device, why string, now time.Time) ([]target, error) {
	n.mu.Lock()
	a, busy, told := n.asked[d.ID], n.busy[d.ID], n.told[d.ID]
	repeat := a != nil && a.due(now)
	n.mu.Unlock()
	if busy {
		return due, nil // it fetches what there is, and is looked at when it has answered
	}
	if a != nil && !repeat {
		n.notNotified(d.ID, why, pending(a), now)
		return due, nil
	}
	t, err := n.target(tx, v, d, now)
	switch {
	case err != nil:
		return due, err
	case t.session == "":
		n.notNotified(d.ID, why, noSession, now)
	case len(t.syncs) == 0:
		n.taken(d.ID)
		n.notNotified(d.ID, why, nothing, now)
	case !repeat && t.revs <= told.revs && t.scopes == told.scopes:
		n.notNotified(d.ID, why, toldAlready, now)
	default:
		t.why = why
		due = append(due, t)
	}
	return due, nil
}

// taken notes that a device has all that it was told of: when the same comes up again, as with a filter that is changed to and fro, that is news.
func (n *Notifier) taken(device string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.told, device)
}

// target is a device that has something to fetch.
type target struct {
	device  dsstore.Device
	session string // the logical session it belongs to
	syncs   []san.Sync
	why     string
	news
}

// news is what there is for a device: the sum of the revisions of its datastores, and what it shall have of those whose filter brings or
// takes away something.
type news struct {
	revs   int64
	scopes string
}

// target finds what a device has to fetch. One without an open session is not woken: it fetches when it opens one.
func (n *Notifier) target(tx dsstore.Tx, v *scope.Survey, d dsstore.Device, now time.Time) (t target, err error) {
	t.device = d
	sessions, err := tx.Sessions(d.ID)
	if err != nil || len(sessions) == 0 || !sessions[0].Open(now) {
		return t, err
	}
	t.session = sessions[0].ID
	for _, store := range n.o.Stores {
		if err := n.examine(tx, v, &t, store); err != nil {
			return t, err
		}
	}
	return t, nil
}

// examine adds one datastore. Where only the filter has something, the server's changes alone are asked for (F6).
func (n *Notifier) examine(tx dsstore.Tx, v *scope.Survey, t *target, store Datastore) error {
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
	due, filtered, err := v.Due(t.device.ID, c, store.Kind, l)
	if err != nil || !due {
		return err
	}
	s := san.Sync{Type: twoWay, URI: store.URI}
	if filtered != nil {
		s.Type = fromServer
		t.scopes += fmt.Sprintln(store.URI, filtered.String(), l.Roll.Unix())
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
	now := n.o.Now()
	n.mu.Lock()
	former := n.asked[t.device.ID]
	a := &ask{at: now, failed: true}
	if former != nil && !former.failed {
		a.times = former.times + 1
	}
	n.asked[t.device.ID], n.told[t.device.ID] = a, t.news
	n.mu.Unlock()
	err = n.o.Send(ctx, t.device.ID, payload)
	if err != nil && ctx.Err() == nil {
		n.o.Log.Info("notification waits for the broker", "device", t.device.ID, "reason", err)
	}
	n.mu.Lock()
	a.failed = err != nil
	n.mu.Unlock()
	n.notified(&t, now, err)
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

// Read reads a notification on the device and checks where it comes from: package 0 of DS 1.2, or the message that DS 1.0 and 1.1 send instead, which
// must have our server's Cred with the same key, because nothing else proves who asks (protocol.md F.6).
func Read(payload []byte, credential, session string) (*san.Notification, error) {
	if m, err := syncml.Decode(payload, syncml.Sniff(payload)); err == nil {
		return readMessage(m, credential, session)
	}
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

func readMessage(m *syncml.Message, credential, session string) (*san.Notification, error) {
	s, err := san.FromMessage(m)
	if err != nil {
		return nil, err
	}
	if m.Header.Cred == nil || !m.Header.Cred.MatchesMD5(credential, base64.StdEncoding.EncodeToString([]byte(session))) {
		return nil, ErrNotForUs
	}
	return s, nil
}
