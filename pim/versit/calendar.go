package versit

import (
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

func modernCalendar(c *contentline.Component) {
	var props []contentline.Line
	zone := ""
	for _, l := range c.Props {
		switch l.Name {
		case "VERSION":
			props = append(props, contentline.Line{Name: "VERSION", Value: "2.0"})
		case "TZ":
			zone = l.Value // of times without one; iCalendar has no such thing
		case "DAYLIGHT":
		default:
			props = append(props, l)
		}
	}
	c.Props = props
	for _, s := range c.Subs {
		modernEntry(s, zone)
	}
}

// modernEntry converts an event or a task. zone is what local times are in; most devices write it and mean the place where they are, so
// that times stay local.
func modernEntry(c *contentline.Component, _ string) {
	var props []contentline.Line
	for _, l := range c.Props {
		switch l.Name {
		case "":
			props = append(props, l)
		case "RRULE", "EXRULE":
			props = append(props, modernRule(l)...)
		case "AALARM", "DALARM":
			c.Subs = append(c.Subs, alarm(&l)...)
		case "EXDATE", "RDATE":
			l = contentline.Line{Name: l.Name, Value: strings.Join(l.Old().Parts, ",")}
			props = append(props, l)
		case "STATUS":
			l = contentline.Line{Name: "STATUS", Value: strings.ReplaceAll(strings.ToUpper(l.Old().Whole), " ", "-")}
			props = append(props, l)
		default:
			modernLine(&l, "X-TYPE")
			props = append(props, l)
		}
	}
	c.Props = props
	days(c)
}

// days makes whole days of times: devices of the old form write them as midnight to midnight, or to the minute before it (protocol.md J.2).
func days(c *contentline.Component) {
	start, end := c.Prop("DTSTART"), c.Prop("DTEND")
	if start == nil {
		return
	}
	first, whole := day(start.Value)
	if whole && end != nil {
		last, ok := lastDay(end.Value)
		if !ok {
			*start = contentline.Line{Name: "DTSTART", Value: first + "T000000"} // both are of one kind
			return
		}
		*end = contentline.Line{Name: "DTEND", Params: dateParam, Value: last}
	}
	if whole && (end != nil || len(start.Value) == len("20261231")) {
		*start = contentline.Line{Name: "DTSTART", Params: dateParam, Value: first}
	}
}

var dateParam = []contentline.Param{{Name: "VALUE", Values: []string{"DATE"}}}

// day is the date of a local midnight, or of a date; some write it with dashes.
func day(v string) (string, bool) {
	date := strings.ReplaceAll(strings.TrimSuffix(v, "T000000"), "-", "")
	_, err := time.Parse("20060102", date)
	return date, err == nil
}

// lastDay is the date after the last day.
func lastDay(v string) (string, bool) {
	if date, ok := day(v); ok {
		return date, true
	}
	for _, end := range []string{"T235959", "T235900", "T240000"} {
		date, ok := strings.CutSuffix(v, end)
		t, err := time.Parse("20060102", date)
		if ok && err == nil {
			return t.AddDate(0, 0, 1).Format("20060102"), true
		}
	}
	return "", false
}

// alarm is a VALARM for a time that a device beeps or shows something at: runTime;snoozeTime;repeatCount;text.
func alarm(l *contentline.Line) []*contentline.Component {
	parts := l.Old().Parts
	if parts[0] == "" {
		return nil
	}
	if len(parts[0]) == len("20261231") {
		parts[0] += "T000000"
	}
	action := "DISPLAY"
	if l.Name == "AALARM" {
		action = "AUDIO"
	}
	props := []contentline.Line{{Name: "ACTION", Value: action},
		{Name: "TRIGGER", Params: []contentline.Param{{Name: "VALUE", Values: []string{"DATE-TIME"}}}, Value: parts[0]}}
	if len(parts) > 3 && parts[3] != "" && action == "DISPLAY" {
		props = append(props, contentline.Line{Name: "DESCRIPTION", Value: contentline.Escape(parts[3])})
	}
	return []*contentline.Component{component("VALARM", props)}
}

func component(name string, props []contentline.Line) *contentline.Component {
	return &contentline.Component{Name: name, Begin: contentline.Line{Name: "BEGIN", Value: name}, Props: props,
		End: contentline.Line{Name: "END", Value: name}}
}

// modernRule converts a recurrence rule; one that makes no sense is kept under a name that nobody reads.
func modernRule(l contentline.Line) []contentline.Line {
	if strings.HasPrefix(strings.ToUpper(l.Value), "FREQ=") {
		return []contentline.Line{l} // some devices write the modern one
	}
	var out []contentline.Line
	for _, r := range splitRules(l.Old().Whole) {
		rule, ok := toFreq(r)
		if !ok {
			out = append(out, contentline.Line{Name: "X-VCAL-" + l.Name, Value: r})
			continue
		}
		out = append(out, contentline.Line{Name: l.Name, Value: rule})
	}
	return out
}

func oldCalendar(c *contentline.Component) {
	for i := range c.Props {
		if c.Props[i].Name == "VERSION" {
			c.Props[i] = contentline.Line{Name: "VERSION", Value: "1.0"}
		}
	}
	zones := map[string]*time.Location{}
	var subs []*contentline.Component
	for _, s := range c.Subs {
		switch s.Name {
		case "VTIMEZONE":
		case "VEVENT", "VTODO":
			if s.Prop("RECURRENCE-ID") != nil {
				continue // the old form has no changed occurrences
			}
			oldEntry(s, zones)
			subs = append(subs, s)
		}
	}
	c.Subs = subs
}

// oldEntry converts an event or a task. Times with a zone become UTC: the old form knows no zones.
func oldEntry(c *contentline.Component, zones map[string]*time.Location) {
	var props []contentline.Line
	for _, l := range c.Props {
		switch l.Name {
		case "DTSTART", "DTEND", "DUE", "COMPLETED", "EXDATE", "RDATE":
			if len(l.Value) == len("20260102") && (c.Prop("DTEND") == nil || c.Prop("DTSTART") == nil) {
				props = append(props, contentline.Line{Name: l.Name, Value: l.Value}) // a day without time, as Nokia and Palm write it
				continue
			}
			props = append(props, oldTime(l, zones))
		case "RRULE", "EXRULE":
			if rule, ok := fromFreq(l.Value); ok {
				props = append(props, contentline.Line{Name: l.Name, Value: rule})
			}
		case "DURATION":
			if end, ok := endOf(c, l.Value, zones); ok {
				props = append(props, end)
			}
		case "STATUS":
			props = append(props, contentline.Line{Name: "STATUS", Value: strings.ReplaceAll(l.Value, "-", " ")})
		case "DTSTAMP":
		default:
			if l.Name != "" {
				oldLine(&l)
			}
			props = append(props, l)
		}
	}
	c.Props = append(props, oldAlarms(c, zones)...)
	c.Subs = nil
}

// oldTime is a time as the old form writes it.
func oldTime(l contentline.Line, zones map[string]*time.Location) contentline.Line {
	var out []string
	for v := range strings.SplitSeq(l.Value, ",") {
		switch {
		case len(v) == len("20260102"): // a day
			v += "T000000"
		case l.Param("TZID") != "":
			v = utc(v, l.Param("TZID"), zones)
		}
		out = append(out, v)
	}
	return contentline.Line{Name: l.Name, Value: strings.Join(out, ";")}
}

const (
	local    = "20060102T150405"
	universe = "20060102T150405Z"
)

// utc converts a local time of a zone; one that nobody knows stays local.
func utc(v, tzid string, zones map[string]*time.Location) string {
	loc, known := zones[tzid]
	if !known {
		loc = location(tzid)
		zones[tzid] = loc
	}
	if loc == nil {
		return v
	}
	t, err := time.ParseInLocation(local, v, loc)
	if err != nil {
		return v
	}
	return t.UTC().Format(universe)
}

// location finds a zone by the name of its city at the end of what a program calls it, like /freeassociation.sourceforge.net/Europe/Lisbon.
func location(tzid string) *time.Location {
	parts := strings.Split(tzid, "/")
	for i := range parts {
		name := strings.Join(parts[i:], "/")
		if loc, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
			return loc
		}
	}
	return nil
}

