package sif

import (
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// patternFields are the fields of a recurrence. Outlook fills them in for events that do not recur, too.
var patternFields = []string{"RecurrenceType", "Interval", "MonthOfYear", "DayOfMonth", "DayOfWeekMask", "Instance", "PatternStartDate", "NoEndDate",
	"PatternEndDate", "Occurrences"}

// recurrence is the rule with its exceptions. A rule that makes no sense stays what it is.
func (s *source) recurrence(start moment, known bool) []contentline.Line {
	if !s.truth("IsRecurring") {
		s.use(patternFields...)
		s.use("Exceptions")
		return nil
	}
	rule, ok := s.rule(start)
	if !ok || !known {
		return []contentline.Line{line(prefix+"ISRECURRING", "1")}
	}
	s.use(patternFields...)
	return append([]contentline.Line{line("RRULE", rule)}, s.exceptions(start)...)
}

// exceptions are days on which the event is not, or is besides. What else is in the field, such as changed occurrences, is kept.
func (s *source) exceptions(start moment) []contentline.Line {
	var out []contentline.Line
	rest := node{name: "Exceptions"}
	for _, field := range s.root.subs {
		if field.name != "Exceptions" {
			continue
		}
		for i := range field.subs {
			n := &field.subs[i]
			m, ok := parseMoment(n.text)
			name := map[string]string{"ExcludeDate": "EXDATE", "IncludeDate": "RDATE"}[n.name]
			if ok && name != "" {
				out = append(out, m.like(start).property(name))
			} else if !n.blank() {
				rest.subs = append(rest.subs, *n)
			}
		}
	}
	s.use("Exceptions")
	if len(rest.subs) > 0 {
		out = append(out, extra(&rest))
	}
	return out
}

// like is a moment as exceptions must be: days for an event of days, else times; a mere day has the time of the event.
func (m moment) like(start moment) moment {
	switch {
	case start.layout == date:
		return m.day()
	case m.layout == date:
		return moment{m.t.Add(start.t.Sub(start.t.Truncate(day))), start.layout}
	}
	return m
}

// putRecurrence gives the rule if SIF can say it, else the event as it is the first time.
func (e *entry) putRecurrence(out *node, start moment, known bool) {
	p, ok := e.pattern(start)
	if !ok || !known {
		if e.whole.Prop(prefix+"ISRECURRING") == nil {
			out.put("IsRecurring", "0")
			return
		}
		out.put("IsRecurring", "1") // the fields follow, as they came
		return
	}
	out.put("IsRecurring", "1")
	for i, v := range []int{p.kind, p.interval, p.month, p.monthday, p.mask, p.instance} {
		out.put(patternFields[i], strconv.Itoa(v))
	}
	out.put("PatternStartDate", start.sif())
	never := "0"
	if p.until == "" && p.count == 0 {
		never = "1"
	}
	out.put("NoEndDate", never)
	out.put("PatternEndDate", p.until)
	out.put("Occurrences", strconv.Itoa(p.count))
	e.putExceptions(out, start)
}

func (e *entry) putExceptions(out *node, start moment) {
	x := node{name: "Exceptions"}
	for _, name := range []struct{ property, element string }{{"EXDATE", "ExcludeDate"}, {"RDATE", "IncludeDate"}} {
		for i := range e.plain.Props {
			l := &e.plain.Props[i]
			if l.Name != name.property {
				continue
			}
			for v := range strings.SplitSeq(l.Value, ",") {
				if m, ok := parseMoment(v); ok {
					x.put(name.element, m.like(start).sif())
				}
			}
		}
	}
	if l := e.whole.Prop(prefix + "EXCEPTIONS"); l != nil {
		if kept, ok := fromExtra(l); ok {
			x.subs = append(x.subs, kept.subs...)
		}
	}
	out.subs = append(out.subs, x)
}
