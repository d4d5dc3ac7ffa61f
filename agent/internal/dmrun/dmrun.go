// Package dmrun has the device managed: it runs sessions of device management over the broker, one at a time, as notifications ask for them or as the
// device has something to tell.
package dmrun

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Options of a Runner. All but Note and Log must be set.
type Options struct {
	// Account is how device and server know each other now, with the nonces that SaveNonces has made durable.
	Account    func() dmclient.Account
	SaveNonces func(dmclient.Nonces) error
	Tree       dmclient.Tree
	DevInfo    func() dm.DevInfo
	// Send carries a message to the server.
	Send func(ctx context.Context, payload []byte) error
	// Events are what the server has to be told; Told says that it has been.
	Events func() []dm.Event
	Told   func(id string) error
	// Note records what a server says to the user, who may be away; nil if there is nobody to read it.
	Note func(text string)
	Log  *slog.Logger
}

// Runner runs sessions while Run runs. Its other methods may be called from any goroutine; but for Aside they do not block.
type Runner struct {
	o      Options
	notes  chan dmclient.Notification // capacity one
	inbox  chan []byte
	wishes chan struct{} // capacity one: a session because of events
	asides chan func()   // what is done between two messages

	mu      sync.Mutex
	idle    chan struct{} // closed while no session runs; guarded by mu
	doubted time.Time     // guarded by mu
	unsure  bool          // a session is due because of that; guarded by mu

	// Only Run touches what follows.
	session *dmclient.Session
	last    string // SessionID of the last notification that was followed
	nonces  dmclient.Nonces
	tries   int
	unsent  bool // the last message did not even reach the broker
	timer   *time.Timer
}

const (
	answerTime = 10 * time.Second // before a message is sent again
	maxTries   = 4
	doubtPause = time.Minute
	many       = 16 // messages that wait; a session has one under way
)

// New makes a runner. It starts nothing.
func New(o Options) *Runner {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	r := &Runner{o: o, notes: make(chan dmclient.Notification, 1), inbox: make(chan []byte, many), wishes: make(chan struct{}, 1), asides: make(chan func()), idle: make(chan struct{})}
	close(r.idle)
	return r
}

// Notified takes what may be a notification of device management, and tells whether it was one of our server. One that is not verified may mean that
// both ends have different nonces: a session of our own mends that.
func (r *Runner) Notified(payload []byte) bool {
	account := r.o.Account()
	n, err := dmclient.ReadNotification(payload, account)
	if err != nil {
		raw, bad := san.Parse(payload)
		if bad != nil || raw.Version != san.DM || raw.ServerID != account.ServerID {
			return false
		}
		r.o.Log.Debug("notification of device management not verified", "reason", err)
		r.doubt()
		return true
	}
	select {
	case r.notes <- *n:
	default: // one waits, and all that is to be done is done in one session
	}
	return true
}

// doubt asks for a session in which both sides prove who they are, but not for each notification that a stranger can make.
func (r *Runner) doubt() {
	r.mu.Lock()
	due := time.Since(r.doubted) >= doubtPause
	if due {
		r.doubted, r.unsure = time.Now(), true
	}
	r.mu.Unlock()
	if due {
		r.Wish()
	}
}

// Received takes a message of the server.
func (r *Runner) Received(payload []byte) {
	select {
	case r.inbox <- payload:
	default:
	}
}

// Wish asks for a session because there is something to tell, or says that the broker is there again.
func (r *Runner) Wish() {
	select {
	case r.wishes <- struct{}{}:
	default:
	}
}

// Aside does something with the tree, which is used by nobody else meanwhile. It waits until that is done, or ctx ends.
func (r *Runner) Aside(ctx context.Context, do func()) error {
	done := make(chan struct{})
	select {
	case r.asides <- func() { defer close(done); do() }:
		<-done
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Idle is closed when no session runs.
func (r *Runner) Idle() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.idle
}

// Run runs sessions until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	r.timer = time.NewTimer(time.Hour)
	defer r.timer.Stop()
	defer r.end()
	for {
		select {
		case <-ctx.Done():
			return
		case n := <-r.notes:
			r.notified(ctx, n)
		case <-r.wishes:
			r.wished(ctx)
		case b := <-r.inbox:
			r.received(ctx, b)
		case do := <-r.asides:
			do()
		case <-r.timer.C:
			r.late(ctx)
		}
	}
}

