package agent

import (
	"cmp"
	"context"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/ladder"
	"github.com/alwayson-sync/alwayson/agent/internal/trigger"
)

// road is the way by which triggers come: one broker with what this device shows it.
type road struct {
	push     Push
	cert     *clientcert.Certificate // nil without
	ladder   *ladder.Ladder
	listener *trigger.Listener
	cancel   context.CancelFunc
	over     chan struct{} // closed when nothing listens any more
}

// openRoad makes one; without a broker it is nil. It starts nothing.
func (a *Agent) openRoad(p Push, way *egress.Way) (*road, error) {
	if p.Broker == "" {
		return nil, nil
	}
	r := &road{push: p}
	var err error
	if r.cert, err = openCertificate(p.CertFile, p.KeyFile); err != nil {
		return nil, err
	}
	rungs := append([]string{p.Broker}, p.Fallbacks...)
	if r.ladder, err = ladder.Open(ladder.Options{Rungs: rungs, DB: a.db, Here: way.Here, Now: time.Now, Every: p.climb()}); err != nil {
		return nil, err
	}
	r.listener, err = trigger.New(trigger.Options{
		Broker: p.Broker, Brokers: r.ladder.Order, Reached: func(b string) { a.reached(r, b) }, Dial: way.Dial, KeepAlive: p.Heartbeat, Prefix: p.Prefix, Device: a.o.DeviceID, User: p.User, Password: a.pushPassword, TLS: r.cert.Client(p.TLS),
		Credential: func() string { return fingerprint(r.cert, p.Broker, p.User, a.pushPassword()) },
		Held:       a.holdsPush,
		Refused:    a.refusal(broker), Refuse: a.refusedByBroker, Login: p.login(),
		Explain:  func(err error) error { return r.cert.Explain("the broker", err) },
		MinPause: p.MinPause, MaxPause: p.MaxPause, Manage: a.managed(), Key: a.pushKey, Wake: a.wake, Changed: a.engine.Announce, Note: a.engine.Note, Log: a.o.Log,
	})
	return r, err
}

// climbEvery is how often a better address of the broker is tried in a network in which it did not work.
const climbEvery = 24 * time.Hour

func (p *Push) climb() time.Duration { return cmp.Or(p.Climb, climbEvery) }

// reached remembers by which address the broker was reached.
func (a *Agent) reached(r *road, broker string) {
	if err := r.ladder.Reached(broker); err != nil {
		a.o.Log.Warn("by which way the broker was reached is not remembered", "reason", err)
	}
}

// climb connects anew when it is time to try a better address, until ctx ends. What is sent meanwhile waits at the broker.
func (r *road) climb(ctx context.Context) {
	if len(r.push.Fallbacks) == 0 {
		return
	}
	t := time.NewTicker(r.push.climb() / 24)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			if r.ladder.Due() && r.listener.Push().State == "connected" {
				r.listener.Kick()
			}
		case <-ctx.Done():
			return
		}
	}
}

// managed takes what concerns device management, nil if the device is not managed.
func (a *Agent) managed() trigger.Manage {
	if a.manager == nil {
		return nil
	}
	return a.manager
}

// login is what to type when the broker has refused the password.
func (p *Push) login() string {
	if p.SavePassword == nil {
		return "alwayson login"
	}
	return "alwayson login --push"
}

// listenOn begins to listen, until ctx or the road ends.
func (a *Agent) listenOn(ctx context.Context, r *road) {
	if r == nil {
		return
	}
	ctx, r.cancel = context.WithCancel(ctx)
	r.over = make(chan struct{})
	a.wg.Go(func() { r.climb(ctx) })
	a.wg.Go(func() {
		defer close(r.over)
		r.listener.Run(ctx)
	})
}

func (a *Agent) currentRoad() *road {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.road
}

// listener is nil without a broker.
func (a *Agent) listener() *trigger.Listener {
	if r := a.currentRoad(); r != nil {
		return r.listener
	}
	return nil
}

// takeRoad leaves the former road, and then takes the new one: a broker lets one connection of a device in at a time.
func (a *Agent) takeRoad(r *road) {
	a.mu.Lock()
	former := a.road
	a.road = nil
	a.mu.Unlock()
	if former != nil {
		former.cancel()
		<-former.over
	}
	a.mu.Lock()
	a.road = r
	a.mu.Unlock()
	a.listenOn(a.ctx, r)
	a.engine.Announce()
}
