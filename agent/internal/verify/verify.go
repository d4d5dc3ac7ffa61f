// Package verify compares both sides, store by store: when it is asked to, and now and then by itself. What differs is remembered, named and
// repaired, so that "in sync" is not a guess.
package verify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// Options of a Verifier. All must be set.
type Options struct {
	Engine *engine.Engine
	Stores []*replica.Replica
	DB     kv.Store
	Every  time.Duration // how often it compares by itself
	// Stretch is how many times longer Every is at the moment.
	Stretch func() int
	Log     *slog.Logger
}

// Outcome is the last comparison of a store.
type Outcome struct {
	At     time.Time
	Differ int
	Items  []string // some of those that differ
	Tried  bool     // a slow sync has not helped
}

// Verifier compares by itself while Run runs. Its methods may be called from any goroutine.
type Verifier struct {
	o    Options
	wake chan struct{} // capacity one

	mu    sync.Mutex
	every time.Duration // Options.Every as it is now; guarded by mu
	book  book          // guarded by mu
}

// book is what survives a restart.
type book struct {
	Round  time.Time // the last comparison of all stores
	Stores map[string]Outcome
}

const bookKey = "comparisons"

// New reads what was compared before.
func New(o Options) (*Verifier, error) {
	v := &Verifier{o: o, every: o.Every, wake: make(chan struct{}, 1), book: book{Round: time.Now()}}
	if err := kv.LoadJSON(o.DB, bookKey, &v.book); err != nil {
		return nil, fmt.Errorf("cannot read the last comparisons: %w", err)
	}
	if v.book.Stores == nil {
		v.book.Stores = map[string]Outcome{}
	}
	return v, nil
}

// Outcome is the last comparison of a store by its name; not ok if there was none.
func (v *Verifier) Outcome(store string) (o Outcome, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o, ok = v.book.Stores[store]
	return o, ok
}

// Done is told of each exchange, and does not block. After a safety poll a comparison is due every so often; on a device that is so busy that
// there is none, after any exchange when it is twice as late. What differed is looked at again after each exchange.
func (v *Verifier) Done(x engine.Exchange) {
	switch x.Cause {
	case session.CauseVerify, session.CauseRepair, session.CauseSwitchOff:
		return
	}
	if x.Err != nil || x.Report.Unknown || x.Report.Session == "" {
		return
	}
	if v.due(x.Cause, time.Now()) || len(v.differing()) > 0 {
		select {
		case v.wake <- struct{}{}:
		default:
		}
	}
}

// SetEvery changes Options.Every.
func (v *Verifier) SetEvery(every time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.every = every
}

func (v *Verifier) due(cause session.Cause, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	every := v.every * time.Duration(v.o.Stretch())
	if cause != session.CausePoll {
		every *= 2
	}
	return now.Sub(v.book.Round) >= every
}

// differing are the stores that were not equal when they were compared last.
func (v *Verifier) differing() (out []*replica.Replica) {
	for _, s := range v.o.Stores {
		if o, _ := v.Outcome(s.Name()); o.Differ > 0 {
			out = append(out, s)
		}
	}
	return out
}

// Run compares when it is due, until ctx ends.
func (v *Verifier) Run(ctx context.Context) {
	for {
		select {
		case <-v.wake:
		case <-ctx.Done():
			return
		}
		stores, round := v.differing(), v.due(session.CausePoll, time.Now())
		if round {
			stores = v.o.Stores
		}
		for _, s := range stores {
			if err := v.look(ctx, s, round); err != nil && ctx.Err() == nil {
				v.o.Log.Debug("no comparison", "store", s.Name(), "reason", err)
				v.o.Engine.Note("a comparison of " + s.Name() + " with the server led to nothing: " + err.Error())
			}
		}
		if round {
			v.save(func(b *book) { b.Round = time.Now() })
		}
	}
}

