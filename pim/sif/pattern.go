package sif

import (
	"math/bits"
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Outlook's kinds of recurrence. There is no 4.
const (
	daily      = 0
	weekly     = 1
	monthly    = 2 // on a day of the month
	monthlyNth = 3 // e.g. on the second Tuesday
	yearly     = 5
	yearlyNth  = 6
)

// weekdays are the bits of DayOfWeekMask from the lowest.
var weekdays = []string{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}

const (
	everyDay = 1<<7 - 1
	last     = 5 // as Instance: the last one, which may be the fourth
)

// pattern is a recurrence as Outlook keeps it.
type pattern struct {
	kind, interval, month, monthday, mask, instance, count int
	until                                                  string
}

// rule is the recurrence in the modern form.
func (s *source) rule(start moment) (string, bool) {
	number := func(name string) int { n, _ := strconv.Atoi(strings.TrimSpace(s.peek(name))); return n }
	p := pattern{kind: number("RecurrenceType"), interval: number("Interval"), month: number("MonthOfYear"), monthday: number("DayOfMonth"),
		mask: number("DayOfWeekMask"), instance: number("Instance")}
	if (p.kind == yearly || p.kind == yearlyNth) && p.interval >= 12 && p.interval%12 == 0 {
		p.interval /= 12 // Outlook counts years in months (ClientRecurrence.cpp)
	}
	p.shift(s.shift(start))
	rule, ok := p.rule()
	if !ok {
		return "", false
	}
	return rule + s.limit(start, number("Occurrences")), true
}

// shift is how many days the time of the world is ahead of the place where the pattern is meant, if the client says it in local time.
func (s *source) shift(start moment) int {
	here, ok := parseMoment(s.peek("PatternStartDate"))
	if !ok || here.layout != local || start.layout != universal {
		return 0
	}
	return int(start.t.Truncate(day).Sub(here.t.Truncate(day)) / day)
}

// shift moves the days of a pattern.
func (p *pattern) shift(days int) {
	if days < -1 || days > 1 {
		return
	}
	p.mask = rotate(p.mask, days)
	if moved := p.monthday + days; p.monthday != 0 && moved >= 1 && moved <= 31 {
		p.monthday = moved
	}
}

// rotate moves the bits of a mask by as many days.
func rotate(mask, days int) int {
	n := (days + 7) % 7
	mask &= everyDay
	return (mask<<n | mask>>(7-n)) & everyDay
}

// limit is the end of a rule. Clients until 6.5.2 write the last day, which leaves the time of its occurrence open: then they are counted.
func (s *source) limit(start moment, occurrences int) string {
	end, ok := parseMoment(s.peek("PatternEndDate"))
	never := strings.TrimSpace(s.peek("NoEndDate"))
	exact := ok && (start.layout == date || end.layout == start.layout && end.t.Sub(start.t)%day == 0)
	switch {
	case never == "1" || strings.EqualFold(never, "true") || !ok && occurrences <= 0:
		return ""
	case !exact && occurrences > 0:
		return ";COUNT=" + strconv.Itoa(occurrences)
	case start.layout == date:
		return ";UNTIL=" + end.day().modern()
	}
	return ";UNTIL=" + end.endOfDay(start).modern()
}

// endOfDay is the last second of a day, for a rule whose events have times.
func (m moment) endOfDay(start moment) moment {
	if m.layout != date || start.layout == date {
		return m
	}
	return moment{m.t.Add(day - time.Second), start.layout}
}

// rule is a pattern without its end.
func (p *pattern) rule() (string, bool) {
	freq, by, ok := "", "", true
	switch p.kind {
	case daily:
		freq, by = "DAILY", p.byDay("")
	case weekly:
		freq, by = "WEEKLY", p.byDay("")
	case monthly:
		freq, by = "MONTHLY", numbered("BYMONTHDAY", p.monthday)
	case monthlyNth:
		freq = "MONTHLY"
		by, ok = p.nth()
	case yearly:
		freq, by = "YEARLY", numbered("BYMONTH", p.month)+numbered("BYMONTHDAY", p.monthday)
	case yearlyNth:
		freq = "YEARLY"
		by, ok = p.nth()
		by = numbered("BYMONTH", p.month) + by
	}
	if p.interval > 1 {
		freq += ";INTERVAL=" + strconv.Itoa(p.interval)
	}
	ok = ok && p.month <= 12 && p.monthday <= 31 && p.interval >= 0 && p.month >= 0 && p.monthday >= 0
	return "FREQ=" + freq + by, ok && freq != "" && p.kind != 4
}

func numbered(name string, n int) string {
	if n == 0 {
		return ""
	}
	return ";" + name + "=" + strconv.Itoa(n)
}

// byDay lists the days of the mask.
func (p *pattern) byDay(position string) string {
	var out []string
	for i := range weekdays {
		d := (i + 1) % 7 // from Monday on, as people count
		if p.mask>>d&1 == 1 {
			out = append(out, position+weekdays[d])
		}
	}
	if len(out) == 0 {
		return ""
	}
	return ";BYDAY=" + strings.Join(out, ",")
}

// nth is e.g. the second Tuesday, or the last of Monday to Friday.
func (p *pattern) nth() (string, bool) {
	n := strconv.Itoa(p.instance)
	if p.instance == last {
		n = "-1"
	}
	ok := p.instance >= 1 && p.instance <= last && p.mask > 0 && p.mask <= everyDay
	if bits.OnesCount(uint(p.mask)&everyDay) == 1 {
		return p.byDay(n), ok
	}
	return p.byDay("") + ";BYSETPOS=" + n, ok
}
