package sif_test

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/pim/sif"
)

// pattern are the fields of a recurrence in the order of SIFFields.h.
func pattern(kind, interval, month, monthday, mask, instance, end string) string {
	return "<RecurrenceType>" + kind + "</RecurrenceType><Interval>" + interval + "</Interval><MonthOfYear>" + month + "</MonthOfYear><DayOfMonth>" + monthday +
		"</DayOfMonth><DayOfWeekMask>" + mask + "</DayOfWeekMask><Instance>" + instance + "</Instance><PatternStartDate>20070102T050000Z</PatternStartDate>" + end
}

const (
	forever   = "<NoEndDate>1</NoEndDate><PatternEndDate></PatternEndDate><Occurrences>0</Occurrences>"
	fiveTimes = "<NoEndDate>0</NoEndDate><PatternEndDate></PatternEndDate><Occurrences>5</Occurrences>"
	toTheEnd  = "<NoEndDate>0</NoEndDate><PatternEndDate>20071231T050000Z</PatternEndDate><Occurrences>0</Occurrences>"
)

// TestRules: 2 January 2007 was a Tuesday.
func TestRules(t *testing.T) {
	for _, c := range []struct{ pattern, rule string }{
		{pattern("0", "1", "0", "0", "0", "0", forever), "FREQ=DAILY"},
		{pattern("0", "3", "0", "0", "0", "0", fiveTimes), "FREQ=DAILY;INTERVAL=3;COUNT=5"},
		{pattern("1", "1", "0", "0", "62", "0", toTheEnd), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20071231T050000Z"},
		{pattern("1", "2", "0", "0", "5", "0", forever), "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU"},
		{pattern("2", "1", "0", "31", "0", "0", forever), "FREQ=MONTHLY;BYMONTHDAY=31"},
		{pattern("3", "1", "0", "0", "4", "2", forever), "FREQ=MONTHLY;BYDAY=2TU"},
		{pattern("3", "1", "0", "0", "32", "5", forever), "FREQ=MONTHLY;BYDAY=-1FR"},
		{pattern("3", "1", "0", "0", "62", "5", forever), "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"},
		{pattern("5", "1", "12", "24", "0", "0", forever), "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24"},
		{pattern("6", "1", "11", "0", "16", "4", forever), "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"},
	} {
		event := "<Start>20070102T050000Z</Start><End>20070102T060000Z</End><IsRecurring>1</IsRecurring>" + c.pattern
		want := "DTSTART:20070102T050000Z\nDTEND:20070102T060000Z\nRRULE:" + c.rule + "\n"
		if got := modern(t, sif.TypeEvent, event); got != want {
			t.Errorf("%s became %s, want %s", c.pattern, got, want)
		}
		if got := given(t, sif.TypeEvent, want); !strings.Contains(got, "<IsRecurring>1</IsRecurring>"+c.pattern) {
			t.Errorf("%s became %s", c.rule, got)
		}
	}
}

// TestRulesOfClients are in a manner in which nobody is given them.
func TestRulesOfClients(t *testing.T) {
	for _, c := range []struct{ fields, want string }{
		{pattern("5", "24", "12", "24", "0", "0", forever), "FREQ=YEARLY;INTERVAL=2;BYMONTH=12;BYMONTHDAY=24"},                              // years in months
		{strings.Replace(pattern("1", "1", "0", "0", "2", "0", forever), "20070102T050000Z", "20070101T230000", 1), "FREQ=WEEKLY;BYDAY=TU"}, // Monday at home
		{strings.Replace(pattern("0", "1", "0", "0", "0", "0", toTheEnd), "20071231T050000Z", "20071230T230000Z", 1) + "<Occurrences>9</Occurrences>",
			"FREQ=DAILY;COUNT=9"},
		{pattern("0", "1", "0", "0", "0", "0", "<PatternEndDate>2007-12-31</PatternEndDate>"), "FREQ=DAILY;UNTIL=20071231T235959Z"},
	} {
		if strings.Contains(c.want, "COUNT") {
			c.fields = strings.Replace(c.fields, "<Occurrences>0</Occurrences>", "", 1)
		}
		got := modern(t, sif.TypeEvent, "<Start>20070102T050000Z</Start><IsRecurring>True</IsRecurring>"+c.fields)
		if !strings.Contains(got, "RRULE:"+c.want+"\n") {
			t.Errorf("%s became %s, want %s", c.fields, got, c.want)
		}
	}
}

// TestRulesOfPrograms that Outlook has other words for, or none.
func TestRulesOfPrograms(t *testing.T) {
	for _, c := range []struct{ rule, want string }{
		{"FREQ=WEEKLY;WKST=MO", pattern("1", "1", "0", "0", "4", "0", forever)},
		{"FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", pattern("1", "1", "0", "0", "62", "0", forever)},
		{"FREQ=MONTHLY", pattern("2", "1", "0", "2", "0", "0", forever)},
		{"FREQ=MONTHLY;BYMONTHDAY=-1", pattern("3", "1", "0", "0", "127", "5", forever)},
		{"FREQ=YEARLY", pattern("5", "1", "1", "2", "0", "0", forever)},
		{"FREQ=MONTHLY;BYDAY=5TU", "<IsRecurring>0<"},
		{"FREQ=MONTHLY;BYDAY=1MO,3MO", "<IsRecurring>0<"},
		{"FREQ=MONTHLY;BYMONTHDAY=1,15", "<IsRecurring>0<"},
		{"FREQ=YEARLY;BYYEARDAY=100", "<IsRecurring>0<"},
		{"FREQ=HOURLY", "<IsRecurring>0<"},
		{"FREQ=DAILY;COUNT=x", "<IsRecurring>0<"},
		{"nonsense", "<IsRecurring>0<"},
	} {
		if got := given(t, sif.TypeEvent, "DTSTART:20070102T050000Z\nRRULE:"+c.rule+"\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s became %s, want %s", c.rule, got, c.want)
		}
	}
	// Late on Monday in New York is Tuesday for the world.
	got := given(t, sif.TypeEvent, "DTSTART;TZID=America/New_York:20070101T230000\nRRULE:FREQ=WEEKLY;BYDAY=MO\n")
	if !strings.Contains(got, "<Start>20070102T040000Z<") || !strings.Contains(got, "<DayOfWeekMask>4<") {
		t.Error(got)
	}
}

