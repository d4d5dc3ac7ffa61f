package chaos

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// stream stands between the device and the broker.
type stream struct {
	l  net.Listener
	wg sync.WaitGroup
	no chan struct{} // one for each connection that was refused

	mu     sync.Mutex
	target string            // guarded by mu
	state  line              // guarded by mu
	ends   map[net.Conn]bool // both of each connection; guarded by mu
}

func newStream(t testing.TB) *stream {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{l: l, ends: make(map[net.Conn]bool), no: make(chan struct{}, 10000)}
	s.wg.Go(s.serve)
	t.Cleanup(func() {
		s.set(refused)
		l.Close()
		s.wg.Wait()
	})
	return s
}

func (s *stream) url() string { return "mqtt://" + s.l.Addr().String() }

func (s *stream) aim(url string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.target = strings.TrimPrefix(url, "mqtt://")
}

// set changes the state. Connections that were there do not live on, but while it is silent nobody gets to know.
func (s *stream) set(state line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	former := s.state
	if s.state = state; state == silent || state == asleep || state == former {
		return
	}
	for c := range s.ends {
		c.(*net.TCPConn).SetLinger(0) //nolint:errcheck // it may be closed
		c.Close()
	}
}

func (s *stream) serve() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		if !s.connect(c) {
			c.(*net.TCPConn).SetLinger(0) //nolint:errcheck // it may be closed
			c.Close()
			select {
			case s.no <- struct{}{}:
			default:
			}
		}
	}
}

func (s *stream) connect(near net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != up {
		return false
	}
	far, err := net.Dial("tcp", s.target)
	if err != nil {
		return false
	}
	s.ends[near], s.ends[far] = true, true
	s.wg.Go(func() { s.pump(near, far) })
	s.wg.Go(func() { s.pump(far, near) })
	return true
}

// pump carries octets until one end closes. What comes while the line is silent is lost.
func (s *stream) pump(from, to net.Conn) {
	defer s.end(from, to)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if s.quiet() {
			n = 0
		}
		if _, e := to.Write(buf[:n]); err != nil || e != nil {
			return
		}
	}
}

func (s *stream) quiet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == silent || s.state == asleep
}

func (s *stream) end(a, b net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, a)
	delete(s.ends, b)
	a.Close()
	b.Close()
}
