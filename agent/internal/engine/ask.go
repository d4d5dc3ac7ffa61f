package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
)

// Exchange is one exchange as it is remembered and shown.
type Exchange struct {
	At     time.Time // it began
	Took   time.Duration
	Cause  session.Cause
	Report dsclient.Report
	Err    error // nil if all of it went well
}

// Snapshot is where the engine stands.
type Snapshot struct {
	Session session.Record
	Running session.Cause // of the exchange that runs, "" if none does
	Next    time.Time     // when the session wakes by itself, zero if it does not
	Good    time.Time     // end of the last exchange that went well
	Trouble error         // of the last exchange, nil if it went well or there was none yet
	// Unavailable is why a store could not be read when it was looked at last, by local name. Must not be changed.
	Unavailable map[string]string
	// Polled is why a store cannot be watched and is looked at every Rewatch instead, by local name. Must not be changed.
	Polled map[string]string
}

// Progress is how far the running exchange has come with one datastore (M7). Total is 0 while the server has not said it.
type Progress struct{ Sent, Received, Total int }

// Snapshot tells where the engine stands. It may be called at any time.
func (e *Engine) Snapshot() Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.snapshot
}

// Progress of the running exchange, by local name of the datastore; empty if none runs.
func (e *Engine) Progress() map[string]Progress {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.progress)
}

// Note is why no exchange followed from something that could have been a reason for one.
type Note struct {
	At  time.Time
	Why string
}

// notes is how many are kept.
const notes = 200

// Note records why there was no exchange. It may be called at any time.
func (e *Engine) Note(why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.notes); n > 0 && e.notes[n-1].Why == why {
		e.notes[n-1].At = time.Now() // the same again
		return
	}
	e.notes = append(e.notes, Note{time.Now(), why})
	if len(e.notes) > notes {
		e.notes = slices.Delete(e.notes, 0, len(e.notes)-notes)
	}
}

// Notes are the last ones, oldest first.
func (e *Engine) Notes() []Note {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.notes)
}

// Changed is closed at the next change of Snapshot or Progress.
func (e *Engine) Changed() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.changed
}

// Announce wakes who waits for Changed, because of something that is shown beside what the engine tells.
func (e *Engine) Announce() { e.update(func() {}) }

// update changes what Snapshot and Progress tell.
func (e *Engine) update(fn func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fn()
	close(e.changed)
	e.changed = make(chan struct{})
}

// ErrStopped is the answer of an engine that has ended.
var ErrStopped = errors.New("the agent is stopping")

// request is an event whose sender waits: until the loop has taken it, or until the exchange that it led to has ended.
type request struct {
	event session.Event
	plan  *Plan
	do    func(context.Context) error // with the stores, while no exchange works with them; then there is no event
	use   func(*dsclient.Client)      // of a session.Reconfigure
	reads bool                        // do leaves the stores as they are
	done  chan error                  // capacity one; the answer to do
	taken chan Snapshot               // nil if the sender waits for the exchange
	ended chan *Exchange              // capacity one; nil is: no exchange followed
}

// Reconfigure changes how the server is reached (S11 to S17): the running exchange ends, the session is closed, use gives the client the new values, and
// a new session begins with an incremental sync. use is called by the loop; of two that wait, only the later is.
func (e *Engine) Reconfigure(ctx context.Context, reason string, use func(*dsclient.Client)) error {
	return e.send(ctx, request{event: session.Reconfigure{Reason: reason}, use: use})
}

// Tell gives the loop an event and returns where it stands then.
func (e *Engine) Tell(ctx context.Context, ev session.Event) (Snapshot, error) {
	return e.TellWith(ctx, ev, nil)
}

// Plan is what the next exchange shall be like, by local name of the datastores. Those it does not name are synchronized two-way, or left
// alone if Only is set.
type Plan struct {
	Types map[string]ds.Alert
	Only  bool
	// Preview asks the server what Filters would change, and changes nothing.
	Preview bool
	// Ask gets what it names from the server and does nothing else.
	Ask []string
	// AnyNetwork lets it run also over a network that is not allowed.
	AnyNetwork bool
	// Filters are for this exchange only. What the user wants for longer is in Options.Filters.
	Filters map[string]dsclient.Filter
}

