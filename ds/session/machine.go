// Package session is the logical session of one account as the device sees it: one pure state machine (design.md §4). It performs
// no I/O, starts nothing, knows no clock and writes no log; the caller feeds it events and carries out the actions it returns.
package session

import (
	"time"

	"github.com/alwayson-sync/alwayson/ds"
)

// State is where the logical session stands.
type State string

// The states.
const (
	Off      State = "off"      // Always-On is switched off
	Opening  State = "opening"  // there is no session yet, an exchange is to open one
	Idle     State = "idle"     // session open, no transport (N9)
	Syncing  State = "syncing"  // an exchange runs
	Retrying State = "retrying" // the link is gone; attempt n of N at a known time (L4)
	Lost     State = "lost"     // given up: the session is destroyed, a cheap probe goes on for ever (L5, L6)
	Held     State = "held"     // needs the user: credentials (A8)
)

// Record is what must survive a restart. The caller stores it whenever an action Save says so.
type Record struct {
	On     bool
	State  State
	ID     string // of the open session, "" if there is none
	Opened time.Time
	Since  time.Time // of State
	Ending ds.Ending // of the last session that ended
	Ended  time.Time
	Reason string // why it ended, or what the state waits for
	// First failure of the running series, and how many there were (L4).
	FailedSince time.Time
	Failures    int
}

// Config is what administrators may set.
type Config struct {
	Attempts int           // before the link counts as lost
	GiveUp   time.Duration // likewise, by time; whichever comes first
	Backoff  time.Duration // first pause; it doubles
	MaxPause time.Duration // longest pause while retrying
	Probe    time.Duration // pause between attempts when lost
	Poll     time.Duration // safety poll: catches what every trigger missed
	// Jitter returns 0 to 1. Pauses are spread by it, so that a fleet does not come back at once.
	Jitter func() float64
}

// DefaultConfig is for a device on mains or Wi-Fi.
func DefaultConfig() Config {
	return Config{Attempts: 8, GiveUp: 10 * time.Minute, Backoff: time.Second, MaxPause: time.Minute, Probe: 30 * time.Second,
		Poll: 30 * time.Minute, Jitter: func() float64 { return 0.5 }}
}

// Cause is why an exchange runs; it is recorded with it.
type Cause string

// The causes.
const (
	CauseStart     Cause = "start"
	CauseSwitchOn  Cause = "always-on switched on"
	CauseLocal     Cause = "local change"
	CauseServer    Cause = "server trigger"
	CauseUser      Cause = "asked by the user"
	CausePoll      Cause = "safety poll"
	CauseRetry     Cause = "retry"
	CauseProbe     Cause = "probe"
	CauseLink      Cause = "link is back"
	CauseMore      Cause = "changes during the exchange"
	CauseUnknown   Cause = "the server did not know the session"
	CausePassword  Cause = "new credentials"
	CauseSwitchOff Cause = "always-on switched off"
)

// Event is something that happened. It is one of the types below.
type Event interface{ event() }

// The events.
type (
	// Start: the agent has come up with this Record.
	Start struct{}
	// SwitchOn and SwitchOff: the user flips Always-On (T1, T3).
	SwitchOn  struct{}
	SwitchOff struct{}
	// Wanted: an exchange should run, for this cause: a local change, a trigger, a user's wish.
	Wanted struct {
		Cause Cause
		Force bool // by hand: also when Always-On is off (T4)
	}
	// LinkUp: the network or the broker is back; do not wait for a timer.
	LinkUp struct{}
	// Credentials: the user has given new ones.
	Credentials struct{}
	// Tick: the time of the last WakeAt has come, or the device woke from sleep.
	Tick struct{}
	// Done: the exchange that Run asked for has ended.
	Done struct {
		Result  Result
		Session string // opened or used
		Reason  string // of a failure, one sentence
	}
	// Closed: the exchange that Close asked for has ended, well or not.
	Closed struct{}
)

func (Start) event()       {}
func (SwitchOn) event()    {}
func (SwitchOff) event()   {}
func (Wanted) event()      {}
func (LinkUp) event()      {}
func (Credentials) event() {}
func (Tick) event()        {}
func (Done) event()        {}
func (Closed) event()      {}

// Result is how an exchange ended.
type Result int

// The results.
const (
	OK      Result = iota // done, session open
	Unknown               // the server does not know the session (L12)
	NoLink                // transport failed
	Invalid               // credentials wrong: the server has terminated the session (A2)
	Aged                  // credentials no longer valid: the server keeps the session (A3)
	Failed                // the server or a local store failed
)

// Action is what the caller must do, in the order given. It is one of the types below.
type Action interface{ action() }

