package agent

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// options are the options as they are now.
func (a *Agent) options() Options {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.live
}

// ErrRestart says that something was changed that a running agent cannot change: its folders, its device, which stores there are.
var ErrRestart = errors.New("this takes effect when the agent is restarted")

// Reconfigure takes other options into use while the agent runs (S1, S6, S7); reason is recorded with what follows. Only what differs is touched:
// another way to the server breaks the session and makes a new one (S11 to S17), another broker is connected instead of the former one, and what the
// exchanges shall be like holds from the next one on. What a running agent cannot change stays as it was, and the error is ErrRestart then; after any
// other error nothing is changed.
func (a *Agent) Reconfigure(ctx context.Context, o Options, reason string) error {
	a.changing.Lock()
	defer a.changing.Unlock()
	former := a.options()
	pinned := o.keep(&former)
	moved := o.remember(&former)
	cert, err := openCertificate(o.CertFile, o.KeyFile)
	if err != nil {
		return err
	}
	way := a.currentWay()
	if !former.sameWayOut(&o) {
		if way, err = a.openWay(&o); err != nil {
			return err
		}
	}
	road := a.currentRoad()
	if way != a.currentWay() || !former.Push.same(&o.Push) {
		if road, err = a.openRoad(o.Push, way); err != nil {
			return err
		}
	}
	filters, err := a.wants.Configure(o.configured())
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.live, a.way = o, way
	a.mu.Unlock()
	if moved && o.SaveSecret != nil {
		if err := o.SaveSecret(o.Secret); err != nil {
			a.o.Log.Warn("the secret is not in the keyring under the name of the new server: type alwayson login before the agent is restarted", "reason", err)
		}
	}
	if road != a.currentRoad() {
		a.takeRoad(road)
	}
	err = a.adopt(ctx, &former, &o, filters, reason, cert)
	if err == nil && pinned {
		err = ErrRestart
	}
	return err
}

// adopt tells those who work what has changed. None of it fails but for an agent that stops.
func (a *Agent) adopt(ctx context.Context, former, o *Options, filters bool, reason string, cert *clientcert.Certificate) error {
	a.verifier.SetEvery(cmp.Or(o.Verify, verifyEvery))
	if patience(former.Session) != patience(o.Session) {
		a.engine.Send(ctx, session.Configured{Config: o.Session})
	}
	switch {
	case !former.sameWay(o):
		a.mu.Lock()
		a.switching = true
		a.mu.Unlock()
		if err := a.engine.Reconfigure(ctx, reason, func(c *dsclient.Client) { a.switchOver(c, o, cert) }); err != nil {
			return err
		}
	case filters:
		a.engine.Send(ctx, session.Wanted{Cause: session.CauseFilter})
	}
	if former.sameCare(o) {
		return nil
	}
	return a.engine.Do(ctx, func(context.Context) error { a.care(o); return nil })
}

// keep takes over what is not said anew, and what a running agent cannot change: pinned tells whether that was asked for.
func (o *Options) keep(former *Options) (pinned bool) {
	if o.Session.Poll == 0 {
		o.Session = session.DefaultConfig()
	}
	o.Session.Jitter, o.Log, o.Here, o.Power = former.Session.Jitter, former.Log, former.Here, former.Power
	pinned = o.StateDir != former.StateDir || o.Socket != former.Socket || o.DeviceID != former.DeviceID || len(o.Stores) != len(former.Stores)
	o.StateDir, o.Socket, o.DeviceID = former.StateDir, former.Socket, former.DeviceID
	wanted := o.Stores
	o.Stores = slices.Clone(former.Stores)
	for i := range o.Stores {
		s := &o.Stores[i]
		j := slices.IndexFunc(wanted, func(t Store) bool { return t.Name == s.Name })
		if j < 0 {
			pinned = true
			continue
		}
		t := &wanted[j]
		pinned = pinned || s.Remote != t.Remote || s.Kind != t.Kind || s.Dir != t.Dir
		s.Filter, s.Conflicts = t.Filter, t.Conflicts
	}
	return pinned
}

// sameWay tells whether the server is reached as before.
func (o *Options) sameWay(other *Options) bool {
	return o.Server == other.Server && o.User == other.User && o.Secret == other.Secret && o.CertFile == other.CertFile && o.KeyFile == other.KeyFile &&
		o.sameWayOut(other) && o.Encoding == other.Encoding && o.Basic == other.Basic && o.MaxMsgSize == other.MaxMsgSize
}

// same tells whether it is the same broker, reached in the same way.
func (p *Push) same(other *Push) bool {
	return p.Broker == other.Broker && p.Prefix == other.Prefix && p.User == other.User && p.Password == other.Password &&
		slices.Equal(p.Fallbacks, other.Fallbacks) && p.Heartbeat == other.Heartbeat && p.CertFile == other.CertFile && p.KeyFile == other.KeyFile && sameRoots(p.TLS, other.TLS)
}

func sameRoots(a, b *tls.Config) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.RootCAs.Equal(b.RootCAs)
}

// sameCare tells whether the stores are kept as before.
func (o *Options) sameCare(other *Options) bool {
	if o.brake() != other.brake() {
		return false
	}
	for i, s := range o.Stores {
		if s.Conflicts != other.Stores[i].Conflicts {
			return false
		}
	}
	return true
}

// care tells the stores how they are kept. The loop calls it.
func (a *Agent) care(o *Options) {
	for i, s := range o.Stores {
		a.stores[i].Replica.SetBrake(o.brake())
		a.engine.SetConflicts(i, s.Conflicts)
	}
}

// patience is a session's, in a form that can be compared.
func patience(c session.Config) [6]time.Duration {
	return [...]time.Duration{time.Duration(c.Attempts), c.GiveUp, c.Backoff, c.MaxPause, c.Probe, c.Poll}
}

// switchOver takes another way to the server, between two exchanges.
func (a *Agent) switchOver(c *dsclient.Client, o *Options, cert *clientcert.Certificate) {
	a.mu.Lock()
	secret := a.live.Secret // it may have been found since
	other := a.secret != secret
	if c.User != o.User || c.URL != o.Server {
		c.Nonce = "" // it was the other's
	}
	a.cert, a.secret, a.switched, a.switching = cert, secret, time.Now(), false
	a.mu.Unlock()
	a.guard.Use(clientcert.NewTransport(cert, o.TLS, a.currentWay()))
	c.URL, c.User, c.Encoding, c.Basic, c.MaxMsgSize = o.Server, o.User, o.Encoding, o.Basic, o.MaxMsgSize
	c.Kept = &dsclient.Kept{}
	if l := a.listener(); l != nil && other {
		l.Kick() // the broker may be shown the same secret
	}
}
