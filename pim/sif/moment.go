package sif

import (
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// moment is a day, a local time or a time of the whole world.
type moment struct {
	t      time.Time
	layout string // of the modern form: date, local or universal
}

const (
	date      = "20060102"
	local     = "20060102T150405"
	universal = "20060102T150405Z"
	dashes    = "2006-01-02"
)

// nobody has appointments so late: Outlook writes 4501-01-01 for no date.
const farAway = 4500

// parseMoment reads a time of either form; dashes and colons do not matter.
func parseMoment(v string) (moment, bool) {
	v = strings.NewReplacer("-", "", ":", "", " ", "").Replace(v)
	for _, layout := range []string{date, local, universal} {
		if t, err := time.Parse(layout, v); err == nil {
			return moment{t, layout}, t.Year() < farAway && t.Year() > 0
		}
	}
	return moment{}, false
}

// moment is a field with a time. One that makes no sense is kept.
func (s *source) moment(name string) (moment, bool) {
	m, ok := parseMoment(s.peek(name))
	s.used[name] = ok || strings.HasPrefix(s.peek(name), "4501")
	return m, ok
}

// day is the day that is meant. Clients write days as local midnights in universal time: the midnight next to it is the one.
func (m moment) day() moment {
	t := m.t
	if m.layout == universal {
		t = t.Add(12 * time.Hour)
	}
	return moment{t.Truncate(24 * time.Hour), date}
}

func (m moment) add(days int) moment { return moment{m.t.AddDate(0, 0, days), m.layout} }

func (m moment) modern() string { return m.t.Format(m.layout) }

// property is the modern property.
func (m moment) property(name string) contentline.Line {
	l := line(name, m.modern())
	if m.layout == date {
		l.Params = []contentline.Param{{Name: "VALUE", Values: []string{"DATE"}}}
	}
	return l
}

// sif is how SIF writes it.
func (m moment) sif() string {
	if m.layout == date {
		return m.t.Format(dashes)
	}
	return m.modern()
}

// dashed is a date as SIF writes it, and anything else as it is.
func dashed(v string) string {
	if m, ok := parseMoment(v); ok {
		return m.day().sif()
	}
	return v
}

// at is the time of a property, nothing if there is none.
func at(c *contentline.Component, name string) (moment, bool) {
	l := c.Prop(name)
	if l == nil {
		return moment{}, false
	}
	return parseMoment(l.Value)
}

// dayOf is the day of a property in its own zone.
func dayOf(c *contentline.Component, name string) string {
	m, ok := at(c, name)
	if !ok {
		return ""
	}
	return m.t.Format(dashes)
}
