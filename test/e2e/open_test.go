package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestTheAdministratorOpensASession is S3 over device management: the device opens a session, and not one item is synchronized; what cannot be done is
// known with its reason. The switch of Always-On is flipped the same way (S1, S8).
func TestTheAdministratorOpensASession(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}, Mosquitto: true})
	p, d := &pushed{t, w}, w.Devices[0]
	d.On()
	first := until(t, d, "in sync at first", inSync)
	said := listen(t, first.Server)
	if out, err := d.Command("settings", "set", "account.server", said.url); err != nil {
		t.Fatal(err, out)
	}
	first = until(t, d, "in sync by way of who listens", func(s control.Status) bool { return inSync(s) && s.Session.ID != first.Session.ID })
	if _, err := d.Control.CloseSession(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := exchanges(t, d)
	if text := said.all(t); !strings.Contains(text, "<Sync>") {
		t.Fatalf("a sync would not be noticed: %s", text)
	}
	said.forget()
	w.Admin("session", "open", "laptop")
	p.becomes("laptop", "session.open", "applied", "")
	now := until(t, d, "open", func(s control.Status) bool {
		return s.State == "idle" && s.Session != nil && s.Session.ID != first.Session.ID
	})
	list, err := d.Control.Log(t.Context(), 0)
	if err != nil || len(list) != n+1 {
		t.Fatalf("%d exchanges, want one more than %d: %v", len(list), n, err)
	}
	if x := list[n]; x.Session != now.Session.ID || x.RoundTrips != 1 || len(x.Stores) != 1 || x.Stores[0].Sent+x.Stores[0].Received != 0 || x.Error != "" {
		t.Errorf("it synchronized: %+v", x)
	}
	if text := said.all(t); !strings.Contains(text, "x-alwayson=open") || !strings.Contains(text, "<DevInf") || strings.Contains(text, "<Sync>") {
		t.Errorf("the device said %s", text)
	}

	p.set("--device", "laptop", "always_on=false")
	p.becomes("laptop", "always_on", "applied", "")
	until(t, d, "off", func(s control.Status) bool { return !s.AlwaysOn && s.Session == nil })
	w.Admin("session", "open", "laptop")
	p.becomes("laptop", "session.open", "failed", "Always-On is off")
	p.set("--device", "laptop", "always_on=true", "log.level=debug")
	p.becomes("laptop", "always_on", "applied", "")
	p.becomes("laptop", "log.level", "applied", "")
	until(t, d, "on again", inSync)
	if out, err := d.Command("settings", "show", "brake.percent", "--json"); err != nil || !strings.Contains(out, `"max": 100`) || !strings.Contains(out, `"type": "integer"`) {
		t.Error(out, err)
	}
}

// listener stands between devices and server and keeps what devices say.
type listener struct {
	url string

	mu   sync.Mutex
	said [][]byte // guarded by mu
}

func listen(t *testing.T, server string) *listener {
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host }}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		l.mu.Lock()
		l.said = append(l.said, body)
		l.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	l.url = s.URL + to.Path
	return l
}

func (l *listener) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = nil
}

// all is what was said, as XML.
func (l *listener) all(t *testing.T) string {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var b strings.Builder
	for _, m := range l.said {
		text, err := syncml.ToXML(m)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}
