package agent

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// Managed is what lets settings change while the agent runs.
type Managed struct {
	Settings *managed.Settings
	// ServerID is the server that may manage the device; "" is DefaultServerID.
	ServerID string
	// Options are those of the agent under the settings that hold.
	Options func() (Options, error)
}

// settings are nil if they cannot change.
func (a *Agent) settings() *managed.Settings {
	if a.o.Managed == nil {
		return nil
	}
	return a.o.Managed.Settings
}

// watchSettings takes settings into use when they change, and sees to it that new ways to the server prove themselves, until ctx ends.
func (a *Agent) watchSettings(ctx context.Context) {
	s := a.o.Managed.Settings
	p := probation{agent: a, settings: s, timer: time.NewTimer(0), off: true} // a start gives what was being tried its full time again
	defer p.timer.Stop()
	for {
		changed := a.engine.Changed()
		p.look(time.Now())
		if !p.running {
			changed = nil // it does not matter
		}
		select {
		case <-s.Changed():
			a.awaitManager(ctx)
			p.taken = a.takeSettings(ctx)
		case <-changed:
		case <-p.timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// managing is how long a session of device management may still need to tell the server what it has done, before the way to the server changes.
const managing = 15 * time.Second

func (a *Agent) awaitManager(ctx context.Context) {
	if a.listener() == nil {
		return // there is no way on which anything could be told
	}
	late := time.NewTimer(managing)
	defer late.Stop()
	select {
	case <-a.manager.Idle():
	case <-late.C:
	case <-ctx.Done():
	}
}

// takeSettings takes what holds now into use: what does so after how many changes.
func (a *Agent) takeSettings(ctx context.Context) (changes int) {
	reason, changes := a.o.Managed.Settings.Reason()
	o, err := a.o.Managed.Options()
	if err == nil {
		err = a.Reconfigure(ctx, o, reason)
	}
	switch {
	case ctx.Err() != nil:
	case errors.Is(err, ErrRestart):
		a.o.Log.Warn("settings are in use, but for what concerns folders, stores and the device itself: restart the agent for that", "because", reason)
	case err != nil:
		a.o.Log.Error("settings are not in use", "reason", err, "because", reason)
		a.unusable(err)
	default:
		a.o.Log.Info("settings are in use", "because", reason)
	}
	return changes
}

// unusable takes settings back at once that cannot even be tried.
func (a *Agent) unusable(err error) {
	if err := a.o.Managed.Settings.Return(err.Error()); err != nil {
		a.o.Log.Error("the former settings cannot be restored", "reason", err)
	}
}

// probation watches new ways to the server (S10). Only watchSettings uses it.
type probation struct {
	agent    *Agent
	settings *managed.Settings
	timer    *time.Timer
	taken    int // after how many changes what is in use held
	running  bool
	off      bool      // nothing could prove itself when it was looked at last: Always-On was off or paused, or the device in a network that is not allowed
	until    time.Time // at the latest
}

// look ends the probation if it has come to an end.
func (p *probation) look(now time.Time) {
	until, ok := p.settings.OnProbation()
	if p.running = ok; !ok {
		return
	}
	p.deadline(now, until)
	works, why := p.agent.works()
	switch {
	case works:
		p.end(p.settings.Proven(p.taken))
	case !p.off && !now.Before(p.until):
		p.agent.o.Log.Warn("the new settings do not work, the former ones are in use again", "reason", why)
		p.end(p.settings.Return(why))
		p.agent.manager.Wish()
	}
}

func (p *probation) end(err error) {
	p.running = false
	if err != nil {
		p.agent.o.Log.Error("the probation of settings cannot be ended", "reason", err)
	}
}

// deadline is later after nothing could prove itself. A network that is not allowed proves nothing if the device has one that is: that is what was wished.
func (p *probation) deadline(now, until time.Time) {
	was, not := p.off, p.agent.network().NotAllowed
	r := p.agent.engine.Snapshot().Session
	if p.off = !r.On || r.State == session.Paused || not != nil && not.Elsewhere; was && !p.off {
		p.until = now.Add(time.Duration(p.settings.Config().Session.Probation))
	}
	if until.After(p.until) {
		p.until = until
	}
	p.timer.Reset(max(p.until.Sub(now), 0))
	if p.off {
		p.timer.Stop()
	}
}

// works tells whether server and broker were reached in the way that is set, and if not, what is in the way.
func (a *Agent) works() (ok bool, why string) {
	a.mu.Lock()
	since, switching, road := a.switched, a.switching, a.road
	a.mu.Unlock()
	s := a.engine.Snapshot()
	if s.Session.On && (switching || !reached(&s, since)) {
		return false, "server: " + cmp.Or(trouble(&s), "no exchange has ended well")
	}
	if road == nil {
		return true, ""
	}
	if p := road.listener.Push(); p.State != "connected" {
		return false, "broker: " + cmp.Or(p.Reason, p.State)
	}
	return true, ""
}

// trouble is what was in the way of the last exchange; while another one runs, the reason of the session is why it runs.
func trouble(s *engine.Snapshot) string {
	if s.Trouble != nil {
		return s.Trouble.Error()
	}
	return s.Session.Reason
}

// reached tells whether an exchange went well since then.
func reached(s *engine.Snapshot, since time.Time) bool {
	return s.Good.After(since) && s.Session.ID != ""
}
