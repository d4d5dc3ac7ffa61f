package merge

import (
	"slices"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// subs merges the components in a component: events, tasks and their changed occurrences each by itself, zones by name, alarms and all
// others as a set.
func (m *merger) subs(base, ours, theirs *contentline.Component) []*contentline.Component {
	identify := identity(base, ours, theirs)
	j := joiner{m: m, want: targets(contents(base), contents(ours), contents(theirs)), base: zones(base), theirs: zones(theirs)}
	b, o, t := keyed(objects(base), identify), keyed(objects(ours), identify), keyed(objects(theirs), identify)
	next := 0
	for _, s := range ours.Subs {
		if isObject(s) {
			k := o.keys[next]
			next++
			j.object(b.by[k], s, t.by[k])
		} else {
			j.other(s)
		}
	}
	for _, k := range t.keys {
		if o.by[k] == nil {
			j.object(b.by[k], nil, t.by[k])
		}
	}
	j.rest(ours, theirs)
	bs, os, ts := families(base), families(ours), families(theirs)
	for _, k := range o.keys {
		m.series(bs.of(b.by[k]), os.of(o.by[k]), ts.of(t.by[k]))
	}
	m.excluded(j.out, os, ts)
	return j.out
}

// joiner puts the components of both sides one after the other.
type joiner struct {
	m            *merger
	want         map[string]int // how often each component of a set shall still come
	base, theirs map[string]*contentline.Component
	out          []*contentline.Component
}

// other adds a component of ours that is merged as a whole. A zone is that of theirs if they alone changed it.
func (j *joiner) other(c *contentline.Component) {
	if c.Name != "VTIMEZONE" {
		j.take(c)
		return
	}
	b, t := j.base[zoneName(c)], j.theirs[zoneName(c)]
	if t != nil && b != nil && content(b) == content(c) && content(t) != content(b) {
		c = t
	}
	j.out = append(j.out, c)
}

func (j *joiner) take(c *contentline.Component) {
	if k := content(c); j.want[k] > 0 {
		j.want[k]--
		j.out = append(j.out, c)
	}
}

// rest adds what theirs alone has: zones before what refers to them.
func (j *joiner) rest(ours, theirs *contentline.Component) {
	known := zones(ours)
	var added []*contentline.Component
	for _, s := range theirs.Subs {
		switch {
		case isObject(s):
		case s.Name != "VTIMEZONE":
			j.take(s)
		case known[zoneName(s)] == nil:
			known[zoneName(s)] = s
			added = append(added, s)
		}
	}
	j.out = append(added, j.out...)
}

// zones are the time zones in a component by name, the last of several.
func zones(c *contentline.Component) map[string]*contentline.Component {
	out := map[string]*contentline.Component{}
	for _, s := range c.Subs {
		if s.Name == "VTIMEZONE" {
			out[zoneName(s)] = s
		}
	}
	return out
}

func zoneName(c *contentline.Component) string {
	if l := c.Prop("TZID"); l != nil {
		return value(l)
	}
	return ""
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

// object adds what becomes of one event, task or card.
func (j *joiner) object(base, ours, theirs *contentline.Component) {
	switch {
	case ours != nil && theirs != nil:
		if base == nil {
			base = &contentline.Component{}
		}
		j.out = append(j.out, j.m.component(base, ours, theirs))
		return
	case base == nil && ours != nil:
		j.out = append(j.out, ours)
		return
	case base == nil:
		j.out = append(j.out, theirs)
		return
	}
	left := ours
	if left == nil {
		left = theirs
	}
	if content(left) != content(base) { // one side deleted what the other changed
		j.m.conflicts = append(j.m.conflicts, Conflict{In: occurrence(left), Property: left.Name, Base: bodyOf(base), Ours: bodyOf(ours), Theirs: bodyOf(theirs)})
	}
}

func bodyOf(c *contentline.Component) string {
	if c == nil {
		return ""
	}
	return string(c.Bytes())
}
