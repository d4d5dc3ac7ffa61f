package sim

import (
	"context"
	"errors"
	"iter"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// exchange is a dsclient.Client that runs as a coroutine: it stands still while its message or the answer is under way, so that anything
// can happen meanwhile.
type exchange struct {
	p       *process
	purpose dsclient.Purpose
	cause   session.Cause
	next    func() (struct{}, bool)
	stop    func()
	yield   func(struct{}) bool
	request []byte // under way to the server; nil if none is
	answer  []byte // under way to the device
	err     error  // instead of an answer
	report  dsclient.Report
	end     error
}

// RoundTrip implements dsclient.Transport.
func (x *exchange) RoundTrip(_ context.Context, _ string, body []byte, _ syncml.Encoding) ([]byte, error) {
	if x.p.d.dead {
		return nil, errDead
	}
	x.request, x.answer, x.err = body, nil, nil
	x.yield(struct{}{})
	if x.p.d.dead {
		return nil, errDead
	}
	return x.answer, x.err
}

// exchange begins one. It makes its first step when it is its turn.
func (p *process) exchange(req dsclient.Request, cause session.Cause) {
	d := p.d
	if d.judged == d.secret {
		d.w.fail("credentials", "%s: a second attempt with a secret that the server has refused (A8)", d.id)
	}
	for _, st := range req.Stores {
		d.synced = d.synced && st.Alert != ds.AlertRefreshFromClient // if it is cut off, nobody knows what was replaced
	}
	x := &exchange{p: p, purpose: req.Purpose, cause: cause}
	client := p.client
	client.Transport, client.Secret = x, d.secret
	x.next, x.stop = iter.Pull(func(yield func(struct{}) bool) {
		x.yield = yield
		x.report, x.end = client.Run(ctx, req)
	})
	p.x, p.asked, p.leftover = x, false, d.planned()
	d.forget()
	d.w.logf("  %s: exchange begins: %s", d.id, cause)
}

// step brings an exchange on by one hop.
func (x *exchange) step() {
	d := x.p.d
	switch {
	case x.request != nil && !d.link:
		x.lose()
	case x.request != nil:
		x.deliver(1)
	default:
		x.resume()
	}
}

// deliver carries the request to the server, so many times.
func (x *exchange) deliver(times int) {
	body := x.request
	x.request = nil
	for range times {
		x.answer, x.err = x.p.d.w.server.handle(x.p.d.id, body)
	}
}

// lose makes the message that is under way, or its answer, get lost.
func (x *exchange) lose() {
	x.p.d.w.logf("  %s: lost on the way", x.p.d.id)
	x.request, x.answer, x.err = nil, nil, errLink
	x.resume()
}

var errLink = errors.New("connection reset by peer")

// resume gives the device its answer, and takes its next message or its end.
func (x *exchange) resume() {
	if _, more := x.next(); more || x.p.d.dead {
		return
	}
	x.p.finished(x)
}

// abandon ends a process that was killed: what still runs comes back without effect.
func (p *process) abandon() {
	switch {
	case p.x == nil:
	case p.x.yield == nil:
		p.x.stop() // it has not begun
	default:
		for more := true; more; {
			_, more = p.x.next()
		}
	}
}

// finished is the end of an exchange.
func (p *process) finished(x *exchange) {
	p.x = nil
	p.d.doubt(x.end == nil && !x.report.Unknown)
	p.leftover = append(p.leftover, p.d.planned()...)
	p.judge(x)
	p.remember(x)
	if x.report.Unknown {
		p.asked = true
	}
	if p.asked {
		p.lookAtAll()
	}
	p.handle(x.event())
	if p.gone() {
		return
	}
	p.noticed()
	p.catchUp()
	p.doAll()
}

// remember takes what the exchange brought besides items, and carries out the server's deletions.
func (p *process) remember(x *exchange) {
	r := x.report
	if r.NextNonce != "" {
		p.client.Nonce = r.NextNonce
	}
	if len(r.DevInf) > 0 {
		p.devInf = string(r.DevInf)
	}
	if x.end != nil {
		return
	}
	for i := range r.Stores {
		p.wants.Note(storeName, &r.Stores[i])
	}
	if r.Unknown {
		return
	}
	p.settle()
}

// gone tells whether the process has ended.
func (p *process) gone() bool { return p.d.proc != p || p.d.dead }

func (x *exchange) event() session.Event {
	if x.purpose == dsclient.Close {
		return session.Closed{}
	}
	return engine.Done(x.report, x.end)
}

// catchUp sends the edits that an exchange which took the server's changes only has left out (F10).
func (p *process) catchUp() {
	if p.gone() || !p.narrow || p.m.Running() {
		return
	}
	p.narrow = false
	n, err := p.replica.Count(false)
	if err != nil {
		p.crash(err)
		return
	}
	if n > 0 {
		p.handle(session.Wanted{Cause: session.CauseLocal})
	}
}

// judge checks what can be checked at the end of each exchange.
func (p *process) judge(x *exchange) {
	d := p.d
	d.trips += x.report.RoundTrips
	d.content = x.end == nil && !x.report.Unknown
	for i := range x.report.Stores {
		x.judgeStore(&x.report.Stores[i])
	}
	if x.end == nil {
		return
	}
	d.w.logf("  %s: exchange failed: %v", d.id, x.end)
	if d.w.healed && x.purpose != dsclient.Close {
		d.w.fail("fails", "%s: an exchange fails although nothing is broken: %v", d.id, x.end)
	}
}

func (x *exchange) judgeStore(s *dsclient.StoreReport) {
	d := x.p.d
	d.moved += s.Sent + s.Received + s.Failed
	d.content = d.content && s.Failed == 0
	if x.cause == session.CausePoll {
		d.polled += s.Sent
	}
	d.w.logf("  %s: %s in %d round trips: alert %d, sent %d, received %d, failed %d", d.id, s.Name, x.report.RoundTrips, s.Alert, s.Sent, s.Received, s.Failed)
	if x.purpose != dsclient.Sync && x.purpose != dsclient.Open {
		return
	}
	if s.Alert == ds.AlertSlow && d.synced {
		d.w.fail("slow", "%s: a slow sync although a sync was complete before", d.id)
	}
	if x.end == nil && !x.report.Unknown {
		a, err := x.p.replica.Anchors()
		d.synced = err == nil && !a.Slow // its user may want a slow one all the same, because he rejected deletions
	}
}
