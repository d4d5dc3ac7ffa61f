package link

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Guard is an http.RoundTripper whose requests can be given up when the network changes: an answer to one that was sent over the former
// network may never come, and waiting for it would keep everything else waiting.
type Guard struct {
	mu      sync.Mutex
	next    http.RoundTripper // guarded by mu
	flights map[*flight]bool  // under way; guarded by mu
}

// NewGuard guards requests that next makes.
func NewGuard(next http.RoundTripper) *Guard { return &Guard{next: next} }

// Use makes the requests that follow by next.
func (g *Guard) Use(next http.RoundTripper) {
	g.CloseIdleConnections()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = next
}

func (g *Guard) current() http.RoundTripper {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.next
}

// flight is a request whose answer has not been read.
type flight struct {
	began  time.Time
	cancel context.CancelCauseFunc
	end    *time.Timer // nil while nothing has changed; guarded by Guard.mu
}

// ErrChanged is why a request was given up.
var ErrChanged = errors.New(Changed)

// patience is how long a request may take when the network changes: one that has just begun goes over the network that is there now, or the
// server is about to answer it.
const patience = 500 * time.Millisecond

// Cut gives up what has waited for long, and the rest when it will have. It is for when the network has changed.
func (g *Guard) Cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for f := range g.flights {
		if f.end == nil {
			f.end = time.AfterFunc(patience-time.Since(f.began), func() { f.cancel(ErrChanged) })
		}
	}
}

// RoundTrip implements http.RoundTripper.
func (g *Guard) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	f := &flight{began: time.Now(), cancel: cancel}
	g.enter(f)
	res, err := g.current().RoundTrip(req.WithContext(ctx))
	if err != nil {
		g.leave(f)
		return nil, err
	}
	res.Body = &body{ReadCloser: res.Body, closed: func() { g.leave(f) }}
	return res, nil
}

func (g *Guard) enter(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.flights == nil {
		g.flights = make(map[*flight]bool)
	}
	g.flights[f] = true
}

func (g *Guard) leave(f *flight) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.flights, f)
	if f.end != nil {
		f.end.Stop()
	}
	f.cancel(nil)
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (g *Guard) CloseIdleConnections() {
	if c, ok := g.current().(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// body tells when it is closed.
type body struct {
	io.ReadCloser
	closed func()
}

func (b *body) Close() error {
	defer b.closed()
	return b.ReadCloser.Close()
}
