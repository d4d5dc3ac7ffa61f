package merge

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// Conflict is one thing that both sides changed, and not to the same.
type Conflict struct {
	// In is the component: "VCARD", "VEVENT", or "VEVENT 20260727T100000" for a changed occurrence. "" is the whole item.
	In string
	// Property is its name, or that of a component which one side deleted and the other changed. "" is the whole item.
	Property string
	// Base, Ours and Theirs are the values as people read them, several of them a line each; "" if there is none.
	Base, Ours, Theirs string
}

// Three puts two versions of an item together that were made from one, property by property (design.md §5). The frame is ours: its lines
// stay where and as they are, to the octet, but for what theirs changed, added or deleted; lines of theirs are taken as they are written.
// merged is nil if there are conflicts. Items other than cards and calendar objects are not looked into. A version that made no change
// yields to the other to the octet.
func Three(typ string, base, ours, theirs []byte) (merged []byte, conflicts []Conflict) {
	switch {
	case bytes.Equal(ours, theirs) || bytes.Equal(base, theirs):
		return ours, nil
	case bytes.Equal(base, ours):
		return theirs, nil
	case typ != pim.TypeVCard && typ != pim.TypeICalendar:
		return nil, []Conflict{{Base: string(base), Ours: string(ours), Theirs: string(theirs)}}
	}
	var m merger
	out := m.component(contentline.ParseTree(base), contentline.ParseTree(ours), contentline.ParseTree(theirs))
	if len(m.conflicts) > 0 {
		return nil, m.conflicts
	}
	return out.Bytes(), nil
}

type merger struct{ conflicts []Conflict }

// three are lines of one name.
type three struct{ base, ours, theirs []contentline.Line }

// bookkeeping are properties that tell of a program or a moment. They are in nobody's way.
var bookkeeping = map[string]bool{"REV": true, "LAST-MODIFIED": true, "DTSTAMP": true, "SEQUENCE": true, "PRODID": true, "CREATED": true}

// when are properties that mean something together only: an end without its begin may lie before it.
var when = []string{"DTSTART", "DTEND", "DUE", "DURATION"}

// component merges what both sides have. base has no properties if both sides added the component.
func (m *merger) component(base, ours, theirs *contentline.Component) *contentline.Component {
	theirs = regroup(base, ours, theirs)
	d := decider{m: m, in: occurrence(ours), base: bySlot(base), ours: bySlot(ours), theirs: bySlot(theirs), done: map[string]*outcome{}}
	if m.whole(d.in, d.lines, when) {
		for _, name := range when {
			d.done[name] = &outcome{kept: pointers(d.ours[name])}
		}
	}
	out := &contentline.Component{Name: ours.Name, Begin: ours.Begin, End: ours.End}
	for i := range ours.Props {
		out.Props = append(out.Props, d.of(&ours.Props[i]).next()...)
	}
	for i := range theirs.Props {
		out.Props = append(out.Props, d.of(&theirs.Props[i]).rest()...)
	}
	out.Subs = m.subs(base, ours, theirs)
	return out
}

// decider decides on the properties of one component, each when it comes to the first of its lines.
type decider struct {
	m                  *merger
	in                 string
	base, ours, theirs map[string][]contentline.Line
	done               map[string]*outcome
}

func (d *decider) lines(slot string) three { return three{d.base[slot], d.ours[slot], d.theirs[slot]} }

func (d *decider) of(l *contentline.Line) *outcome {
	k := slot(l)
	if d.done[k] == nil {
		r := d.m.property(d.in, k, d.lines(k))
		d.done[k] = &r
	}
	return d.done[k]
}

// slot is what lines are versions of one thing: those of one name, and of one person.
func slot(l *contentline.Line) string {
	if l.Name == "ATTENDEE" {
		return l.Name + " " + strings.ToLower(value(l)) // what somebody answers is a change of his line and no new one
	}
	return l.Name
}

func bySlot(c *contentline.Component) map[string][]contentline.Line {
	out := map[string][]contentline.Line{}
	for i := range c.Props {
		k := slot(&c.Props[i])
		out[k] = append(out[k], c.Props[i])
	}
	return out
}

// outcome is what becomes of the lines of a name: a line or nil for each of ours, and what comes after the last of them.
type outcome struct {
	kept  []*contentline.Line
	added []contentline.Line
}

// next is what stands in the place of the next line of ours.
func (r *outcome) next() (out []contentline.Line) {
	if l := r.kept[0]; l != nil {
		out = append(out, *l)
	}
	if r.kept = r.kept[1:]; len(r.kept) == 0 {
		out = append(out, r.rest()...)
	}
	return out
}

func (r *outcome) rest() []contentline.Line {
	out := r.added
	r.added = nil
	return out
}

func pointers(lines []contentline.Line) []*contentline.Line {
	out := make([]*contentline.Line, len(lines))
	for i := range lines {
		out[i] = &lines[i]
	}
	return out
}

