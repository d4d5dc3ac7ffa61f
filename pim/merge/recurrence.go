package merge

import (
	"slices"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// family is a recurring event or task, and its changed occurrences by the day that they change.
type family struct {
	master *contentline.Component
	others map[string]*contentline.Component
	not    map[string]bool // days on which it is not
}

// byUID are the families of a calendar.
type byUID map[string]*family

func families(c *contentline.Component) byUID {
	out := byUID{}
	for _, s := range c.Subs {
		if s.Name == "VCARD" || !isObject(s) {
			continue
		}
		f := out[uid(s)]
		if f == nil {
			f = &family{others: map[string]*contentline.Component{}, not: map[string]bool{}}
			out[uid(s)] = f
		}
		f.add(s)
	}
	return out
}

func (f *family) add(c *contentline.Component) {
	if id := c.Prop("RECURRENCE-ID"); id != nil {
		f.others[id.Value] = c
		return
	}
	f.master = c
	for _, l := range byName(c)["EXDATE"] {
		_, raw := split(&l)
		for _, day := range raw {
			f.not[day] = true
		}
	}
}

// of is the family of which a component is the master, nil if it is none.
func (b byUID) of(c *contentline.Component) *family {
	if c == nil || b[uid(c)] == nil || b[uid(c)].master != c {
		return nil
	}
	return b[uid(c)]
}

// pattern is when it recurs.
func (f *family) pattern() []string {
	p := byName(f.master)
	return slices.Concat(meanings(p["DTSTART"]), meanings(p["RRULE"]), meanings(p["EXRULE"]))
}

// exceptions are when it does not, or is not like that.
func (f *family) exceptions() []string {
	p := byName(f.master)
	out := slices.Concat(elements(p["EXDATE"]), elements(p["RDATE"]))
	for _, o := range f.others {
		out = append(out, content(o))
	}
	slices.Sort(out)
	return out
}

// series keeps recurrence and exceptions together: those that one side made may be of no day of the pattern that the other side made.
func (m *merger) series(base, ours, theirs *family) {
	if base == nil || ours == nil || theirs == nil || slices.Equal(ours.pattern(), theirs.pattern()) {
		return
	}
	byUs, byThem := !slices.Equal(base.pattern(), ours.pattern()), !slices.Equal(base.pattern(), theirs.pattern())
	exceptUs, exceptThem := !slices.Equal(base.exceptions(), ours.exceptions()), !slices.Equal(base.exceptions(), theirs.exceptions())
	if !(byUs && (byThem || exceptThem) || byThem && exceptUs) {
		return
	}
	b, o, t := byName(base.master), byName(ours.master), byName(theirs.master)
	in := occurrence(ours.master)
	for _, name := range []string{"RRULE", "EXRULE", "DTSTART"} {
		reported := slices.ContainsFunc(m.conflicts, func(c Conflict) bool { return c.In == in && c.Property == name })
		if !same(o[name], t[name]) && !reported {
			m.clash(in, name, three{b[name], o[name], t[name]})
		}
	}
}

// excluded finds occurrences that one side deleted and the other changed.
func (m *merger) excluded(merged []*contentline.Component, ours, theirs byUID) {
	after := families(&contentline.Component{Subs: merged})
	for _, c := range merged {
		id := c.Prop("RECURRENCE-ID")
		if id == nil || !after.both(uid(c), id.Value) || ours.both(uid(c), id.Value) || theirs.both(uid(c), id.Value) {
			continue
		}
		conflict := Conflict{In: occurrence(c), Property: "EXDATE", Ours: id.Value, Theirs: bodyOf(c)}
		if f := ours[uid(c)]; f != nil && f.others[id.Value] != nil {
			conflict.Ours, conflict.Theirs = conflict.Theirs, conflict.Ours
		}
		m.conflicts = append(m.conflicts, conflict)
	}
}

// both tells whether an occurrence is deleted and changed at once.
func (b byUID) both(uid, day string) bool {
	f := b[uid]
	return f != nil && f.not[day] && f.others[day] != nil
}
