package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// event is one for the journal of the store.
type event struct {
	device string
	dsstore.Event
}

// What an administrator reads about devices: why they are looked at, and why they are not notified.
const (
	filterChanged = "what its filter keeps was changed, by somebody or by time"
	brokerAway    = "the broker was away, the notification may be lost"
	severalCauses = "several changes"
	cameMeanwhile = "something came up during its exchange, or before the server started"

	noSession   = "it has no open session; it fetches when it opens one"
	nothing     = "there is nothing in its scope to fetch"
	toldAlready = "it was told of that and has not taken it"
)

func changeOf(c dsstore.Collection, by string) string {
	if by == "" {
		return c.Store + " was changed on the server"
	}
	return c.Store + " was changed by " + by
}

// either is the cause where there may be two.
func either(a, b string) string {
	switch {
	case a == "", a == b:
		return b
	case b == "":
		return a
	}
	return severalCauses
}

func pending(a *ask) string {
	return fmt.Sprintf("the notification of %s is not answered yet", a.at.Format(time.DateTime))
}

// notNotified notes why a device is left alone. Where nothing has happened, there is nothing to explain.
func (n *Notifier) notNotified(device, why, reason string, now time.Time) {
	if why != "" {
		n.record(device, dsstore.Event{What: dsstore.NotNotified, Why: why, Outcome: reason, At: now})
	}
}

func (n *Notifier) notified(t *target, now time.Time, err error) {
	var stores []string
	for _, s := range t.syncs {
		stores = append(stores, s.URI)
	}
	e := dsstore.Event{What: dsstore.Notified, Why: t.why, Outcome: "to sync " + strings.Join(stores, ", "), At: now}
	if e.Why == "" {
		e.Why = cameMeanwhile
	}
	if err != nil {
		e.Outcome += "; waits for the broker"
	}
	n.record(t.device.ID, e)
}

func (n *Notifier) record(device string, e dsstore.Event) {
	n.mu.Lock()
	n.events = append(n.events, event{device, e})
	n.mu.Unlock()
	select {
	case n.noted <- struct{}{}:
	default:
	}
}

// keepJournal writes events a moment after they happened, until ctx ends.
func (n *Notifier) keepJournal(ctx context.Context) {
	for {
		select {
		case <-n.noted:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(flushDelay):
			n.flush(context.WithoutCancel(ctx)) // what has begun is not to be lost
		case <-ctx.Done():
			return
		}
	}
}

const (
	// flushDelay is how long events wait, so that devices that were just notified do not wait for the writing about it.
	flushDelay = 300 * time.Millisecond
	// flushAtOnce is how many are written in a transaction, for the same reason.
	flushAtOnce = 100
)

// flush writes the events to the store. What cannot be written is only missed by who asks why.
func (n *Notifier) flush(ctx context.Context) {
	n.mu.Lock()
	all := n.events
	n.events = nil
	n.mu.Unlock()
	for some := range slices.Chunk(all, flushAtOnce) {
		err := n.o.Store.Update(ctx, func(tx dsstore.Tx) error {
			for _, e := range some {
				if err := tx.PutEvent(e.device, e.Event); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			n.o.Log.Error("cannot note why devices were notified or not", "reason", err)
		}
	}
}
