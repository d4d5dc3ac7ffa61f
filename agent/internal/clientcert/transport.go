package clientcert

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
)

// Transport connects over HTTP with the certificate, and names refusals of it. With TLS 1.3 the alert comes when the request is under way
// already: what the request sees is a connection that breaks, so what is read from the connection is looked at.
type Transport struct {
	certificate *Certificate
	way         *egress.Way
	next        *http.Transport
}

// NewTransport connects by way with the certificate, if it is not nil, to servers that roots accepts; nil are the system's.
func NewTransport(c *Certificate, roots *tls.Config, way *egress.Way) *Transport {
	conf := c.Client(roots)
	if conf == nil {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	next := http.DefaultTransport.(*http.Transport).Clone()
	next.TLSClientConfig, next.ForceAttemptHTTP2 = conf, false // one request at a time needs no streams
	next.Proxy = way.Forward
	next.DialContext = func(ctx context.Context, _, addr string) (net.Conn, error) { return way.Dial(ctx, addr, false) }
	next.DialTLSContext = func(ctx context.Context, _, addr string) (net.Conn, error) { return dialTLS(ctx, way, addr, conf) }
	return &Transport{certificate: c, way: way, next: next}
}

func dialTLS(ctx context.Context, way *egress.Way, addr string, conf *tls.Config) (net.Conn, error) {
	conn, err := way.Dial(ctx, addr, true)
	if err != nil {
		return nil, err
	}
	if conf.ServerName == "" {
		conf = conf.Clone()
		if conf.ServerName, _, err = net.SplitHostPort(addr); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, handshake)
	defer cancel()
	secure := tls.Client(conn, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close() //nolint:errcheck // the error of the handshake says it
		return nil, err
	}
	return &watched{Conn: secure, broken: make(chan struct{})}, nil
}

// handshake bounds that of TLS.
const handshake = 30 * time.Second

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var conn *watched
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		conn, _ = i.Conn.(*watched)
	}})
	res, err := t.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		if conn != nil && refusal(err) == "" {
			err = conn.reason(err)
		}
		return nil, t.certificate.Explain("the server", egress.Impostor(err))
	}
	if err := errors.Join(t.way.Answer(res), egress.Intercepted(res)); err != nil {
		res.Body.Close() //nolint:errcheck // nothing of it is needed
		return nil, err
	}
	if what := t.certificate.Problem(time.Now()); what != "" && proxyRefuses(res) {
		res.Body.Close() //nolint:errcheck // nothing of it is needed
		return nil, &dsclient.CertificateError{What: what, Remedy: Remedy(t.certificate.File())}
	}
	return res, nil
}

// proxyRefuses tells whether an answer is one by which proxies refuse certificates: nginx completes the handshake and answers 400.
func proxyRefuses(res *http.Response) bool {
	switch res.StatusCode {
	case http.StatusBadRequest, http.StatusForbidden, 495, 496:
		return true
	}
	return false
}

// CloseIdleConnections is what http.Client.CloseIdleConnections calls.
func (t *Transport) CloseIdleConnections() { t.next.CloseIdleConnections() }

// watched is a connection that remembers why nothing more can be read from it.
type watched struct {
	net.Conn
	once   sync.Once
	broken chan struct{} // closed after err was set
	err    error
}

// Read implements net.Conn.
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err != nil {
		w.once.Do(func() { w.err = err; close(w.broken) })
	}
	return n, err
}

// verdict is how long a write that failed waits for what the other side has said before it went: it is on its way, or never sent.
const verdict = 250 * time.Millisecond

// Write implements net.Conn.
func (w *watched) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	if err != nil { // the caller closes the connection then, and nothing could be read any more
		select {
		case <-w.broken:
		case <-time.After(verdict):
		}
	}
	return n, err
}

// reason is what the other side refused, or else err.
func (w *watched) reason(err error) error {
	select {
	case <-w.broken:
		if refusal(w.err) != "" {
			return w.err
		}
	default:
	}
	return err
}
