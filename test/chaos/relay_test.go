package chaos

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// line is the state of a way to a service.
type line int

const (
	up      line = iota
	refused      // the service is not there: connections are reset, new ones refused
	silent       // the network is gone: what is under way gets no answer ever, and new connections fail
	asleep       // the device is: whatever it asks waits, and is gone when it wakes
)

// messages stands between the device and the Data Sync Server and knows where an exchange stands.
type messages struct {
	*httptest.Server
	client http.Client

	mu     sync.Mutex
	target string        // guarded by mu
	state  line          // guarded by mu
	change chan struct{} // closed when state changes; guarded by mu
	gone   chan struct{} // closed when the device's network stack gives up what waits; guarded by mu
	trap   *trap         // guarded by mu
}

// trap springs at a message. It is looked at with mu held.
type trap struct {
	of    phase
	nth   int    // of such messages
	early bool   // the message does not get through; else its answer does not
	cut   func() // springs
}

func newMessages(t testing.TB) *messages {
	r := &messages{change: make(chan struct{}), gone: make(chan struct{}), client: http.Client{Transport: &http.Transport{}}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(func() {
		r.set(refused)
		r.timeOut()
		r.Close()
		r.client.CloseIdleConnections()
	})
	return r
}

func (r *messages) aim(target string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = target
}

// set changes the state; the same one is no change.
func (r *messages) set(s line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state == s {
		return
	}
	r.state = s
	close(r.change)
	r.change = make(chan struct{})
}

// timeOut ends what waits for an answer, as TCP does after a long time.
func (r *messages) timeOut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.gone)
	r.gone = make(chan struct{})
}

func (r *messages) arm(t *trap) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trap = t
}

// counts tells whether the trap is due at a message.
func (r *messages) counts(body []byte, contentType string, request bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.trap == nil || !r.trap.of.is(body, contentType, request) {
		return false
	}
	r.trap.nth--
	return r.trap.nth <= 0
}

// spring springs the trap, once. It is called without mu held: to cut is to set.
func (r *messages) spring() {
	r.mu.Lock()
	t := r.trap
	r.trap = nil
	r.mu.Unlock()
	if t != nil {
		t.cut()
	}
}

// early tells whether the message itself is to be lost.
func (r *messages) early() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.trap != nil && r.trap.early
}

// is tells whether a message is one of the middle of that phase.
func (p phase) is(body []byte, contentType string, request bool) bool {
	enc, ok := syncml.ParseContentType(contentType)
	if !ok || request == (p == midDownload) {
		return false
	}
	m, err := syncml.Decode(body, enc)
	if err != nil {
		return false
	}
	for _, c := range m.Commands {
		if s, ok := c.(*syncml.Sync); ok && p != midMap && len(s.Commands) > 0 {
			return true
		}
		if _, ok := c.(*syncml.Map); ok && p == midMap {
			return true
		}
	}
	return false
}

// ServeHTTP passes one message and its answer on.
func (r *messages) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.admit(req.Context())
	due := r.counts(body, req.Header.Get("Content-Type"), true)
	if due && r.early() {
		r.spring()
	}
	r.under(req.Context())
	res, answer := r.forward(req, body)
	if due || r.counts(answer, res.Header.Get("Content-Type"), false) {
		r.spring()
	}
	r.under(req.Context())
	for k, v := range res.Header {
		if !strings.EqualFold(k, "Content-Length") {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(res.StatusCode)
	w.Write(answer) //nolint:errcheck // who has gone needs no answer
}

// admit ends a request that comes while the line is not up.
func (r *messages) admit(ctx context.Context) {
	r.mu.Lock()
	state, change := r.state, r.change
	r.mu.Unlock()
	if state == asleep {
		wait(ctx, change)
	}
	if state != up {
		panic(http.ErrAbortHandler)
	}
}

// under ends a request during which the line went down.
func (r *messages) under(ctx context.Context) {
	r.mu.Lock()
	state, gone := r.state, r.gone
	r.mu.Unlock()
	switch state {
	case silent, asleep:
		wait(ctx, gone) // the network may come back, an answer to this does not
		panic(http.ErrAbortHandler)
	case refused:
		panic(http.ErrAbortHandler)
	}
}

func wait(ctx context.Context, c <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-c:
	}
}

func (r *messages) forward(req *http.Request, body []byte) (*http.Response, []byte) {
	r.mu.Lock()
	target := r.target
	r.mu.Unlock()
	out, err := http.NewRequestWithContext(context.WithoutCancel(req.Context()), req.Method, target, bytes.NewReader(body))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	out.Header = req.Header.Clone()
	out.Header.Del("Connection")
	out.Header.Del("Accept-Encoding")
	res, err := r.client.Do(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return res, answer
}
