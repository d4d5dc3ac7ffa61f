// Package merge puts versions of one item together, property by property. What it does not understand it does not touch.
package merge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// Restore takes back a card or calendar object from a device that cannot hold all of it. original is the item as it is known elsewhere,
// sent what the device was given of it, returned what came back: what the device did not change stays as in the original, what it changed
// is as it returned it, and what it cannot hold (holds is false) is not taken for deleted. Nothing changed gives the original to the octet.
func Restore(original, sent, returned []byte, holds func(property string) bool) []byte {
	r := restorer{holds: holds}
	o := contentline.ParseTree(original)
	out := r.component(o, contentline.ParseTree(sent), contentline.ParseTree(returned))
	if !r.changed {
		return original
	}
	return out.Bytes()
}

type restorer struct {
	holds   func(string) bool
	changed bool
}

// programs are properties that tell of a program or a moment: those of the original stay.
var programs = map[string]bool{"VERSION": true, "PRODID": true, "REV": true, "DTSTAMP": true, "CREATED": true, "LAST-MODIFIED": true, "SEQUENCE": true,
	"CALSCALE": true, "METHOD": true, "": true}

func (r *restorer) component(o, s, b *contentline.Component) *contentline.Component {
	out := &contentline.Component{Name: o.Name, Begin: o.Begin, End: o.End}
	theirs := map[string]bool{} // names of which the device's lines are in
	for _, l := range o.Props {
		switch {
		case r.untouched(l.Name, s, b):
			out.Props = append(out.Props, l)
		case !theirs[l.Name]:
			theirs[l.Name] = true
			r.changed = true
			out.Props = append(out.Props, named(b, l.Name)...)
		}
	}
	for _, l := range b.Props {
		if len(named(o, l.Name)) == 0 && !theirs[l.Name] && !r.untouched(l.Name, s, b) {
			theirs[l.Name] = true
			r.changed = true
			out.Props = append(out.Props, named(b, l.Name)...)
		}
	}
	out.Subs = r.subs(o, s, b)
	return out
}

// untouched tells whether the device left the properties of a name alone, or could not keep them.
func (r *restorer) untouched(name string, s, b *contentline.Component) bool {
	back := values(b, name)
	return programs[name] || len(back) == 0 && !r.holds(name) || slices.Equal(values(s, name), back)
}

// subs are the components in a component. One that the device was not given, it cannot have deleted.
func (r *restorer) subs(o, s, b *contentline.Component) []*contentline.Component {
	os, ss, bs := keyed(o), keyed(s), keyed(b)
	var out []*contentline.Component
	for _, k := range os.keys {
		switch {
		case ss.by[k] == nil:
			out = append(out, os.by[k])
		case bs.by[k] == nil:
			r.changed = true
		default:
			out = append(out, r.component(os.by[k], ss.by[k], bs.by[k]))
		}
	}
	for _, k := range bs.keys {
		if os.by[k] == nil && ss.by[k] == nil {
			r.changed = true
			out = append(out, bs.by[k])
		}
	}
	return out
}

// index is components by what they are.
type index struct {
	keys []string
	by   map[string]*contentline.Component
}

// keyed tells components apart by name, by the occurrence they change, and by number.
func keyed(c *contentline.Component) index {
	x := index{by: map[string]*contentline.Component{}}
	for _, s := range c.Subs {
		key := s.Name
		if id := s.Prop("RECURRENCE-ID"); id != nil {
			key += " " + id.Value
		}
		for n := 0; ; n++ {
			if k := fmt.Sprint(key, " ", n); x.by[k] == nil {
				x.by[k] = s
				x.keys = append(x.keys, k)
				break
			}
		}
	}
	return x
}

func named(c *contentline.Component, name string) []contentline.Line {
	var out []contentline.Line
	for _, l := range c.Props {
		if l.Name == name {
			out = append(out, l)
		}
	}
	return out
}

// values are what the properties of a name say, in order of the alphabet: devices do not keep the order.
func values(c *contentline.Component, name string) []string {
	var out []string
	for _, l := range named(c, name) {
		if v := value(&l); v != "" {
			out = append(out, strings.Join(types(&l), ",")+"="+v)
		}
	}
	slices.Sort(out)
	return out
}

// value is what a property says without what devices do to its form. "" is as good as no property: many devices write all they know.
func value(l *contentline.Line) string {
	if data, ok := l.Binary(); ok {
		return string(data)
	}
	switch l.Name {
	case "N", "ADR", "ORG", "GEO":
		return strings.TrimRight(strings.Join(l.Parts(), "\x00"), "\x00 ")
	case "BDAY", "ANNIVERSARY":
		return strings.ReplaceAll(strings.TrimSpace(l.Text()), "-", "")
	}
	return strings.TrimSpace(strings.ReplaceAll(l.Text(), "\r\n", "\n"))
}

// types are the kinds of a number or an address, without those that devices add and drop as they like, and without how a value is written.
func types(l *contentline.Line) []string {
	return slices.DeleteFunc(l.Types(), func(t string) bool {
		switch t {
		case "VOICE", "INTERNET", "PREF", "BASE64", "B", "QUOTED-PRINTABLE", "8BIT", "JPEG", "PNG", "GIF", "":
			return true
		}
		return false
	})
}