// look compares one store, and repairs it: by a two-way exchange, because what changed while it was compared looks like a difference, and
// else by one slow sync a round.
func (v *Verifier) look(ctx context.Context, s *replica.Replica, round bool) error {
	former, _ := v.Outcome(s.Name())
	differed := former.Differ > 0
	found, err := v.after(ctx, s, 0)
	if err == nil && len(found.Differ) > 0 {
		items := strings.Join(some(found.Differ), ", ")
		if found, err = v.after(ctx, s, ds.AlertTwoWay); err == nil && len(found.Differ) == 0 && !differed {
			v.o.Engine.Note("comparison: " + s.Name() + " differed from the server in " + items + ", and no more after a two-way exchange")
		}
	}
	if err != nil {
		return err
	}
	v.remember(s.Name(), found.Differ)
	if len(found.Differ) > 0 && (round || !former.Tried) {
		v.note(s.Name() + " differs from the server in " + strings.Join(some(found.Differ), ", ") + "; a slow sync follows")
		if found, err = v.after(ctx, s, ds.AlertSlow); err != nil {
			return err
		}
		v.remember(s.Name(), found.Differ)
		v.tried(s.Name())
		differed = true
	}
	switch {
	case len(found.Differ) == 0 && differed:
		v.note(s.Name() + " and the server are equal again")
	case len(found.Differ) > 0 && !former.Tried:
		v.note(s.Name() + " still differs from the server after a slow sync: alwayson verify")
	}
	return nil
}

// after is the comparison of a store after an exchange of it; 0 is none. It fails while something waits: that is a difference, and no news.
func (v *Verifier) after(ctx context.Context, s *replica.Replica, by ds.Alert) (out control.Verification, err error) {
	if by != 0 {
		if err := v.exchange(ctx, s, by); err != nil {
			return out, err
		}
	}
	if !v.comparable(s) {
		return out, errWaits
	}
	return v.compare(ctx, s)
}

var errWaits = errors.New("something of it waits, so both sides are not equal yet")

// tried notes that a slow sync has been made.
func (v *Verifier) tried(store string) {
	v.save(func(b *book) {
		o := b.Stores[store]
		o.Tried = o.Differ > 0
		b.Stores[store] = o
	})
}

// comparable tells whether a store has nothing that waits.
func (v *Verifier) comparable(s *replica.Replica) bool {
	now := v.o.Engine.Snapshot()
	c := s.Counts()
	return now.Session.On && now.Session.State != session.Paused && now.Session.ID != "" && c.Pending == 0 && c.Problems == 0 && !s.Held().Any() && now.Unavailable[s.Local()] == ""
}

// exchange synchronizes one store.
func (v *Verifier) exchange(ctx context.Context, s *replica.Replica, by ds.Alert) error {
	plan := &engine.Plan{Only: true, Types: map[string]ds.Alert{s.Local(): by}}
	x, err := v.o.Engine.AskWith(ctx, session.Wanted{Cause: session.CauseRepair}, plan)
	switch {
	case err != nil:
		return err
	case x == nil:
		return ErrNoExchange
	}
	return x.Err
}

func (v *Verifier) note(what string) {
	v.o.Log.Warn(what)
	v.o.Engine.Note("comparison: " + what)
	v.o.Engine.Announce()
}

// named is how many items are named in the status and in the log.
const named = 10

func some(items []string) []string {
	if len(items) <= named {
		return items
	}
	return append(items[:named:named], fmt.Sprintf("and %d more", len(items)-named))
}

// remember notes the outcome of a comparison.
func (v *Verifier) remember(store string, differ []string) {
	v.save(func(b *book) {
		o := Outcome{At: time.Now(), Differ: len(differ), Items: some(differ), Tried: b.Stores[store].Tried && len(differ) > 0}
		b.Stores[store] = o
	})
	v.o.Engine.Announce()
}

// save changes the book. One that cannot be written is compared once more after a restart.
func (v *Verifier) save(change func(*book)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change(&v.book)
	if err := kv.SaveJSON(v.o.DB, bookKey, v.book); err != nil {
		v.o.Log.Error("the outcome of a comparison is not remembered over a restart", "reason", err)
	}
}