// endOf makes a DTEND of a duration.
func endOf(c *contentline.Component, duration string, zones map[string]*time.Location) (contentline.Line, bool) {
	start := c.Prop("DTSTART")
	d, ok := parseDuration(duration)
	if start == nil || !ok {
		return contentline.Line{}, false
	}
	v := oldTime(*start, zones).Value
	for _, layout := range []string{universe, local} {
		if t, err := time.Parse(layout, v); err == nil {
			return contentline.Line{Name: "DTEND", Value: t.Add(d).Format(layout)}, true
		}
	}
	return contentline.Line{}, false
}

// oldAlarms are the alarms of an entry at fixed times.
func oldAlarms(c *contentline.Component, zones map[string]*time.Location) []contentline.Line {
	var out []contentline.Line
	for _, a := range c.Subs {
		trigger := a.Prop("TRIGGER")
		if a.Name != "VALARM" || trigger == nil {
			continue
		}
		name := "DALARM"
		if action := a.Prop("ACTION"); action != nil && strings.EqualFold(action.Value, "AUDIO") {
			name = "AALARM"
		}
		if at, ok := alarmTime(c, trigger, zones); ok {
			out = append(out, contentline.Line{Name: name, Value: at + ";;;"})
		}
	}
	return out
}

func alarmTime(c *contentline.Component, trigger *contentline.Line, zones map[string]*time.Location) (string, bool) {
	if strings.EqualFold(trigger.Param("VALUE"), "DATE-TIME") {
		return oldTime(*trigger, zones).Value, true
	}
	if strings.EqualFold(trigger.Param("RELATED"), "END") {
		return "", false
	}
	at, ok := endOf(c, trigger.Value, zones)
	return at.Value, ok
}

// parseDuration reads "-PT15M", "P1DT2H" and the like.
func parseDuration(s string) (d time.Duration, ok bool) {
	sign := time.Duration(1)
	if rest, minus := strings.CutPrefix(s, "-"); minus {
		s, sign = rest, -1
	}
	s, ok = strings.CutPrefix(strings.TrimPrefix(s, "+"), "P")
	n, any := 0, false
	for i := 0; i < len(s) && ok; i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && n < 1e6:
			n = n*10 + int(c-'0')
		case units[c] != 0:
			d += time.Duration(n) * units[c]
			n, any = 0, true
		default:
			ok = c == 'T'
		}
	}
	return sign * d, ok && any
}

var units = map[byte]time.Duration{'W': 7 * 24 * time.Hour, 'D': 24 * time.Hour, 'H': time.Hour, 'M': time.Minute, 'S': time.Second}
