package merge

import (
	"slices"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// subs merges the components in a component: events, tasks and their changed occurrences each by itself, zones by name, alarms and all
// others as a set.
func (m *merger) subs(base, ours, theirs *contentline.Component) []*contentline.Component {
	identify := identity(base, ours, theirs)
	b, o, t := keyed(objects(base), identify), keyed(objects(ours), identify), keyed(objects(theirs), identify)
	var out []*contentline.Component
	want := targets(contents(base), contents(ours), contents(theirs))
	take := func(c *contentline.Component) {
		if k := content(c); want[k] > 0 {
			want[k]--
			out = append(out, c)
		}
	}
	next := 0
	for _, s := range ours.Subs {
		switch {
		case isObject(s):
			k := o.keys[next]
			next++
			out = m.object(out, b.by[k], s, t.by[k])
		case s.Name == "VTIMEZONE":
			out = append(out, zone(base, s, theirs))
		default:
			take(s)
		}
	}
	for i, k := range t.keys {
		if o.by[k] == nil {
			out = m.object(out, b.by[k], nil, objects(theirs)[i])
		}
	}
	for _, s := range theirs.Subs {
		switch {
		case isObject(s):
		case s.Name == "VTIMEZONE" && find(out, s) == nil:
			out = slices.Insert(out, 0, s) // before what refers to it
		case s.Name != "VTIMEZONE":
			take(s)
		}
	}
	bs, os, ts := families(base), families(ours), families(theirs)
	for _, k := range o.keys {
		m.series(bs.of(b.by[k]), os.of(o.by[k]), ts.of(t.by[k]))
	}
	m.excluded(out, os, ts)
	return out
}

// isObject tells whether a component is merged by property.
func isObject(c *contentline.Component) bool {
	switch c.Name {
	case "VCARD", "VCALENDAR", "VEVENT", "VTODO", "VJOURNAL":
		return true
	}
	return false
}

func objects(c *contentline.Component) []*contentline.Component {
	return slices.DeleteFunc(slices.Clone(c.Subs), func(s *contentline.Component) bool { return !isObject(s) })
}

// contents are what the components of a set mean.
func contents(c *contentline.Component) []string {
	var out []string
	for _, s := range c.Subs {
		if !isObject(s) && s.Name != "VTIMEZONE" {
			out = append(out, content(s))
		}
	}
	return out
}

// identity tells components apart by UID only where there are several: a program that drops it does not make another item.
func identity(all ...*contentline.Component) func(*contentline.Component) string {
	several := slices.ContainsFunc(all, func(c *contentline.Component) bool {
		uids := map[string]bool{}
		for _, s := range objects(c) {
			uids[uid(s)] = true
		}
		return len(uids) > 1
	})
	return func(c *contentline.Component) string {
		if several {
			return occurrence(c) + " " + uid(c)
		}
		return occurrence(c)
	}
}

func uid(c *contentline.Component) string {
	if l := c.Prop("UID"); l != nil {
		return value(l)
	}
	return ""
}

// object adds what becomes of one event, task or card to out.
func (m *merger) object(out []*contentline.Component, base, ours, theirs *contentline.Component) []*contentline.Component {
	switch {
	case ours != nil && theirs != nil:
		if base == nil {
			base = &contentline.Component{}
		}
		return append(out, m.component(base, ours, theirs))
	case base == nil && ours != nil:
		return append(out, ours)
	case base == nil:
		return append(out, theirs)
	}
	left := ours
	if left == nil {
		left = theirs
	}
	if content(left) != content(base) { // one side deleted what the other changed
		m.conflicts = append(m.conflicts, Conflict{In: occurrence(left), Property: left.Name, Base: bodyOf(base), Ours: bodyOf(ours), Theirs: bodyOf(theirs)})
	}
	return out
}

func bodyOf(c *contentline.Component) string {
	if c == nil {
		return ""
	}
	return string(c.Bytes())
}

// zone is a time zone: theirs if they alone changed it.
func zone(base, ours, theirs *contentline.Component) *contentline.Component {
	b, t := find(base.Subs, ours), find(theirs.Subs, ours)
	if t != nil && b != nil && content(b) == content(ours) && content(t) != content(b) {
		return t
	}
	return ours
}

// find is the zone of the same name.
func find(in []*contentline.Component, zone *contentline.Component) *contentline.Component {
	for _, s := range in {
		if s.Name == zone.Name && slices.Equal(meanings(byName(s)["TZID"]), meanings(byName(zone)["TZID"])) {
			return s
		}
	}
	return nil
}
