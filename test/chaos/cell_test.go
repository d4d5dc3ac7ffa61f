package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// lose cuts the line at the moment that the cell wants.
func (w *world) lose(c cell) {
	w.t.Helper()
	if c.phase == idle {
		w.cut(c.outage)
		return
	}
	sprung := make(chan struct{})
	w.ds.arm(c.trap(func() { w.cut(c.outage); close(sprung) }))
	for i := range 5 {
		if c.phase == midUpload {
			w.edit(fmt.Sprint("u", i))
		} else {
			w.serve(fmt.Sprint("s", i))
		}
	}
	select {
	case <-sprung:
	case <-time.After(bound):
		w.t.Fatalf("no message is %s", c.phase)
	}
}

func (c cell) trap(cut func()) *trap {
	t := &trap{of: c.phase, nth: 2, early: c.n%2 == 1, cut: cut}
	switch c.phase {
	case midDownload: // it is the answer that matters
		t.nth, t.early = 1+c.n%2, false
	case midMap:
		t.nth = 1
	}
	return t
}

// cut puts the lines into the state that an outage means.
func (w *world) cut(o outage) {
	messages, broker := up, up
	switch o {
	case deviceNet:
		messages, broker = silent, silent
	case brokerOnly:
		broker = refused
	case serverOnly:
		messages = refused
	case both:
		messages, broker = refused, refused
	}
	w.ds.set(messages)
	w.broker.set(broker)
}

// hint tells the agent of its network.
func (w *world) hint(reason string) {
	w.t.Helper()
	select {
	case w.hints <- reason:
	case <-time.After(bound):
		w.t.Fatal("the agent does not listen to the network")
	}
}

// editBoth edits on both sides (L13): new items, changed and deleted ones, and those that were under way.
func (w *world) editBoth(c cell, round int) {
	w.t.Helper()
	w.editDevice(c, round)
	w.editServer(c, round)
}

func (w *world) editDevice(c cell, round int) {
	w.t.Helper()
	w.edit("b0")
	w.edit(fmt.Sprint("n", round))
	w.remove(fmt.Sprint("b", round))
	if c.phase == midUpload {
		w.edit("u0")
	}
}

func (w *world) editServer(c cell, round int) {
	w.t.Helper()
	w.serve("c0")
	w.serve(fmt.Sprint("m", round))
	w.withdraw(fmt.Sprint("c", round))
	if c.phase == midDownload || c.phase == midMap {
		w.serve("s0")
	}
}

// reach waits until the loss is as long as the cell wants.
func (w *world) reach(c cell) {
	w.t.Helper()
	switch {
	case c.outage == brokerOnly:
		w.withoutBroker(c)
	case c.length == permanent:
		w.ds.timeOut()
		s := w.until("lost", func(s control.Status) bool { return s.State == string(session.Lost) })
		if s.Session != nil || s.Ended == nil || s.Ended.Ending != string(ds.Destroyed) || !strings.HasPrefix(s.Ended.Reason, "permanent loss") {
			w.t.Errorf("L5: %+v, ended %+v", s.Session, s.Ended)
		}
	case c.outage == deviceNet && c.phase != idle:
		// a message waits for its answer
	default:
		w.until("retrying", func(s control.Status) bool { return s.Attempts > 0 })
	}
}

// withoutBroker: everything goes on, only later; a broker that is gone for good destroys nothing.
func (w *world) withoutBroker(c cell) {
	w.t.Helper()
	w.until("without broker", func(s control.Status) bool { return s.Push.State == "connecting" })
	if c.length == transient {
		return
	}
	for range 5 {
		<-w.broker.no
	}
	w.until("sending", func(s control.Status) bool { return quiet(s) && w.onServer()["n1.vcf"] == w.want["n1.vcf"] })
}

