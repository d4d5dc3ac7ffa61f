package egress_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/egress/proxytest"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers over TLS and in the clear.
func server(t *testing.T) (secure, plain *httptest.Server) {
	t.Helper()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }) //nolint:errcheck // of a test
	secure, plain = httptest.NewTLSServer(h), httptest.NewServer(h)
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	return secure, plain
}

func roots(s *httptest.Server) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func secret(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func open(t *testing.T, o egress.Options) *egress.Way {
	t.Helper()
	w, err := egress.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func get(t *testing.T, w *egress.Way, s *httptest.Server, url string) error {
	t.Helper()
	transport := clientcert.NewTransport(nil, roots(s), w)
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && string(text) != "hello" {
		t.Errorf("%s answered %s %q", url, res.Status, text)
	}
	return err
}

// TestEveryKindOfProxy is S18: requests of https and of http URLs go through it, with and without password, and never around it.
func TestEveryKindOfProxy(t *testing.T) {
	secure, plain := server(t)
	for name, start := range map[string]func() *proxytest.Proxy{
		"http": func() *proxytest.Proxy { return proxytest.HTTP(t, nil) },
		"https": func() *proxytest.Proxy {
			return proxytest.HTTP(t, &secure.TLS.Certificates[0])
		},
		"socks": func() *proxytest.Proxy { return proxytest.SOCKS(t) },
	} {
		for _, password := range []string{"", "p:w"} {
			t.Run(name+" "+password, func(t *testing.T) {
				p := start()
				o := egress.Options{Proxy: p.URL, TLS: roots(secure)}
				if password != "" {
					p.User, p.Password = "ana", password
					o.SecretFile = secret(t, "ana:"+password)
				}
				w := open(t, o)
				for i, url := range []string{secure.URL, plain.URL} {
					if err := get(t, w, secure, url); err != nil {
						t.Fatal(err)
					}
					if n := len(p.Through()); n != i+1 {
						t.Errorf("%s: %v", url, p.Through())
					}
				}
			})
		}
	}
}

// TestWhatAProxyRefusesIsNamed: as what the proxy does, and with what helps.
func TestWhatAProxyRefusesIsNamed(t *testing.T) {
	secure, plain := server(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close() //nolint:errcheck // nobody listens there now
	for _, c := range []struct {
		name, want, remedy string
		start              func(t *testing.T) *proxytest.Proxy
		change             func(*proxytest.Proxy)
		url, secret        string
	}{
		{name: "nobody there", start: func(*testing.T) *proxytest.Proxy { return &proxytest.Proxy{URL: "http://" + nobody} }, url: secure.URL, want: "cannot be reached"},
		{name: "nobody there, plain", start: func(*testing.T) *proxytest.Proxy { return &proxytest.Proxy{URL: "http://" + nobody} }, url: plain.URL, want: "cannot be reached"},
		{name: "nobody there, socks", start: func(*testing.T) *proxytest.Proxy { return &proxytest.Proxy{URL: "socks5://" + nobody} }, url: secure.URL, want: "cannot be reached"},
		{name: "wants a password", change: func(p *proxytest.Proxy) { p.User = "ana" }, url: secure.URL, want: "wants user and password", remedy: "network.proxy_secret_file"},
		{name: "wants a password, plain", change: func(p *proxytest.Proxy) { p.User = "ana" }, url: plain.URL, want: "wants user and password", remedy: "network.proxy_secret_file"},
		{name: "wants another proof", change: func(p *proxytest.Proxy) { p.User, p.Scheme = "ana", "Negotiate" }, secret: "ana:x", url: secure.URL, want: "does not know: Negotiate"},
		{name: "wrong password", change: func(p *proxytest.Proxy) { p.User = "ana" }, secret: "ana:wrong", url: secure.URL, want: "refuses user and password", remedy: "correct them in "},
		{name: "wrong password, plain", change: func(p *proxytest.Proxy) { p.User = "ana" }, secret: "ana:wrong", url: plain.URL, want: "refuses user and password", remedy: "correct them in "},
		{name: "denied", change: func(p *proxytest.Proxy) { p.Deny = func(string) bool { return true } }, url: secure.URL, want: "refuses to connect to ", remedy: "ask who runs it"},
		{name: "socks wants a password", start: func(t *testing.T) *proxytest.Proxy { return proxytest.SOCKS(t) }, change: func(p *proxytest.Proxy) { p.User = "ana" }, url: secure.URL, want: "wants user and password"},
		{name: "socks, wrong password", start: func(t *testing.T) *proxytest.Proxy { return proxytest.SOCKS(t) }, change: func(p *proxytest.Proxy) { p.User = "ana" }, secret: "ana:wrong", url: plain.URL, want: "refuses user and password"},
		{name: "socks denies", start: func(t *testing.T) *proxytest.Proxy { return proxytest.SOCKS(t) }, change: func(p *proxytest.Proxy) { p.Deny = func(string) bool { return true } }, url: secure.URL, want: "refuses to connect to "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.start == nil {
				c.start = func(t *testing.T) *proxytest.Proxy { return proxytest.HTTP(t, nil) }
			}
			p := c.start(t)
			if c.change != nil {
				c.change(p)
			}
			o := egress.Options{Proxy: p.URL}
			if c.secret != "" {
				o.SecretFile = secret(t, c.secret)
			}
			err := get(t, open(t, o), secure, c.url)
			var proxy *egress.Error
			if !errors.As(err, &proxy) || !strings.Contains(proxy.What, c.want) || !strings.Contains(proxy.Remedy, c.remedy) || proxy.Proxy != p.URL {
				t.Errorf("%v (%+v)", err, proxy)
			}
			if len(p.Through()) != 0 {
				t.Errorf("it went through to %v", p.Through())
			}
			if err != nil && c.secret != "" && strings.Contains(err.Error(), c.secret) {
				t.Errorf("the secret is told: %v", err)
			}
		})
	}
}

// TestAWrongPasswordIsShownOnce: the account at a proxy may be the one by which its owner logs in everywhere. A corrected file is used at once.
func TestAWrongPasswordIsShownOnce(t *testing.T) {
	secure, plain := server(t)
	for _, p := range []*proxytest.Proxy{proxytest.HTTP(t, nil), proxytest.SOCKS(t)} {
		p.User, p.Password = "ana", "right"
		file := secret(t, "ana:wrong")
		w := open(t, egress.Options{Proxy: p.URL, SecretFile: file})
		for range 3 {
			for _, url := range []string{secure.URL, plain.URL} {
				if err := get(t, w, secure, url); err == nil || !strings.Contains(err.Error(), "refuses user and password") {
					t.Fatal(err)
				}
			}
		}
		if n := p.Refused(); n != 1 {
			t.Errorf("shown %d times", n)
		}
		if err := os.WriteFile(file, []byte("ana:right\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := get(t, w, secure, secure.URL); err != nil {
			t.Error(err)
		}
	}
}

// TestTheEnvironmentsProxy is used unless something else is set. What it names is not asked about this machine.
func TestTheEnvironmentsProxy(t *testing.T) {
	secure, _ := server(t)
	p := proxytest.HTTP(t, nil)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	const elsewhere = "server.invalid:8883"
	for name, c := range map[string]struct {
		set, value, proxy string
		secure, through   bool
	}{
		"https":              {"HTTPS_PROXY", p.URL, "", true, true},
		"all":                {"ALL_PROXY", p.URL, "", true, true},
		"only http":          {"HTTP_PROXY", p.URL, "", true, false},
		"none is wanted":     {"HTTPS_PROXY", p.URL, "none", true, false},
		"in the clear":       {"HTTP_PROXY", p.URL, "", false, true},
		"another one is set": {"HTTPS_PROXY", "http://127.0.0.1:1", p.URL, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(c.set, c.value)
			_, err := open(t, egress.Options{Proxy: c.proxy}).Dial(t.Context(), elsewhere, c.secure)
			var proxy *egress.Error
			if errors.As(err, &proxy) != c.through {
				t.Error(err)
			}
		})
	}
	t.Setenv("HTTPS_PROXY", p.URL)
	if err := get(t, new(egress.Way), secure, secure.URL); err != nil || len(p.Through()) != 0 {
		t.Errorf("%v, through %v", err, p.Through())
	}
	t.Setenv("NO_PROXY", ".invalid")
	var proxy *egress.Error
	if _, err := new(egress.Way).Dial(t.Context(), elsewhere, true); errors.As(err, &proxy) {
		t.Error(err)
	}
}

// TestWhatCannotWorkIsRefused before anything is done with it.
func TestWhatCannotWorkIsRefused(t *testing.T) {
	open := filepath.Join(t.TempDir(), "readable")
	if err := os.WriteFile(open, []byte("ana:x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil { //nolint:gosec // that is what the test is about
		t.Fatal(err)
	}
	for want, o := range map[string]egress.Options{
		"do not belong in the address":   {Proxy: "http://ana:x@127.0.0.1:1"},
		"is no address":                  {Proxy: "127.0.0.1:1"},
		"is no name":                     {Allowed: "["},
		"write user:password into":       {SecretFile: filepath.Join(t.TempDir(), "none")},
		"others may read it":             {SecretFile: open},
		"has no line like user:password": {SecretFile: secret(t, "ana")},
	} {
		if _, err := egress.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestNetworksThatAreNotAllowed: nothing leaves over them, not even to a proxy, unless the user says so.
func TestNetworksThatAreNotAllowed(t *testing.T) {
	secure, _ := server(t)
	p := proxytest.HTTP(t, nil)
	here := link.Network{Ways: []link.Interface{{Name: "eth0"}}}
	w := open(t, egress.Options{Proxy: p.URL, Allowed: "eth* wifi", Here: func() link.Network { return here }})
	if err := get(t, w, secure, secure.URL); err != nil {
		t.Fatal(err)
	}
	here.Ways = append(here.Ways, link.Interface{Name: "wwan0", Kind: link.Mobile})
	var not *egress.NotAllowed
	if err := get(t, w, secure, secure.URL); !errors.As(err, &not) || not.What != "network wwan0 is not allowed" || !not.OfNetwork() || len(p.Through()) != 1 {
		t.Errorf("%v, through %v", err, p.Through())
	}
	if conn, err := w.Dial(egress.Anyway(t.Context()), secure.Listener.Addr().String(), true); err != nil {
		t.Error(err)
	} else {
		conn.Close() //nolint:errcheck // nothing was sent
	}
}

// TestWhatIsWithheld: one thing after the other is in the way, and by hand everything goes.
func TestWhatIsWithheld(t *testing.T) {
	for name, c := range map[string]struct {
		o          egress.Options
		here       link.Network
		want, hand string // "" if it may leave
	}{
		"all is well":             {egress.Options{Metered: "no"}, *place("eth0", false), "", ""},
		"metered, and may be":     {egress.Options{Metered: "sync"}, *place("eth0", true), "", ""},
		"metered":                 {egress.Options{Metered: "no"}, *place("eth0", true), "network eth0 is metered", "alwayson sync --any-network"},
		"neither allowed":         {egress.Options{Metered: "no", Allowed: "wifi"}, *place("eth0", true), "network eth0 is not allowed", "alwayson sync --any-network"},
		"the battery":             {egress.Options{Withholds: func() string { return "low" }}, *place("eth0", false), "low", "alwayson sync"},
		"the battery, let it run": {egress.Options{Withholds: func() string { return "" }}, *place("eth0", false), "", ""},
	} {
		c.o.Here = func() link.Network { return c.here }
		w := open(t, c.o)
		var not *egress.NotAllowed
		if err := w.Allows(t.Context()); errors.As(err, &not) != (c.want != "") || not != nil && (not.What != c.want || not.ByHand != c.hand) {
			t.Errorf("%s: %+v", name, err)
		}
		if err := w.Allows(egress.Anyway(t.Context())); err != nil {
			t.Errorf("%s, by hand: %v", name, err)
		}
	}
}

func place(name string, metered bool) *link.Network {
	return &link.Network{Ways: []link.Interface{{Name: name}}, Metered: metered}
}
