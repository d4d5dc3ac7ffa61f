// Package sim plays days of an agent's life in milliseconds: devices and a server made of the real code, over a link, disks, clocks and
// users that are simulated, all from one seed. The same seed gives the same trace, byte for byte.
package sim

import (
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
)

// Plan is a world and what happens in it.
type Plan struct {
	Seed        uint64 // of all names that the code draws at random
	Devices     int
	Kind        pim.Kind
	Brake       int  // how many deletions in one go are not held on a device; 0 holds none
	ServerBrake int  // likewise of one device on the server
	History     bool // devices keep former versions
	Partial     bool // devices take parts of messages, and messages have parts
	// Conflicts is what becomes of conflicts on each device; what is missing is ds.ConflictsMerge.
	Conflicts []ds.ConflictPolicy
	Steps     []Step
}

// World is a server with its devices while a plan is played.
type World struct {
	plan    Plan
	clock   time.Time // true time; nobody sees it as it is
	server  *server
	devices []*device
	ledger  *ledger
	late    []late           // messages that are still under way although their sender has given up
	healed  bool             // nothing fails any more
	home    bool             // all trips are over
	trace   *strings.Builder // nil if nobody reads it
	broken  *Violation       // the first invariant that did not hold
}

// late is a message that arrives after its sender has given up.
type late struct {
	device *device
	body   []byte
}

// Play carries a plan out, lets the world settle and checks it. The Violation says which invariant does not hold. reseed is called first and
// makes crypto/rand draw from the seed. trace may be nil.
func Play(p Plan, reseed func(uint64), trace *strings.Builder) *Violation {
	reseed(p.Seed)
	w := newWorld(p, trace)
	for _, s := range p.Steps {
		w.play(s)
		if w.broken != nil {
			return w.broken
		}
	}
	for _, end := range []func(){w.settle, w.check, w.comeHome, w.check, w.checkQuiet} {
		if end(); w.broken != nil {
			break
		}
	}
	return w.broken
}

func newWorld(p Plan, trace *strings.Builder) *World {
	w := &World{plan: p, clock: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), ledger: newLedger(&p), trace: trace}
	w.server = newServer(w)
	for i := range p.Devices {
		w.devices = append(w.devices, newDevice(w, string(rune('a'+i))))
	}
	return w
}

// now is true time. It never stands still, so no two things happen at once.
func (w *World) now() time.Time {
	w.clock = w.clock.Add(time.Microsecond)
	return w.clock
}

func (w *World) logf(format string, args ...any) {
	if w.trace != nil {
		fmt.Fprintf(w.trace, format+"\n", args...)
	}
}

// Violation is an invariant that does not hold.
type Violation struct {
	Kind string // of invariant, one word
	Text string
}

func (v *Violation) Error() string { return v.Kind + ": " + v.Text }

// fail notes that an invariant does not hold. The first one counts.
func (w *World) fail(kind, format string, args ...any) {
	if w.broken == nil {
		w.broken = &Violation{kind, fmt.Sprintf(format, args...)}
		w.logf("VIOLATION %v", w.broken)
	}
}

// config is that of real devices, with pauses that are not spread: where they are matters to nothing here.
func config() session.Config { return session.DefaultConfig() }
