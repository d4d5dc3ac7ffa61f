package sim

import (
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// settle heals the world and lets everybody do what there is to do, as often as it takes.
func (w *World) settle() {
	w.logf("the world is healed")
	for len(w.late) > 0 {
		w.arrive()
	}
	w.server.fails = 0
	for _, d := range w.devices {
		d.heal()
	}
	w.healed = true
	w.turn()
}

// turn lets everybody do what there is to do until nobody has anything left.
func (w *World) turn() {
	for range rounds {
		if !w.round() || w.broken != nil {
			return
		}
	}
	w.fail("settle", "the world does not settle in %d rounds", rounds)
}

// rounds are more than any of these worlds needs: what one device sends, the others fetch in the next one.
const rounds = 16

// heal makes everything work again: network, disk, credentials. The clock stays as it is.
func (d *device) heal() {
	d.armed, d.errs, d.link, d.deaf, d.disk.gone = nil, 0, true, false, false
	d.runOn(0, 0)
	for _, secret := range secrets {
		if s := secret + d.id; d.w.server.accepts(d, s) && (s != d.secret || d.proc.m.Refused) {
			d.logsIn(s)
		}
	}
	d.tell(session.SwitchOn{})
	d.tell(session.Resume{})
	d.runOn(0, 0)
	d.tell(session.LinkUp{})
	d.runOn(0, 0)
}

// round is a poll of each device, and tells whether any of them had something to do.
func (w *World) round() (busy bool) {
	w.logf("round")
	for i, d := range w.devices {
		if d.proc.replica.Held().Any() {
			d.decides((int(w.plan.Seed)+i)%2 == 0)
			d.runOn(0, 0)
			busy = true
		}
		if len(w.server.held(d)) > 0 {
			w.server.decides(d, (int(w.plan.Seed)+i)%2 == 1)
			busy = true
		}
		if d.poll() {
			busy = true
		}
	}
	return busy
}

// comeHome lets the time pass for which users wanted something besides. After it everything is as if they had not.
func (w *World) comeHome() {
	var ahead time.Duration
	for _, d := range w.devices {
		w.server.view(func(tx dsstore.Tx) error {
			f, err := tx.Filter(d.id, collection)
			if !f.Until.IsZero() {
				ahead = max(ahead, f.Until.Sub(w.server.now()), f.Until.Sub(d.now()))
			}
			return err
		})
	}
	if w.home = true; ahead > 0 {
		w.logf("%v pass", ahead)
		w.clock = w.clock.Add(ahead + time.Second)
		w.turn()
	}
}

// poll is the safety poll of a device: it looks at everything, exchanges, and tells whether there was anything to do. What it sends must be new to it:
// if it has been seen before, and the server has refused nothing, it should have gone out by itself.
func (d *device) poll() (busy bool) {
	p := d.proc
	looks, moved, polled, content := p.looks, d.moved, d.polled, p.m.State == session.Idle && d.content
	p.lookAtAll()
	p.tell(session.Wanted{Cause: session.CausePoll}, nil)
	d.runOn(0, 0)
	if d.proc != p {
		d.w.fail("fails", "%s: the agent ends although nothing is broken", d.id)
		return false
	}
	if p.m.State != session.Idle {
		d.w.fail("state", "%s: the session is %s (%s) although nothing is broken", d.id, p.m.State, p.m.Reason)
	}
	if content && p.looks == looks && d.polled != polled {
		d.w.fail("stuck", "%s: %d items have waited for the poll", d.id, d.polled-polled)
	}
	return p.looks != looks || d.moved != moved
}
