package session

import (
	"time"

	"github.com/alwayson-sync/alwayson/ds"
)

// Machine is the state machine. It is used from one goroutine.
type Machine struct {
	Record
	c       Config
	running bool
	ending  string // session to be closed when the running exchange has ended; "-" is whatever that exchange opens
	again   Cause  // why one more exchange follows the running one, "" if none does
	byHand  bool   // it follows also while Always-On is off
	closing bool   // the user wants the session closed when the running exchange has ended
	// switching is why new values wait to be taken into use, "" if none do.
	switching string
	wake      time.Time
	out       []Action
}

// New goes on from a Record; the zero Record is a device that was never on.
func New(r Record, c Config) *Machine {
	if r.State == "" {
		r.State = Off
	}
	if c.Jitter == nil {
		c.Jitter = func() float64 { return 0.5 }
	}
	if c.Stretch == nil {
		c.Stretch = func() int { return 1 }
	}
	return &Machine{Record: r, c: c}
}

func (m *Machine) poll() time.Duration { return m.c.Poll * time.Duration(m.c.Stretch()) }

// Handle takes an event and returns what is to be done.
func (m *Machine) Handle(now time.Time, e Event) []Action {
	m.out = nil
	switch e := e.(type) {
	case Start:
		m.start(now)
	case SwitchOn:
		m.switchOn(now)
	case SwitchOff:
		m.switchOff(now)
	case Pause:
		m.pauseUntil(now, e.Until)
	case Resume:
		m.resume(now)
	case Wanted:
		m.wanted(now, e)
	case OpenSession:
		m.openSession(now)
	case CloseSession:
		m.closeSession(now)
	case LinkUp:
		if m.On && !m.Refused && !m.paused(now) {
			m.run(now, CauseLink) // also when all seems well: what was sent while there was no link is lost
		}
	case Reconfigure:
		m.reconfigure(now, e.Reason)
	case Configured:
		e.Config.Jitter, e.Config.Stretch = m.c.Jitter, m.c.Stretch
		m.c = e.Config
	case Credentials:
		m.credentials(now)
	case Tick:
		m.tick(now)
	case Done:
		m.done(now, e)
	case Closed:
		m.closed(now)
	}
	return m.out
}

// Running tells whether an exchange runs.
func (m *Machine) Running() bool { return m.running }

func (m *Machine) do(a Action) { m.out = append(m.out, a) }

func (m *Machine) enter(now time.Time, s State, reason string) {
	if s != Paused {
		m.Until = time.Time{}
	}
	if m.State != s {
		m.State, m.Since = s, now
	}
	m.Reason = reason
	m.do(Save{})
}

func (m *Machine) wakeAt(at time.Time) {
	m.wake = at
	m.do(WakeAt{at})
}

// end ends the session.
func (m *Machine) end(now time.Time, how ds.Ending, reason string) {
	if m.ID != "" {
		m.ID, m.Ending, m.Ended, m.Why = "", how, now, reason
	}
	m.Reason = reason
}

// start looks once for what happened while the agent was not there (N11). Held stays held: a restart is no new password (A8).
func (m *Machine) start(now time.Time) {
	switch {
	case m.State == Paused:
		m.tick(now)
	case m.On && m.State != Held:
		m.run(now, CauseStart)
	}
}

// switchOn begins with one incremental sync (T1). Switching on what is on changes nothing (T6).
func (m *Machine) switchOn(now time.Time) {
	if m.On {
		return
	}
	m.On = true
	m.Failures = 0
	if m.Refused {
		m.enter(now, Held, m.Reason)
		return
	}
	m.run(now, CauseSwitchOn)
}

// openSession opens a session without a sync (S3). If there is one, or one is being opened, there is nothing to do.
func (m *Machine) openSession(now time.Time) {
	if !m.On || m.ID != "" || m.running || m.Refused {
		return
	}
	m.begin(now, CauseUser)
	m.do(Run{Open: true, Greet: true, Cause: CauseUser})
}

// closeSession closes the session on both sides. The next change, trigger or poll opens another one.
func (m *Machine) closeSession(now time.Time) {
	if m.running {
		m.closing = true
		return
	}
	id := m.ID
	if !m.On || id == "" {
		return
	}
	m.end(now, ds.Closed, string(CauseClosed))
	if m.State == Paused {
		m.do(Save{})
	} else {
		m.enter(now, Opening, string(CauseClosed))
		m.wakeAt(now.Add(spread(m.poll(), m.c.Jitter())))
	}
	m.close(id)
}

