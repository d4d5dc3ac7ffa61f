// Package proxytest is proxies for tests: HTTP and SOCKS, with and without password.
package proxytest

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Proxy is one that is running.
type Proxy struct {
	URL string
	// User and Password are asked for if User is set; Deny tells which addresses it refuses to connect to.
	User, Password string
	Deny           func(addr string) bool
	// Scheme is how it asks for them; "" is Basic.
	Scheme string

	mu      sync.Mutex
	through []string // what it has connected to
	refused int      // attempts with user and password
	open    map[net.Conn]bool
}

// Through is to what it has connected.
func (p *Proxy) Through() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.through)
}

// Refused is how often it was shown a user and a password that are wrong.
func (p *Proxy) Refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// HTTP starts one that makes tunnels, and forwards requests of http URLs. With a certificate it is spoken to over TLS.
func HTTP(t testing.TB, cert *tls.Certificate) *Proxy {
	p := new(Proxy)
	scheme := "http"
	l := listen(t)
	if cert != nil {
		scheme, l = "https", tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12})
	}
	p.serve(t, l, p.http)
	p.URL = scheme + "://" + l.Addr().String()
	return p
}

// SOCKS starts one that speaks SOCKS 5 (RFC 1928, RFC 1929).
func SOCKS(t testing.TB) *Proxy {
	p := new(Proxy)
	l := listen(t)
	p.serve(t, l, p.socks)
	p.URL = "socks5://" + l.Addr().String()
	return p
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p *Proxy) serve(t testing.TB, l net.Listener, talk func(net.Conn) error) {
	p.open = make(map[net.Conn]bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.keep(conn)
			wg.Go(func() {
				defer conn.Close() //nolint:errcheck // of a test
				talk(conn)         //nolint:errcheck // who talks to it tells
			})
		}
	})
	t.Cleanup(func() {
		l.Close() //nolint:errcheck // of a test
		p.mu.Lock()
		for c := range p.open {
			c.Close() //nolint:errcheck // of a test
		}
		p.mu.Unlock()
		wg.Wait()
	})
}

func (p *Proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[c] = true
}

// connect connects to where a client wants to go, nil if that is refused.
func (p *Proxy) connect(addr string) net.Conn {
	if p.Deny != nil && p.Deny(addr) {
		return nil
	}
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil
	}
	p.keep(conn)
	p.mu.Lock()
	p.through = append(p.through, addr)
	p.mu.Unlock()
	return conn
}

// may tells whether user and password are right; shown is whether there were any.
func (p *Proxy) may(user, password string, shown bool) bool {
	if p.User == "" || user == p.User && password == p.Password {
		return true
	}
	if shown {
		p.mu.Lock()
		p.refused++
		p.mu.Unlock()
	}
	return false
}

func pump(client io.ReadWriter, r io.Reader, server net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(server, r) //nolint:errcheck // of a test
		server.Close()     //nolint:errcheck // of a test
	}()
	io.Copy(client, server) //nolint:errcheck // of a test
	if c, ok := client.(net.Conn); ok {
		c.Close() //nolint:errcheck // of a test
	}
	<-done
}

func (p *Proxy) http(conn net.Conn) error {
	r := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return err
		}
		text, shown := strings.CutPrefix(req.Header.Get("Proxy-Authorization"), "Basic ")
		raw, _ := base64.StdEncoding.DecodeString(text)
		user, password, _ := strings.Cut(string(raw), ":")
		if !p.may(user, password, shown) {
			scheme := p.Scheme
			if scheme == "" {
				scheme = `Basic realm="test"`
			}
			_, err := fmt.Fprintf(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", scheme)
			return err
		}
		if req.Method == http.MethodConnect {
			return p.tunnel(conn, r, req.Host)
		}
		if err := p.forward(conn, req); err != nil {
			return err
		}
	}
}

func (p *Proxy) tunnel(conn net.Conn, r io.Reader, addr string) error {
	server := p.connect(addr)
	if server == nil {
		_, err := io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return err
	}
	pump(conn, r, server)
	return nil
}

func (p *Proxy) forward(conn net.Conn, req *http.Request) error {
	p.mu.Lock()
	p.through = append(p.through, req.URL.String())
	p.mu.Unlock()
	req.Header.Del("Proxy-Authorization")
	var direct http.Transport
	defer direct.CloseIdleConnections()
	res, err := direct.RoundTrip(req)
	if err != nil {
		_, err = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return err
	}
	defer res.Body.Close()
	return res.Write(conn)
}

func (p *Proxy) socks(conn net.Conn) error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(conn, head); err != nil {
		return err
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(conn, methods); err != nil {
		return err
	}
	if ok, err := p.login(conn, methods); !ok {
		return err
	}
	addr, err := target(conn)
	if err != nil {
		return err
	}
	server := p.connect(addr)
	if server == nil {
		_, err = conn.Write([]byte{5, 2, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	if _, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return err
	}
	pump(conn, conn, server)
	return nil
}

func (p *Proxy) login(conn net.Conn, methods []byte) (ok bool, err error) {
	if p.User == "" {
		_, err = conn.Write([]byte{5, 0})
		return err == nil, err
	}
	if !slices.Contains(methods, 2) {
		_, err = conn.Write([]byte{5, 0xff})
		return false, err
	}
	if _, err := conn.Write([]byte{5, 2}); err != nil {
		return false, err
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return false, err
	}
	user, err := word(conn)
	if err != nil {
		return false, err
	}
	password, err := word(conn)
	if err != nil {
		return false, err
	}
	answer := byte(0)
	if ok = p.may(user, password, true); !ok {
		answer = 1
	}
	_, err = conn.Write([]byte{1, answer})
	return ok && err == nil, err
}

// word reads one with its length before it.
func word(r io.Reader) (string, error) {
	n := make([]byte, 1)
	if _, err := io.ReadFull(r, n); err != nil {
		return "", err
	}
	b := make([]byte, n[0])
	_, err := io.ReadFull(r, b)
	return string(b), err
}

func target(r io.Reader) (string, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	host := ""
	switch head[3] {
	case 3:
		var err error
		if host, err = word(r); err != nil {
			return "", err
		}
	default:
		ip := make(net.IP, map[byte]int{1: 4, 4: 16}[head[3]])
		if _, err := io.ReadFull(r, ip); err != nil {
			return "", err
		}
		host = ip.String()
	}
	port := make([]byte, 2)
	_, err := io.ReadFull(r, port)
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port)))), err
}
