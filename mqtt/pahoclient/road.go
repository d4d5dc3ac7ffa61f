package pahoclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"sync"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/net/proxy"
)

// road is the network connection under one connection to the broker. The library leaves an attempt that nobody waits for any more to itself,
// up to connectTimeout; it could reach the broker late, and take the name over from the next one.
type road struct {
	ctx    context.Context
	cancel context.CancelFunc
	to     *url.URL
	way    func(ctx context.Context, addr string, secure bool) (net.Conn, error) // nil is what the environment says

	mu     sync.Mutex
	conn   net.Conn // guarded by mu
	err    error    // why there is none; guarded by mu
	closed bool     // guarded by mu
}

func newRoad(ctx context.Context, to *url.URL, way func(context.Context, string, bool) (net.Conn, error)) *road {
	r := &road{to: to, way: way}
	r.ctx, r.cancel = context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	return r
}

// open implements paho.OpenConnectionFunc.
func (r *road) open(_ *url.URL, o paho.ClientOptions) (net.Conn, error) {
	conn, err := r.dial(&o)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.err = err
		return nil, err
	}
	if r.closed {
		conn.Close() //nolint:errcheck // nothing was sent
		return nil, net.ErrClosed
	}
	r.conn = conn
	return conn, nil
}

// failure is why there was no connection to the broker, nil if there was one.
func (r *road) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *road) dial(o *paho.ClientOptions) (net.Conn, error) {
	c := o.TLSConfig.Clone()
	if r.to.Scheme == "ws" || r.to.Scheme == "wss" {
		return r.webSocket(c)
	}
	conn, err := r.reach(r.ctx, withPort(r.to))
	if err != nil || !r.secure() {
		return conn, err
	}
	if c.ServerName == "" {
		c.ServerName = r.to.Hostname()
	}
	if r.to.Port() == "443" { // there it shares the port with HTTPS
		c.NextProtos = []string{"mqtt"}
	}
	tunnel := tls.Client(conn, c)
	if err := tunnel.HandshakeContext(r.ctx); err != nil {
		conn.Close() //nolint:errcheck // the handshake's error says it
		return nil, err
	}
	return tunnel, nil
}

func (r *road) secure() bool { return r.to.Scheme == "mqtts" || r.to.Scheme == "wss" }

// reach connects to an address, and says nothing there. The kernel need not look whether the other end is still there, which would wake radios twice
// as often: MQTT does.
func (r *road) reach(ctx context.Context, addr string) (conn net.Conn, err error) {
	if r.way == nil {
		conn, err = proxy.Dial(ctx, "tcp", addr)
	} else {
		conn, err = r.way(ctx, addr, r.secure())
	}
	if t, ok := conn.(interface{ SetKeepAlive(bool) error }); ok {
		err = errors.Join(err, t.SetKeepAlive(false))
	}
	return conn, err
}

func withPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// close ends the attempt, or the connection that it became.
func (r *road) close() {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.conn != nil {
		r.conn.Close() //nolint:errcheck // given up
	}
}
