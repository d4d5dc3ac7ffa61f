// Package engine keeps one account equal with its server: one loop owns the session and the stores, everything else sends it
// events. What is to be done is decided by session.Machine and computed from the stores; a trigger only wakes the loop.
package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
)

// Store is a local store and how it is noticed that it changed.
type Store struct {
	Replica *replica.Replica
	// Watch calls hint when it stands, and after changes, until ctx ends; see watch.Dir. May be nil.
	Watch func(ctx context.Context, hint func(pim.Hint)) error
	// Conflicts is what shall become of them.
	Conflicts ds.ConflictPolicy
}

// Options of an Engine. Client, Stores and Save must be set.
type Options struct {
	Client *dsclient.Client
	Stores []Store
	Record session.Record // as it was saved last
	Config session.Config
	// Save makes a Record and the nonce for the next exchange durable.
	Save func(session.Record, string) error
	// Done is told of each exchange, from the loop's goroutine, before anything else follows it. May be nil.
	Done func(Exchange)
	// Rest is called when there is nothing to do after work on many items. May be nil.
	Rest func()
	// Alive is called from the loop's goroutine once a Pulse, and not while the loop hangs. A Pulse of 0 never calls it.
	Alive func()
	Pulse time.Duration
	// Filters are what the user wants of each store; nil is everything.
	Filters Filters
	// Secret is asked for before each exchange, if it is set: it may have changed. After an error nothing is tried.
	Secret func() (string, error)
	Log    *slog.Logger
}

// Filters remembers what the user wants of each store, and what the server knows of that.
type Filters interface {
	// Outgoing is the filter that the server must be told for a store, by its name here; nil if it knows.
	Outgoing(store string) *dsclient.Filter
	// Note takes what the server said about a store in an exchange that went well.
	Note(store string, r *dsclient.StoreReport)
}

// Engine runs one account. Its methods may be called from any goroutine while Run runs.
type Engine struct {
	o      Options
	events chan request
	wake   chan struct{} // capacity one: hints wait
	ended  chan finished
	over   chan struct{} // closed when Run has ended

	mu       sync.Mutex // guards all below
	hints    map[*replica.Replica]pim.Hint
	snapshot Snapshot
	progress map[string]Progress
	changed  chan struct{}
	notes    []Note
}

// finished is the end of an exchange.
type finished struct {
	event session.Event
	Exchange
}

// New makes an engine. It starts nothing.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Done == nil {
		o.Done = func(Exchange) {}
	}
	return &Engine{o: o, events: make(chan request, 16), wake: make(chan struct{}, 1), ended: make(chan finished, 1), over: make(chan struct{}),
		hints: make(map[*replica.Replica]pim.Hint), snapshot: Snapshot{Session: o.Record}, progress: make(map[string]Progress),
		changed: make(chan struct{})}
}

// SetConflicts changes what becomes of conflicts in the i-th store. Only what Do runs may call it.
func (e *Engine) SetConflicts(i int, p ds.ConflictPolicy) { e.o.Stores[i].Conflicts = p }

// Send gives the loop an event. It blocks only while the loop is busy and returns when ctx ends.
func (e *Engine) Send(ctx context.Context, ev session.Event) {
	e.send(ctx, request{event: ev}) //nolint:errcheck // who does not wait does not care
}

// Run is the loop. It returns when ctx has ended and everything it started has, too.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer close(e.over)
	defer wg.Wait()
	standing := make(chan struct{}, len(e.o.Stores))
	watches := 0
	for _, s := range e.o.Stores {
		e.hint(s.Replica, pim.Hint{}) // for what happened while nobody watched
		if s.Watch != nil {
			watches++
			wg.Go(func() { e.watch(ctx, s, func() { standing <- struct{}{} }) })
		}
	}
	await(ctx, standing, watches)
	l := &loop{Engine: e, m: session.New(e.o.Record, e.o.Config), wg: &wg, timer: time.NewTimer(time.Hour)}
	defer l.timer.Stop()
	return l.run(ctx)
}

// loop is the state that only the loop's goroutine touches.
type loop struct {
	*Engine
	m      *session.Machine
	wg     *sync.WaitGroup
	timer  *time.Timer
	worked int // octets since the last rest
	// Who waits for the next exchange to begin, and for the running one to end.
	waiting, riding []chan *Exchange
	plan            *Plan     // for the next exchange that synchronizes
	todo            []request // see Do
	narrow          bool      // the running exchange leaves something out
	// switched takes the values of the last Reconfigure into use, nil if they are.
	switched func(*dsclient.Client)
}

