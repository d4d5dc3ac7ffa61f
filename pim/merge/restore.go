// Package merge puts versions of one item together, property by property. What it does not understand it does not touch.
package merge

import (
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
	originals, sent, back := byName(o), byName(s), byName(b)
	done := map[string]bool{} // names of which the lines are in
	add := func(name string) {
		if !done[name] {
			done[name] = true
			r.changed = true
			out.Props = append(out.Props, changed(name, originals[name], sent[name], back[name])...)
		}
	}
	for _, l := range o.Props {
		if r.untouched(l.Name, sent[l.Name], back[l.Name]) {
			out.Props = append(out.Props, l)
		} else {
			add(l.Name)
		}
	}
	for _, l := range b.Props {
		if len(originals[l.Name]) == 0 && !r.untouched(l.Name, sent[l.Name], back[l.Name]) {
			add(l.Name)
		}
	}
	out.Subs = r.subs(o, s, b)
	return out
}

// untouched tells whether the device left the properties of a name alone, or could not keep them.
func (r *restorer) untouched(name string, sent, back []contentline.Line) bool {
	if programs[name] {
		return true
	}
	v := values(back)
	return len(v) == 0 && !r.holds(name) || slices.Equal(values(sent), v)
}

// changed are the properties of a name that the device changed. Of those that may be several, it changed some; the others it may not even
// have been given, because it has fields for a few only.
func changed(name string, o, s, b []contentline.Line) []contentline.Line {
	switch {
	case several(name) || name == "URL":
		return changedOnes(o, s, b)
	case structured(name) && len(o) == 1 && len(s) == 1 && len(b) == 1:
		return []contentline.Line{edited(o[0], s[0], b[0])}
	}
	return b
}

// changedOnes are the original lines with the device's changes: what it changed is in its place, what it added is at the end.
func changedOnes(o, s, b []contentline.Line) []contentline.Line {
	out := slices.Clone(o)
	gone, came := without(s, b), without(b, s)
	for i := range gone {
		g := &gone[i]
		at := pair(out, g)
		if at < 0 {
			continue
		}
		if n := slices.IndexFunc(came, func(l contentline.Line) bool { return slices.Equal(types(&l), types(g)) }); n >= 0 {
			out[at] = edited(out[at], *g, came[n])
			came = slices.Delete(came, n, n+1)
		} else {
			out = slices.Delete(out, at, at+1)
		}
	}
	return append(out, came...)
}

// without are the lines that say something which no other line says.
func without(lines, others []contentline.Line) []contentline.Line {
	count := map[string]int{}
	for _, v := range values(others) {
		count[v]++
	}
	var out []contentline.Line
	for i := range lines {
		k := loose(&lines[i])
		count[k]--
		if count[k] < 0 && value(&lines[i]) != "" {
			out = append(out, lines[i])
		}
	}
	return out
}

// pair finds the line that the device was given as l; it may have lost types on the way. -1 if it came from nowhere.
func pair(lines []contentline.Line, l *contentline.Line) int {
	at := slices.IndexFunc(lines, func(o contentline.Line) bool { return loose(&o) == loose(l) })
	if at < 0 {
		at = slices.IndexFunc(lines, func(o contentline.Line) bool { return value(&o) == value(l) })
	}
	return at
}

// edited is a line with the value that the device returned. What stands before it stays, and so do the parts of the value that the device
// left alone: it may not know all.
func edited(o, s, b contentline.Line) contentline.Line {
	if o.Param("VALUE")+o.Param("ENCODING")+b.Param("ENCODING")+b.Param("CHARSET") != "" {
		return b
	}
	out := contentline.Line{Group: o.Group, Name: o.Name, Params: o.Params, Value: b.Value}
	if structured(o.Name) {
		out.Value = parts(o.Parts(), s.Parts(), b.Parts())
	}
	if out.Group == b.Group && out.Value == b.Value && said(&o) == said(&b) {
		return b
	}
	return out
}

// parts are those of back where they differ from what was sent, else the original ones.
func parts(original, sent, back []string) string {
	at := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}
	var out []string
	for i := range max(len(original), len(back)) {
		v := at(back, i)
		if v == at(sent, i) {
			v = at(original, i)
		}
		out = append(out, contentline.Escape(v))
	}
	return strings.Join(out, ";")
}

// subs are the components in a component. One that the device was not given, it cannot have deleted.
func (r *restorer) subs(o, s, b *contentline.Component) []*contentline.Component {
	os, ss, bs := keyed(o.Subs, occurrence), keyed(s.Subs, occurrence), keyed(b.Subs, occurrence)
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