// The actions.
type (
	// Save stores the Record before what follows is done.
	Save struct{}
	// Run makes one exchange and reports Done.
	Run struct {
		Open    bool   // open a session; else go on in Session, or plainly if that is ""
		Session string // id
		Cause   Cause
	}
	// Close tells the server that Session is over and reports Closed; best effort and bounded (T7). It is an exchange like any
	// other: a device has one at a time.
	Close struct{ Session string }
	// WakeAt asks for a Tick then; it replaces the one before. The zero time asks for none.
	WakeAt struct{ At time.Time }
)

func (Save) action()   {}
func (Run) action()    {}
func (Close) action()  {}
func (WakeAt) action() {}

// Machine is the state machine. It is used from one goroutine.
type Machine struct {
	Record
	c       Config
	running bool
	ending  string // session to be closed when the running exchange has ended; "-" is whatever that exchange opens
	again   Cause  // why one more exchange follows the running one, "" if none does
	wake    time.Time
	out     []Action
}

// New goes on from a Record; the zero Record is a device that was never on.
func New(r Record, c Config) *Machine {
	if r.State == "" {
		r.State = Off
	}
	if c.Jitter == nil {
		c.Jitter = func() float64 { return 0.5 }
	}
	return &Machine{Record: r, c: c}
}

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
	case Wanted:
		m.wanted(now, e)
	case LinkUp:
		if m.State == Retrying || m.State == Lost {
			m.run(now, CauseLink)
		}
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
		m.ID, m.Ending, m.Ended = "", how, now
	}
	m.Reason = reason
}

// start looks once for what happened while the agent was not there (N11). Held stays held: a restart is no new password (A8).
func (m *Machine) start(now time.Time) {
	if m.On && m.State != Held {
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
	m.run(now, CauseSwitchOn)
}

// switchOff closes the session and nothing else: no last sync (T3). An exchange that runs ends first.
func (m *Machine) switchOff(now time.Time) {
	if !m.On {
		return
	}
	m.On, m.again = false, ""
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
	if id != "" && id != anySession {
		m.running = true
		m.do(Close{id})
	}
}

// closed goes on with what was wanted meanwhile, e.g. that the user switched on again.
func (m *Machine) closed(now time.Time) {
	m.running = false
	if again := m.again; m.On && again != "" {
		m.again = ""
		m.run(now, again)
	}
}

func (m *Machine) wanted(now time.Time, e Wanted) {
	switch {
	case m.running:
		m.again = e.Cause // one more afterwards; many wishes are one (M5)
	case e.Force, m.On && (m.State == Idle || m.State == Opening):
		m.run(now, e.Cause)
	}
	// Else the retry, the probe or the user brings it: what is to be sent is computed from the stores then.
}

// run starts an exchange, or makes one follow the running one.
func (m *Machine) run(now time.Time, why Cause) {
	if m.running {
		m.again = why
		if m.On && m.State == Off {
			m.enter(now, Opening, string(why)) // as soon as the close is through
		}
		return
	}
	m.running = true
	if m.On && m.State != Lost { // a probe is no sign of life yet
		s := Syncing
		if m.ID == "" {
			s = Opening
		}
		m.enter(now, s, string(why))
	}
	m.wakeAt(time.Time{})
	m.do(Run{Open: m.On && m.ID == "", Session: m.ID, Cause: why})
}

// credentials are new: one attempt with them, in the session that was kept (A4).
func (m *Machine) credentials(now time.Time) {
	if m.On && m.State == Held {
		m.run(now, CausePassword)
	}
}

func (m *Machine) tick(now time.Time) {
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
	if m.ending != "" {
		m.doneWhileOff(now, e)
		return
	}
	again := m.again
	m.again = ""
	if !m.On {
		return // by hand
	}
	switch e.Result {
	case OK:
		m.succeeded(now, e, again)
	case Unknown:
		m.end(now, ds.Destroyed, string(CauseUnknown))
		m.run(now, CauseUnknown)
	case Invalid:
		m.end(now, ds.Terminated, e.Reason)
		m.enter(now, Held, e.Reason)
	case Aged:
		m.enter(now, Held, e.Reason)
	case NoLink, Failed:
		m.failed(now, e)
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
	m.wakeAt(now.Add(spread(m.c.Poll, m.c.Jitter())))
}

// failed counts towards permanent loss (CR 1.36 step 2). Transient loss keeps the session (L10); permanent loss destroys it (L5).
func (m *Machine) failed(now time.Time, e Done) {
	if m.Failures++; m.Failures == 1 {
		m.FailedSince = now
	}
	given := m.Failures >= m.c.Attempts || now.Sub(m.FailedSince) >= m.c.GiveUp
	if m.State == Lost || e.Result == NoLink && given {
		m.end(now, ds.Destroyed, "permanent loss: "+e.Reason)
		m.enter(now, Lost, e.Reason)
		m.wakeAt(now.Add(spread(m.c.Probe, m.c.Jitter())))
		return
	}
	m.enter(now, Retrying, e.Reason)
	m.wakeAt(now.Add(m.pause()))
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