func (l *loop) run(ctx context.Context) error {
	l.look(ctx)
	if err := l.handle(ctx, session.Start{}); err != nil {
		return err
	}
	l.rest(0)
	pulse, stop := l.pulse()
	defer stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return l.stop()
		case r := <-l.events:
			err = l.take(ctx, r)
		case f := <-l.ended:
			err = l.finished(ctx, f)
		case <-l.wake:
			err = l.noticed(ctx)
			l.rest(0)
		case <-pulse:
			l.o.Alive()
		case <-l.timer.C:
			if l.m.State == session.Idle {
				l.lookAtAll(ctx) // the safety poll: watchers miss things, on network file systems everything
			}
			err = l.handle(ctx, session.Tick{})
		}
		if err != nil {
			return err
		}
	}
}

// stop waits for a running exchange, which ends soon now, and saves what it achieved. That it was cut off is no failure of the link.
func (l *loop) stop() error {
	if !l.m.Running() {
		return nil
	}
	f := <-l.ended
	if d, ok := f.event.(session.Done); !ok || d.Result != session.OK {
		return nil
	}
	l.keepNonce(f)
	l.m.Handle(time.Now(), f.event)
	if err := l.o.Save(l.m.Record, l.o.Client.Nonce); err != nil {
		return fmt.Errorf("cannot save the session: %w", err)
	}
	return nil
}

// noticed looks at the stores that may have changed, and asks for an exchange if they did. While an exchange works with them the
// hints wait; its end looks. What an exchange could not settle waits for the next cause, so that nothing turns in circles.
func (l *loop) noticed(ctx context.Context) error {
	if l.m.Running() {
		return nil
	}
	stores := l.hinted()
	if changed := l.look(ctx) > 0; !l.meanwhile() && !changed {
		if len(stores) > 0 {
			l.Note("something happened in " + strings.Join(stores, ", ") + ", but nothing that the server has not got")
		}
		return nil
	}
	return l.handle(ctx, session.Wanted{Cause: session.CauseLocal})
}

// meanwhile tells whether exchanges have found changes that wait.
func (l *loop) meanwhile() (found bool) {
	for _, s := range l.o.Stores {
		found = s.Replica.Meanwhile() || found
	}
	return found
}

// hinted are the stores of which a watcher has told.
func (l *loop) hinted() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for r := range l.hints {
		out = append(out, r.Name())
	}
	slices.Sort(out)
	return out
}

func (l *loop) finished(ctx context.Context, f finished) error {
	l.keepNonce(f)
	x := f.Exchange
	l.noteFilters(&x)
	l.settle(ctx, &x)
	l.o.Done(x)
	l.update(func() {
		if x.Err == nil && !x.Report.Unknown {
			l.snapshot.Good = x.At.Add(x.Took)
		}
		l.snapshot.Trouble = x.Err
		clear(l.progress)
	})
	riding := l.riding
	l.riding = nil
	if x.Report.Unknown { // another exchange follows at once (L12): that is the one they wait for
		l.waiting, riding = append(riding, l.waiting...), nil
	}
	if len(l.waiting) > 0 {
		l.lookAtAll(ctx)
	}
	err := l.handle(ctx, f.event)
	for _, w := range riding {
		w <- &x
	}
	if err != nil {
		return err
	}
	if err := l.noticed(ctx); err != nil {
		return err
	}
	if err := l.catchUp(ctx); err != nil {
		return err
	}
	if err := l.doAll(ctx); err != nil {
		return err
	}
	l.rest(x.Report.BytesIn + x.Report.BytesOut)
	return nil
}

func (l *loop) noteFilters(x *Exchange) {
	if l.o.Filters == nil || x.Err != nil {
		return
	}
	for i := range x.Report.Stores {
		for _, s := range l.o.Stores {
			if r := &x.Report.Stores[i]; r.Name == s.Replica.Local() {
				l.o.Filters.Note(s.Replica.Name(), r)
			}
		}
	}
}

