package session_test

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/session"
)

// TestOnBatteryThePollIsLater, as long as it lasts; other patience comes and goes.
func TestOnBatteryThePollIsLater(t *testing.T) {
	times, c := 4, session.DefaultConfig()
	c.Stretch = func() int { return times }
	m := session.New(session.Record{}, c)
	m.Handle(epoch, session.SwitchOn{})
	done := func() time.Duration {
		var at time.Time
		for _, a := range m.Handle(epoch, session.Done{Result: session.OK, Session: "L1"}) {
			if w, ok := a.(session.WakeAt); ok {
				at = w.At
			}
		}
		m.Handle(epoch, session.Wanted{Cause: session.CauseLocal})
		return at.Sub(epoch)
	}
	if got := done(); got != 4*c.Poll {
		t.Errorf("on battery after %v", got)
	}
	m.Handle(epoch, session.Configured{Config: session.DefaultConfig()})
	if got := done(); got != 4*c.Poll {
		t.Errorf("with other patience after %v", got)
	}
	times = 1
	if got := done(); got != c.Poll {
		t.Errorf("on mains after %v", got)
	}
}
