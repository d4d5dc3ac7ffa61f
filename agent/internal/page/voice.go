package page

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"
	"maragu.dev/gomponents"

	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// voice says all that stands on a page, in the language of who looks at it: the agent may run in another one, or in none.
type voice struct{ say.Speaker }

// voices are those that somebody has asked for, by their language: to read a catalog takes longer than to draw a page. They go when the page closes.
type voices struct {
	mu    sync.Mutex
	known map[string]voice // guarded by mu
}

// of is the voice for who sends a request.
func (l *voices) of(r *http.Request) voice {
	asked := voice{say.In(languages(r.Header.Get("Accept-Language"))...)}
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.known[asked.Language()]
	if !ok {
		v = asked
		l.known[asked.Language()] = v
	}
	return v
}

// languages are those that a browser accepts, the preferred one first.
func languages(accept string) (out []string) {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return nil // who cannot say it is spoken to in English
	}
	for _, t := range tags {
		out = append(out, t.String())
	}
	return out
}

// answer begins a page in a language. It is another one for who accepts another one.
func (v voice) answer(w http.ResponseWriter, code int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", v.Language())
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(code)
}

// sentence is a text of the agent as a sentence.
func (v voice) sentence(english string) string {
	s := v.Sentence(english)
	if s == "" {
		return ""
	}
	return strings.TrimSuffix(upper(s), ".") + "."
}

// clock is the time of day, with the date if that is another one.
func (v voice) clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return v.Moment(t)
}

// The places in a message for pieces of a page, which a translation may have in another order. What comes from others is put there, not into the message,
// for it may have such a rune in it.
const (
	here   = "\uE000"
	there  = "\uE001"
	yonder = "\uE002"
)

// weave puts pieces into the places of a message: the first here, the second there, and the third yonder.
func weave(message string, pieces ...node) node {
	var out gomponents.Group
	for {
		before, place, after := cutPlace(message)
		out = append(out, text(before))
		if place < 0 {
			return out
		}
		out = append(out, pieces[place])
		message = after
	}
}

// cutPlace cuts a message before and behind its first place; place is less than 0 if there is none.
func cutPlace(message string) (before string, place int, after string) {
	i := strings.IndexAny(message, here+there+yonder)
	if i < 0 {
		return message, -1, ""
	}
	return message[:i], int(message[i+len(here)-1] - here[len(here)-1]), message[i+len(here):]
}
