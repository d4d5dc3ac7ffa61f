package filter

import (
	"slices"
	"strconv"
	"strings"
)

// lastOf is when the last event by a rule of RFC 5545 begins at the latest: by UNTIL, or by COUNT and an upper bound of the time between two
// recurrences. A rule without an end, or one that is not understood, is endless; of the second kind the earliest end is not known.
func lastOf(rule string, begin calendarTime) Moment {
	parts := map[string]string{}
	for p := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(rule)), ";") {
		k, v, _ := strings.Cut(p, "=")
		parts[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	unsure := Moment{begin.moment()[0], never}
	switch {
	case periods[parts["FREQ"]] == 0:
		return unsure
	case parts["UNTIL"] != "":
		if t, ok := parseTime(parts["UNTIL"]); ok {
			return untilOf(t, begin)
		}
		return unsure
	case parts["COUNT"] != "":
		if n, ok := counted(parts, begin); ok {
			m := begin.moment()
			return Moment{m[0], m[1] + n}
		}
		return unsure
	}
	return Moment{never, never}
}

// untilOf is the last begin by UNTIL; a day is meant whole.
func untilOf(until, begin calendarTime) Moment {
	m := until.moment()
	if until.day && !begin.day {
		m[1] += day - 1
	}
	return m
}

// periods are the most seconds of one period of each frequency.
var periods = map[string]int64{"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": day, "WEEKLY": 7 * day, "MONTHLY": 31 * day, "YEARLY": 366 * day}

// widening are the parts of a rule that add recurrences to a period rather than leave some out.
var widening = map[string][]string{"WEEKLY": {"BYDAY"}, "MONTHLY": {"BYDAY", "BYMONTHDAY"}, "YEARLY": {"BYMONTH", "BYDAY", "BYMONTHDAY"}}

// maxCount bounds counts that are looked at, and maxInterval intervals; what is beyond is taken as endless.
const (
	maxCount    = 100000
	maxInterval = 1000
)

// counted is the most seconds between the first and the last recurrence of a rule with COUNT.
func counted(parts map[string]string, begin calendarTime) (seconds int64, ok bool) {
	count, err := strconv.ParseInt(parts["COUNT"], 10, 64)
	if err != nil || count < 1 || count > maxCount {
		return 0, false
	}
	interval := int64(1)
	if s := parts["INTERVAL"]; s != "" {
		if interval, err = strconv.ParseInt(s, 10, 64); err != nil || interval < 1 || interval > maxInterval {
			return 0, false
		}
	}
	freq := parts["FREQ"]
	for name := range parts {
		if strings.HasPrefix(name, "BY") && !slices.Contains(widening[freq], name) {
			return 0, false // it may leave out any number of periods
		}
	}
	if parts["BYMONTHDAY"] != "" && parts["BYDAY"] != "" {
		return 0, false // only Fridays that are a 13th
	}
	return (count - 1 + places(parts)) * interval * periods[freq] * gaps(parts, begin), true
}

// places is 1 if recurrences need not fall on the same place of their period as the first: then the last may lie a period later.
func places(parts map[string]string) int64 {
	for name := range parts {
		if strings.HasPrefix(name, "BY") {
			return 1
		}
	}
	return 0
}

// gaps is how many periods there are at most to one that has the day at all: not every month has a 31st or a fifth Monday, and it can
// be eight years from one 29th of February to the next.
func gaps(parts map[string]string, begin calendarTime) int64 {
	freq, weekdays, days := parts["FREQ"], parts["BYDAY"], parts["BYMONTHDAY"]
	rare := weekdays == "" && days == "" && begin.dayOfMonth() > 28
	if (rare || beyond(weekdays, 4) || beyond(days, 28)) && (freq == "MONTHLY" || freq == "YEARLY") {
		return 8
	}
	return 1
}

// beyond tells whether a list of numbers, perhaps before weekdays, has one that is further from either end than most months are long.
func beyond(list string, most int) bool {
	for d := range strings.SplitSeq(list, ",") {
		if n, err := strconv.Atoi(strings.TrimRight(d, "MOTUWEHFRSA")); err == nil && (n > most || n < -most) {
			return true
		}
	}
	return false
}
