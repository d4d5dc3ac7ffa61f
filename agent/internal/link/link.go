// Package link tells when the network may have come back or changed, and when the device has slept (L1, L8). What it says is a hint: it
// only wakes who has something to do, so one too many costs an exchange of a few hundred octets, and one too few is caught by the
// retries of the session.
package link

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Why a hint came.
const (
	Changed = "the network has changed"
	Lost    = "a network is gone" // there may be others
	Resumed = "the device has slept"
)

const (
	// settle gathers what comes together: a carrier, an address and a default route. The first of them starts the clock, so that it bounds
	// what is waited.
	settle = 100 * time.Millisecond
	// beat is how often the clocks are compared. Timers stand still while the device sleeps.
	beat = 5 * time.Second
)

// Watch calls hint, with the reason, until ctx ends. It returns when everything it started has ended.
func Watch(ctx context.Context, log *slog.Logger, hint func(reason string)) {
	events := make(chan event)
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { observe(ctx, log, events) })
	began := time.Now()
	w := &watcher{events: events, hint: hint, clock: func() reading {
		now := time.Now()
		return reading{wall: now.Round(0), ran: now.Sub(began)}
	}}
	w.run(ctx)
}

// watcher turns events into hints. It is used from one goroutine.
type watcher struct {
	events <-chan event
	clock  func() reading
	hint   func(reason string)
	judge  judge
}

func (w *watcher) run(ctx context.Context) {
	w.judge.start(w.clock())
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	var tell <-chan time.Time // nil if there is nothing to be told
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.events:
			switch n := w.judge.news(e); {
			case n == lost:
				w.hint(Lost)
			case n == gained && tell == nil:
				tell = time.After(settle)
			}
		case <-tell:
			tell = nil
			w.hint(Changed)
		case <-ticker.C:
			if w.judge.slept(w.clock()) {
				w.hint(Resumed)
			}
		}
	}
}

// send gives an event to the watcher; false if ctx has ended.
func send(ctx context.Context, events chan<- event, e event) bool {
	select {
	case events <- e:
		return true
	case <-ctx.Done():
		return false
	}
}
