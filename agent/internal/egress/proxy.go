package egress

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"
	"golang.org/x/net/proxy"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

// Error is what a proxy refused, or that it cannot be reached. It says nothing about the server or the broker behind it.
type Error struct {
	Proxy string // its address
	What  string // it does, or does not
	// Remedy is what the user can do about it, "" if that is only to wait.
	Remedy string
	Err    error // may be nil
}

func (e *Error) Error() string {
	text := "the proxy " + e.Proxy + " " + e.What
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

const socks = "socks5"

// proxied is the proxy for one connection.
type proxied struct {
	way    *Way
	scheme string
	name   string // as the user knows it
	addr   string // host:port
	host   string
	user   *url.Userinfo // nil if there is none
}

// through is the proxy through which an address is reached, nil if it is reached directly.
func (w *Way) through(addr string, secure bool) (*proxied, error) {
	u := w.proxy
	if w.o.Proxy == "" {
		var err error
		if u, err = environment(addr, secure); err != nil {
			return nil, fmt.Errorf("cannot use the proxy that the environment names: %w", err)
		}
	}
	if u == nil {
		return nil, nil
	}
	p := &proxied{way: w, scheme: strings.TrimSuffix(u.Scheme, "h"), addr: withPort(u), host: u.Hostname(), user: u.User}
	if u.Scheme == "socks5h" {
		p.addr = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[socks]))
	}
	p.name = (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
	if ports[p.scheme] == "" {
		return nil, &Error{Proxy: p.name, What: "cannot be used: its address begins with neither http, https nor socks5"}
	}
	return p, p.authorize()
}

// environment is the proxy that the environment names for an address (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY for what has none of its own, NO_PROXY).
func environment(addr string, secure bool) (*url.URL, error) {
	c := httpproxy.FromEnvironment()
	for _, name := range []string{"ALL_PROXY", "all_proxy"} {
		c.HTTPProxy, c.HTTPSProxy = cmp.Or(c.HTTPProxy, os.Getenv(name)), cmp.Or(c.HTTPSProxy, os.Getenv(name))
	}
	to := &url.URL{Scheme: "http", Host: addr}
	if secure {
		to.Scheme = "https"
	}
	return c.ProxyFunc()(to)
}

// patience is for how long user and password that a proxy refused are not shown again: it may count attempts, and the account be the one by which
// its owner logs in everywhere.
const patience = 10 * time.Minute

// authorize finds user and password.
func (p *proxied) authorize() error {
	if file := p.way.o.SecretFile; file != "" {
		user, err := readSecret(file)
		if err != nil {
			return &Error{Proxy: p.name, What: "cannot be used", Err: err}
		}
		p.user = user
	}
	p.way.mu.Lock()
	defer p.way.mu.Unlock()
	if at, ok := p.way.refused[p.credential()]; ok && p.user != nil && time.Since(at) < patience {
		return p.wrong()
	}
	return nil
}

// readSecret reads "user:password".
func readSecret(file string) (*url.Userinfo, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("cannot read user and password for the proxy: %w; write user:password into %s and type chmod 600 %s", err, file, file)
	}
	text, err := config.ReadSecret(file)
	if err != nil {
		return nil, err
	}
	user, password, ok := strings.Cut(text, ":")
	if !ok || user == "" {
		return nil, fmt.Errorf("cannot read user and password for the proxy: %s has no line like user:password", file)
	}
	return url.UserPassword(user, password), nil
}

func (p *proxied) credential() string { return p.addr + " " + p.user.String() }

// reach connects to the proxy itself.
func (p *proxied) reach(ctx context.Context) (net.Conn, error) {
	conn, err := direct.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return nil, &Error{Proxy: p.name, What: "cannot be reached", Err: err}
	}
	return conn, nil
}

// tunnel connects to an address behind the proxy.
func (p *proxied) tunnel(ctx context.Context, addr string) (net.Conn, error) {
	if p.scheme == socks {
		return p.socks(ctx, addr)
	}
	conn, err := p.reach(ctx)
	if err != nil {
		return nil, err
	}
	if p.scheme == "https" {
		conn = tls.Client(conn, p.tls())
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) }) //nolint:errcheck // it only wakes the reader
	if err = p.connect(conn, addr); err == nil && !stop() {
		err = &Error{Proxy: p.name, What: "does not answer", Err: ctx.Err()}
	}
	if err != nil {
		stop()
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func (p *proxied) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.way.o.TLS != nil {
		c.RootCAs = p.way.o.TLS.RootCAs
	}
	c.ServerName = p.host
	return c
}

