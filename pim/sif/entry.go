package sif

import (
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

// words are the fields that events and tasks have in common.
func (s *source) words() []contentline.Line {
	out := s.property("Subject", "SUMMARY")
	out = append(out, s.property("Body", "DESCRIPTION")...)
	out = append(out, s.property("Location", "LOCATION")...)
	out = append(out, s.categories()...)
	out = append(out, s.class()...)
	return append(out, s.priority()...)
}

// modernEvent makes a VEVENT. Duration says once more what Start and End say.
func modernEvent(s *source) *contentline.Component {
	props := s.words()
	duration := s.number("Duration")
	start, ok := s.moment("Start")
	whole := s.truth("AllDayEvent") || start.layout == date
	if ok && whole {
		props = append(props, start.day().property("DTSTART"), s.lastDay(start.day()).property("DTEND"))
	} else if ok {
		props = append(props, start.property("DTSTART"))
		props = append(props, s.end(start, duration)...)
	}
	if whole {
		start = start.day()
	}
	props = append(props, s.busy()...)
	props = append(props, s.recurrence(start, ok)...)
	alarms := s.reminder()
	return component("VEVENT", append(props, s.extras()...), alarms...)
}

// lastDay is the day after the last one. SIF names the last day itself, but some clients write times from midnight to midnight.
func (s *source) lastDay(start moment) moment {
	m, ok := s.moment("End")
	end := m.day()
	midnight := m.layout == universal || m.t.Equal(end.t) && m.layout == local
	if !ok || !midnight {
		end = end.add(1)
	}
	if !ok || !end.t.After(start.t) {
		return start.add(1)
	}
	return end
}

func (s *source) end(start moment, minutes int) []contentline.Line {
	end, ok := s.moment("End")
	if !ok && minutes > 0 {
		end, ok = moment{start.t.Add(time.Duration(minutes) * time.Minute), start.layout}, true
	}
	if !ok {
		return nil
	}
	return []contentline.Line{end.property("DTEND")}
}

// reminder is an alarm. Events have it some minutes before they begin, tasks at a time.
func (s *source) reminder() []*contentline.Component {
	set, minutes := s.truth("ReminderSet"), s.word("ReminderMinutesBeforeStart")
	m, timed := s.moment("ReminderTime")
	trigger := line("TRIGGER", "-PT"+minutes+"M")
	switch n, err := strconv.Atoi(minutes); {
	case !set:
		return nil
	case err == nil && n >= 0:
	case timed:
		trigger = line("TRIGGER", m.modern())
		trigger.Params = []contentline.Param{{Name: "VALUE", Values: []string{"DATE-TIME"}}}
	default:
		return nil
	}
	return []*contentline.Component{component("VALARM", []contentline.Line{line("ACTION", "DISPLAY"), line("DESCRIPTION", "Reminder"), trigger})}
}

// modernTask makes a VTODO. Outlook's tasks have days and no times.
func modernTask(s *source) *contentline.Component {
	props := s.words()
	start, ok := s.moment("StartDate")
	if ok {
		props = append(props, start.day().property("DTSTART"))
	}
	due, isDue := s.moment("DueDate")
	if isDue {
		props = append(props, due.day().property("DUE"))
	}
	status := s.status()
	props = append(props, status...)
	done, isDone := s.moment("DateCompleted")
	if isDone && len(status) > 0 && status[0].Value == states[2] {
		props = append(props, moment{done.day().t, universal}.property("COMPLETED"))
	}
	if n := s.number("PercentComplete"); n > 0 && n <= 100 {
		props = append(props, line("PERCENT-COMPLETE", strconv.Itoa(n)))
	}
	if !ok {
		start = due
	}
	props = append(props, s.recurrence(start.day(), ok || isDue)...)
	alarms := s.reminder()
	return component("VTODO", append(props, s.extras()...), alarms...)
}

// entry is an event or a task that is given.
type entry struct {
	whole *contentline.Component // as it is
	plain *contentline.Component // with times that need no zone, ends and alarms at fixed times
}

// entryOf finds the event or task of a file: the one that is no changed occurrence, because SIF has none. Nil if there is nothing.
func entryOf(body []byte) *entry {
	c := find(body, "VCALENDAR")
	if c == nil {
		return nil
	}
	var whole *contentline.Component
	for _, s := range c.Subs {
		if (s.Name == "VEVENT" || s.Name == "VTODO") && (whole == nil || whole.Prop("RECURRENCE-ID") != nil && s.Prop("RECURRENCE-ID") == nil) {
			whole = s
		}
	}
	if whole == nil {
		return nil
	}
	return &entry{whole: whole, plain: plain(whole)}
}

// plain lets the conversion to the form of old phones, which know no zones either, do its work.
func plain(whole *contentline.Component) *contentline.Component {
	c := *whole
	c.Props = nil
	for _, l := range whole.Props {
		if l.Name != "RECURRENCE-ID" {
			c.Props = append(c.Props, l)
		}
	}
	_, body := versit.Modern(versit.Old(pim.TypeICalendar, calendar(&c).Bytes()))
	if cal := find(body, "VCALENDAR"); cal != nil && len(cal.Subs) > 0 {
		return cal.Subs[0]
	}
	return component(whole.Name, nil)
}

func (e *entry) putWords(out *node) {
	out.put("SIFVersion", "1.0")
	out.put("Subject", text(e.whole.Prop("SUMMARY")))
	out.put("Body", text(e.whole.Prop("DESCRIPTION")))
	if e.whole.Name == "VEVENT" {
		out.put("Location", text(e.whole.Prop("LOCATION")))
	}
	putCategories(out, e.whole)
	putClass(out, e.whole)
	putPriority(out, e.whole)
}

// tooEarly bounds how many minutes before an event an alarm may be: nearly two years.
const tooEarly = 1e6

func oldEvent(e *entry) *node {
	out := &node{name: "appointment"}
	e.putWords(out)
	start, ok := at(e.plain, "DTSTART")
	end, ends := at(e.plain, "DTEND")
	whole := "0"
	if ok && start.layout == date {
		whole, end = "1", end.add(-1) // SIF names the last day
	}
	if !ends || end.t.Before(start.t) {
		end = start
	}
	if ok {
		out.put("Start", start.sif())
		out.put("End", end.sif())
	}
	out.put("AllDayEvent", whole)
	putBusy(out, e.whole)
	alarm, set := e.alarm()
	if minutes := start.t.Sub(alarm.t) / time.Minute; set && ok && minutes >= 0 && minutes < tooEarly {
		out.put("ReminderSet", "1")
		out.put("ReminderMinutesBeforeStart", strconv.Itoa(int(minutes)))
	} else {
		out.put("ReminderSet", "0")
	}
	e.putRecurrence(out, start, ok)
	restoreExtras(out, e.whole.Props)
	return out
}

// alarm is when the first alarm rings.
func (e *entry) alarm() (moment, bool) {
	for _, a := range e.plain.Subs {
		if m, ok := at(a, "TRIGGER"); ok {
			return m, true
		}
	}
	return moment{}, false
}

func oldTask(e *entry) *node {
	out := &node{name: "task"}
	e.putWords(out)
	out.put("StartDate", dayOf(e.whole, "DTSTART"))
	out.put("DueDate", dayOf(e.whole, "DUE"))
	putStatus(out, e.whole)
	done := ""
	if strings.EqualFold(text(e.whole.Prop("STATUS")), "COMPLETED") {
		done = dayOf(e.whole, "COMPLETED")
	}
	out.put("DateCompleted", done)
	percent, _ := strconv.Atoi(text(e.whole.Prop("PERCENT-COMPLETE")))
	out.put("PercentComplete", strconv.Itoa(percent))
	if alarm, set := e.alarm(); set {
		out.put("ReminderSet", "1")
		out.put("ReminderTime", alarm.sif())
	} else {
		out.put("ReminderSet", "0")
	}
	start, ok := parseMoment(dayOf(e.whole, "DTSTART"))
	if !ok {
		start, ok = parseMoment(dayOf(e.whole, "DUE"))
	}
	e.putRecurrence(out, start, ok)
	restoreExtras(out, e.whole.Props)
	return out
}
