// Package manage has devices managed: what administrators want them to be set to is told to them in sessions of device management over the broker,
// and what became of it is kept (S5, S8, S9).
package manage

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/san"
)

// Options of a Manager. All but Log and Now must be set.
type Options struct {
	Store    dsstore.Store
	ServerID string
	// Notify sends a notification, Send a message of a session to a device.
	Notify, Send func(ctx context.Context, device string, payload []byte) error
	Log          *slog.Logger
	Now          func() time.Time
}

// Manager manages devices while Run runs. Received, Online and Reconnected may be called from any goroutine.
type Manager struct {
	o        Options
	inbox    chan message
	sessions map[string]*live // by device; only Run touches it and all below
	doubted  map[string]*live // see beside
	asked    map[string]*ask
}

// message is what has come from a device, or that it is there if there is no payload.
type message struct {
	device  string
	payload []byte
}

// live is a session that runs, or that has ended and may be asked for its last answer again.
type live struct {
	*dmserver.Session
	nonces  dmserver.Nonces // that are durable
	settled map[string]bool // work whose outcome is durable, by id
	events  int             // that were taken
	wanted  []string        // keys of the settings that it is about
	noted   bool            // in the journal
	touched time.Time
}

// ask is what a device was notified of.
type ask struct {
	version int64 // of the newest setting
	next    time.Time
	pause   time.Duration
}

const (
	look       = time.Second / 5  // for settings that another process has set, the command line or another server
	idle       = 5 * time.Minute  // a session that does not go on is forgotten
	firstPause = 10 * time.Second // before a device that has not answered is notified again; it doubles
	lastPause  = 10 * time.Minute
	many       = 4096 // messages that wait; what is beyond is lost, and sent again by its device
)

// New makes a manager. It starts nothing.
func New(o Options) *Manager {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Manager{o: o, inbox: make(chan message, many), sessions: make(map[string]*live), doubted: make(map[string]*live), asked: make(map[string]*ask)}
}

// Received takes a message of a device. It does not block.
func (m *Manager) Received(device string, payload []byte) {
	select {
	case m.inbox <- message{device, payload}:
	default:
	}
}

// Online says that a device has come: what was sent while it was away may be lost. It does not block.
func (m *Manager) Online(device string) { m.Received(device, nil) }

// Run manages until ctx ends.
func (m *Manager) Run(ctx context.Context) {
	t := time.NewTicker(look)
	defer t.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case in := <-m.inbox:
			err = m.take(ctx, in)
		case <-t.C:
			err = m.look(ctx)
		}
		if err != nil && ctx.Err() == nil {
			m.o.Log.Error("devices are managed later", "reason", err)
		}
	}
}

// take takes what has come from a device.
func (m *Manager) take(ctx context.Context, in message) error {
	if in.payload == nil {
		delete(m.asked, in.device)
		return m.look(ctx)
	}
	p, err := packet.Parse(in.payload)
	if err != nil {
		m.o.Log.Debug("message of device management not understood", "device", in.device, "reason", err)
		return nil
	}
	return m.handle(ctx, in.device, p)
}

// handle answers a message. What it says is durable before it is answered.
func (m *Manager) handle(ctx context.Context, device string, in packet.Packet) error {
	s := m.sessions[device]
	fresh := s == nil
	if fresh {
		var err error
		if s, err = m.begin(ctx, device); err != nil {
			return ignoreUnknown(err)
		}
	}
	answer, done, err := s.Handle(in)
	switch {
	case errors.Is(err, dmserver.ErrAnew):
		if s, err = m.begin(ctx, device); err != nil {
			return err
		}
		answer, done, err = s.Handle(in)
	case errors.Is(err, dmserver.ErrForged), err != nil && !done && m.doubted[device] != nil:
		if s, answer, done, err = m.beside(ctx, device, in); s == nil {
			return err
		}
	}
	if err != nil {
		m.o.Log.Info("device management", "device", device, "reason", err)
	}
	m.o.Log.Debug("device management", "device", device, "answered", !answer.IsZero(), "done", done)
	s.touched = m.o.Now()
	if fresh && err != nil && answer.IsZero() { // the device is in a session that is forgotten here: it shall begin another one
		m.forget(device)
		return nil
	}
	if err := m.keep(ctx, device, s, ending{done, err}); err != nil {
		m.forget(device) // nothing was answered
		return err
	}
	if done {
		delete(m.asked, device)
	}
	if answer.IsZero() {
		return nil
	}
	return m.o.Send(ctx, device, answer.Marshal())
}

// forget forgets a session that cannot go on. If there is something to be done, the device is notified of another one.
func (m *Manager) forget(device string) {
	delete(m.sessions, device)
	delete(m.asked, device)
}

