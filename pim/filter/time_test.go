package filter_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// TestEvents are all in 2026; want is whether they are in scope of since and before.
func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, lines, filter string
		want                bool
	}{
		{"a day", "DTSTART;VALUE=DATE:20261120", "since:2026-11-21", true}, // it ends at midnight, somewhere
		{"a day, long ago", "DTSTART;VALUE=DATE:20261120", "since:2026-11-22", false},
		{"a duration", "DTSTART:20261120T230000Z\r\nDURATION:PT2H", "since:2026-11-21T01:00:00Z", true},
		{"a shorter one", "DTSTART:20261120T230000Z\r\nDURATION:PT1H59M", "since:2026-11-21T01:00:00Z", false},
		{"a week", "DTSTART:20261120T230000Z\r\nDURATION:P1W", "since:2026-11-27", true},
		{"no end", "DTSTART:20261120T230000Z", "since:2026-11-20T23:00:00Z", true},
		{"no end, later", "DTSTART:20261120T230000Z", "since:2026-11-20T23:00:01Z", false},
		{"an end that makes no sense", "DTSTART:20261120T230000Z\r\nDTEND:soon", "since:2027-01-01", true},
		{"an end before the begin", "DTSTART:20261120T230000Z\r\nDTEND:20200101T000000Z", "since:2026-11-20", true},
		{"a duration that makes no sense", "DTSTART:20261120T230000Z\r\nDURATION:long", "since:2027-01-01", true},
		{"a zone", "DTSTART;TZID=Pacific/Kiritimati:20261120T120000", "before:2026-11-19T22:00:01Z", true},
		{"a zone, too late", "DTSTART;TZID=Pacific/Kiritimati:20261120T120000", "before:2026-11-19T22:00:00Z", false},
		{"a zone, perhaps", "DTSTART;TZID=Pacific/Kiritimati:20261120T120000", "-before:2026-11-20", true},
		{"two zones", "DTSTART;TZID=A:20261120T120000\r\nDTEND;TZID=B:20261120T110000", "since:2026-11-20T23:00:00Z", true},
		{"for ever", "DTSTART:20100101T100000Z\r\nRRULE:FREQ=DAILY", "since:2090-01-01", true},
		{"for ever, negated", "DTSTART:20100101T100000Z\r\nRRULE:FREQ=DAILY", "-since:2090-01-01", false},
		{"for ever, from later on", "DTSTART:20300101T100000Z\r\nRRULE:FREQ=DAILY", "before:2029-01-01", false},
		{"until", "DTSTART:20100101T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;UNTIL=20261120T100000Z", "since:2026-11-20T11:00:00Z", true},
		{"until, over", "DTSTART:20100101T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY;UNTIL=20261120T100000Z", "since:2026-11-20T11:00:01Z", false},
		{"until a day", "DTSTART:20100101T100000Z\r\nRRULE:FREQ=DAILY;UNTIL=20261120", "since:2026-11-20T23:00:00Z", true},
		{"until nonsense", "DTSTART:20100101T100000Z\r\nRRULE:FREQ=DAILY;UNTIL=soon", "since:2026-11-20", true},
		{"ten weeks", "DTSTART:20260101T100000Z\r\nRRULE:FREQ=WEEKLY;COUNT=10", "since:2026-03-05", true},
		{"ten weeks, over", "DTSTART:20260101T100000Z\r\nRRULE:FREQ=WEEKLY;COUNT=10", "since:2026-03-06", false},
		{"a count that leaves out", "DTSTART:20260101T100000Z\r\nRRULE:FREQ=DAILY;COUNT=10;BYMONTH=1", "since:2027-01-01", true},
		{"fridays", "DTSTART:20260102T100000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "since:2026-06-01", false},
		{"fifth fridays", "DTSTART:20260130T100000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=5FR;COUNT=3", "since:2026-07-31", true},
		{"31sts", "DTSTART:20260131T100000Z\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=4", "since:2026-07-31", true},
		{"every other day of two", "DTSTART:20260101T100000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4;INTERVAL=2", "since:2026-03-15", false},
		{"a Friday the 13th", "DTSTART:20260213T100000Z\r\nRRULE:FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=2", "since:2030-01-01", true},
		{"an interval that makes no sense", "DTSTART:20260213T100000Z\r\nRRULE:FREQ=DAILY;INTERVAL=0;COUNT=2", "since:2030-01-01", true},
		{"an unknown frequency", "DTSTART:20260101T100000Z\r\nRRULE:FREQ=LUNARLY;COUNT=1", "since:2027-01-01", true},
		{"an unknown rule, negated", "DTSTART:20260101T100000Z\r\nRRULE:sometimes", "-since:2027-01-01", true},
		{"a date more", "DTSTART:20260101T100000Z\r\nRDATE:20260201T100000Z,20270101T100000Z", "since:2027-01-01", true},
		{"an earlier date", "DTSTART:20260101T100000Z\r\nRDATE:20200101T100000Z", "before:2020-01-02", true},
		{"a period", "DTSTART:20260101T100000Z\r\nRDATE;VALUE=PERIOD:20260201T100000Z/P400D", "since:2027-01-01", true},
		{"a period to a time", "DTSTART:20260101T100000Z\r\nRDATE;VALUE=PERIOD:20260201T100000Z/20260202T100000Z", "since:2026-02-03", false},
		{"a moved one of a series", "DTSTART:20260101T100000Z\r\nRRULE:FREQ=DAILY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:e\r\nRECURRENCE-ID:20260102T100000Z\r\n" +
			"DTSTART:20270601T100000Z", "since:2027-06-01", true},
		{"its time zone does not count", "DTSTART:20260101T100000Z\r\nEND:VEVENT\r\nBEGIN:VTIMEZONE\r\nTZID:A\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n" +
			"RRULE:FREQ=YEARLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nDTSTART:20260101T100000Z", "since:2026-02-01", false},
	} {
		if got := parse(t, c.filter).Match(event(c.lines), pim.Calendar, now); got != c.want {
			t.Errorf("%s: in scope of %s is %t", c.name, c.filter, got)
		}
	}
}