func TestExceptions(t *testing.T) {
	event := "<Start>20070102T050000Z</Start><IsRecurring>1</IsRecurring>" + pattern("0", "1", "0", "0", "0", "0", forever)
	for _, c := range []struct{ fields, want string }{
		{"<ExcludeDate>20070103T050000Z</ExcludeDate><ExcludeDate>2007-01-04</ExcludeDate><IncludeDate/>", "EXDATE:20070103T050000Z\nEXDATE:20070104T050000Z\n"},
		{"<ExcludeDate/><IncludeDate>20070104T070000Z</IncludeDate>", "RDATE:20070104T070000Z\n"},
		{"<Exception><OriginalDate>1</OriginalDate></Exception>", "X-SIF-EXCEPTIONS;X-XML=1:<Exception><OriginalDate>1</OriginalDate></Exception>\n"},
	} {
		got := modern(t, sif.TypeEvent, event+"<Exceptions>"+c.fields+"</Exceptions>")
		if want := "DTSTART:20070102T050000Z\nRRULE:FREQ=DAILY\n" + c.want; got != want {
			t.Errorf("%s became %s, want %s", c.fields, got, want)
		}
		back := given(t, sif.TypeEvent, got)
		if _, again, _ := strings.Cut(back, "<Exceptions>"); !strings.HasPrefix(again, "<") || modern(t, sif.TypeEvent, event+"<Exceptions>"+again[:strings.Index(again, "</Exceptions>")]+"</Exceptions>") != got {
			t.Errorf("%s became %s", got, back)
		}
	}
	got := modern(t, sif.TypeEvent, "<Start>2007-01-02</Start><IsRecurring>1</IsRecurring><RecurrenceType>4</RecurrenceType><Interval>7</Interval>")
	if back := given(t, sif.TypeEvent, got); !strings.Contains(back, "<IsRecurring>1</IsRecurring><RecurrenceType>4</RecurrenceType><Interval>7</Interval>") {
		t.Errorf("an unknown kind became %s and %s", got, back)
	}
}
