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
	Paused   State = "paused"   // the user wants quiet until Record.Until; the session is kept
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
	Why    string // the last session ended
	Reason string // of the state: what it waits for
	// Until is when a pause ends by itself; zero is: when the user resumes.
	Until time.Time
	// Refused: the server refused the credentials. Nothing is tried before new ones come, whoever asks (A8).
	Refused bool
	// Certificate: what was refused is the certificate of the device, before anything was said to the server (A10).
	Certificate bool
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
	// Stretch is how many times longer Poll is at the moment; nil is once.
	Stretch func() int
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
	CauseFilter    Cause = "filter changed"
	CauseVerify    Cause = "comparison of both sides"
	CauseRepair    Cause = "repair of a difference"
	CausePreview   Cause = "preview of a filter"
	CauseClosed    Cause = "session closed by the user"
	CauseSettings  Cause = "settings changed"
	CauseResume    Cause = "pause is over"
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
	// Pause: nothing runs by itself until then, or until Resume if it is zero. What the user asks for by hand does, as while off.
	Pause  struct{ Until time.Time }
	Resume struct{}
	// Wanted: an exchange should run, for this cause: a local change, a trigger, a user's wish.
	Wanted struct {
		Cause Cause
		Force bool // by hand: also when Always-On is off (T4)
	}
	// OpenSession: a session should be open, and nothing needs to be synchronized for it (S3).
	OpenSession struct{}
	// CloseSession: the user ends the session but leaves Always-On switched on; the next cause opens a new one.
	CloseSession struct{}
	// LinkUp: the network or the broker is back; do not wait for a timer, and do not trust that every trigger came through.
	LinkUp struct{}
	// Credentials: the user has given new ones.
	Credentials struct{}
	// Reconfigure: how the server is reached has changed (S11). The running exchange is the last one with the former values, the session is broken,
	// and a new one is made with the new values.
	Reconfigure struct{ Reason string }
	// Configured: the patience has changed. Nothing follows.
	Configured struct{ Config Config }
	// Tick: the time of the last WakeAt has come, or the device woke from sleep.
	Tick struct{}
	// Done: the exchange that Run asked for has ended.
	Done struct {
		Result  Result
		Session string // opened or used
		Reason  string // of a failure, one sentence
		// After is how long the server wants to be left alone, if it said so.
		After time.Duration
	}
	// Closed: the exchange that Close asked for has ended, well or not.
	Closed struct{}
)

func (Start) event()        {}
func (SwitchOn) event()     {}
func (SwitchOff) event()    {}
func (Pause) event()        {}
func (Resume) event()       {}
func (Wanted) event()       {}
func (OpenSession) event()  {}
func (CloseSession) event() {}
func (LinkUp) event()       {}
func (Reconfigure) event()  {}
func (Configured) event()   {}
func (Credentials) event()  {}
func (Tick) event()         {}
func (Done) event()         {}
func (Closed) event()       {}

// Result is how an exchange ended.
type Result int

// The results.
const (
	OK          Result = iota // done, session open
	Unknown                   // the server does not know the session (L12)
	NoLink                    // transport failed
	Invalid                   // credentials wrong: the server has terminated the session (A2)
	Aged                      // credentials no longer valid: the server keeps the session (A3)
	Failed                    // the server or a local store failed
	Uncertified               // the certificate of the device is refused: no session could be ended, so it is kept (A10)
	Intercepted               // somebody else answered in place of the server, who is neither lost nor has failed
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
		Greet   bool   // open a session and synchronize nothing (S3)
		Session string // id
		Cause   Cause
	}
	// Close tells the server that Session is over and reports Closed; best effort and bounded (T7). It is an exchange like any
	// other: a device has one at a time.
	Close struct{ Session string }
	// Switch takes the new values of the last Reconfigure into use: no exchange runs, and the session that was there is broken.
	Switch struct{}
	// WakeAt asks for a Tick then; it replaces the one before. The zero time asks for none.
	WakeAt struct{ At time.Time }
)

func (Save) action()   {}
func (Run) action()    {}
func (Close) action()  {}
func (Switch) action() {}
func (WakeAt) action() {}