// switchOff closes the session and nothing else: no last sync (T3). An exchange that runs ends first.
func (m *Machine) switchOff(now time.Time) {
	if !m.On {
		return
	}
	m.On, m.again, m.byHand = false, "", false
	id := m.ID
	m.end(now, ds.Closed, string(CauseSwitchOff))
	m.enter(now, Off, string(CauseSwitchOff))
	m.wakeAt(time.Time{})
	switch {
	case !m.running:
		m.close(id)
	case id != "":
		m.ending = id
	case m.ending == "":
		m.ending = anySession
	}
}

// anySession stands for a session that the running exchange may open.
const anySession = "-"

func (m *Machine) close(id string) {
	if m.Refused {
		return // not with credentials that were refused (A8); the server learns by the lease
	}
	if id != "" && id != anySession {
		m.running = true
		m.do(Close{id})
	}
}

// reconfigure lets the running exchange end, which is complete or goes on later item by item (S17).
func (m *Machine) reconfigure(now time.Time, reason string) {
	m.switching = reason
	if !m.running {
		m.breakSession(now, m.State == Idle)
	}
}

// breakSession closes the session in the old way, if its server is there, and then goes on in the new one (S12).
func (m *Machine) breakSession(now time.Time, there bool) {
	id := m.ID
	m.end(now, ds.Closed, m.switching)
	if m.On && m.State != Paused {
		m.enter(now, Opening, m.switching)
		m.wakeAt(time.Time{})
	}
	if there {
		m.close(id)
	}
	if !m.running {
		m.switchOver(now)
	}
}

// switchOver makes a new session with the new values (S13, S14). What was refused before was refused of the former ones.
func (m *Machine) switchOver(now time.Time) {
	m.switching = ""
	m.Refused, m.Certificate = false, false
	m.Failures, m.FailedSince = 0, time.Time{}
	again, byHand := m.follows()
	m.do(Switch{})
	switch {
	case m.On && m.State != Paused:
		m.run(now, CauseSettings)
	case byHand:
		m.run(now, again)
	default:
		m.do(Save{})
	}
}

// doneBeforeSwitch is the end of the last exchange with the former values.
func (m *Machine) doneBeforeSwitch(now time.Time, e Done) {
	m.closing = false
	switch {
	case e.Result == OK && e.Session != "":
		m.ID = e.Session
	case e.Result == Invalid:
		m.end(now, ds.Terminated, e.Reason)
	}
	m.breakSession(now, e.Result == OK)
}

// closed goes on with what was wanted meanwhile, e.g. that the user switched on again.
func (m *Machine) closed(now time.Time) {
	m.running = false
	if m.switching != "" {
		m.switchOver(now)
		return
	}
	again, byHand := m.follows()
	if again != "" && (m.On || byHand) {
		m.run(now, again)
	}
}

// follows is what was wanted while an exchange ran.
func (m *Machine) follows() (again Cause, byHand bool) {
	again, byHand = m.again, m.byHand
	m.again, m.byHand = "", false
	if m.State == Paused && !byHand {
		again = ""
	}
	return again, byHand
}

func (m *Machine) wanted(now time.Time, e Wanted) {
	if m.paused(now) && !e.Force {
		return
	}
	switch {
	case m.Refused:
		// only new credentials help (A8)
	case m.running:
		if m.again != CauseLink { // which asks for no less
			m.again = e.Cause // one more afterwards; many wishes are one (M5)
		}
		m.byHand = m.byHand || e.Force
	case e.Force, m.On && (m.State == Idle || m.State == Opening):
		m.run(now, e.Cause)
	}
	// Else the retry, the probe or the user brings it: what is to be sent is computed from the stores then.
}

// run starts an exchange, or makes one follow the running one.
func (m *Machine) run(now time.Time, why Cause) {
	if m.Refused { // A8
		if m.On {
			m.enter(now, Held, m.Reason)
		}
		return
	}
	if m.running {
		m.again = why
		if m.On && m.State == Off {
			m.enter(now, Opening, string(why)) // as soon as the close is through
		}
		return
	}
	m.begin(now, why)
	m.do(Run{Open: m.On && m.ID == "", Session: m.ID, Cause: why})
}

// begin enters the state in which an exchange runs.
func (m *Machine) begin(now time.Time, why Cause) {
	m.running = true
	if m.On && m.State != Lost && m.State != Paused { // a probe is no sign of life yet
		s := Syncing
		if m.ID == "" {
			s = Opening
		}
		m.enter(now, s, string(why))
	}
	m.wakeAt(time.Time{})
}

// credentials are new: one attempt with them, in the session that was kept (A4).
func (m *Machine) credentials(now time.Time) {
	m.Refused, m.Certificate = false, false
	if m.On && m.State == Held {
		m.run(now, CausePassword)
		return
	}
	m.do(Save{})
}

