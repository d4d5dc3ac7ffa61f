package page

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"maragu.dev/gomponents/html"
)

// guard lets browsers in that were given a token, and nobody else. Other programs and web pages of this device can reach the port, too.
type guard struct {
	host   string // 127.0.0.1:port; another name for it is somebody's who makes names mean what he likes
	origin string // http://host
	// base begins the path of each address. Browsers keep cookies by host and path, not by port: what else listens on this device, also later on the same
	// port, is not sent ours, for nobody can guess it.
	base   string
	cookie string // its name; another agent may show its page on another port
	voices voices

	mu     sync.Mutex
	tokens map[string]ticket // by token; guarded by mu
	guests map[string]*guest // by cookie; guarded by mu
}

// ticket is what is known of a token.
type ticket struct {
	issued time.Time
	own    *int // whose programs may use it, nil for all
}

// guest is a browser that was let in.
type guest struct {
	form  string // token that every form must carry
	since time.Time

	mu   sync.Mutex
	note *note // what came of the last action, until it is shown; guarded by mu
}

// note is what came of an action.
type note struct {
	Bad  bool
	Text string
}

const (
	goodFor   = 2 * time.Minute // of a token: a browser may have to start first
	maxGuests = 16              // browsers; who has more has lost some
	maxForm   = 64 << 10        // of what a form sends
)

func newGuard(host string) *guard {
	_, port, _ := strings.Cut(host, ":")
	return &guard{host: host, origin: "http://" + host, base: "/" + rand.Text() + "/", cookie: "alwayson-" + port, tokens: map[string]ticket{}, guests: map[string]*guest{}, voices: voices{known: map[string]voice{}}}
}

// issue makes a token.
func (g *guard) issue(own *int, now time.Time) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	maps.DeleteFunc(g.tokens, func(_ string, t ticket) bool { return now.Sub(t.issued) > goodFor })
	token := rand.Text()
	g.tokens[token] = ticket{now, own}
	return token
}

// mayUse tells whether a token is for who sends it. One that another user has seen in the list of programs stays good for its owner.
func (g *guard) mayUse(token string, r *http.Request) bool {
	g.mu.Lock()
	own := g.tokens[token].own
	g.mu.Unlock()
	if own == nil {
		return true
	}
	uid, told := userOf(r)
	return !told || uid == *own
}

// admit takes a token for a cookie; "" if it is not good.
func (g *guard) admit(token string, now time.Time) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.tokens[token]
	delete(g.tokens, token)
	if !ok || now.Sub(t.issued) > goodFor {
		return ""
	}
	if len(g.guests) >= maxGuests {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(g.guests)), func(a, b string) int { return g.guests[a].since.Compare(g.guests[b].since) })
		delete(g.guests, oldest)
	}
	name := rand.Text()
	g.guests[name] = &guest{form: rand.Text(), since: now}
	return name
}

// guest is who sent a request, nil if he was not let in.
func (g *guard) guest(r *http.Request) *guest {
	c, err := r.Cookie(g.cookie)
	if err != nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.guests[c.Value]
}

type guestKey struct{}

func guestOf(r *http.Request) *guest { return r.Context().Value(guestKey{}).(*guest) }

// headers keep the answers out of other pages, and everything that is not ours out of these.
var headers = map[string]string{
	"Content-Security-Policy":      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "same-origin", // with no-referrer, browsers hide the Origin of forms, too
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// protect answers only to who may ask.
func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range headers {
			w.Header().Set(k, v)
		}
		v := g.voices.of(r)
		if r.Host != g.host {
			v.refuse(w, v.Text("This page is reached by its own address only."))
			return
		}
		if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet && r.URL.Path == g.base {
			g.enter(w, r, token, v)
			return
		}
		who := g.guest(r)
		if who == nil || !strings.HasPrefix(r.URL.Path, g.base) {
			v.refuse(w, v.Text("This browser has not been let in, or the page was closed in the meantime."))
			return
		}
		if why := g.foreign(w, r, who, v); why != "" {
			v.refuse(w, why)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), guestKey{}, who)))
	})
}

// enter lets a browser in. The token is gone from its address line at once.
func (g *guard) enter(w http.ResponseWriter, r *http.Request, token string, v voice) {
	if !g.mayUse(token, r) {
		v.refuse(w, v.Text("This address is for the browser of another user."))
		return
	}
	name := g.admit(token, time.Now())
	switch {
	case name != "":
		http.SetCookie(w, &http.Cookie{Name: g.cookie, Value: name, Path: g.base, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	case g.guest(r) == nil:
		v.refuse(w, v.Text("This address has been used already, or is too old: each is good once, for two minutes."))
		return
	}
	http.Redirect(w, r, g.base, http.StatusSeeOther)
}

// foreign tells why a request was not made by this page, "" if it was. Requests that change nothing may come from anywhere: nobody else can read the answer.
func (g *guard) foreign(w http.ResponseWriter, r *http.Request, who *guest, v voice) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	if r.Header.Get("Origin") != g.origin {
		return v.Text("This was asked for by another page than this one. Nothing was done.")
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if subtle.ConstantTimeCompare([]byte(r.PostFormValue("form")), []byte(who.form)) != 1 {
		return v.Text("This form is not one of this page as it is open now. Nothing was done; load the page again.")
	}
	return ""
}

// refuse says nothing of the agent. The page is without style: that is for guests.
func (v voice) refuse(w http.ResponseWriter, why string) {
	v.answer(w, http.StatusForbidden)
	title := v.Text("Not let in")
	page := html.Doctype(html.HTML(html.Lang(v.Language()),
		html.Meta(html.Charset("utf-8")), html.Meta(html.Name("viewport"), html.Content("width=device-width")), html.TitleEl(text(title, " – AlwaysOn")),
		html.Main(html.H1(text(title)), paragraph(why),
			html.P(weave(v.Text("Your data is not touched. To open the page, type %s, or choose “%s” in the tray.", here, there),
				code("alwayson page --open"), text(v.Text("Open status page")))))))
	page.Render(w) //nolint:errcheck // who has gone needs no answer
}

// tell keeps a note for the next page that is shown.
func (g *guest) tell(n *note) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.note = n
}

// told is the note, once.
func (g *guest) told() *note {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := g.note
	g.note = nil
	return n
}
