package bundle

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Redactor takes out of texts what is nobody's business but the user's. The same thing gets the same name in all of them, so that who reads still sees
// what belongs together.
type Redactor struct {
	exact []replacement
	names map[string]string // of addresses
}

type replacement struct {
	old, new string
	word     *regexp.Regexp // nil if it is replaced within words, too
}

// shortest bounds what is replaced wherever it stands: less than that is found in words that mean something else.
const shortest = 4

// Hide replaces a text wherever it stands.
func (r *Redactor) Hide(old, by string) {
	if len(old) < shortest {
		return
	}
	r.add(replacement{old: old, new: by})
}

// HideWord replaces a text where it is a word of its own, however short it is.
func (r *Redactor) HideWord(old, by string) {
	if old != "" {
		r.add(replacement{old, by, regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(old) + `\b`)})
	}
}

func (r *Redactor) add(x replacement) {
	r.exact = append(r.exact, x)
	slices.SortStableFunc(r.exact, func(a, b replacement) int { return len(b.old) - len(a.old) }) // what contains another one comes first
}

var (
	privateKey = regexp.MustCompile(`(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)`)
	inURL      = regexp.MustCompile(`://[^/\s"'@]+@`)
	named      = regexp.MustCompile(`(?i)\b(secret|password|passwd|token|authorization|cookie|nonce)\b(\\?["']?\s*[:=]\s*)(\\?"[^"\n]*"|'[^'\n]*'|(?:basic|bearer|digest)\s+\S+|[^\s,}]+)`)
	address    = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`)
)

// Redact returns a text without them.
func (r *Redactor) Redact(text string) string {
	for _, x := range r.exact {
		if x.word == nil {
			text = strings.ReplaceAll(text, x.old, x.new)
		}
	}
	text = privateKey.ReplaceAllString(text, "<private key>")
	text = inURL.ReplaceAllString(text, "://<secret>@")
	text = named.ReplaceAllString(text, `${1}${2}"<secret>"`)
	text = address.ReplaceAllStringFunc(text, r.name)
	for _, x := range r.exact { // last, because addresses have such words, too
		if x.word != nil {
			text = x.word.ReplaceAllLiteralString(text, x.new)
		}
	}
	return text
}

func (r *Redactor) name(addr string) string {
	if r.names == nil {
		r.names = map[string]string{}
	}
	key := strings.ToLower(addr)
	if r.names[key] == "" {
		r.names[key] = fmt.Sprintf("<address %d>", len(r.names)+1)
	}
	return r.names[key]
}