// beside handles a message that proves nothing to the session that runs. It may be of the device nevertheless, which was restarted and has another
// nonce (found by killing devices at random): a session beside that one asks for a proof, and takes its place when it comes. Until then s is nil, and
// what is answered tells nobody anything.
func (m *Manager) beside(ctx context.Context, device string, in packet.Packet) (s *live, answer packet.Packet, done bool, err error) {
	s = m.doubted[device]
	if s != nil {
		answer, done, err = s.Handle(in)
	}
	if s == nil || err != nil {
		if s, err = m.open(ctx, device); err != nil {
			return nil, answer, false, err
		}
		m.doubted[device] = s
		answer, done, err = s.Handle(in)
	}
	s.touched = m.o.Now()
	if s.Report().Known {
		delete(m.doubted, device)
		m.sessions[device] = s
		return s, answer, done, err
	}
	if err != nil || answer.IsZero() {
		m.o.Log.Debug("a message of device management proves nothing", "device", device, "reason", err)
		delete(m.doubted, device)
		return nil, answer, done, nil
	}
	return nil, answer, done, m.o.Send(ctx, device, answer.Marshal())
}

// ignoreUnknown: who is no device of ours is not told so.
func ignoreUnknown(err error) error {
	if errors.Is(err, dsstore.ErrNotFound) {
		return nil
	}
	return err
}

// begin makes the session of a device.
func (m *Manager) begin(ctx context.Context, device string) (*live, error) {
	s, err := m.open(ctx, device)
	if err == nil {
		m.sessions[device] = s
	}
	return s, err
}

// open makes a session with all that a device has to be told.
func (m *Manager) open(ctx context.Context, device string) (*live, error) {
	var d dsstore.Device
	var all []dsstore.Setting
	var nonces dsstore.Management
	err := m.o.Store.View(ctx, func(tx dsstore.Tx) (err error) {
		if d, err = tx.Device(device); err != nil {
			return err
		}
		if all, err = tx.Settings(device); err != nil {
			return err
		}
		nonces, err = tx.Management(device)
		return err
	})
	if err != nil {
		return nil, err
	}
	s, err := dmserver.New(dmserver.Options{Account: m.account(&d, nonces), DeviceID: device, Work: work(all)})
	if err != nil {
		return nil, err
	}
	return &live{Session: s, nonces: dmserver.Nonces{Own: nonces.OwnNonce, Device: nonces.DeviceNonce}, settled: map[string]bool{}, wanted: pending(all), touched: m.o.Now()}, nil
}

// account is how a device and this server know each other: by the secret that the device was enrolled with, of which the server has the digest
// that DS needs, too.
func (m *Manager) account(d *dsstore.Device, n dsstore.Management) dmserver.Account {
	return dmserver.Account{ServerID: m.o.ServerID, Secret: d.Credential, User: d.User, Credential: d.Credential, Scheme: dmserver.HMAC,
		Nonces: dmserver.Nonces{Own: n.OwnNonce, Device: n.DeviceNonce}}
}

// work is what is pending. What was wanted together is done together or not at all; what a device shall do cannot be undone, and is by itself, as is each
// return to the device's own, for which there may be no reason any more.
func work(all []dsstore.Setting) (out []dmserver.Work) {
	pending := slices.DeleteFunc(slices.Clone(all), func(s dsstore.Setting) bool { return s.State != dsstore.SettingPending })
	slices.SortStableFunc(pending, func(a, b dsstore.Setting) int { return a.At.Compare(b.At) })
	for len(pending) > 0 {
		n := 1
		for n < len(pending) && together(&pending[0], &pending[n]) {
			n++
		}
		var members []dmserver.Work
		for _, s := range pending[:n] {
			if w, ok := command(&s); ok {
				members = append(members, w)
			}
		}
		if len(members) > 1 {
			members = []dmserver.Work{{ID: "together " + members[0].ID, Op: dmserver.Atomic, Members: members}}
		}
		out, pending = append(out, members...), pending[n:]
	}
	return out
}

func together(a, b *dsstore.Setting) bool {
	_, one := mo.Action(a.Key)
	_, other := mo.Action(b.Key)
	return !one && !other && !a.Own && !b.Own && a.At.Equal(b.At) && a.By == b.By
}

// command is that for a setting, or for what a device shall do; not ok if there is no such thing any more.
func command(s *dsstore.Setting) (dmserver.Work, bool) {
	id := strconv.FormatInt(s.Version, 10)
	if node, ok := mo.Action(s.Key); ok {
		return dmserver.Work{ID: id, Op: dmserver.Exec, URI: node}, true
	}
	row, ok := mo.Find(s.Key)
	if !ok {
		return dmserver.Work{}, false
	}
	if s.Own {
		return dmserver.Work{ID: id, Op: dmserver.Delete, URI: row.Of(s.Key).String()}, true
	}
	return dmserver.Work{ID: id, Op: dmserver.Replace, URI: row.Of(s.Key).String(), Value: row.Value(s.Value)}, true
}

