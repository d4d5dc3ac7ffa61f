package page

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// code is what a request is answered with.
func (g *guest) code(req *http.Request) int {
	g.t.Helper()
	return g.do(req).StatusCode
}

func (g *guest) request(path string) *http.Request {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.base+path, nil)
	must(g.t, err)
	return req
}

// carry adds the cookie also where the client sees another host: a browser that was deceived about a name sends what it has for that name.
func (g *guest) carry(req *http.Request) {
	if "http://"+req.Host == g.host {
		return
	}
	for _, c := range g.http.Jar.Cookies(g.request("/").URL) {
		req.AddCookie(c)
	}
}

// stranger is a browser that was not let in.
func (g *guest) stranger() *guest {
	g.t.Helper()
	jar, err := cookiejar.New(nil)
	must(g.t, err)
	return &guest{t: g.t, http: &http.Client{Jar: jar}, base: g.base, host: g.host}
}

// TestNobodyIsLetInWithoutAToken, nor with one that was used, and what he sees says nothing of the user.
func TestNobodyIsLetInWithoutAToken(t *testing.T) {
	w := newWorld(t)
	address, err := w.c.Page(t.Context())
	must(t, err)
	g := visit(t, address)
	other := g.stranger()
	used := address[strings.Index(address, "/?"):]
	for _, path := range []string{"/", "/conflicts", "/events", "/static/style.css", "/?token=", "/?token=wrong", used} {
		if code := other.code(other.request(path)); code != http.StatusForbidden || strings.Contains(other.last, "ana") || !strings.Contains(other.last, "alwayson page") {
			t.Errorf("%s: %d %s", path, code, other.last)
		}
	}
	if code := other.code(other.form("/off", url.Values{"form": {g.token()}})); code != http.StatusForbidden {
		t.Errorf("a stranger's form: %d", code)
	}
	if code := g.code(g.request(used)); code != http.StatusOK {
		t.Errorf("who was let in goes back in his browser: %d", code)
	}
	if s, err := w.c.Status(t.Context()); err != nil || !s.AlwaysOn {
		t.Errorf("%+v %v", s, err)
	}
}

// TestOtherPagesCannotUseThisOne: a name that was made to mean this device, and forms of others.
func TestOtherPagesCannotUseThisOne(t *testing.T) {
	w := newWorld(t)
	g := w.visit()
	token := g.token()
	for name, change := range map[string]func(*http.Request, url.Values){
		"another host":         func(r *http.Request, _ url.Values) { r.Host = "evil.example:80" },
		"another name":         func(r *http.Request, _ url.Values) { r.Host = strings.Replace(r.Host, "127.0.0.1", "localhost", 1) },
		"another origin":       func(r *http.Request, _ url.Values) { r.Header.Set("Origin", "http://evil.example") },
		"another port":         func(r *http.Request, _ url.Values) { r.Header.Set("Origin", "http://127.0.0.1:1") },
		"an origin of nothing": func(r *http.Request, _ url.Values) { r.Header.Set("Origin", "null") },
		"no origin":            func(r *http.Request, _ url.Values) { r.Header.Del("Origin") },
		"no form token":        func(_ *http.Request, form url.Values) { form.Del("form") },
		"a wrong form token":   func(_ *http.Request, form url.Values) { form.Set("form", "wrong") },
	} {
		form := url.Values{"form": {token}}
		change(g.form("/off", form), form) // some change the form before it is sent
		req := g.form("/off", form)
		change(req, form)
		g.carry(req)
		if code := g.code(req); code != http.StatusForbidden || !strings.Contains(g.last, "Your data is not touched") {
			t.Errorf("%s: %d %s", name, code, g.last)
		}
	}
	for name, host := range map[string]string{"another host": "evil.example:80", "another name": "localhost"} {
		req := g.request("/")
		req.Host = host
		g.carry(req)
		if code := g.code(req); code != http.StatusForbidden || strings.Contains(g.last, "laptop") {
			t.Errorf("reading by %s: %d", name, code)
		}
	}
	if code := g.code(g.request("/off")); code != http.StatusMethodNotAllowed && code != http.StatusNotFound {
		t.Errorf("an address that does something: %d", code)
	}
	if s, err := w.c.Status(t.Context()); err != nil || !s.AlwaysOn {
		t.Errorf("somebody switched it off: %+v %v", s, err)
	}
}

// TestTheCookieIsForThisPage, and the answers tell browsers to keep others out.
func TestTheCookieIsForThisPage(t *testing.T) {
	w := newWorld(t)
	address, err := w.c.Page(t.Context())
	must(t, err)
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer once.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	res, err := once.Do(req)
	must(t, err)
	res.Body.Close()
	c := res.Cookies()
	if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || res.StatusCode != http.StatusSeeOther || c[0].Path != req.URL.Path || len(c[0].Path) < 20 || res.Header.Get("Location") != req.URL.Path {
		t.Errorf("%s %v", res.Status, c)
	}
	policy := res.Header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%q lacks %q", policy, part)
		}
	}
	if res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error(res.Header)
	}
}

// TestItemsAreNoProgram: names and texts of items come from others, and are shown as the text that they are.
func TestItemsAreNoProgram(t *testing.T) {
	w := newWorld(t)
	const evil = `<script>alert(1)</script>`
	w.contradict("ana", card("ana", "Ana", "NOTE:"+evil), card("ana", "Ana", `NOTE:"><img src=x onerror=alert(1)>`))
	name := `<script>alert('x')<` + "!--.vcf"
	w.write("contacts", name, card("evil", evil))
	w.until("3 contacts", func(s control.Status) bool { return s.Stores[0].Items == 3 && idle(s) })
	_, err := w.c.Off(t.Context())
	must(t, err)
	w.write("contacts", name, card("evil", "Changed"))
	w.until("one waits", func(s control.Status) bool { return s.Stores[0].Pending == 1 })
	g := w.visit()
	for path, want := range map[string]string{"/conflicts": "NOTE:&lt;script&gt;alert(1)&lt;/script&gt;", "/waiting": "&lt;script&gt;alert(&#39;x&#39;)&lt;!--.vcf"} {
		if text := g.get(path); !strings.Contains(text, want) || strings.Contains(text, "<script>") || strings.Contains(text, "<img") {
			t.Errorf("%s: %s", path, text)
		}
	}
}

// TestThePageClosesByItself when nobody looks, not while somebody does, and can be opened again; then former guests are strangers.
func TestThePageClosesByItself(t *testing.T) {
	const idle = 300 * time.Millisecond
	w := newWorld(t, func(o *agent.Options) { o.PageIdle = idle })
	g := w.visit()
	looking, away := context.WithCancel(t.Context())
	defer away()
	res, err := g.http.Do(g.request("/events").WithContext(looking))
	must(t, err)
	defer res.Body.Close()
	for start := time.Now(); time.Since(start) < 2*idle; {
		_, err := w.c.Status(t.Context())
		must(t, err)
	}
	g.get("/")
	away()
	g.http.CloseIdleConnections()
	testenv.Ask(t, "the page does not close", func(ctx context.Context) error {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", strings.TrimPrefix(g.host, "http://"))
		if err != nil {
			return nil
		}
		return errors.Join(errors.New("somebody answers"), c.Close())
	})
	again := w.visit()
	former := &guest{t: t, http: &http.Client{Jar: g.http.Jar}, base: again.base, host: again.host}
	if code := former.code(former.request("/")); code != http.StatusForbidden {
		t.Errorf("a former guest: %d", code)
	}
}
