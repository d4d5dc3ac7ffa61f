package say

import (
	"strconv"
	"strings"
)

// cutVerb cuts a format before and behind its first verb; verb is "" if there is none.
func cutVerb(format string) (before, verb, after string) {
	start := strings.IndexByte(format, '%')
	if start < 0 {
		return format, "", ""
	}
	end := start + 1
	for end < len(format)-1 && strings.IndexByte("[]0123456789.+-#", format[end]) >= 0 {
		end++
	}
	return format[:start], format[start : end+1], format[end+1:]
}

// kind is that of a value, by the letter of its verb: d for a number, q for what is quoted, v and w for what is a sentence, and all others for what
// is taken as it is.
type kind byte

// pattern is the format of a sentence in English.
type pattern struct {
	fixed   []string // what stands around the values: one more than there are values
	values  []kind
	weight  int // how much is fixed
	message *message
}

func newPattern(format string, m *message) pattern {
	p := pattern{message: m}
	text := ""
	for {
		before, verb, after := cutVerb(format)
		text += before
		format = after
		switch verb {
		case "":
			p.fixed = append(p.fixed, text)
			p.weight = len(strings.Join(p.fixed, ""))
			return p
		case "%%":
			text += "%"
		default:
			p.fixed, p.values, text = append(p.fixed, text), append(p.values, kind(verb[len(verb)-1])), ""
		}
	}
}

// match takes the values out of a sentence that was made with the pattern. Where sentences are put together a value ends, unless it is a sentence itself
// and wide.
func (p *pattern) match(s string, wide bool) (values []string, ok bool) {
	rest, ok := strings.CutPrefix(s, p.fixed[0])
	if !ok || len(rest) < p.weight-len(p.fixed[0]) {
		return nil, false
	}
	return p.fill(rest, 0, wide)
}

// fill finds the values from the i-th on. A value is as short as it can be.
func (p *pattern) fill(s string, i int, wide bool) (values []string, ok bool) {
	if i == len(p.values) {
		return nil, s == ""
	}
	next := p.fixed[i+1]
	if i == len(p.values)-1 { // the end is where it must be
		value, ok := strings.CutSuffix(s, next)
		return []string{value}, ok && p.takes(i, value, wide)
	}
	for end := 0; end <= len(s)-len(next); end++ {
		if !strings.HasPrefix(s[end:], next) || !p.takes(i, s[:end], wide) {
			continue
		}
		if values, ok := p.fill(s[end+len(next):], i+1, wide); ok {
			return append([]string{s[:end]}, values...), true
		}
	}
	return nil, false
}

// takes tells whether something can be the i-th value.
func (p *pattern) takes(i int, value string, wide bool) bool {
	switch p.values[i] {
	case 'd':
		_, err := strconv.Atoi(value)
		return err == nil
	case 'q':
		_, err := strconv.Unquote(value)
		return err == nil
	}
	return value != "" && (wide && p.isSentence(i) || !strings.Contains(value, "; ") && !strings.Contains(value, "\n"))
}

func (p *pattern) isSentence(i int) bool { return p.values[i] == 'v' || p.values[i] == 'w' }

// say says it with these values.
func (p *pattern) say(c *catalog, values []string) string {
	out, i := "", 0
	for format := p.format(c, values); ; i++ {
		before, verb, after := cutVerb(format)
		out, format = out+before, after
		switch {
		case verb == "":
			return out
		case verb == "%%":
			out += "%"
			i--
			continue
		case verb[1] == '[':
			i = int(verb[2]-'0') - 1
		}
		out += p.value(c, values[i], i)
	}
}

func (p *pattern) value(c *catalog, value string, i int) string {
	if p.isSentence(i) {
		return c.sentence(value)
	}
	return value
}

// format is that of the language. Of how many things it is, the first number tells; a message without one is about a single thing.
func (p *pattern) format(c *catalog, values []string) string {
	if p.message.many == "" {
		return p.message.said
	}
	for i, k := range p.values {
		if k == 'd' {
			n, _ := strconv.Atoi(values[i])
			return p.message.counted[c.form(n)]
		}
	}
	return p.message.counted[c.form(1)]
}