// maxAnswer bounds what a proxy may say before the tunnel begins.
const maxAnswer = 64 << 10

// connect asks for a tunnel (RFC 9110 section 9.3.6). Nobody speaks first in what follows, so nothing of it is read here.
func (p *proxied) connect(conn net.Conn, addr string) error {
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{}}
	if p.user != nil {
		password, _ := p.user.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(p.user.Username()+":"+password)))
	}
	if err := req.Write(conn); err != nil {
		return &Error{Proxy: p.name, What: "does not answer", Err: err}
	}
	res, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxAnswer)), req)
	switch {
	case err != nil:
		return &Error{Proxy: p.name, What: "does not answer as a proxy does", Err: err}
	case res.StatusCode == http.StatusProxyAuthRequired:
		return p.unauthorized(res)
	case res.StatusCode >= http.StatusInternalServerError:
		return &Error{Proxy: p.name, What: "cannot reach " + addr + ": " + res.Status}
	case res.StatusCode/100 != 2:
		return &Error{Proxy: p.name, What: "refuses to connect to " + addr + ": " + res.Status, Remedy: "ask who runs it to allow that"}
	}
	return nil
}

// unauthorized is what an answer 407 means, which no credential of the server or the broker has to do with.
func (p *proxied) unauthorized(res *http.Response) error {
	offers := strings.Join(res.Header.Values("Proxy-Authenticate"), ", ")
	switch {
	case offers != "" && !strings.Contains(strings.ToLower(offers), "basic"):
		return &Error{Proxy: p.name, What: "wants to know who uses it in a way that this agent does not know: " + offers}
	case p.user != nil:
		return p.refuse()
	}
	return p.anonymous()
}

func (p *proxied) anonymous() error {
	return &Error{Proxy: p.name, What: "wants user and password",
		Remedy: "write user:password into a file, type chmod 600 for it, and name it in the configuration (network.proxy_secret_file)"}
}

// refuse remembers what is refused.
func (p *proxied) refuse() error {
	p.way.mu.Lock()
	defer p.way.mu.Unlock()
	if p.way.refused == nil {
		p.way.refused = map[string]time.Time{}
	}
	p.way.refused[p.credential()] = time.Now()
	return p.wrong()
}

func (p *proxied) wrong() error {
	e := &Error{Proxy: p.name, What: "refuses user and password", Remedy: "correct them in the environment, and restart the agent"}
	if file := p.way.o.SecretFile; file != "" {
		e.Remedy = "correct them in " + file + ", it is read again by itself"
	}
	return e
}

// reacher is the proxy.Dialer that reaches the proxy itself.
type reacher struct{ *proxied }

func (r reacher) Dial(_, _ string) (net.Conn, error) { return r.reach(context.Background()) }

// DialContext implements proxy.ContextDialer.
func (r reacher) DialContext(ctx context.Context, _, _ string) (net.Conn, error) { return r.reach(ctx) }

// socks connects through a SOCKS proxy. Names are looked up there.
func (p *proxied) socks(ctx context.Context, addr string) (net.Conn, error) {
	var auth *proxy.Auth
	if p.user != nil {
		password, _ := p.user.Password()
		auth = &proxy.Auth{User: p.user.Username(), Password: password}
	}
	d, err := proxy.SOCKS5("tcp", p.addr, auth, reacher{p})
	if err != nil {
		return nil, err
	}
	conn, err := d.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, p.explain(addr, err)
	}
	return conn, nil
}

// explain names what a SOCKS proxy refused. The library has no types for it.
func (p *proxied) explain(addr string, err error) error {
	var unreachable *Error
	if errors.As(err, &unreachable) {
		return unreachable
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "socks connect" {
		err = op.Err
	}
	switch text := err.Error(); {
	case strings.Contains(text, "authentication failed"):
		return p.refuse()
	case strings.Contains(text, "no acceptable authentication methods"):
		return p.anonymous()
	case strings.Contains(text, "not allowed by ruleset"):
		return &Error{Proxy: p.name, What: "refuses to connect to " + addr, Remedy: "ask who runs it to allow that"}
	}
	return &Error{Proxy: p.name, What: "cannot reach " + addr, Err: err}
}
