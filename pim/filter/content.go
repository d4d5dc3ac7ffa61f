package filter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// content is an item with its body, for terms that need it. What they need is read once.
type content struct {
	item  pim.Item
	kind  pim.Kind
	whole *string             // its text, folded
	props map[string][]string // values and their parts by name
}

// inText looks for a part of the whole text.
func inText(j *judgement, _ *term, v *value) verdict {
	return verdictOf(strings.Contains(j.content.text(), v.fold))
}

func (c *content) text() string {
	if c.whole == nil {
		s := fold(c.read())
		c.whole = &s
	}
	return *c.whole
}

func (c *content) read() string {
	switch c.kind {
	case pim.Mail:
		return textOf(c.item.Body)
	case pim.Notes:
		return utf8Of(string(c.item.Body), "")
	}
	var out []string
	for _, l := range lines(c.item.Body) {
		if _, binary := l.Binary(); !binary {
			out = append(out, l.Text())
		}
	}
	return strings.Join(out, "\n")
}

// lines are the properties of an item without those of time zones and alarms.
func lines(body []byte) []contentline.Line {
	var out []contentline.Line
	var walk func(c *contentline.Component)
	walk = func(c *contentline.Component) {
		out = append(out, c.Props...)
		for _, s := range c.Subs {
			if s.Name != "VTIMEZONE" && s.Name != "VALARM" {
				walk(s)
			}
		}
	}
	walk(contentline.ParseTree(body))
	return out
}

// property compares the values of a property, or of a header field. One that has parts is compared whole and by its parts.
func property(j *judgement, t *term, v *value) verdict {
	values := j.content.values(t.prop)
	if t.op == "=" && v.text == "" {
		return verdictOf(!slices.ContainsFunc(values, func(s string) bool { return s != "" }))
	}
	return verdictOf(slices.ContainsFunc(values, func(s string) bool { return compares(s, t.op, v) }))
}

func (c *content) values(name string) []string {
	if c.props == nil {
		c.props = map[string][]string{}
		if c.kind == pim.Mail {
			c.fields()
		} else {
			c.lines()
		}
	}
	return c.props[name]
}

func (c *content) fields() {
	h, _ := cutHeader(c.item.Body)
	for name, values := range h {
		for _, v := range values {
			c.props[strings.ToUpper(name)] = append(c.props[strings.ToUpper(name)], strings.TrimSpace(decodeWords(v)))
		}
	}
}

func (c *content) lines() {
	for _, l := range lines(c.item.Body) {
		if _, binary := l.Binary(); binary || l.Name == "" {
			continue
		}
		values := append([]string{strings.TrimSpace(l.Text())}, l.Parts()...)
		c.props[l.Name] = append(c.props[l.Name], append(values, l.List()...)...)
	}
}

// compares tells how a value of the item stands to one of the filter.
func compares(s, op string, v *value) bool {
	switch op {
	case "==":
		return s == v.text
	case "~~":
		return strings.Contains(s, v.text)
	case "=":
		return fold(s) == v.fold
	case "~":
		return strings.Contains(fold(s), v.fold)
	}
	if s == "" {
		return false
	}
	n := order(s, v.text)
	return op[0] == '<' && n < 0 || op[0] == '>' && n > 0 || len(op) == 2 && n == 0
}

// order compares numbers as numbers, times as times and everything else as text (protocol.md E.2). A time without a zone is taken as UTC.
func order(a, b string) int {
	if x, err := strconv.ParseFloat(a, 64); err == nil {
		if y, err := strconv.ParseFloat(b, 64); err == nil {
			return cmp.Compare(x, y)
		}
	}
	if x, ok := anyTime(a); ok {
		if y, ok := anyTime(b); ok {
			return cmp.Compare(x, y)
		}
	}
	return strings.Compare(fold(a), fold(b))
}

// anyTime reads a time of a calendar or of a message.
func anyTime(s string) (int64, bool) {
	if t, ok := parseTime(s); ok {
		return t.second, true
	}
	t, ok := mailTime(s)
	return t.Unix(), ok
}
