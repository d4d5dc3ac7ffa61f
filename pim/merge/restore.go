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
	done := map[string]*outcome{}
	of := func(name string) *outcome {
		if done[name] == nil {
			done[name] = &outcome{kept: pointers(originals[name])}
			if !r.untouched(name, sent[name], back[name]) {
				r.changed = true
				*done[name] = changed(name, originals[name], sent[name], back[name])
			}
		}
		return done[name]
	}
	for _, l := range o.Props {
		out.Props = append(out.Props, of(l.Name).next()...)
	}
	for _, l := range b.Props {
		out.Props = append(out.Props, of(l.Name).rest()...)
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

// changed is what becomes of the properties of a name that the device changed. Of those that may be several, it changed some; the others it
// may not even have been given, because it has fields for a few only.
func changed(name string, o, s, b []contentline.Line) outcome {
	switch {
	case several(name) || name == "URL":
		return changedOnes(o, s, b)
	case structured(name) && len(o) == 1 && len(s) == 1 && len(b) == 1:
		l := edited(o[0], s[0], b[0])
		return outcome{kept: []*contentline.Line{&l}}
	case len(o) == len(b):
		return outcome{kept: pointers(b)}
	}
	return outcome{kept: make([]*contentline.Line, len(o)), added: b}
}

// changedOnes are the original lines with the device's changes: what it changed is in its place, what it added is at the end.
func changedOnes(o, s, b []contentline.Line) outcome {
	out := outcome{kept: pointers(o)}
	left := newShelf(o)
	came := without(b, s)
	back := newShelf(came)
	for _, g := range without(s, b) {
		at := left.pair(&g)
		if at < 0 {
			continue
		}
		out.kept[at] = nil
		if n := back.take(back.byTypes, kinds(&g)); n >= 0 {
			l := edited(o[at], g, came[n])
			out.kept[at] = &l
		}
	}
	for i := range came {
		if !back.taken[i] {
			out.added = append(out.added, came[i])
		}
	}
	return out
}

// shelf are lines to be taken one by one, by what they say.
type shelf struct {
	byAll, byValue, byTypes map[string][]int
	taken                   map[int]bool
}

func newShelf(lines []contentline.Line) *shelf {
	s := &shelf{map[string][]int{}, map[string][]int{}, map[string][]int{}, map[int]bool{}}
	for i := range lines {
		l := &lines[i]
		s.byAll[loose(l)] = append(s.byAll[loose(l)], i)
		s.byValue[value(l)] = append(s.byValue[value(l)], i)
		s.byTypes[kinds(l)] = append(s.byTypes[kinds(l)], i)
	}
	return s
}

func kinds(l *contentline.Line) string { return strings.Join(types(l), ",") }

// take takes the first line that is left of those at key, -1 if there is none.
func (s *shelf) take(from map[string][]int, key string) int {
	for len(from[key]) > 0 {
		i := from[key][0]
		from[key] = from[key][1:]
		if !s.taken[i] {
			s.taken[i] = true
			return i
		}
	}
	return -1
}

// pair takes the line that the device was given as l; it may have lost types on the way, or parts. -1 if it came from nowhere.
func (s *shelf) pair(l *contentline.Line) int {
	at := s.take(s.byAll, loose(l))
	if at < 0 {
		at = s.take(s.byValue, value(l))
	}
	if at < 0 && structured(l.Name) {
		at = s.take(s.byTypes, kinds(l))
	}
	return at
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