// property decides on the lines of a slot.
func (m *merger) property(in, slot string, l three) outcome {
	name, _, person := strings.Cut(slot, " ")
	switch {
	case bookkeeping[name]:
		return later(name, l)
	case name == "UID" && (len(l.ours) == 0 || len(l.theirs) == 0):
		return outcome{kept: pointers(l.ours), added: l.theirs} // nobody changes an item into another by dropping its name
	case name == "VERSION" && !same(l.ours, l.theirs): // one side has written all of it anew in another form
		m.clash(in, name, l)
	case !person && (several(name) || lists[name] || more(in, name, l)):
		return sets(l)
	default:
		return m.single(in, name, l)
	}
	return outcome{kept: pointers(l.ours)}
}

// more tells whether a property that may be there several times, or that we know nothing of, is one of several. One that is alone on both
// sides and in what they were made from is taken for a single one.
func more(in, name string, l three) bool {
	if known[name] && !(name == "URL" && in == "VCARD") {
		return false
	}
	return len(l.base) != 1 || len(l.ours) > 1 || len(l.theirs) > 1
}

// known are the names of properties that stand in a component once, or that people take for that.
var known = func() map[string]bool {
	out := map[string]bool{}
	for name := range strings.FieldsSeq(`VERSION UID N FN BDAY ANNIVERSARY GENDER KIND NOTE PHOTO LOGO SOUND TITLE ROLE ORG AGENT TZ GEO URL CLASS MAILER SORT-STRING
		NAME PROFILE SOURCE CALADRURI CALURI FBURL CLIENTPIDMAP CALSCALE METHOD SUMMARY DESCRIPTION LOCATION STATUS TRANSP PRIORITY COLOR
		DTSTART DTEND DUE DURATION COMPLETED PERCENT-COMPLETE RRULE EXRULE RECURRENCE-ID ORGANIZER TZID ACTION TRIGGER REPEAT`) {
		out[name] = true
	}
	return out
}()

// single is for a property that stands there once: who changed it, wins.
func (m *merger) single(in, name string, l three) outcome {
	switch {
	case same(l.ours, l.theirs) || same(l.base, l.theirs):
		return outcome{kept: pointers(l.ours)}
	case !same(l.base, l.ours):
		m.clash(in, name, l)
		return outcome{kept: pointers(l.ours)}
	case len(l.ours) == len(l.theirs):
		return outcome{kept: pointers(l.theirs)}
	}
	return outcome{kept: make([]*contentline.Line, len(l.ours)), added: l.theirs}
}

func (m *merger) clash(in, name string, l three) {
	full := text(l.ours, false) == text(l.theirs, false) // then the difference stands before the value
	m.conflicts = append(m.conflicts, Conflict{In: in, Property: name, Base: text(l.base, full), Ours: text(l.ours, full), Theirs: text(l.theirs, full)})
}

// text is what lines say, with or without their parameters.
func text(lines []contentline.Line, full bool) string {
	var out []string
	for i := range lines {
		switch l := &lines[i]; {
		case l.Name == "":
			out = append(out, strings.TrimSpace(string(l.Raw)))
		case full:
			out = append(out, strings.Trim(said(l), ";,")+":"+l.Text())
		default:
			out = append(out, l.Text())
		}
	}
	return strings.Join(out, "\n")
}

// whole tells whether both sides changed something of a group of properties, and not to the same. Each that differs is a conflict.
func (m *merger) whole(in string, lines func(string) three, names []string) bool {
	var ours, theirs bool
	var differ []string
	for _, name := range names {
		l := lines(name)
		ours, theirs = ours || !same(l.base, l.ours), theirs || !same(l.base, l.theirs)
		if !same(l.ours, l.theirs) {
			differ = append(differ, name)
		}
	}
	if !ours || !theirs || len(differ) == 0 {
		return false
	}
	for _, name := range differ {
		m.clash(in, name, lines(name))
	}
	return true
}

// later takes the higher number or the later time, else what we have.
func later(name string, l three) outcome {
	switch {
	case len(l.ours) == 0:
		return outcome{added: l.theirs}
	case len(l.ours) == 1 && len(l.theirs) == 1 && name != "PRODID" && name != "CREATED" && rank(&l.theirs[0]) > rank(&l.ours[0]):
		return outcome{kept: pointers(l.theirs)}
	}
	return outcome{kept: pointers(l.ours)}
}

// rank makes numbers and times comparable as text.
func rank(l *contentline.Line) string {
	v := strings.NewReplacer("-", "", ":", "").Replace(strings.TrimSpace(l.Text()))
	if n, err := strconv.ParseUint(v, 10, 63); err == nil && l.Name == "SEQUENCE" {
		return strings.Repeat("0", 20-len(strconv.FormatUint(n, 10))) + strconv.FormatUint(n, 10)
	}
	return v
}
