package page

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

var german = voice{say.In("de")}

// TestVoices: who looks at the page is spoken to as he has told his browser, whatever the language of the agent is.
func TestVoices(t *testing.T) {
	l := voices{known: map[string]voice{}}
	for accept, want := range map[string]string{
		"": "en", "en-US,en;q=0.9": "en", "de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7": "de", "de-CH": "de", "fr,de;q=0.8,en;q=0.5": "de", "de;q=0.2,en;q=0.5": "en",
		"de;q=0": "en", "fr": "en", "*": "en", "DE": "de", "../de": "en", "de;q=x": "en", "<script>": "en", "\x00": "en",
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", accept)
		if got := l.of(r).Language(); got != want {
			t.Errorf("%q: %s", accept, got)
		}
	}
	if len(l.known) != 2 {
		t.Errorf("%d voices are kept", len(l.known))
	}
}

// FuzzLanguages: whatever a browser sends, somebody is spoken to.
func FuzzLanguages(f *testing.F) {
	for _, s := range []string{"de-DE,de;q=0.9,en;q=0.7", "*", ";q=", "x-x-x", "de-u-co-phonebk", strings.Repeat("a-", 600)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		if got := say.In(languages(accept)...).Language(); got != "en" && got != "de" {
			t.Errorf("%q: %q", accept, got)
		}
	})
}

// TestWeave: pieces come where a message has its places, in any order, and a message without places is a text.
func TestWeave(t *testing.T) {
	for message, want := range map[string]string{
		"<nothing>": "&lt;nothing&gt;", here: "<code>1</code>", "a " + here + " b " + there + ".": "a <code>1</code> b <code>2</code>.",
		there + here: "<code>2</code><code>1</code>", yonder + " " + here: "<code>3</code> <code>1</code>",
	} {
		var out strings.Builder
		if err := weave(message, code("1"), code("2"), code("3")).Render(&out); err != nil || out.String() != want {
			t.Errorf("%q: %q %v", message, out.String(), err)
		}
	}
}

// spoken is all that is read or read aloud on a page, but for what is to be typed.
func spoken(t *testing.T, page string) (out []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "code" && strings.TrimSpace(n.Data) != "" {
			out = append(out, n.Data)
		}
		for _, a := range n.Attr {
			if slices.Contains([]string{"aria-label", "data-label", "data-fresh", "data-old", "title", "placeholder", "alt"}, a.Key) {
				out = append(out, a.Val)
			}
		}
	}
	return out
}

// same is what is called alike in both languages, and word tells whether there is anything to be called at all.
var (
	same = []string{"alwayson", "problem", "harmless", "harmless: harmless", "true", "false"}
	word = regexp.MustCompile(`[a-z]{2}`)
)

// TestNothingIsLeftInEnglish: no room has a text of the page itself that is the same in both languages, and all have as many.
func TestNothingIsLeftInEnglish(t *testing.T) {
	for i := range rooms {
		said, meant := spoken(t, drawn(t, german, &rooms[i], "harmless")), spoken(t, drawn(t, english, &rooms[i], "harmless"))
		if len(said) != len(meant) {
			t.Errorf("%q: %q\nis to say\n%q", rooms[i].Path, said, meant)
			continue
		}
		for j, s := range said {
			if words := strings.Trim(strings.ToLower(s), " :.,()0123456789"); s == meant[j] && word.MatchString(words) && !slices.Contains(same, words) {
				t.Errorf("%q: %q is in English", rooms[i].Path, s)
			}
		}
	}
}

// TestRefusalInGerman: who is not let in is told so in his language, too.
func TestRefusalInGerman(t *testing.T) {
	g := newGuard("127.0.0.1:1")
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1"+g.base, nil)
	r.Header.Set("Accept-Language", "de")
	w := httptest.NewRecorder()
	g.protect(nil).ServeHTTP(w, r)
	const want = `<!doctype html><html lang="de"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Nicht eingelassen – AlwaysOn</title>` +
		`<main><h1>Nicht eingelassen</h1><p>Dieser Browser wurde nicht eingelassen, oder die Seite wurde inzwischen geschlossen.</p>` +
		`<p>Ihre Daten sind unberührt. Um die Seite zu öffnen, geben Sie <code>alwayson page --open</code> ein, oder wählen Sie „Statusseite öffnen“ beim Symbol in der Leiste.</p></main></html>`
	if got := w.Body.String(); got != want || w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, got)
	}
	if l, v := w.Header().Get("Content-Language"), w.Header().Get("Vary"); l != "de" || v != "Accept-Language" {
		t.Errorf("%q %q", l, v)
	}
}
