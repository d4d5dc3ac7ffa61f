package engine

import (
	"context"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
)

const (
	closing    = 3 * time.Second // best effort (T3)
	exchanging = 24 * time.Hour  // a first sync may take long; single messages have their own limits
)

func (l *loop) request(a session.Run) dsclient.Request {
	req := dsclient.Request{Purpose: Purpose(a), Session: a.Session}
	plan := Plan{}
	if l.plan != nil {
		plan = *l.plan
	}
	if plan.Preview || len(plan.Ask) > 0 {
		if req.Purpose == dsclient.Open {
			req.Purpose = dsclient.Greet // there is no session in which to ask
		} else {
			req.Purpose, req.Ask = dsclient.Preview, plan.Ask
			if len(plan.Ask) > 0 {
				req.Purpose = dsclient.Ask
			}
		}
	}
	for _, s := range l.o.Stores {
		if r, ok := l.storeRequest(s, &plan); ok {
			req.Stores = append(req.Stores, r)
		}
	}
	if !a.Greet {
		l.plan, l.narrow = nil, plan.Only && !plan.Preview && len(plan.Ask) == 0
	}
	return req
}

// Purpose is that of the exchange for which the session asks.
func Purpose(a session.Run) dsclient.Purpose {
	switch {
	case a.Greet:
		return dsclient.Greet
	case a.Open:
		return dsclient.Open
	}
	return dsclient.Sync
}

// storeRequest is what an exchange shall do with one store, not ok if nothing.
func (l *loop) storeRequest(s Store, plan *Plan) (dsclient.StoreRequest, bool) {
	r := s.Replica
	local := r.Local()
	alert, named := plan.Types[local]
	req := dsclient.StoreRequest{Store: r, Alert: alert, Conflicts: s.Conflicts}
	if f, ok := plan.Filters[local]; ok {
		req.Filter, named = &f, true
	} else if l.o.Filters != nil {
		req.Filter = l.o.Filters.Outgoing(r.Name())
	}
	return req, named || !plan.Only
}

// exchange runs in a goroutine of its own; the machine sees to it that there is one at a time.
func (l *loop) exchange(ctx context.Context, req dsclient.Request, cause session.Cause, limit time.Duration) {
	client := *l.o.Client
	client.Progress = l.progressed
	var missing error
	if l.o.Secret != nil {
		if client.Secret, missing = l.o.Secret(); missing != nil {
			missing = &SecretError{missing}
		}
	}
	l.riding, l.waiting = append(l.riding, l.waiting...), nil
	l.update(func() { l.snapshot.Running = cause })
	l.wg.Go(func() {
		limited, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		f := finished{event: session.Closed{}, Exchange: Exchange{At: time.Now(), Cause: cause}}
		if f.Err = missing; missing == nil {
			f.Report, f.Err = client.Run(limited, req)
		}
		if d, ok := client.Transport.(interface{ Disconnect() }); ok {
			d.Disconnect() // N8
		}
		f.Took = time.Since(f.At)
		if req.Purpose != dsclient.Close {
			f.event = Done(f.Report, f.Err)
		}
		l.ended <- f // there is room: one exchange at a time
	})
}

func (e *Engine) progressed(store string, sent, received, total int) {
	e.update(func() { e.progress[store] = Progress{Sent: sent, Received: received, Total: total} })
}

// SecretError is an exchange that was not tried, because there is no secret for it.
type SecretError struct{ Err error }

func (e *SecretError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *SecretError) Unwrap() error { return e.Err }

// Done is what an exchange that has ended means for the session.
func Done(r dsclient.Report, err error) session.Done {
	d := session.Done{Result: result(r, err), Session: r.Session, Reason: reason(err)}
	var busy *dsclient.BusyError
	if errors.As(err, &busy) {
		d.After = busy.After
	}
	if d.Result == session.Intercepted {
		d.After = signingIn
	}
	return d
}

// signingIn is the least time between attempts while a portal answers. A network that changes is another cause.
const signingIn = 40 * time.Second

func reason(err error) string {
	var cert *dsclient.CertificateError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &cert):
		return cert.What
	}
	return err.Error()
}

func result(r dsclient.Report, err error) session.Result {
	var auth *dsclient.AuthError
	var cert *dsclient.CertificateError
	var link *dsclient.TransportError
	var secret *SecretError
	var portal *egress.Portal
	switch {
	case errors.As(err, &secret):
		return session.Aged // the server has ended nothing: the session waits
	case err == nil && r.Unknown:
		return session.Unknown
	case err == nil:
		return session.OK
	case errors.As(err, &auth) && auth.Held:
		return session.Aged
	case errors.As(err, &auth):
		return session.Invalid
	case errors.As(err, &cert):
		return session.Uncertified
	case errors.As(err, &portal):
		return session.Intercepted
	case errors.As(err, &link):
		return session.NoLink
	}
	return session.Failed
}
