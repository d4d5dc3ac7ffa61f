package agent

import (
	"context"

	"github.com/alwayson-sync/alwayson/agent/internal/daemon"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
	"github.com/alwayson-sync/alwayson/agent/internal/power"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// watchLink listens to the network until ctx ends.
func (a *Agent) watchLink(ctx context.Context) {
	watch := a.o.Link
	if watch == nil {
		watch = func(ctx context.Context, hint func(string)) { link.Watch(ctx, a.o.Log, hint) }
	}
	watch(ctx, func(reason string) {
		if reason == link.Lost { // what waits for an answer over it would wait until another network comes
			a.guard.Cut()
			return
		}
		a.o.Log.Debug("looking at the server again", "reason", reason)
		a.linkUp(ctx)
	})
}

// linkUp does at once what waits for a timer (L1, L8): requests over the former network are given up, the broker is called, and an exchange
// runs, also when all seems well.
func (a *Agent) linkUp(ctx context.Context) {
	a.guard.Cut()
	if l := a.listener(); l != nil {
		l.Kick()
	}
	a.engine.Send(ctx, session.LinkUp{})
}

// openWay opens the way out that options describe.
func (a *Agent) openWay(o *Options) (*egress.Way, error) {
	return egress.New(egress.Options{Proxy: o.Network.Proxy, SecretFile: o.Network.ProxySecretFile, TLS: o.TLS, Allowed: o.Network.Allowed,
		Metered: o.Network.Metered, Withholds: a.withholds, Here: o.Here})
}

// withholds is why the battery lets nothing be sent by itself, "" if it does.
func (a *Agent) withholds() string {
	policy, facts := a.battery()
	return policy.Withholds(facts)
}

// stretches is by how much the battery makes pauses longer.
func (a *Agent) stretches() int {
	policy, facts := a.battery()
	return policy.Stretches(facts)
}

func (a *Agent) battery() (power.Policy, power.Facts) {
	switch o := a.options(); {
	case o.Battery == "" || o.Battery == power.Sync:
		return power.Sync, power.Facts{}
	case o.Power != nil:
		return o.Battery, o.Power()
	default:
		return o.Battery, power.Now()
	}
}

// sameWayOut tells whether connections leave as before.
func (o *Options) sameWayOut(other *Options) bool {
	return o.Network == other.Network && sameRoots(o.TLS, other.TLS)
}

func (a *Agent) currentWay() *egress.Way {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.way
}

// network is what the status tells of it.
func (a *Agent) network() daemon.Network {
	w := a.currentWay()
	return daemon.Network{Name: w.Here().String(), Proxy: a.options().Network.Proxy, NotAllowed: w.Withheld()}
}
