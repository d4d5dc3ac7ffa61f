package merge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// byName are the properties of a component by name, in their order.
func byName(c *contentline.Component) map[string][]contentline.Line {
	out := map[string][]contentline.Line{}
	if c != nil {
		for _, l := range c.Props {
			out[l.Name] = append(out[l.Name], l)
		}
	}
	return out
}

// values are what lines say, in order of the alphabet: devices do not keep the order. Those that say nothing are left out.
func values(lines []contentline.Line) []string {
	var out []string
	for i := range lines {
		if l := &lines[i]; value(l) != "" {
			out = append(out, loose(l))
		}
	}
	slices.Sort(out)
	return out
}

// loose is what a line says for devices, which add and drop types as they like.
func loose(l *contentline.Line) string { return strings.Join(types(l), ",") + "=" + value(l) }

// value is what a property says without what devices do to its form. "" is as good as no property: many devices write all they know.
func value(l *contentline.Line) string {
	if data, ok := l.Binary(); ok {
		return string(data)
	}
	switch {
	case structured(l.Name):
		return strings.TrimRight(strings.Join(l.Parts(), "\x00"), "\x00 ")
	case l.Name == "BDAY" || l.Name == "ANNIVERSARY":
		return strings.ReplaceAll(strings.TrimSpace(l.Text()), "-", "")
	}
	return strings.TrimSpace(strings.ReplaceAll(l.Text(), "\r\n", "\n"))
}

// structured tells whether a value has parts.
func structured(name string) bool {
	return name == "N" || name == "ADR" || name == "ORG" || name == "GEO"
}

// several tells whether there may be several properties of a name, each of its own.
func several(name string) bool {
	switch name {
	case "TEL", "EMAIL", "ADR", "LABEL", "IMPP", "KEY", "RELATED", "MEMBER", "LANG", "SOCIALPROFILE", "ATTACH", "COMMENT", "CONTACT", "RELATED-TO",
		"REQUEST-STATUS", "CONFERENCE", "IMAGE", "STYLED-DESCRIPTION", "STRUCTURED-DATA", "XML", "":
		return true
	}
	return false
}

// types are the kinds of a number or an address, without those that devices add and drop as they like, and without how a value is written.
func types(l *contentline.Line) []string {
	return slices.DeleteFunc(l.Types(), func(t string) bool { return meaningless(t) || t == "PREF" || t == "JPEG" || t == "PNG" || t == "GIF" })
}

// meaningless are types that go without saying, and how a value is written.
func meaningless(t string) bool {
	switch t {
	case "VOICE", "INTERNET", "BASE64", "B", "QUOTED-PRINTABLE", "8BIT", "7BIT", "":
		return true
	}
	return false
}

// exact is what a line means: its group, its parameters and its value. How it is written does not count.
func exact(l *contentline.Line) string {
	v := value(l)
	switch {
	case l.Name == "":
		v = strings.TrimSpace(string(l.Raw))
	case l.Name == "ATTENDEE" || l.Name == "ORGANIZER":
		v = strings.ToLower(v)
	case strings.HasPrefix(l.Name, "X-") && l.Param("ENCODING") == "":
		v = strings.TrimSpace(l.Value) // nobody knows what is an escape there
	}
	return said(l) + ":" + v
}

// said is all of a line that stands before its value, in one order.
func said(l *contentline.Line) string {
	kinds := slices.DeleteFunc(l.Types(), meaningless)
	out := []string{strings.ToUpper(l.Group), strings.Join(kinds, ",")}
	for _, p := range l.Params {
		switch p.Name {
		case "", "TYPE", "ENCODING", "CHARSET":
		default:
			out = append(out, p.Name+"="+strings.Join(p.Values, ","))
		}
	}
	slices.Sort(out[2:])
	return strings.Join(out, ";")
}

// meanings are what lines mean, in order of the alphabet.
func meanings(lines []contentline.Line) []string {
	out := make([]string, len(lines))
	for i := range lines {
		out[i] = exact(&lines[i])
	}
	slices.Sort(out)
	return out
}

// same tells whether lines mean the same.
func same(a, b []contentline.Line) bool { return slices.Equal(meanings(a), meanings(b)) }

// content is what a component means, without what tells of programs and moments.
func content(c *contentline.Component) string {
	if c == nil {
		return ""
	}
	var out []string
	for i := range c.Props {
		if l := &c.Props[i]; !bookkeeping[l.Name] {
			out = append(out, l.Name+exact(l))
		}
	}
	for _, s := range c.Subs {
		out = append(out, content(s))
	}
	slices.Sort(out)
	var b strings.Builder
	b.WriteString(c.Name)
	for _, s := range out {
		b.WriteString(strconv.Quote(s))
	}
	return b.String()
}

// index is components by what they are.
type index struct {
	keys []string
	by   map[string]*contentline.Component
}

// keyed tells components apart by what identify says of them, and by number.
func keyed(subs []*contentline.Component, identify func(*contentline.Component) string) index {
	x := index{by: map[string]*contentline.Component{}}
	count := map[string]int{}
	for _, s := range subs {
		id := identify(s)
		k := fmt.Sprint(id, " ", count[id])
		count[id]++
		x.by[k] = s
		x.keys = append(x.keys, k)
	}
	return x
}

// occurrence is the name of a component with the occurrence that it changes, if any.
func occurrence(c *contentline.Component) string {
	if id := c.Prop("RECURRENCE-ID"); id != nil {
		return c.Name + " " + id.Value
	}
	return c.Name
}
