package agent

import (
	"context"

	"github.com/alwayson-sync/alwayson/agent/internal/link"
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
