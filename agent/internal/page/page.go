// Package page is the status page: what the control API of the agent tells and takes, shown in a browser on the same device. It renders, it does not
// decide.
package page

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

//go:embed static
var files embed.FS

// Options of a Server. All but Idle and Used must be set.
type Options struct {
	Agent *control.Client
	// Idle is how long nobody needs to ask for anything before the page closes; 0 is 30 minutes.
	Idle time.Duration
	// Used is told when the page opens and when it has closed; may be nil.
	Used func(open bool)
}

// Server is the status page. Before Open it holds nothing and listens nowhere.
type Server struct {
	o Options

	mu   sync.Mutex
	open *house // nil while the page is closed; guarded by mu
}

// New makes a Server. Close must follow.
func New(o Options) *Server {
	o.Idle = cmp.Or(o.Idle, 30*time.Minute)
	if o.Used == nil {
		o.Used = func(bool) {}
	}
	return &Server{o: o}
}

// Open opens the page if it is closed, and returns an address that lets one browser in.
func (s *Server) Open(ctx context.Context, req control.PageRequest) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		h, err := s.build(ctx)
		if err != nil {
			return "", err
		}
		s.open = h
		s.o.Used(true)
	}
	s.open.touch()
	return s.open.guard.origin + s.open.guard.base + "?token=" + s.open.guard.issue(req.Own, time.Now()), nil
}

// Close closes the page.
func (s *Server) Close() error {
	s.mu.Lock()
	h := s.open
	s.mu.Unlock()
	if h == nil {
		return nil
	}
	return s.closeHouse(h)
}

func (s *Server) closeHouse(h *house) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != h {
		return nil // somebody else has closed it
	}
	s.open = nil
	h.idle.Stop()
	h.cancel()
	err := h.server.Close()
	<-h.done
	s.o.Agent.Close()
	s.o.Used(false)
	return err
}

// house is the page from its opening to its end.
type house struct {
	agent  *control.Client
	guard  *guard
	server *http.Server
	cancel context.CancelFunc // of all that is asked of the agent
	done   chan struct{}

	patience time.Duration
	idle     *time.Timer // until the page closes

	mu        sync.Mutex
	busy      int                // requests under way; guarded by mu
	conflicts []control.Conflict // as they were when the agent told of them last; guarded by mu
	seen      string             // what the stores were like then, for the first page; guarded by mu
}

func (s *Server) build(ctx context.Context) (*house, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	living, cancel := context.WithCancel(context.WithoutCancel(ctx))
	h := &house{agent: s.o.Agent, cancel: cancel, done: make(chan struct{}), patience: s.o.Idle}
	h.guard = newGuard(l.Addr().String())
	h.idle = time.AfterFunc(s.o.Idle, func() { s.closeHouse(h) }) //nolint:errcheck // nobody is there who could be told
	h.server = &http.Server{Handler: h.handler(), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return living }}
	go func() {
		defer close(h.done)
		if err := h.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			h.idle.Reset(0)
		}
	}()
	return h, nil
}

// touch puts off the end.
func (h *house) touch() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wait()
}

// wait must be called with mu held. While a request is under way, such as that of a page that is looked at, the page stays open.
func (h *house) wait() {
	if h.busy > 0 {
		h.idle.Stop()
		return
	}
	h.idle.Reset(h.patience)
}

func (h *house) count(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.busy += n
	h.wait()
}

// handler is everything that the page answers. Nothing is answered to who was not let in.
func (h *house) handler() http.Handler {
	mux := http.NewServeMux()
	for i := range rooms {
		mux.HandleFunc("GET /"+rooms[i].Path+exact(rooms[i].Path), func(w http.ResponseWriter, r *http.Request) { h.show(w, r, &rooms[i]) })
	}
	for path, do := range actions {
		mux.HandleFunc("POST /"+path, func(w http.ResponseWriter, r *http.Request) { h.act(w, r, do) })
	}
	mux.HandleFunc("POST /filters/preview", h.preview)
	mux.HandleFunc("POST /doctor", h.examine)
	mux.HandleFunc("GET /events", h.events)
	mux.Handle("GET /static/", http.FileServerFS(files))
	inside := http.StripPrefix(strings.TrimSuffix(h.guard.base, "/"), mux)
	return h.guard.protect(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.count(1)
		defer h.count(-1)
		inside.ServeHTTP(w, r)
	}))
}

// exact keeps the first page from answering for every path.
func exact(path string) string {
	if path == "" {
		return "{$}"
	}
	return ""
}