// TellWith is Tell with a plan for the exchange that the event leads to; nil is none.
func (e *Engine) TellWith(ctx context.Context, ev session.Event, plan *Plan) (Snapshot, error) {
	r := request{event: ev, plan: plan, taken: make(chan Snapshot, 1)}
	if err := e.send(ctx, r); err != nil {
		return Snapshot{}, err
	}
	select {
	case s := <-r.taken:
		return s, nil
	case <-ctx.Done():
		return Snapshot{}, ctx.Err()
	case <-e.over:
		return Snapshot{}, ErrStopped
	}
}

// Ask gives the loop an event and waits for the end of the exchange that it leads to: one that began after the event, so that it
// covers everything that was there when Ask was called (M4). Several who ask share one exchange (M5). The exchange is nil if the state
// of the session did not allow any.
func (e *Engine) Ask(ctx context.Context, ev session.Event) (*Exchange, error) {
	return e.AskWith(ctx, ev, nil)
}

// AskWith is Ask with a plan for that exchange; nil is none.
func (e *Engine) AskWith(ctx context.Context, ev session.Event, plan *Plan) (*Exchange, error) {
	r := request{event: ev, plan: plan, ended: make(chan *Exchange, 1)}
	if err := e.send(ctx, r); err != nil {
		return nil, err
	}
	select {
	case x := <-r.ended:
		return x, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.over:
		return nil, ErrStopped
	}
}

// Do runs fn in the loop, when no exchange works with the stores, and looks at them afterwards.
func (e *Engine) Do(ctx context.Context, fn func(context.Context) error) error {
	return e.do(ctx, request{do: fn, done: make(chan error, 1)})
}

// Read is Do for what leaves the stores as they are.
func (e *Engine) Read(ctx context.Context, fn func(context.Context) error) error {
	return e.do(ctx, request{do: fn, reads: true, done: make(chan error, 1)})
}

func (e *Engine) do(ctx context.Context, r request) error {
	if err := e.send(ctx, r); err != nil {
		return err
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-e.over:
		return ErrStopped
	}
}

func (e *Engine) send(ctx context.Context, r request) error {
	select {
	case e.events <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-e.over:
		return ErrStopped
	}
}

// take carries out a request.
func (l *loop) take(ctx context.Context, r request) error {
	if r.do != nil {
		l.todo = append(l.todo, r)
		return l.doAll(ctx)
	}
	if r.ended != nil {
		l.waiting = append(l.waiting, r.ended)
		if !l.m.Running() && (r.plan == nil || len(r.plan.Ask) == 0) {
			l.lookAtAll(ctx)
		}
	}
	if r.plan != nil && (l.plan == nil || !r.plan.Only) { // what somebody asks for comes before what the server would be content with
		l.plan = r.plan
	}
	if r.use != nil {
		l.switched = r.use
	}
	err := l.handle(ctx, r.event)
	if r.taken != nil {
		r.taken <- l.Snapshot()
	}
	return err
}

// doAll does what waited for the end of the exchange.
func (l *loop) doAll(ctx context.Context) error {
	if l.m.Running() || len(l.todo) == 0 {
		return nil
	}
	todo := l.todo
	l.todo = nil
	answers := make([]error, len(todo))
	var err error
	for i, r := range todo {
		answers[i] = r.do(ctx)
	}
	if slices.ContainsFunc(todo, func(r request) bool { return !r.reads }) {
		l.Announce()
		l.lookAtAll(ctx)
		err = l.noticedAny(ctx)
	}
	for i, r := range todo {
		r.done <- answers[i] // now the status tells what came of it
	}
	return err
}

// noticedAny asks for an exchange if there is anything that the server has not got.
func (l *loop) noticedAny(ctx context.Context) error {
	for _, s := range l.o.Stores {
		if s.Replica.Counts().Pending > 0 {
			return l.handle(ctx, session.Wanted{Cause: session.CauseLocal})
		}
	}
	return nil
}

// lookAtAll comes before an exchange that somebody waits for: what was written just before must be part of it, whether the watcher has
// told of it yet or not.
func (l *loop) lookAtAll(ctx context.Context) {
	for _, s := range l.o.Stores {
		l.hint(s.Replica, pim.Hint{})
	}
	l.look(ctx)
}

// release answers those who wait for an exchange although none runs any more.
func (l *loop) release() {
	if l.m.Running() {
		return
	}
	for _, w := range l.waiting {
		w <- nil
	}
	l.waiting, l.plan = nil, nil
}
