package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/agent/internal/want"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// process is a running agent: what package engine does in goroutines, one step at a time. Where the two differ, this one is wrong.
type process struct {
	d       *device
	m       *session.Machine
	client  dsclient.Client
	replica *replica.Replica
	wants   *want.Book
	devInf  string
	born    time.Time // by the device's clock, when it started
	start   time.Time // true time then
	hint    *pim.Hint // nil if nothing was noticed
	due     time.Time // true time of the next Tick, zero if there is none
	plan    *engine.Plan
	narrow  bool
	todo    []func() error // what waits until no exchange works with the store
	asked   bool           // somebody waits for an exchange that begins from now on
	x       *exchange
	looks   int // how many changes were found, ever
	// leftover are the keys of files that the process before it, or the exchange before, has perhaps written, and not noted.
	leftover []string
}

// ctx is never cancelled: who gives up here is killed.
var ctx = context.Background()

// boot starts the agent.
func (d *device) boot() {
	p := &process{d: d, start: d.w.now(), leftover: d.planned()}
	p.born = p.start.Add(d.skew)
	d.proc = p
	record, err := p.compose()
	if err == nil {
		d.w.logf("  %s: agent starts %s", d.id, record.State)
		p.m = session.New(record, config())
		p.hint = &pim.Hint{}
		p.look()
		p.handle(session.Start{})
		return
	}
	d.w.logf("  %s: agent cannot start: %v", d.id, err)
	d.proc = nil
	d.bury()
}

// compose does what agent.compose does.
func (p *process) compose() (session.Record, error) {
	db := store{p.d}
	if err := state.Check(db); err != nil {
		return session.Record{}, err
	}
	account, err := state.LoadAccount(db)
	if err != nil {
		return session.Record{}, err
	}
	index, err := state.OpenItems(db, storeName)
	if err != nil {
		return session.Record{}, err
	}
	if p.wants, err = want.Open(db, nil, p.d.now); err != nil {
		return session.Record{}, err
	}
	if p.replica, err = replica.OpenSafe(ctx, storeName, storeName, p.d.disk, index, p.safety()); err != nil {
		return session.Record{}, err
	}
	p.devInf = account.DevInf
	p.client = dsclient.Client{URL: "sim:", DeviceID: p.d.id, Version: "sim", User: user, Nonce: account.Nonce, Encoding: syncml.WBXML, Now: p.d.now,
		Kept: &dsclient.Kept{}}
	return account.Session, nil
}

// storeName is the one store of each device, here and on the server; its kind is the plan's.
const storeName = "store"

// now is the clock of the state machine: Go compares times by the monotonic clock, which does not jump.
func (p *process) now() time.Time { return p.born.Add(p.d.w.now().Sub(p.start)) }

// handle gives the machine an event and carries out what it decides.
func (p *process) handle(ev session.Event) {
	for _, a := range p.m.Handle(p.now(), ev) {
		if err := p.carryOut(a); err != nil {
			p.crash(err)
			return
		}
	}
	if !p.m.Running() {
		p.asked, p.plan = false, nil
	}
}

// crash ends an agent that cannot go on: it says so and exits. The system starts it again.
func (p *process) crash(err error) {
	p.d.w.logf("  %s: agent ends: %v", p.d.id, err)
	p.d.kill()
	p.d.bury()
}

func (p *process) carryOut(a session.Action) error {
	switch a := a.(type) {
	case session.Save:
		return p.save()
	case session.WakeAt:
		p.due = time.Time{}
		if !a.At.IsZero() {
			p.due = p.d.w.now().Add(a.At.Sub(p.now()))
		}
	case session.Close:
		p.exchange(dsclient.Request{Purpose: dsclient.Close, Session: a.Session}, session.CauseSwitchOff)
	case session.Run:
		p.exchange(p.request(a), a.Cause)
	}
	return nil
}

func (p *process) save() error {
	err := state.SaveAccount(store{p.d}, state.Account{Session: p.m.Record, Nonce: p.client.Nonce, DevInf: p.devInf})
	if err != nil {
		return fmt.Errorf("cannot save the session: %w", err)
	}
	if p.m.Refused {
		p.d.judged = p.d.secret
	}
	return nil
}

func (p *process) request(a session.Run) dsclient.Request {
	req := dsclient.Request{Purpose: engine.Purpose(a), Session: a.Session}
	plan := engine.Plan{}
	if p.plan != nil {
		plan = *p.plan
	}
	local := p.replica.Local()
	alert, named := plan.Types[local]
	if named || !plan.Only {
		store := dsclient.StoreRequest{Store: braked{p.replica, p.d}, Alert: alert, Conflicts: p.d.policy(), Filter: p.wants.Outgoing(storeName)}
		if f, ok := plan.Filters[local]; ok {
			store.Filter = &f
		}
		req.Stores = []dsclient.StoreRequest{store}
	}
	if !a.Greet {
		p.plan, p.narrow = nil, plan.Only
	}
	return req
}

// noticed looks at the store if it may have changed, and asks for an exchange if it did.
func (p *process) noticed() {
	if p.m.Running() {
		return
	}
	if changed := p.look() > 0; !p.replica.Meanwhile() && !changed {
		return
	}
	p.handle(session.Wanted{Cause: session.CauseLocal})
}

// look takes the hint to the store. A store that cannot be read is left alone.
func (p *process) look() int {
	if p.hint == nil {
		return 0
	}
	h := *p.hint
	p.hint = nil
	n, err := p.replica.Look(ctx, h)
	if err != nil {
		p.d.w.logf("  %s: cannot look: %v", p.d.id, err)
	} else if n > 0 {
		p.d.w.logf("  %s: %d items have changed", p.d.id, n)
	}
	p.looks += n
	return n
}

// lookAtAll comes before an exchange that somebody waits for.
func (p *process) lookAtAll() {
	p.hint = &pim.Hint{}
	p.look()
}

// notice is a hint of the watcher.
func (p *process) notice(key string) {
	switch {
	case p.hint == nil:
		p.hint = &pim.Hint{Keys: []string{key}}
	case p.hint.Keys != nil && !slices.Contains(p.hint.Keys, key):
		p.hint.Keys = append(p.hint.Keys, key)
	}
}

// wait is the timer.
func (p *process) wait() {
	if p.due.IsZero() {
		return
	}
	if p.d.w.clock.Before(p.due) {
		p.d.w.clock = p.due
	}
	p.timer()
}

func (p *process) timer() {
	p.due = time.Time{}
	if p.m.State == session.Idle {
		p.lookAtAll()
	}
	p.handle(session.Tick{})
}

// ask is a user's wish for a sync, for which he waits.
func (p *process) ask(ev session.Event, plan *engine.Plan) {
	p.asked = true
	if !p.m.Running() {
		p.lookAtAll()
	}
	p.tell(ev, plan)
}

func (p *process) tell(ev session.Event, plan *engine.Plan) {
	if plan != nil && (p.plan == nil || !p.plan.Only) {
		p.plan = plan
	}
	p.handle(ev)
}