func (m *Machine) tick(now time.Time) {
	if m.State == Paused {
		if m.paused(now) {
			m.wakeAt(m.Until)
		}
		return
	}
	if m.wake.IsZero() || now.Before(m.wake) || m.running || !m.On {
		if !m.wake.IsZero() {
			m.do(WakeAt{m.wake})
		}
		return
	}
	switch m.State {
	case Retrying:
		m.run(now, CauseRetry)
	case Lost:
		m.run(now, CauseProbe)
	case Idle, Opening:
		m.run(now, CausePoll)
	}
}

func (m *Machine) done(now time.Time, e Done) {
	m.running = false
	switch e.Result {
	case Invalid, Aged, Uncertified:
		m.Refused, m.Certificate = true, e.Result == Uncertified
	}
	if m.ending != "" {
		m.doneWhileOff(now, e)
		return
	}
	if m.switching != "" {
		m.doneBeforeSwitch(now, e)
		return
	}
	closing := m.closing
	m.closing = false
	again, byHand := m.follows()
	if m.State == Paused {
		m.doneWhilePaused(now, e, again, closing)
		return
	}
	if !m.On {
		m.doneByHand(e)
		if byHand {
			m.run(now, again)
		}
		return
	}
	switch e.Result {
	case OK:
		if closing {
			again = ""
		}
		m.succeeded(now, e, again)
		if closing {
			m.closeSession(now)
		}
	case Unknown:
		m.end(now, ds.Destroyed, string(CauseUnknown))
		m.run(now, CauseUnknown)
	case Invalid:
		m.end(now, ds.Terminated, e.Reason)
		m.enter(now, Held, e.Reason)
	case Aged, Uncertified:
		m.enter(now, Held, e.Reason)
	case NoLink, Failed, Intercepted:
		m.failed(now, e)
		if again == CauseLink || byHand { // that was over the former link, or before somebody asked: the pause is not for what is wanted now
			m.run(now, again)
		}
	}
}

// doneByHand: only what it says of the credentials outlives an exchange while Always-On is off.
func (m *Machine) doneByHand(e Done) {
	if m.Refused {
		m.Reason = e.Reason
		m.do(Save{})
	}
}

// doneWhileOff: the user switched off while the exchange ran. Its session, which it may only just have opened, is closed;
// if the user switched on again by now, a new one is opened after that.
func (m *Machine) doneWhileOff(now time.Time, e Done) {
	id := m.ending
	m.ending = ""
	if e.Result == OK && e.Session != "" {
		id = e.Session
	}
	if m.Refused {
		id = "" // it would be one more attempt; the server learns by the lease (T7)
	}
	m.close(id)
	if !m.running {
		m.closed(now)
	}
}

func (m *Machine) succeeded(now time.Time, e Done, again Cause) {
	if e.Session != "" && e.Session != m.ID {
		m.ID, m.Opened = e.Session, now
	}
	m.Failures, m.FailedSince = 0, time.Time{}
	m.enter(now, Idle, "")
	if again != "" {
		m.run(now, again)
		return
	}
	m.wakeAt(now.Add(spread(m.poll(), m.c.Jitter())))
}

// failed counts towards permanent loss (CR 1.36 step 2). Transient loss keeps the session (L10); permanent loss destroys it (L5).
func (m *Machine) failed(now time.Time, e Done) {
	if e.Result == Intercepted && m.State != Lost {
		m.enter(now, Retrying, e.Reason)
		m.wakeAt(now.Add(spread(e.After, m.c.Jitter())))
		return
	}
	if m.Failures++; m.Failures == 1 {
		m.FailedSince = now
	}
	given := m.Failures >= m.c.Attempts || now.Sub(m.FailedSince) >= m.c.GiveUp
	if m.State == Lost || e.Result == NoLink && given {
		reason := "permanent loss: " + e.Reason
		m.end(now, ds.Destroyed, reason)
		m.enter(now, Lost, reason)
		m.wakeAt(now.Add(max(spread(m.c.Probe, m.c.Jitter()), e.After)))
		return
	}
	m.enter(now, Retrying, e.Reason)
	m.wakeAt(now.Add(max(m.pause(), e.After)))
}

// pause doubles with each failure, up to a bound, with full jitter but never nothing.
func (m *Machine) pause() time.Duration {
	p := m.c.Backoff
	for i := 1; i < m.Failures && p < m.c.MaxPause; i++ {
		p *= 2
	}
	return spread(min(p, m.c.MaxPause), m.c.Jitter())
}

// spread is d by half to one and a half.
func spread(d time.Duration, jitter float64) time.Duration {
	return d/2 + time.Duration(float64(d)*jitter)
}