// keep makes durable what a session has achieved since it was kept last, and how it has ended, if it has.
func (m *Manager) keep(ctx context.Context, device string, s *live, end ending) error {
	r := s.Report()
	fresh := slices.DeleteFunc(slices.Clone(r.Outcomes), func(o dmserver.Outcome) bool { return o.Status == 0 || s.settled[o.ID] })
	events := r.Events[min(s.events, len(r.Events)):]
	note := end.done && r.Known && !s.noted
	if r.Nonces == s.nonces && len(fresh)+len(events) == 0 && !note {
		return nil
	}
	err := m.o.Store.Update(ctx, func(tx dsstore.Tx) error {
		was, err := tx.Management(device)
		if err != nil {
			return err
		}
		was.OwnNonce, was.DeviceNonce = r.Nonces.Own, r.Nonces.Device
		if err := errors.Join(tx.PutManagement(device, was), m.settle(tx, fresh)); err != nil {
			return err
		}
		if note {
			if err := tx.PutEvent(device, s.event(end.err, m.o.Now())); err != nil {
				return err
			}
		}
		return m.told(tx, device, events)
	})
	if err != nil {
		return err
	}
	s.nonces, s.events, s.noted = r.Nonces, len(r.Events), s.noted || note
	for _, o := range fresh {
		s.settled[o.ID] = true
	}
	return nil
}

// settle notes what became of settings.
func (m *Manager) settle(tx dsstore.Tx, outcomes []dmserver.Outcome) error {
	for _, o := range outcomes {
		version, err := strconv.ParseInt(o.ID, 10, 64)
		if err != nil {
			continue // a group
		}
		state, reason := dsstore.SettingApplied, ""
		if !o.Applied() {
			state, reason = dsstore.SettingFailed, refusal(o)
		}
		if err := tx.SettleSetting(version, state, reason, m.o.Now()); err != nil {
			return err
		}
	}
	return nil
}

// refusal is one sentence of why a setting is not in use.
func refusal(o dmserver.Outcome) string {
	if o.Reason != "" {
		return o.Reason
	}
	return "the device answered " + o.Status.Error()
}

// told takes what a device tells by itself: that it has returned to what it had, because it could not be reached with what it was set to (S10).
func (m *Manager) told(tx dsstore.Tx, device string, events []dm.Event) error {
	for _, e := range events {
		if e.Type != mo.Returned {
			continue
		}
		if err := m.returned(tx, device, e); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) returned(tx dsstore.Tx, device string, e dm.Event) error {
	at, err := dm.ParsePath(e.URI)
	if err != nil {
		return nil //nolint:nilerr // it is about nothing that we know
	}
	_, key, ok := mo.At(at)
	if !ok {
		return nil
	}
	all, err := tx.Settings(device)
	for _, s := range all {
		if s.Key == key {
			m.o.Log.Warn("a device could not be reached with a setting and has returned to what it had", "device", device, "setting", key, "reason", string(e.Data))
			err = errors.Join(err, tx.SettleSetting(s.Version, dsstore.SettingFailed, string(e.Data), m.o.Now()))
		}
	}
	return err
}

// look notifies devices that have something to be told, and forgets sessions that do not go on.
func (m *Manager) look(ctx context.Context) error {
	now := m.o.Now()
	for _, all := range []map[string]*live{m.sessions, m.doubted} {
		maps.DeleteFunc(all, func(_ string, s *live) bool { return now.Sub(s.touched) > idle })
	}
	var devices []dsstore.Unsettled
	err := m.o.Store.View(ctx, func(tx dsstore.Tx) (err error) { devices, err = tx.Unsettled(); return err })
	if err != nil {
		return err
	}
	for _, u := range devices {
		if err := m.ask(ctx, u.Device, u.Newest, now); err != nil {
			return err
		}
	}
	return nil
}

// ask notifies a device, unless it was just notified of the same.
func (m *Manager) ask(ctx context.Context, device string, version int64, now time.Time) error {
	a := m.asked[device]
	if a != nil && now.Before(a.next) && version <= a.version {
		return nil
	}
	payload, err := m.notification(ctx, device, a != nil)
	if err != nil {
		return ignoreUnknown(err)
	}
	next := &ask{version: version, pause: firstPause}
	if a != nil && a.version == version {
		next.pause = min(2*a.pause, lastPause)
	}
	next.next = now.Add(next.pause)
	m.asked[device] = next
	m.o.Log.Debug("a device is notified of settings", "device", device, "again after", next.pause)
	if err := m.o.Notify(ctx, device, payload); err != nil {
		m.o.Log.Debug("a device is notified of settings later", "device", device, "reason", err)
	}
	return nil
}

// notification is package 0 for a device. One that is sent again names the same session.
func (m *Manager) notification(ctx context.Context, device string, again bool) (payload []byte, err error) {
	err = m.o.Store.Update(ctx, func(tx dsstore.Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return err
		}
		n, err := tx.Management(device)
		if err != nil {
			return err
		}
		if !again || n.Session == 0 {
			if n.Session++; n.Session == 0 {
				n.Session++
			}
			if err := tx.PutManagement(device, n); err != nil {
				return err
			}
		}
		payload, err = dmserver.Notification(m.account(&d, n), n.Session, san.Background)
		return err
	})
	return payload, err
}
