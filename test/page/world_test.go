// Package page tests the status page as its user has it: in a browser, with a real agent and a real server behind it.
package page

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
)

// world is a site, and an agent of its user ana.
type world struct {
	t    *testing.T
	site *site.Site
	o    agent.Options
	c    *control.Client
}

// newWorld is in sync, with push, and with two stores.
func newWorld(t *testing.T, change ...func(*agent.Options)) *world {
	t.Helper()
	s, err := site.Start(t.Context(), site.Options{DataDir: t.TempDir()})
	w := &world{t: t, site: s}
	w.must(err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.must(site.PutUser(t.Context(), s.Store(), "ana", "", false))
	secret, err := site.Enrol(t.Context(), s.Store(), "ana", "laptop")
	w.must(err)
	base := t.TempDir()
	w.o = agent.Options{StateDir: filepath.Join(base, "state"), Socket: filepath.Join(base, "s"), DeviceID: "laptop", User: "ana", Secret: secret,
		Server: s.URL(), SaveSecret: func(string) error { return nil }, Version: "test", Stores: []agent.Store{
			{Name: "contacts", Kind: pim.Contacts, Dir: filepath.Join(base, "contacts")}, {Name: "calendar", Kind: pim.Calendar, Dir: filepath.Join(base, "calendar")}}}
	w.o.Push = agent.Push{Broker: s.BrokerURL(), Prefix: "alwayson", User: "laptop", MinPause: 10 * time.Millisecond, MaxPause: 100 * time.Millisecond}
	for _, st := range w.o.Stores {
		w.must(os.Mkdir(st.Dir, 0o700))
	}
	for _, do := range change {
		do(&w.o)
	}
	w.start()
	return w
}

func (w *world) start() {
	w.t.Helper()
	a, err := agent.Start(w.t.Context(), w.o)
	w.must(err)
	w.t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			w.t.Error(err)
		}
	})
	w.c = control.Dial(w.o.Socket)
	w.t.Cleanup(w.c.Close)
	_, err = w.c.On(w.t.Context())
	w.must(err)
	w.until("in sync", func(s control.Status) bool { return idle(s) && s.Push.State == "connected" })
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func idle(s control.Status) bool { return s.State == "idle" && s.Running == "" && s.InSync() }

// until waits for a status of the agent.
func (w *world) until(what string, holds func(control.Status) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	var last control.Status
	for s, err := range w.c.Watch(ctx) {
		w.must(err)
		if last = s; holds(s) {
			return
		}
	}
	w.t.Fatalf("not %s: %+v", what, last)
}

func (w *world) write(store, name, body string) {
	w.t.Helper()
	for _, s := range w.o.Stores {
		if s.Name == store {
			w.must(os.WriteFile(filepath.Join(s.Dir, name), []byte(body), 0o600))
		}
	}
}

// put is an edit on the server.
func (w *world) put(guid, body string) {
	w.t.Helper()
	_, err := w.site.Server().Put(w.t.Context(), dsstore.Collection{User: "ana", Store: "contacts"}, guid,
		pim.Item{Type: pim.TypeVCard, Name: guid + ".vcf", Body: []byte(body)})
	w.must(err)
}

func (w *world) items(n int) {
	w.t.Helper()
	w.until(fmt.Sprint(n, " contacts"), func(s control.Status) bool { return idle(s) && s.Stores[0].Items == n })
}

func card(uid, name string, more ...string) string {
	lines := append([]string{"BEGIN:VCARD", "VERSION:3.0", "UID:" + uid, "FN:" + name}, append(more, "END:VCARD", "")...)
	return strings.Join(lines, "\r\n")
}

// contradict leaves a conflict about a contact.
func (w *world) contradict(name, here, there string) {
	w.t.Helper()
	w.put(name, card(name, "Before"))
	w.items(1)
	_, err := w.c.Off(w.t.Context())
	w.must(err)
	w.until("off", func(s control.Status) bool { return s.State == "off" && s.Running == "" })
	w.write("contacts", name+".vcf", here)
	w.put(name, there)
	_, err = w.c.On(w.t.Context())
	w.must(err)
	w.items(2)
}

// guest is a browser without JavaScript.
type guest struct {
	t    *testing.T
	http *http.Client
	base string // of all addresses
	host string
	last string // page
}

// visit opens the page as a browser does that is given the address.
func (w *world) visit() *guest {
	w.t.Helper()
	address, err := w.c.Page(w.t.Context())
	w.must(err)
	return visit(w.t, address)
}

func visit(t *testing.T, address string) *guest {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	jar, err := cookiejar.New(nil)
	must(t, err)
	g := &guest{t: t, http: &http.Client{Jar: jar}, base: u.Scheme + "://" + u.Host + strings.TrimSuffix(u.Path, "/"), host: u.Scheme + "://" + u.Host}
	t.Cleanup(g.http.CloseIdleConnections)
	g.get("/?" + u.RawQuery)
	return g
}

func (g *guest) do(req *http.Request) *http.Response {
	g.t.Helper()
	res, err := g.http.Do(req)
	must(g.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(g.t, err)
	g.last = string(body)
	return res
}

func (g *guest) get(path string) string {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.base+path, nil)
	must(g.t, err)
	if res := g.do(req); res.StatusCode != http.StatusOK {
		g.t.Fatalf("GET %s: %s\n%s", path, res.Status, g.last)
	}
	return g.last
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// token is that of the forms of the page that was loaded last.
func (g *guest) token() string {
	g.t.Helper()
	m := formToken.FindStringSubmatch(g.last)
	if m == nil {
		g.t.Fatalf("no form in\n%s", g.last)
	}
	return m[1]
}

// post sends a form of the page that was loaded last, and returns the page that follows.
func (g *guest) post(path string, values ...string) string {
	g.t.Helper()
	form := url.Values{"form": {g.token()}}
	for i := 0; i < len(values); i += 2 {
		form.Set(values[i], values[i+1])
	}
	if res := g.do(g.form(path, form)); res.StatusCode != http.StatusOK {
		g.t.Fatalf("POST %s: %s\n%s", path, res.Status, g.last)
	}
	return g.last
}

func (g *guest) form(path string, form url.Values) *http.Request {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.base+path, strings.NewReader(form.Encode()))
	must(g.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", g.host)
	return req
}
