// Package egress is how connections leave the device, to the server and to the broker alike: over the networks that are allowed, and through the
// proxy that is set (S18). What goes wrong on the way says nothing about who is at its end.
package egress

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
)

// Options of a Way. The zero value is the environment's proxy and every network.
type Options struct {
	// Proxy is the address of the proxy, http, https or socks5; "" is what the environment says, config.NoProxy is none.
	Proxy string
	// SecretFile has "user:password" for the proxy, in one line that nobody else may read; "" is neither. It is read for each connection.
	SecretFile string
	// TLS is which https proxies are accepted; nil is the system's certificates.
	TLS *tls.Config
	// Allowed are the networks over which data may leave, see link.ParseNetworks; "" is all.
	Allowed string
	// Metered is what metered networks may carry: "no" is nothing, anything else all.
	Metered string
	// Withholds is why nothing may be sent for another reason than the network, "" if it may; nil is never. It is asked for each connection.
	Withholds func() string
	// Here tells where the device is; nil is what the system tells.
	Here func() link.Network
}

// Way is one way out. It may be used from any goroutine; the zero Way has the zero Options.
type Way struct {
	o       Options
	proxy   *url.URL // nil if it is the environment's, or none
	allowed link.Networks

	mu      sync.Mutex
	refused map[string]time.Time // what a proxy refused of user and password, and when; guarded by mu
}

// New makes a way, and refuses what could never work.
func New(o Options) (*Way, error) {
	w := &Way{o: o}
	var err error
	if w.allowed, err = link.ParseNetworks(o.Allowed); err != nil {
		return nil, err
	}
	if o.Proxy != "" && o.Proxy != config.NoProxy {
		if err := config.CheckProxy(o.Proxy); err != nil {
			return nil, err
		}
		if w.proxy, err = url.Parse(o.Proxy); err != nil {
			return nil, err
		}
	}
	if o.SecretFile != "" {
		_, err = readSecret(o.SecretFile)
	}
	return w, err
}

const (
	connectTime = 30 * time.Second
	// keepAlive is how long an idle connection may look alive to the kernel.
	keepAlive = 30 * time.Second
)

var direct = net.Dialer{Timeout: connectTime, KeepAlive: keepAlive}

// Dial connects to host:port. Secure tells that TLS follows, or that it is a request of an http URL if not: the environment may name different proxies
// for them. What comes back is either a connection to the address itself, or an error; *Error and *NotAllowed say that it is the way that fails.
func (w *Way) Dial(ctx context.Context, addr string, secure bool) (net.Conn, error) {
	if err := w.Allows(ctx); err != nil {
		return nil, err
	}
	p, err := w.through(addr, secure)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return direct.DialContext(ctx, "tcp", addr)
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if p.addr == addr { // somebody wants to talk to the proxy itself
		return p.reach(ctx)
	}
	return p.tunnel(ctx, addr)
}

// Forward is an http.Transport's Proxy: requests of http URLs are given to an HTTP proxy as they are, since proxies make tunnels to few ports. The
// transport must use Dial for everything else.
func (w *Way) Forward(req *http.Request) (*url.URL, error) {
	if req.URL.Scheme != "http" {
		return nil, nil
	}
	p, err := w.through(withPort(req.URL), false)
	if err != nil || p == nil || p.scheme == socks {
		return nil, err
	}
	return &url.URL{Scheme: p.scheme, Host: p.addr, User: p.user}, nil
}

// Answer is the error of the proxy that answers a request in place of the server, nil if it does not.
func (w *Way) Answer(res *http.Response) error {
	if res.StatusCode != http.StatusProxyAuthRequired {
		return nil
	}
	p, err := w.through(withPort(res.Request.URL), res.Request.URL.Scheme == "https")
	if err != nil {
		return err
	}
	if p == nil { // one that nobody has told us of
		p = &proxied{way: w, name: "of this network"}
	}
	return p.unauthorized(res)
}

func withPort(u *url.URL) string {
	if port := u.Port(); port != "" {
		return net.JoinHostPort(u.Hostname(), port)
	}
	return net.JoinHostPort(u.Hostname(), ports[u.Scheme])
}

var ports = map[string]string{"http": "80", "https": "443", socks: "1080"}
