package session

import (
	"time"

	"github.com/alwayson-sync/alwayson/ds"
)

// pauseUntil keeps the session and lets nothing run by itself. An exchange that runs ends first. While Always-On is off there is nothing to pause.
func (m *Machine) pauseUntil(now, until time.Time) {
	if !m.On {
		return
	}
	if !m.byHand {
		m.again = ""
	}
	reason := ""
	if m.Refused {
		reason = m.Reason // it is still what the user has to know when the pause is over
	}
	m.Until, m.Failures, m.FailedSince = until, 0, time.Time{}
	m.enter(now, Paused, reason)
	m.wakeAt(until)
}

// resume begins with one exchange: nobody has listened to triggers meanwhile.
func (m *Machine) resume(now time.Time) {
	if m.State != Paused {
		return
	}
	s := Opening
	if m.ID != "" {
		s = Syncing
	}
	m.enter(now, s, m.Reason)
	m.wakeAt(time.Time{})
	m.run(now, CauseResume)
}

// paused tells whether the user wants quiet. A pause whose time is over ends here too: a device that slept through its end is told of the link first.
func (m *Machine) paused(now time.Time) bool {
	if m.State == Paused && !m.Until.IsZero() && !now.Before(m.Until) {
		m.resume(now)
	}
	return m.State == Paused
}

// doneWhilePaused is the end of an exchange that ran when the pause began, or that the user asked for: the pause goes on.
func (m *Machine) doneWhilePaused(now time.Time, e Done, again Cause, closing bool) {
	m.wakeAt(m.Until)
	switch e.Result {
	case OK:
		if e.Session != "" && e.Session != m.ID {
			m.ID, m.Opened = e.Session, now
		}
	case Unknown:
		m.end(now, ds.Destroyed, string(CauseUnknown))
		again = CauseUnknown // who asked waits for the one that follows
	case Invalid:
		m.end(now, ds.Terminated, e.Reason)
	case Aged, Uncertified:
		m.Reason = e.Reason
	}
	m.do(Save{})
	switch {
	case closing && e.Result == OK:
		m.closeSession(now)
	case again != "" && !m.Refused:
		m.run(now, again)
	}
}
