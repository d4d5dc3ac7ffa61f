package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// term reads one term, which is a condition or a directive.
func (p *parser) term() (expr, int, error) {
	start := p.pos
	name, ok := p.name()
	if !ok {
		return expr{}, nothing, p.notATerm(start)
	}
	words, problem := p.values()
	if problem != "" {
		return expr{}, nothing, p.fail(start, "%s", problem)
	}
	if name == "body" || name == "attachments" {
		return expr{}, directive, p.direct(start, name, words)
	}
	f := fieldNamed(name)
	if f == nil {
		return expr{}, nothing, p.fail(start, "there is no field %q%s", name, instead(name))
	}
	t, problem := f.term(words)
	if problem != "" {
		return expr{}, nothing, p.fail(start, "%s", problem)
	}
	return expr{term: t}, condition, nil
}

// notATerm is the error for what has no colon.
func (p *parser) notATerm(start int) error {
	for p.pos < len(p.text) && !p.ends() {
		_, n := utf8.DecodeRuneInString(p.text[p.pos:])
		p.pos += n
	}
	if p.pos == start {
		p.pos++ // a single ASCII letter that ends words
	}
	word := strings.TrimSpace(p.text[start:p.pos])
	return p.fail(start, "a term is a field, a colon and a value; to look for a word write text:%s", quoted(word))
}

// name reads a field's name with its colon.
func (p *parser) name() (string, bool) {
	i := strings.IndexByte(p.text[p.pos:], ':')
	if i <= 0 {
		return "", false
	}
	name := p.text[p.pos : p.pos+i]
	if strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`(),"`, r) }) {
		return "", false
	}
	p.pos += i + 1
	return strings.ToLower(name), true
}

// ends tells whether an unquoted value ends here.
func (p *parser) ends() bool {
	r, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	return r == ',' || r == ')' || unicode.IsSpace(r)
}

// word is one value as it was written.
type word struct {
	text   string
	quoted bool // at least in part
}

// values reads a list of values. Quotes may begin anywhere in one, as in NOTE="two words".
func (p *parser) values() (words []word, problem string) {
	for {
		w, problem := p.value()
		if problem != "" {
			return nil, problem
		}
		if words = append(words, w); !p.take(",") {
			return words, ""
		}
	}
}

func (p *parser) value() (w word, problem string) {
	var b strings.Builder
	for p.pos < len(p.text) && !p.ends() {
		c := p.text[p.pos]
		p.pos++
		if c != '"' {
			b.WriteByte(c)
			continue
		}
		w.quoted = true
		if !p.quotes(&b) {
			return w, "the closing quote is missing"
		}
	}
	w.text = b.String()
	return w, ""
}

// quotes reads up to the closing quote. A backslash takes the meaning from what follows.
func (p *parser) quotes(b *strings.Builder) (closed bool) {
	for p.pos < len(p.text) {
		c := p.text[p.pos]
		p.pos++
		switch {
		case c == '"':
			return true
		case c == '\\' && p.pos < len(p.text):
			c = p.text[p.pos]
			p.pos++
		}
		b.WriteByte(c)
	}
	return false
}

var quoter = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// quoted is a value as it stands in a filter.
func quoted(s string) string {
	plain := s != "" && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,()"\=~<>`, r) })
	if plain {
		return s
	}
	return `"` + quoter.Replace(s) + `"`
}
