package sim

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
)

// device is what survives a crash: disk, state, clock, and what the user knows. The agent on it is a process.
type device struct {
	w      *World
	id     string
	disk   *disk
	state  memkv.Store
	book   book
	proc   *process // nil while the agent is not running
	skew   time.Duration
	secret string // in the keyring
	link   bool   // there is a network
	deaf   bool   // the watcher notices nothing
	ops    int
	armed  []armed
	errs   int   // how many writes fail from now
	err    error // with what
	dead   bool  // the process was killed; what it still does has no effect
	// removed is what a user deleted since the exchange began: perhaps the agent was about to note that it wrote it.
	// edited is likewise what he wrote over, as it was before.
	removed, edited []entry
	// strays are where users moved files to that no agent had noted, and those that they edited.
	strays map[string]bool
	// origins are where files lay that users or the agent moved since the exchange began, by where they are now.
	origins map[string]string
	// approved are the LUIDs of items whose deletion the user has approved.
	approved map[string]bool
	// leaving are the LUIDs of items that the server has told to leave the device when it had them.
	leaving map[string]bool
	// kept are the UIDs of items that shall stay on the device although the server had deleted them, as its user said: they are its own then.
	kept map[string]bool
	// made are items as its user moved or flagged them last, by UID: if somebody else did the same, they are his own, too.
	made map[string]string
	// synced: a sync was complete, so no slow one is needed any more.
	synced bool
	// moved is how many changes of items were exchanged, or refused, ever, polled how many the device sent in polls; trips how many round trips there were.
	moved, polled, trips int
	// content tells that the last exchange went well in all.
	content bool
	// judged is the secret that the server refused last, as the durable state knows.
	judged string
}

// armed is a step that waits for a number of accesses to the disk or the state.
type armed struct {
	step Step
	left int
}

func newDevice(w *World, id string) *device {
	d := &device{w: w, id: id, disk: newDisk(w.plan.Kind), link: true, secret: "secret-" + id, approved: map[string]bool{}, kept: map[string]bool{}, made: map[string]string{}, strays: map[string]bool{}, origins: map[string]string{}, leaving: map[string]bool{}}
	d.book.d = d
	d.disk.hook, d.disk.moving = d.access, d.follow
	if w.plan.History {
		d.disk.losing = d.book.mustHave
	}
	d.disk.tick = func() int64 { return d.now().UnixNano() }
	w.server.enrol(d)
	return d
}

// now is the device's clock.
func (d *device) now() time.Time { return d.w.now().Add(d.skew) }

var errDead = errors.New("the process was killed")

// access comes before each access to the disk or the state: here the process can be killed, the disk can fail, and users get a word in.
func (d *device) access(what string, write bool) error {
	if d.dead {
		return errDead
	}
	d.ops++
	d.fire()
	if d.dead {
		d.w.logf("  %s: killed before %s", d.id, what)
		return errDead
	}
	if write && d.errs > 0 {
		d.errs--
		d.w.logf("  %s: %s fails: %v", d.id, what, d.err)
		return fmt.Errorf("%s: %w", what, d.err)
	}
	return nil
}

// fire plays the armed steps whose time has come.
func (d *device) fire() {
	list := d.armed
	d.armed = nil
	for _, a := range list {
		if a.left--; a.left > 0 {
			d.armed = append(d.armed, a)
			continue
		}
		d.w.logf("  %s: meanwhile %v", d.id, a.step)
		d.w.carryOut(a.step)
	}
}

func (d *device) breakDisk(n int, err error) { d.errs, d.err = n, err }

// diskErrors are what disks say.
var diskErrors = []error{syscall.ENOSPC, syscall.EIO}

// kill ends the process at once. What it has not made durable is gone.
func (d *device) kill() {
	d.dead = true
}

// bury cleans up after a process that was killed, once the code it ran has come back.
func (d *device) bury() {
	if d.dead && d.proc != nil {
		d.proc.abandon()
		d.proc = nil
	}
	d.dead = false
	if d.proc == nil {
		d.doubt(false)
	}
}

// store is the state as the process sees it.
type store struct{ d *device }

func (s store) View(fn func(kv.Reader) error) error {
	if s.d.dead {
		return errDead
	}
	return s.d.state.View(fn)
}

func (s store) Update(fn func(kv.Writer) error) error {
	if err := s.d.access("state", true); err != nil {
		return err
	}
	return s.d.state.Update(func(w kv.Writer) error {
		if err := fn(w); err != nil || !s.d.dead {
			return err
		}
		return errDead // killed in the middle: nothing of it is written
	})
}

func (s store) Close() error { return nil }