func TestOldCalendars(t *testing.T) {
	body := "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nDTSTART:20260101T100000Z\r\nDTEND:20260101T110000Z\r\nRRULE:W1 TH %s\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	for rule, want := range map[string]bool{"#0": true, "#3": false, "20260201T000000Z": false} {
		item := pim.Item{Type: "text/x-vcalendar", Body: fmt.Appendf(nil, body, rule)}
		if got := parse(t, "since:2026-06-01").Match(item, pim.Calendar, now); got != want {
			t.Errorf("%s: %t", rule, got)
		}
	}
}

// TestCountsAreBounded from above: the last recurrence is never later than the end that is taken.
func TestCountsAreBounded(t *testing.T) {
	for _, c := range []struct {
		freq  string
		begin time.Time
		next  func(begin time.Time, n int) time.Time
	}{
		{"DAILY", time.Date(2024, 2, 28, 10, 0, 0, 0, time.UTC), func(b time.Time, n int) time.Time { return b.AddDate(0, 0, n) }},
		{"WEEKLY", time.Date(2024, 2, 28, 10, 0, 0, 0, time.UTC), func(b time.Time, n int) time.Time { return b.AddDate(0, 0, 7*n) }},
		{"MONTHLY", time.Date(2024, 1, 15, 10, 0, 0, 0, time.UTC), func(b time.Time, n int) time.Time { return b.AddDate(0, n, 0) }},
		{"MONTHLY", time.Date(2024, 1, 31, 10, 0, 0, 0, time.UTC), func(b time.Time, n int) time.Time { return b.AddDate(0, n, 0) }},
		{"YEARLY", time.Date(2024, 3, 1, 10, 0, 0, 0, time.UTC), func(b time.Time, n int) time.Time { return b.AddDate(n, 0, 0) }},
		{"YEARLY", time.Date(2096, 2, 29, 10, 0, 0, 0, time.UTC), func(b time.Time, n int) time.Time { return b.AddDate(n, 0, 0) }},
	} {
		last, seen := c.begin, 1
		for n := 1; seen < 12; n++ {
			if at := c.next(c.begin, n); at.Day() == c.begin.Day() || c.freq == "DAILY" || c.freq == "WEEKLY" {
				last, seen = at, seen+1
			}
		}
		facts := filter.FactsOf(event("DTSTART:"+c.begin.Format("20060102T150405Z")+"\r\nRRULE:FREQ="+c.freq+";COUNT=12"), pim.Calendar)
		if end := facts.End[1]; end < last.Unix() || end > last.AddDate(100, 0, 0).Unix() {
			t.Errorf("%s from %s: the last is %s, taken is %s", c.freq, c.begin, last, time.Unix(end, 0).UTC())
		}
	}
}

