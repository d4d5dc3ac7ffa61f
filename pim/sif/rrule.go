package sif

import (
	"slices"
	"strconv"
	"strings"
)

// pattern is the recurrence of an entry as Outlook keeps it; false if there is none, or one that Outlook does not know.
func (e *entry) pattern(start moment) (*pattern, bool) {
	l := e.whole.Prop("RRULE")
	if l == nil {
		return nil, false
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.ToUpper(l.Value), ";") {
		name, v, _ := strings.Cut(part, "=")
		parts[strings.TrimSpace(name)] = strings.TrimSpace(v)
	}
	p := &pattern{interval: 1}
	here, ok := at(e.whole, "DTSTART")
	if !ok {
		here = start
	}
	if !p.begin(parts, here) || !p.end(parts, start) {
		return nil, false
	}
	return p, p.move(here, start)
}

// move brings a pattern from the place where it is meant to the time of the world.
func (p *pattern) move(here, start moment) bool {
	days := 0
	if start.layout == universal && here.layout == local {
		days = int(start.t.Truncate(day).Sub(here.t.Truncate(day)) / day)
	}
	if days != 0 && (p.instance != 0 || p.monthday+days < 1 && p.monthday != 0 || p.monthday+days > 28) {
		return false
	}
	p.shift(days)
	return days >= -1 && days <= 1
}

// begin reads all but the end of a rule.
func (p *pattern) begin(parts map[string]string, here moment) bool {
	if v := parts["INTERVAL"]; v != "" {
		n, err := strconv.Atoi(v)
		if p.interval = n; err != nil || n < 1 {
			return false
		}
	}
	for name := range parts {
		if !slices.Contains([]string{"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", ""}, name) {
			return false
		}
	}
	switch parts["FREQ"] {
	case "DAILY", "WEEKLY":
		return p.often(parts, here)
	case "MONTHLY":
		p.kind = monthly
		return parts["BYMONTH"] == "" && p.seldom(parts, here)
	case "YEARLY":
		p.kind = yearly
		if p.month = int(here.t.Month()); parts["BYMONTH"] != "" {
			n, err := strconv.Atoi(parts["BYMONTH"])
			if p.month = n; err != nil || n < 1 || n > 12 {
				return false
			}
		}
		return p.seldom(parts, here)
	}
	return false
}

// often is for days and weeks. Daily on some weekdays is weekly for Outlook.
func (p *pattern) often(parts map[string]string, here moment) bool {
	if parts["BYMONTHDAY"]+parts["BYMONTH"]+parts["BYSETPOS"] != "" {
		return false
	}
	if parts["FREQ"] == "DAILY" && parts["BYDAY"] == "" {
		return true
	}
	p.kind, p.mask = weekly, 1<<here.t.Weekday()
	if parts["BYDAY"] == "" {
		return true
	}
	mask, position, ok := weekMask(parts["BYDAY"])
	p.mask = mask
	return ok && position == 0 && (parts["FREQ"] == "WEEKLY" || p.interval == 1)
}

// seldom is for months and years.
func (p *pattern) seldom(parts map[string]string, here moment) bool {
	switch {
	case parts["BYDAY"] != "" && parts["BYMONTHDAY"] != "":
		return false
	case parts["BYDAY"] != "":
		p.kind++
		mask, position, ok := weekMask(parts["BYDAY"])
		if v := parts["BYSETPOS"]; v != "" && position == 0 {
			position, _ = strconv.Atoi(v)
		} else if v != "" {
			return false
		}
		p.mask = mask
		return ok && p.at(position)
	case parts["BYSETPOS"] != "":
		return false
	case parts["BYMONTHDAY"] == "-1": // the last of all days
		p.kind++
		p.mask = everyDay
		return p.at(-1)
	case parts["BYMONTHDAY"] != "":
		n, err := strconv.Atoi(parts["BYMONTHDAY"])
		p.monthday = n
		return err == nil && n >= 1 && n <= 31
	}
	p.monthday = here.t.Day()
	return true
}

// at sets the instance.
func (p *pattern) at(position int) bool {
	p.instance = position
	if position == -1 {
		p.instance = last
	}
	return position == -1 || position >= 1 && position < last
}

// weekMask reads "MO,TU" as a mask without a position, and "2TU" or "-1FR" as one with.
func weekMask(v string) (mask, position int, ok bool) {
	list := strings.Split(v, ",")
	for _, d := range list {
		n := max(len(d)-2, 0)
		bit := slices.Index(weekdays, d[n:])
		if bit < 0 {
			return 0, 0, false
		}
		mask |= 1 << bit
		if d[:n] != "" {
			var err error
			if position, err = strconv.Atoi(d[:n]); err != nil || len(list) > 1 || position == 0 {
				return 0, 0, false
			}
		}
	}
	return mask, position, true
}

// end reads how long a rule goes.
func (p *pattern) end(parts map[string]string, start moment) bool {
	if v := parts["COUNT"]; v != "" {
		n, err := strconv.Atoi(v)
		p.count = n
		return err == nil && n > 0
	}
	if v := parts["UNTIL"]; v != "" {
		m, ok := parseMoment(v)
		if start.layout == date {
			m = moment{m.t.Truncate(day), date}
		}
		p.until = m.endOfDay(start).sif()
		return ok
	}
	return true
}