// settle carries out the server's deletions of an exchange that went well.
func (l *loop) settle(ctx context.Context, x *Exchange) {
	if x.Err != nil || x.Report.Unknown {
		return
	}
	for _, s := range l.o.Stores {
		if err := s.Replica.Settle(ctx); err != nil && ctx.Err() == nil {
			l.o.Log.Warn("deletions of the server wait", "store", s.Replica.Local(), "reason", err)
		}
		if h := s.Replica.Held(); h.Any() {
			l.o.Log.Warn("deletions are held: alwayson hold", "store", s.Replica.Local(), "here", h.Here, "there", h.There)
		}
	}
}

// catchUp sends the edits of the device that an exchange which took the server's changes only has left out (F10).
func (l *loop) catchUp(ctx context.Context) error {
	if !l.narrow || l.m.Running() {
		return nil
	}
	l.narrow = false
	for _, s := range l.o.Stores {
		n, err := s.Replica.Count(false)
		if err != nil {
			return err
		}
		if n > 0 {
			return l.handle(ctx, session.Wanted{Cause: session.CauseLocal})
		}
	}
	return nil
}

// much is how many octets of an exchange leave garbage that is worth giving back. A look at everything leaves as much.
const much = 1 << 20

func (l *loop) rest(octets int) {
	if l.worked += octets; l.worked >= much && !l.m.Running() && l.o.Rest != nil {
		l.worked = 0
		l.o.Rest()
	}
}

// keepNonce keeps the server's nonce for the next exchange.
func (l *loop) keepNonce(f finished) {
	if f.Report.NextNonce != "" {
		l.o.Client.Nonce = f.Report.NextNonce
	}
}

// look takes the hints to the stores. A store that cannot be read is reported and left alone: the next hint or poll tries again.
func (l *loop) look(ctx context.Context) (changed int) {
	l.mu.Lock()
	hints := l.hints
	l.hints = make(map[*replica.Replica]pim.Hint)
	l.mu.Unlock()
	for r, h := range hints {
		n, err := r.Look(ctx, h)
		if ctx.Err() != nil {
			return changed
		}
		if h.Keys == nil {
			l.worked += much
		}
		l.looked(r.Local(), err)
		changed += n
	}
	return changed
}

// looked notes whether a store could be read. Only a change of that is worth a line in the log.
func (l *loop) looked(store string, err error) {
	said := l.Snapshot().Unavailable[store]
	now := reason(err)
	if now == said {
		return
	}
	if err != nil {
		l.o.Log.Warn("store cannot be read; nothing is deleted for it", "store", store, "reason", err)
	} else {
		l.o.Log.Info("store can be read again", "store", store)
	}
	l.update(func() { l.snapshot.Unavailable = with(l.snapshot.Unavailable, store, now) })
}

// handle gives the machine an event and carries out what it decides.
func (l *loop) handle(ctx context.Context, ev session.Event) error {
	actions := l.m.Handle(time.Now(), ev)
	if w, ok := ev.(session.Wanted); ok && len(actions) == 0 && !l.m.Running() {
		l.Note(fmt.Sprintf("%s, but the session is %s", w.Cause, l.m.State))
	}
	for _, a := range actions {
		if err := l.carryOut(ctx, a); err != nil {
			return err
		}
	}
	l.update(func() {
		if l.snapshot.Session = l.m.Record; !l.m.Running() {
			l.snapshot.Running = ""
		}
	})
	l.release()
	return nil
}

func (l *loop) carryOut(ctx context.Context, a session.Action) error {
	switch a := a.(type) {
	case session.Save:
		if err := l.o.Save(l.m.Record, l.o.Client.Nonce); err != nil {
			return fmt.Errorf("cannot save the session: %w", err)
		}
	case session.WakeAt:
		l.timer.Stop()
		if !a.At.IsZero() {
			l.timer.Reset(time.Until(a.At))
		}
		l.update(func() { l.snapshot.Next = a.At })
	case session.Close:
		l.exchange(ctx, dsclient.Request{Purpose: dsclient.Close, Session: a.Session}, session.CauseSwitchOff, closing)
	case session.Switch:
		if l.switched != nil {
			l.switched(l.o.Client)
		}
		l.switched = nil
	case session.Run:
		if l.plan != nil && l.plan.AnyNetwork {
			ctx = egress.Anyway(ctx)
		}
		l.exchange(ctx, l.request(a), a.Cause, exchanging)
	}
	return nil
}
