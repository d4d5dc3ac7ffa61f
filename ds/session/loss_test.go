package session_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// TestTheProbeGoesOnForThirtyDays is L6 for a device that is awake all the time: every attempt fails, each has the next one, at the same
// pace on the last day as on the first, and the first that succeeds opens a new session. That the record does not grow is in its type.
func TestTheProbeGoesOnForThirtyDays(t *testing.T) {
	c := session.DefaultConfig()
	c.Jitter = rand.New(rand.NewPCG(1, 1)).Float64
	m := session.New(session.Record{On: true, State: session.Idle, ID: "L1"}, c)
	now := epoch
	handle(m, now, session.Wanted{Cause: session.CauseLocal})
	attempts := 0
	for now.Before(epoch.Add(30 * 24 * time.Hour)) {
		attempts++
		next := handle(m, now, session.Done{Result: session.NoLink, Reason: "no route"})
		if next.Before(now) || next.Sub(now) > 90*time.Second {
			t.Fatalf("attempt %d at %v: the next one is at %v", attempts, now, next)
		}
		now = next
		if handle(m, now, session.Tick{}); !m.Running() {
			t.Fatalf("attempt %d at %v: no more follow", attempts, now)
		}
	}
	handle(m, now, session.Done{Result: session.OK, Session: "L2"})
	if m.State != session.Idle || m.ID != "L2" || m.Ending != ds.Destroyed || m.Failures != 0 {
		t.Errorf("after %d attempts: %+v", attempts, m.Record)
	}
}

// handle gives the machine an event and returns when it wants to be woken.
func handle(m *session.Machine, now time.Time, e session.Event) (wake time.Time) {
	for _, a := range m.Handle(now, e) {
		if w, ok := a.(session.WakeAt); ok {
			wake = w.At
		}
	}
	return wake
}
