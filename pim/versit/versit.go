// Package versit converts between what modern programs write, vCard 3.0 and iCalendar 2.0, and what old phones know: vCard 2.1 and
// vCalendar 1.0 of the versit consortium. What the old form cannot say is left out of it; package merge brings it back when the item returns.
package versit

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// The content types of the old forms.
const (
	TypeVCard     = "text/x-vcard"
	TypeVCalendar = "text/x-vcalendar"
)

// Modern converts an item in an old form. Other items come back as they are.
func Modern(typ string, body []byte) (string, []byte) {
	switch typ {
	case TypeVCard:
		return pim.TypeVCard, convert(body, modernCard)
	case TypeVCalendar:
		return pim.TypeICalendar, convert(body, modernCalendar)
	}
	return typ, body
}

// Old converts an item to the old form of its type. Items of other types come back as they are.
func Old(typ string, body []byte) (string, []byte) {
	switch typ {
	case pim.TypeVCard:
		return TypeVCard, convert(body, oldCard)
	case pim.TypeICalendar:
		return TypeVCalendar, convert(body, oldCalendar)
	}
	return typ, body
}

func convert(body []byte, do func(*contentline.Component)) []byte {
	root := contentline.ParseTree(body)
	for _, c := range root.Subs {
		do(c)
	}
	return root.Bytes()
}

// structured are the properties whose value has parts.
var structured = map[string]bool{"N": true, "ADR": true, "ORG": true, "GEO": true}

func modernCard(c *contentline.Component) {
	for i := range c.Props {
		l := &c.Props[i]
		if l.Name == "VERSION" {
			*l = contentline.Line{Name: "VERSION", Value: "3.0"}
		} else if l.Name != "" && l.Name != "AGENT" {
			modernLine(l, "TYPE")
		}
	}
}

// modernLine rewrites a line whose value or parameters are in the old manner. Parameters that stand alone get a name.
func modernLine(l *contentline.Line, bare string) {
	data, binary := l.Binary()
	text := l.Old()
	params, changed := modernParams(l, bare)
	fresh := contentline.Line{Group: l.Group, Name: l.Name, Params: params}
	switch {
	case binary:
		fresh.Params = append(fresh.Params, contentline.Param{Name: "ENCODING", Values: []string{"b"}})
		fresh.Value = base64.StdEncoding.EncodeToString(data)
	case structured[l.Name]:
		fresh.Value = joinEscaped(text.Parts, ";")
	case l.Name == "CATEGORIES" || l.Name == "NICKNAME":
		fresh.Value = joinEscaped(listOf(text), ",")
	default:
		fresh.Value = contentline.Escape(text.Whole)
	}
	if changed || fresh.Value != l.Value {
		*l = fresh
	}
}

func listOf(text contentline.OldText) []string {
	var out []string
	for _, p := range text.Parts {
		for e := range strings.SplitSeq(p, ",") {
			out = append(out, strings.TrimSpace(e))
		}
	}
	return out
}

func joinEscaped(parts []string, sep string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = contentline.Escape(p)
	}
	return strings.Join(out, sep)
}

// transfer are the parameters that say how a value is written, not what it is.
var transfer = []string{"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"}

func modernParams(l *contentline.Line, bare string) (params []contentline.Param, changed bool) {
	for _, p := range l.Params {
		switch {
		case p.Name == "CHARSET" || p.Name == "ENCODING":
			changed = true
		case p.Name == "":
			changed = true
			if v := p.Values[0]; v != "" && !slices.Contains(transfer, strings.ToUpper(v)) {
				params = append(params, contentline.Param{Name: bare, Values: []string{v}})
			}
		default:
			params = append(params, p)
		}
	}
	return params, changed
}

func oldCard(c *contentline.Component) {
	for i := range c.Props {
		l := &c.Props[i]
		if l.Name == "VERSION" {
			*l = contentline.Line{Name: "VERSION", Value: "2.1"}
		} else if l.Name != "" && l.Name != "AGENT" {
			oldLine(l)
		}
	}
}

// oldLine writes a line in the old manner: types stand alone, text that is not plain ASCII is quoted-printable UTF-8.
func oldLine(l *contentline.Line) {
	fresh := contentline.Line{Group: l.Group, Name: l.Name, Params: oldParams(l)}
	if data, ok := l.Binary(); ok {
		fresh.Params = append(fresh.Params, contentline.Param{Name: "ENCODING", Values: []string{"BASE64"}})
		fresh.Value = base64.StdEncoding.EncodeToString(data)
		fresh.Raw = append(contentline.Write([]contentline.Line{fresh}), "\r\n"...) // an empty line ends it
		*l = fresh
		return
	}
	value := oldValue(l)
	if fresh.Value = value; plain(value) {
		fresh.Raw = contentline.Unfolded(&fresh, value) // a fold of the old form would add a blank
		*l = fresh
		return
	}
	fresh.Params = append(fresh.Params, contentline.Param{Name: "ENCODING", Values: []string{"QUOTED-PRINTABLE"}},
		contentline.Param{Name: "CHARSET", Values: []string{"UTF-8"}})
	fresh.Raw = contentline.Unfolded(&fresh, quote(value))
	*l = fresh
}

// oldValue is a value with the one escape that the old forms know.
func oldValue(l *contentline.Line) string {
	escape := strings.NewReplacer(";", `\;`)
	switch {
	case structured[l.Name]:
		parts := l.Parts()
		for i := range parts {
			parts[i] = escape.Replace(parts[i])
		}
		return strings.Join(parts, ";")
	case l.Name == "CATEGORIES" || l.Name == "NICKNAME":
		return strings.Join(l.List(), ";")
	}
	return escape.Replace(l.Text())
}

func oldParams(l *contentline.Line) []contentline.Param {
	var out []contentline.Param
	for _, p := range l.Params {
		switch p.Name {
		case "TYPE", "":
			for _, v := range p.Values {
				for t := range strings.SplitSeq(v, ",") {
					if strings.ContainsAny(t, ":;=\"") {
						continue // it cannot stand alone
					}
					out = append(out, contentline.Param{Values: []string{strings.ToUpper(t)}})
				}
			}
		case "ENCODING", "VALUE", "CHARSET", "PREF", "ALTID", "PID", "MEDIATYPE":
		default:
			out = append(out, p)
		}
	}
	return out
}

func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x7F || s[i] < 0x20 && s[i] != '\t' {
			return false
		}
	}
	return true
}

// quote is text as quoted-printable; line ends are part of it.
func quote(s string) string {
	var out bytes.Buffer
	w := quotedprintable.NewWriter(&out)
	w.Binary = true
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
	w.Write([]byte(s)) //nolint:errcheck // a buffer takes everything
	w.Close()          //nolint:errcheck // likewise
	return out.String()
}
