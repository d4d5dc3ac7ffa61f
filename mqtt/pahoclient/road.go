package pahoclient

import (
	"context"
	"crypto/tls"
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

	mu     sync.Mutex
	conn   net.Conn // guarded by mu
	closed bool     // guarded by mu
}

func newRoad(ctx context.Context) *road {
	r := new(road)
	r.ctx, r.cancel = context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	return r
}

// open implements paho.OpenConnectionFunc.
func (r *road) open(u *url.URL, o paho.ClientOptions) (net.Conn, error) {
	conn, err := r.dial(u, &o)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		conn.Close() //nolint:errcheck // nothing was sent
		return nil, net.ErrClosed
	}
	r.conn = conn
	return conn, nil
}

// dial goes through the proxy of the environment, if there is one.
func (r *road) dial(u *url.URL, o *paho.ClientOptions) (net.Conn, error) {
	if u.Scheme == "ws" || u.Scheme == "wss" {
		return paho.NewWebsocket(u.String(), o.TLSConfig, connectTimeout, o.HTTPHeaders, o.WebsocketOptions)
	}
	conn, err := proxy.Dial(r.ctx, "tcp", u.Host)
	if err != nil || u.Scheme != "ssl" {
		return conn, err
	}
	c := o.TLSConfig.Clone()
	if c.ServerName == "" {
		c.ServerName = u.Hostname()
	}
	secure := tls.Client(conn, c)
	if err := secure.HandshakeContext(r.ctx); err != nil {
		conn.Close() //nolint:errcheck // the handshake's error says it
		return nil, err
	}
	return secure, nil
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