func TestTasks(t *testing.T) {
	for _, c := range []struct {
		name, lines, filter string
		want                bool
	}{
		{"an overdue one does not end", "DUE:20200101T000000Z", "since:1d", true},
		{"a done one does", "DUE:20200101T000000Z\r\nSTATUS:COMPLETED", "since:1d", false},
		{"when it was done", "DUE:20200101T000000Z\r\nCOMPLETED:20261125T090000Z", "since:1d", true},
		{"done without a due date", "COMPLETED:20261120T090000Z", "since:1d", false},
		{"begins", "DTSTART:20270101T000000Z\r\nDUE:20270201T000000Z", "before:+30d", false},
		{"overdue is due", "DUE:20200101T000000Z", "due:7d", true},
		{"due is not", "STATUS:NEEDS-ACTION", "due:7d", false},
		{"not due", "STATUS:NEEDS-ACTION", "-due:7d", true},
		{"due on a day", "DUE;VALUE=DATE:20261130", "due:2026-11-30", true},
		{"due by a duration", "DTSTART:20261201T000000Z\r\nDURATION:P1D", "due:2026-12-02", true},
		{"cancelled", "STATUS:CANCELLED", "status:open", false},
		{"a phone's empty completion", "COMPLETED:\r\nSTATUS:NEEDS ACTION", "status:open", true},
		{"open recurring", "DTSTART:20200101T000000Z\r\nRRULE:FREQ=DAILY;COUNT=3", "status:open since:1d", true},
	} {
		if got := parse(t, c.filter).Match(task(c.lines), pim.Tasks, now); got != c.want {
			t.Errorf("%s: in scope of %s is %t", c.name, c.filter, got)
		}
	}
}

// TestWindowsRoll: an item leaves and enters at a known second, and nothing but time has passed (F12).
func TestWindowsRoll(t *testing.T) {
	for _, c := range []struct {
		name, filter string
		item         pim.Item
		kind         pim.Kind
		want         string // "" for never
	}{
		{"leaves", "since:14d", samples[pim.Mail], pim.Mail, "2026-12-04T12:00:01Z"},
		{"enters", "before:14d", samples[pim.Mail], pim.Mail, "2026-12-04T12:00:01Z"},
		{"left", "since:3d", samples[pim.Mail], pim.Mail, ""},
		{"stays for another reason", "since:14d or flag:seen", samples[pim.Mail], pim.Mail, ""},
		{"is out for another reason", "since:14d flag:draft", samples[pim.Mail], pim.Mail, ""},
		{"the first of two", "since:14d or since:30d", samples[pim.Mail], pim.Mail, "2026-12-20T12:00:01Z"},
		{"both", "since:14d since:30d", samples[pim.Mail], pim.Mail, "2026-12-04T12:00:01Z"},
		{"enters, then leaves", "before:10d since:14d", samples[pim.Mail], pim.Mail, "2026-11-30T12:00:01Z"},
		{"an absolute time", "since:2026-11-01", samples[pim.Mail], pim.Mail, ""},
		{"an event ahead", "before:+30d", event("DTSTART:20270101T100000Z"), pim.Calendar, "2026-12-02T10:00:01Z"},
		{"an event without a zone", "since:14d", event("DTSTART:20261120T100000\r\nDTEND:20261120T110000"), pim.Calendar, "2026-12-04T23:00:01Z"},
		{"a series without an end", "since:14d", event("DTSTART:20200101T100000Z\r\nRRULE:FREQ=DAILY"), pim.Calendar, ""},
		{"a task", "due:2d", task("DUE:20261201T120000Z"), pim.Tasks, "2026-11-29T12:00:00Z"},
		{"what cannot be read", "since:14d", pim.Item{Body: []byte("garbage")}, pim.Mail, ""},
	} {
		f := parse(t, c.filter)
		at, ok := f.NextChange(c.item, c.kind, now)
		got := ""
		if ok {
			got = at.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s: changes at %q, want %q", c.name, got, c.want)
		}
		if ok && (f.Match(c.item, c.kind, at) == f.Match(c.item, c.kind, now) || f.Match(c.item, c.kind, at.Add(-1)) != f.Match(c.item, c.kind, now)) {
			t.Errorf("%s: does not change exactly then", c.name)
		}
		if again, fine := f.NextChangeFacts(filter.FactsOf(c.item, c.kind), now); fine != ok || !again.Equal(at) {
			t.Errorf("%s: by facts %s", c.name, again)
		}
	}
}