// happen is what else happens while the line is down.
func (w *world) happen(c cell) {
	w.t.Helper()
	switch c.mishap {
	case nothing:
		w.editBoth(c, 2)
	case deviceSleeps:
		w.ds.set(asleep)
		w.broker.set(asleep)
		w.editServer(c, 2)
		w.cut(c.outage)
		w.hint("the device has slept")
	case deviceRestarts:
		w.stop()
		w.editBoth(c, 2)
		w.start()
	case serverRestarts:
		w.house.close()
		w.editDevice(c, 2)
		w.house.open()
		w.aim()
		w.editServer(c, 2)
	case leaseGone:
		w.lapse()
		w.editBoth(c, 2)
	}
}

// lapse ends the session on the server only.
func (w *world) lapse() {
	w.t.Helper()
	store := w.house.site.Store()
	w.check(store.Update(w.t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.Sessions(w.o.DeviceID)
		if err != nil {
			return err
		}
		list[0].Renewed = time.Now().Add(-list[0].Lease)
		return tx.PutSession(list[0])
	}))
	if _, err := w.house.site.Server().Sweep(w.t.Context()); err != nil {
		w.t.Error(err)
	}
}

// heal gives the line back. Of its own network the device is told; that a service is there again it must find out.
func (w *world) heal(c cell) {
	w.cut("")
	if c.outage == deviceNet {
		w.hint("the network has changed")
	}
}

// judge compares what the user and the administrator see with what they must see.
func (w *world) judge(c cell, before, after control.Status, log []control.Exchange) {
	w.t.Helper()
	lost := c.length == permanent && c.outage != brokerOnly
	renewed := lost || c.mishap == leaseGone
	switch {
	case after.Session == nil:
		w.t.Error("no session is open (L7)")
	case !renewed && after.Session.ID != before.Session.ID:
		w.t.Errorf("L10: session %s became %s", before.Session.ID, after.Session.ID)
	case renewed && (after.Session.ID == before.Session.ID || after.Ended == nil || after.Ended.Ending != string(ds.Destroyed)):
		w.t.Errorf("L2, L5: session %s became %s, ended %+v", before.Session.ID, after.Session.ID, after.Ended)
	}
	if after.Advice != "" {
		w.t.Errorf("L8: the user is told %q", after.Advice)
	}
	unknown := slices.ContainsFunc(log, func(x control.Exchange) bool { return x.Cause == string(session.CauseUnknown) })
	if unknown != (renewed && !lost) {
		w.t.Errorf("L12: the server did not know the session: %v", unknown)
	}
	w.judgeLog(log)
	w.judgeServer(after)
}

func (w *world) judgeLog(log []control.Exchange) {
	w.t.Helper()
	for _, x := range log {
		if x.Problem != control.NoProblem && x.Problem != control.Unreachable {
			w.t.Errorf("L8: an exchange failed: %+v", x)
		}
		for _, s := range x.Stores {
			if s.Alert == int(ds.AlertSlow) {
				w.t.Errorf("L7: a slow sync: %+v", x)
			}
		}
	}
}

// judgeServer: both sides have the same session, and the server no other.
func (w *world) judgeServer(after control.Status) {
	w.t.Helper()
	for i, l := range w.sessions() {
		if (l.Ending == "") != (i == 0) || i == 0 && after.Session != nil && l.ID != after.Session.ID {
			w.t.Errorf("the server's session %d is %+v, the device's %+v", i, l, after.Session)
		}
	}
}

// sample is a number of times.
type sample struct {
	mu   sync.Mutex
	list []time.Duration // guarded by mu
}

func (s *sample) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, d)
}

// quantile is the time below which so much of the sample lies.
func (s *sample) quantile(q float64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return 0
	}
	slices.Sort(s.list)
	return s.list[min(len(s.list)-1, int(q*float64(len(s.list))))]
}

func (s *sample) String() string {
	round := func(q float64) time.Duration { return s.quantile(q).Round(time.Millisecond) }
	return fmt.Sprintf("p50 %v, p95 %v, longest %v", round(0.5), round(0.95), round(1))
}
