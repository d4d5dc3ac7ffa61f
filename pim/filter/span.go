package filter

import (
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// span is the time from the first begin to the last end of an event with its recurrences.
type span struct{ begin, end Moment }

// calendarTime is a time as calendars write it.
type calendarTime struct {
	second int64 // since 1970, as if it were UTC
	utc    bool  // it is
	day    bool  // it is a whole day
}

// Local time differs from UTC by these at most (Kiribati, Baker Island), in seconds.
const (
	mostAhead  = 14 * 3600
	mostBehind = 12 * 3600
)

// parseTime reads 20261125T100000Z, without the Z, as a day, and each with dashes and colons as some phones write.
func parseTime(s string) (t calendarTime, ok bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	s, t.utc = strings.CutSuffix(s, "Z")
	s = strings.NewReplacer("-", "", ":", "").Replace(s)
	for _, layout := range []string{"20060102T150405", "20060102T1504", "20060102"} {
		if at, err := time.Parse(layout, s); err == nil && at.Year() > 0 {
			t.second, t.day = at.Unix(), layout == "20060102"
			t.utc = t.utc && !t.day
			return t, true
		}
	}
	return t, false
}

// moment is when it is on the clock of the world.
func (t calendarTime) moment() Moment {
	if t.utc {
		return Moment{t.second, t.second}
	}
	return Moment{t.second - mostAhead, t.second + mostBehind}
}

// plus is a moment some seconds later.
func (m Moment) plus(seconds int64) Moment {
	if m[1] > never-max(seconds, 0) {
		return Moment{never, never}
	}
	return Moment{m[0] + seconds, m[1] + seconds}
}

// timeOf is the time of a property; ok is false if there is none, or none that can be read.
func timeOf(l *contentline.Line) (calendarTime, bool) {
	if l == nil {
		return calendarTime{}, false
	}
	return parseTime(l.Text())
}

func momentOf(l *contentline.Line) (Moment, bool) {
	t, ok := timeOf(l)
	return t.moment(), ok
}

// spanOf is the time of a component that has a DTSTART (RFC 5545, 3.6.1). One end or rule that cannot be read is taken as endless.
func spanOf(c *contentline.Component) (span, bool) {
	begin, ok := timeOf(c.Prop("DTSTART"))
	if !ok {
		return span{}, false
	}
	length, ok := lengthOf(c, begin)
	s := span{begin.moment(), begin.moment().plus(length)}
	if end, given := momentOf(endOf(c)); given {
		s.end = Moment{max(end[0], s.begin[0]), max(end[1], s.begin[1])}
	} else if !ok {
		s.end[1] = never
	}
	for i := range c.Props {
		switch l := &c.Props[i]; l.Name {
		case "RRULE":
			s.until(lastOf(l.Text(), begin).plus(length))
		case "RDATE":
			s.dates(l, length)
		}
	}
	return s, true
}

// until widens a span by a rule whose last recurrence ends at m at the latest. Only a rule without an end is sure to last.
func (s *span) until(m Moment) {
	if m[0] == never {
		s.end[0] = never
	}
	s.end[1] = max(s.end[1], m[1])
}

// dates widens a span by the dates of an RDATE, which may be periods.
func (s *span) dates(l *contentline.Line, length int64) {
	for _, d := range l.List() {
		first, rest, period := strings.Cut(d, "/")
		t, ok := parseTime(first)
		if !ok {
			s.end[1] = never
			continue
		}
		m, end := t.moment(), t.moment().plus(length)
		if period {
			end = periodEnd(m, rest)
		}
		s.begin = Moment{min(s.begin[0], m[0]), min(s.begin[1], m[1])}
		s.end = Moment{max(s.end[0], end[0]), max(s.end[1], end[1])}
	}
}

func periodEnd(begin Moment, end string) Moment {
	if t, ok := parseTime(end); ok {
		return t.moment()
	}
	if n, ok := parseDuration(end); ok {
		return begin.plus(n)
	}
	return Moment{begin[0], never}
}

// endOf is the property that says when a component ends, nil if there is none.
func endOf(c *contentline.Component) *contentline.Line {
	for _, name := range []string{"DTEND", "DUE"} {
		if l := c.Prop(name); l != nil && strings.TrimSpace(l.Value) != "" {
			return l
		}
	}
	return nil
}

// lengthOf is how long a component lasts at most, in seconds: by its end, by DURATION, or a day if it begins with a day.
func lengthOf(c *contentline.Component, begin calendarTime) (seconds int64, ok bool) {
	if l := endOf(c); l != nil {
		end, ok := timeOf(l)
		length := end.second - begin.second
		if begin.utc != end.utc || l.Param("TZID") != c.Prop("DTSTART").Param("TZID") {
			length += mostAhead + mostBehind
		}
		return max(length, 0), ok
	}
	if l := c.Prop("DURATION"); l != nil {
		n, ok := parseDuration(l.Text())
		return max(n, 0), ok
	}
	if begin.day {
		return day, true
	}
	return 0, true
}

// maxDuration bounds durations, in seconds: longer ones are mistakes.
const maxDuration = 1000 * 366 * day

// parseDuration reads P1DT2H30M, P2W or -PT15M as seconds.
func parseDuration(s string) (seconds int64, ok bool) {
	s = strings.ToUpper(strings.TrimSpace(s))
	s, negative := strings.CutPrefix(s, "-")
	s, ok = strings.CutPrefix(strings.TrimPrefix(s, "+"), "P")
	if !ok || s == "" {
		return 0, false
	}
	for s = strings.ReplaceAll(s, "T", ""); s != ""; {
		i := strings.IndexAny(s, "WDHMS")
		if i < 0 {
			return 0, false
		}
		n, err := strconv.ParseUint(s[:i], 10, 32)
		if err != nil {
			return 0, false
		}
		seconds += int64(n) * map[byte]int64{'W': 7 * day, 'D': day, 'H': 3600, 'M': 60, 'S': 1}[s[i]]
		s = s[i+1:]
	}
	if negative {
		seconds = -seconds
	}
	return seconds, seconds <= maxDuration && seconds >= -maxDuration
}

func (t calendarTime) dayOfMonth() int { return time.Unix(t.second, 0).UTC().Day() }
