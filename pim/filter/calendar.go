package filter

import (
	"bytes"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

// calendar notes the facts of an iCalendar or vCalendar object. All events or tasks in it count together, e.g. a series and its exceptions.
func (f *Facts) calendar(body []byte) {
	want := "VEVENT"
	if f.Kind == pim.Tasks {
		want = "VTODO"
	}
	for _, c := range components(body) {
		if c.Name != want {
			continue
		}
		f.Read = true
		f.calendarTexts(c)
		if want == "VTODO" {
			f.task(c)
		} else if s, ok := spanOf(c); ok {
			f.spans(s)
		}
	}
}

// components are those of the calendars in a file. The rules of vCalendar 1.0 are read in their modern form.
func components(body []byte) []*contentline.Component {
	if old(body) {
		_, body = versit.Modern(versit.TypeVCalendar, body)
	}
	var out []*contentline.Component
	for _, c := range contentline.ParseTree(body).Subs {
		if c.Name == "VCALENDAR" {
			out = append(out, c.Subs...)
		} else {
			out = append(out, c) // some write a bare VEVENT
		}
	}
	return out
}

// old tells whether a calendar says that it is a vCalendar.
func old(body []byte) bool {
	for line := range bytes.Lines(body) {
		name, version, ok := bytes.Cut(line, []byte(":"))
		if ok && bytes.EqualFold(name, []byte("VERSION")) {
			return string(bytes.TrimSpace(version)) == "1.0"
		}
	}
	return false
}

func (f *Facts) calendarTexts(c *contentline.Component) {
	for i := range c.Props {
		switch l := &c.Props[i]; l.Name {
		case "SUMMARY":
			f.say("subject", l.Text())
		case "LOCATION":
			f.say("location", l.Text())
		case "CATEGORIES":
			f.say("category", categories(l)...)
		}
	}
}

// spans widens the time of the item.
func (f *Facts) spans(s span) {
	if f.Begin == nil {
		f.Begin, f.End = &s.begin, &s.end
		return
	}
	f.Begin, f.End = &Moment{min(f.Begin[0], s.begin[0]), min(f.Begin[1], s.begin[1])}, &Moment{max(f.End[0], s.end[0]), max(f.End[1], s.end[1])}
}

// task notes a VTODO. An open task does not end: whoever looks at the last weeks wants to see what is overdue. A done one ends when it was
// completed, or else when it was due. One without any time is of no time, and so in scope of every time.
func (f *Facts) task(c *contentline.Component) {
	done := isDone(c)
	if f.Done != nil {
		done = done && *f.Done
	}
	f.Done = &done
	if due, ok := dueOf(c); ok && (f.Due == nil || due[0] < f.Due[0]) {
		f.Due = &due
	}
	s, ok := spanOf(c)
	if due, isDue := dueOf(c); isDue && !ok {
		s, ok = span{due, due}, true
	}
	if t, completed := momentOf(c.Prop("COMPLETED")); completed && !recurs(c) {
		if s.end = t; !ok {
			s.begin = t
		}
		ok = true
	}
	if !isDone(c) {
		s.end = Moment{never, never}
	}
	if ok {
		f.spans(s)
	}
}

// isDone tells whether nothing is left to do of a task.
func isDone(c *contentline.Component) bool {
	if l := c.Prop("STATUS"); l != nil && slices.Contains([]string{"COMPLETED", "CANCELLED"}, strings.ToUpper(strings.TrimSpace(l.Text()))) {
		return true
	}
	if l := c.Prop("PERCENT-COMPLETE"); l != nil && strings.TrimSpace(l.Text()) == "100" {
		return true
	}
	_, completed := momentOf(c.Prop("COMPLETED"))
	return completed
}

// dueOf is when a task is due: DUE, or its begin and duration. A day as DUE is due at its beginning.
func dueOf(c *contentline.Component) (Moment, bool) {
	if m, ok := momentOf(c.Prop("DUE")); ok {
		return m, true
	}
	begin, ok := momentOf(c.Prop("DTSTART"))
	d := c.Prop("DURATION")
	if !ok || d == nil {
		return Moment{}, false
	}
	n, ok := parseDuration(d.Text())
	return begin.plus(n), ok
}

func recurs(c *contentline.Component) bool { return c.Prop("RRULE") != nil || c.Prop("RDATE") != nil }