// notified begins the session that the server asks for. What comes twice asks for the same one. A server that asks for another one while one runs has
// forgotten that, because it was restarted (found by killing servers at random).
func (r *Runner) notified(ctx context.Context, n dmclient.Notification) {
	if r.session != nil && (n.SessionID == r.last || n.SessionID == "") {
		r.send(ctx, r.session.Last()) // the server waits for it
		return
	}
	if n.SessionID != "" && n.SessionID == r.last {
		return
	}
	r.end()
	r.last = n.SessionID
	r.begin(ctx, n.SessionID, true)
}

func (r *Runner) wished(ctx context.Context) {
	r.mu.Lock()
	due := r.unsure
	r.unsure = false
	r.mu.Unlock()
	if r.session != nil && r.unsent {
		r.send(ctx, r.session.Last()) // the broker is there now
	}
	if r.session == nil && (due || len(r.o.Events()) > 0) {
		r.begin(ctx, newSessionID(), false)
	}
}

// begin begins a session.
func (r *Runner) begin(ctx context.Context, id string, byServer bool) {
	if id == "" {
		id = newSessionID()
	}
	account := r.o.Account()
	s, err := dmclient.New(dmclient.Options{Account: account, Tree: r.o.Tree, DevInfo: r.o.DevInfo(), SessionID: id, ByServer: byServer, Events: r.o.Events(), Ask: r.ask()})
	if err != nil {
		r.o.Log.Error("the device cannot be managed", "reason", err)
		return
	}
	first, err := s.Start()
	if err != nil {
		r.o.Log.Error("the device cannot be managed", "reason", err)
		return
	}
	r.o.Log.Debug("device management begins", "session", id, "by server", byServer)
	r.session, r.nonces, r.tries = s, account.Nonces, 0
	r.mu.Lock()
	r.idle = make(chan struct{})
	r.mu.Unlock()
	r.send(ctx, first)
}

// ask answers for the user.
func (r *Runner) ask() func(*syncml.Alert) (ds.Status, []syncml.Item) {
	if r.o.Note == nil {
		return nil
	}
	return dmclient.Unattended(r.o.Note)
}

// received takes a message. What it has changed, and the nonces, are durable before it is answered.
func (r *Runner) received(ctx context.Context, payload []byte) {
	if r.session == nil {
		return // of a session that has ended here: the server begins anew
	}
	p, err := packet.Parse(payload)
	if err != nil {
		r.o.Log.Debug("message of device management not understood", "reason", err)
		return
	}
	answer, done, err := r.session.Handle(time.Now(), p)
	if err != nil {
		r.o.Log.Info("device management", "reason", err)
	}
	if err := r.keep(); err != nil {
		r.o.Log.Error("a session of device management is given up", "reason", err)
		r.end()
		return
	}
	if !answer.IsZero() {
		r.tries = 0
		r.send(ctx, answer)
	}
	if done {
		r.end()
	}
}

// keep makes durable what the session leaves to the next one.
func (r *Runner) keep() error {
	report := r.session.Report()
	if report.Nonces != r.nonces {
		if err := r.o.SaveNonces(report.Nonces); err != nil {
			return err
		}
		r.nonces = report.Nonces
	}
	var errs []error
	for id, status := range report.Events {
		if status.OK() {
			errs = append(errs, r.o.Told(id))
		}
	}
	return errors.Join(errs...)
}

// end forgets the session. One that was cut off is begun anew by the server, which notifies again, or by the next wish.
func (r *Runner) end() {
	if r.session == nil {
		return
	}
	r.session = nil
	r.timer.Stop()
	r.mu.Lock()
	close(r.idle)
	r.mu.Unlock()
}

func (r *Runner) send(ctx context.Context, p packet.Packet) {
	r.timer.Reset(answerTime)
	err := r.o.Send(ctx, p.Marshal())
	if r.unsent = err != nil; r.unsent && ctx.Err() == nil {
		r.o.Log.Debug("a message of device management is sent again later", "reason", err)
	}
}

// late sends a message again to which no answer came.
func (r *Runner) late(ctx context.Context) {
	if r.session == nil {
		return
	}
	if r.tries++; r.tries == maxTries {
		r.o.Log.Info("device management", "reason", "the server does not answer")
		r.last = "" // its next notification is followed, also if it names this session
		r.end()
		return
	}
	r.send(ctx, r.session.Last())
}

// newSessionID is one that the server has not seen lately: notifications name small numbers.
func newSessionID() string { return strconv.FormatUint(1<<20+rand.Uint64N(1<<40), 16) }
