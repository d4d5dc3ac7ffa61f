package filter

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// Fields is the field part of a filter of OMA DS: which properties of the items travel, in the vocabulary of device information
// (protocol.md E.1). Nil is all of them.
type Fields []Property

// Property is one property that travels.
type Property struct {
	Name       string
	MaxSize    int64    // octets of its value, 0 for no limit
	NoTruncate bool     // a longer value is left out and not cut
	Params     []string // names of parameters; only those of e-mail mean something
}

// of is the property of a name, nil if it does not travel.
func (f Fields) of(name string) *Property {
	for i := range f {
		if strings.EqualFold(f[i].Name, name) {
			return &f[i]
		}
	}
	return nil
}

// mandatory are the properties without which an item of the format is none (RFC 2426, RFC 6350, RFC 5545).
var mandatory = []string{"VERSION", "PRODID", "UID", "N", "FN", "DTSTAMP", "DTSTART", "RECURRENCE-ID", "CALSCALE", "METHOD"}

// cuttable are properties of which a beginning is of use.
var cuttable = []string{"NOTE", "DESCRIPTION", "SUMMARY", "LOCATION", "COMMENT", "TITLE", "ROLE", "LABEL"}

// Reduce is a card or calendar object with only the properties that travel, and those it cannot be without. Alarms and other components in
// it travel if their name is listed; time zones always. What travels keeps its octets, save values that are cut. Other bodies, and
// those of which nothing is left out, come back as they are. An edited item that was reduced must be merged with the whole one.
func Reduce(body []byte, fields Fields) []byte {
	root := contentline.ParseTree(body)
	known := slices.ContainsFunc(root.Subs, func(c *contentline.Component) bool { return c.Name == "VCARD" || c.Name == "VCALENDAR" })
	if fields == nil || !known {
		return body
	}
	r := reducer{fields: fields, old: old(body) || oldCard(root)}
	for _, c := range root.Subs {
		r.component(c)
	}
	if !r.changed {
		return body
	}
	root.Props = nil // what stands between and behind items is no property of any
	return root.Bytes()
}

// oldCard tells whether a file begins with a vCard 2.1.
func oldCard(root *contentline.Component) bool {
	l := root.Subs[0].Prop("VERSION")
	return l != nil && strings.TrimSpace(l.Value) == "2.1"
}

type reducer struct {
	fields  Fields
	old     bool // values have no escapes, so that they are not cut
	changed bool
}

// always are components that travel without being listed.
var always = []string{"VEVENT", "VTODO", "VJOURNAL", "VTIMEZONE"}

func (r *reducer) component(c *contentline.Component) {
	props := c.Props[:0]
	for _, l := range c.Props {
		if r.line(&l) {
			props = append(props, l)
		} else {
			r.changed = true
		}
	}
	c.Props = props
	subs := c.Subs[:0]
	for _, s := range c.Subs {
		switch {
		case s.Name == "VTIMEZONE", r.fields.of(s.Name) != nil && !slices.Contains(always, s.Name):
			subs = append(subs, s)
		case slices.Contains(always, s.Name):
			r.component(s)
			subs = append(subs, s)
		default:
			r.changed = true
		}
	}
	c.Subs = subs
}

// line tells whether a line travels, and cuts it if it must.
func (r *reducer) line(l *contentline.Line) bool {
	p := r.fields.of(l.Name)
	if slices.Contains(mandatory, l.Name) {
		return true
	}
	if p == nil || l.Name == "" {
		return false
	}
	text := l.Text()
	if p.MaxSize <= 0 || int64(len(text)) <= p.MaxSize {
		return true
	}
	encoded := r.old || l.Param("ENCODING") != "" || l.Param("CHARSET") != ""
	if p.NoTruncate || encoded || !slices.Contains(cuttable, l.Name) {
		return false
	}
	n := int(p.MaxSize)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	l.Raw, l.Value = nil, contentline.Escape(text[:n])
	r.changed = true
	return n > 0
}

// What the standard calls a message and its parts (protocol.md E.3).
const (
	emailItem  = "emailitem"
	textType   = "texttype"
	attachType = "attachtype"
)

// Fields is the policy in the words of the standard: nil is all of every message. It has one limit for text and attachments, and does not
// tell text from full; what it cannot say is ErrInexpressible.
func (p Policy) Fields() (Fields, error) {
	p = p.clean()
	item := Property{Name: emailItem}
	switch {
	case p.Body == Headers:
		return Fields{item}, nil
	case p.BodyLimit > 0 && p.Attachments != NoAttachments:
		return nil, fmt.Errorf("%w: %s: it has one limit for a message with its attachments", ErrInexpressible, p)
	case p.Attachments == NoAttachments:
		item.Params, item.MaxSize = []string{textType}, p.BodyLimit
	case p.Body != Text && p.Attachments != UpTo:
		return nil, nil
	default:
		item.Params, item.MaxSize = []string{textType, attachType}, p.AttachmentLimit
	}
	return Fields{item}, nil
}

// Policy is how much of a message a field list of a peer wants. The error is ErrUnsupported.
func (f Fields) Policy() (Policy, error) {
	if f == nil {
		return Policy{}, nil
	}
	p := f.of(emailItem)
	if p == nil {
		return Policy{}, fmt.Errorf("%w: it lists no %s", ErrUnsupported, emailItem)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(p.Params, func(s string) bool { return strings.EqualFold(s, name) })
	}
	switch {
	case !has(textType) && !has(attachType):
		return Policy{Body: Headers}, nil
	case !has(attachType):
		return Policy{Body: Text, Attachments: NoAttachments, BodyLimit: max(p.MaxSize, 0)}, nil
	case p.MaxSize > 0:
		return Policy{Body: Text, Attachments: UpTo, AttachmentLimit: p.MaxSize}, nil
	}
	return Policy{Body: Text, Attachments: AllAttachments}, nil
}
