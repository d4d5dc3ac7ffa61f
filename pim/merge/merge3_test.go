package merge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/merge"
)

func card(lines ...string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
}

func event(lines ...string) string {
	return "BEGIN:VEVENT\r\nUID:e\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\n"
}

func calendar(components ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + strings.Join(components, "") + "END:VCALENDAR\r\n"
}

func TestThreeCards(t *testing.T) {
	for _, c := range []struct{ name, base, ours, theirs, want string }{
		{"both sides", card("FN:Ana", "NOTE:a"), card("FN:Ana S", "NOTE:a"), card("FN:Ana", "NOTE:b"), card("FN:Ana S", "NOTE:b")},
		{"to the same", card("FN:Ana"), card("FN:Ana S"), card("fn:Ana S "), card("FN:Ana S")},
		{"lines stay as they are written", card("FN:Ana", "note;x=1:a\r\n b", "item1.X-y:z"), card("FN:Ana S", "note;x=1:a\r\n b", "item1.X-y:z"),
			card("NOTE;X=1:ab", "FN:Ana", "ITEM1.X-Y:z", "TITLE;x=2:t\r\n u"), card("FN:Ana S", "note;x=1:a\r\n b", "item1.X-y:z", "TITLE;x=2:t\r\n u")},
		{"numbers", card("TEL:1", "TEL:2", "TEL:3"), card("TEL:1", "TEL:3", "TEL:4"), card("TEL:1", "TEL:2", "TEL:5"), card("TEL:1", "TEL:4", "TEL:5")},
		{"the same number twice", card("FN:a"), card("FN:a", "TEL:1"), card("FN:a", "TEL;VOICE:1", "TEL:2"), card("FN:a", "TEL:1", "TEL:2")},
		{"a number with other types", card("TEL;TYPE=HOME:1", "FN:a"), card("TEL;TYPE=WORK:1", "FN:a"), card("TEL;TYPE=HOME:1", "FN:b"), card("TEL;TYPE=WORK:1", "FN:b")},
		{"categories", card("CATEGORIES:a,b\\,c,d"), card("CATEGORIES:a,d,e"), card("CATEGORIES:a,b\\,c,d", "CATEGORIES:f"), card("CATEGORIES:a,d,e", "CATEGORIES:f")},
		{"an element of theirs is gone", card("CATEGORIES:a,b,c"), card("CATEGORIES:a,b,c,d"), card("CATEGORIES:a,c"), card("CATEGORIES:a,c,d")},
		{"deleted and added", card("NOTE:a", "X-A:1"), card("X-A:1"), card("NOTE:a", "X-A:1", "X-B:2"), card("X-A:1", "X-B:2")},
		{"unknown ones of one name", card("X-A:1", "X-A:2"), card("X-A:1", "X-A:3"), card("X-A:1", "X-A:2", "X-A:4"), card("X-A:1", "X-A:3", "X-A:4")},
		{"groups that both made up", card("FN:a"), card("FN:a", "item1.TEL:1", "item1.X-ABLabel:x"), card("FN:a", "item1.URL:u", "item1.X-ABLabel:y"),
			card("FN:a", "item1.TEL:1", "item1.X-ABLabel:x", "item2.X-ABLabel:y", "item2.URL:u")},
		{"bookkeeping", card("REV:2020", "PRODID:b", "FN:a"), card("REV:2021", "PRODID:o", "FN:a", "TITLE:x"), card("REV:2022", "PRODID:t", "FN:a", "ROLE:y"),
			card("REV:2022", "PRODID:o", "FN:a", "TITLE:x", "ROLE:y")},
		{"a dropped UID", card("UID:u", "FN:a"), card("UID:u", "FN:a", "TITLE:x"), card("FN:b"), card("UID:u", "FN:b", "TITLE:x")},
		{"a photo", card("PHOTO;ENCODING=b:aGVs\r\n bG8=", "FN:a"), card("PHOTO;ENCODING=b:aGVsbG8=", "FN:b"), card("FN:a"), card("FN:b")},
		{"no base", "", card("FN:a", "TEL:1"), card("FN:a", "TEL:2"), card("FN:a", "TEL:1", "TEL:2")},
	} {
		got, conflicts := merge.Three(pim.TypeVCard, []byte(c.base), []byte(c.ours), []byte(c.theirs))
		if d := cmp.Diff(c.want, string(got)); d != "" || len(conflicts) > 0 {
			t.Errorf("%s: %+v (-want +got):\n%s", c.name, conflicts, d)
		}
	}
}

const (
	weekly = "DTSTART:20260706T100000Z\r\nDTEND:20260706T110000Z\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:a"
	moved  = "RECURRENCE-ID:20260713T100000Z\r\nDTSTART:20260713T120000Z\r\nSUMMARY:a"
	alarm  = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM"
	zone   = "BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\n"
)

func TestThreeEvents(t *testing.T) {
	alarm5 := strings.Replace(alarm, "15", "5", 1)
	renamed := strings.Replace(weekly, "SUMMARY:a", "SUMMARY:b", 1)
	for _, c := range []struct{ name, base, ours, theirs, want string }{
		{"numbers of versions", calendar(event("SEQUENCE:2", "SUMMARY:a")), calendar(event("SEQUENCE:9", "SUMMARY:b")), calendar(event("SEQUENCE:10", "SUMMARY:a", "LOCATION:x")),
			calendar(event("SEQUENCE:10", "SUMMARY:b", "LOCATION:x"))},
		{"an occurrence and the summary", calendar(event(weekly)), calendar(event(renamed)), calendar(event(weekly), event(moved)), calendar(event(renamed), event(moved))},
		{"an occurrence each", calendar(event(weekly)), calendar(event(weekly), event(moved)), calendar(event(weekly), event(strings.ReplaceAll(moved, "0713", "0720"))),
			calendar(event(weekly), event(moved), event(strings.ReplaceAll(moved, "0713", "0720")))},
		{"days off", calendar(event(weekly)), calendar(event(weekly, "EXDATE:20260713T100000Z")), calendar(event(weekly, "EXDATE:20260720T100000Z,20260713T100000Z")),
			calendar(event(weekly, "EXDATE:20260713T100000Z", "EXDATE:20260720T100000Z"))},
		{"the rule and the summary", calendar(event(weekly)), calendar(event(strings.Replace(weekly, "WEEKLY", "DAILY", 1))), calendar(event(renamed)),
			calendar(event(strings.Replace(renamed, "WEEKLY", "DAILY", 1)))},
		{"the rule of one side, with its exception", calendar(event(weekly)), calendar(event(strings.Replace(weekly, "WEEKLY", "DAILY", 1), "EXDATE:20260707T100000Z")),
			calendar(event(renamed)), calendar(event(strings.Replace(renamed, "WEEKLY", "DAILY", 1), "EXDATE:20260707T100000Z"))},
		{"alarms", calendar(event("SUMMARY:a", alarm)), calendar(event("SUMMARY:b", alarm, alarm5)), calendar(event("SUMMARY:a")), calendar(event("SUMMARY:b", alarm5))},
		{"zones", calendar(event("SUMMARY:a")), calendar(event("SUMMARY:b")), calendar(zone, event("SUMMARY:a", "LOCATION:x")), calendar(zone, event("SUMMARY:b", "LOCATION:x"))},
		{"zones of both", calendar(zone, event("SUMMARY:a")), calendar(event("SUMMARY:b")), calendar(zone, event("SUMMARY:a", "LOCATION:x")),
			calendar(zone, event("SUMMARY:b", "LOCATION:x"))},
		{"an answer", calendar(event("ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:a@b", "SUMMARY:a")),
			calendar(event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b", "SUMMARY:a")),
			calendar(event("ATTENDEE;PARTSTAT=NEEDS-ACTION:MAILTO:a@b", "ATTENDEE:mailto:c@d", "SUMMARY:b")),
			calendar(event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b", "SUMMARY:b", "ATTENDEE:mailto:c@d"))},
		{"several events", calendar(event("SUMMARY:a"), strings.ReplaceAll(event("SUMMARY:c"), "UID:e", "UID:f")),
			calendar(strings.ReplaceAll(event("SUMMARY:c"), "UID:e", "UID:f"), event("SUMMARY:b")),
			calendar(event("SUMMARY:a"), strings.ReplaceAll(event("SUMMARY:d"), "UID:e", "UID:f")),
			calendar(strings.ReplaceAll(event("SUMMARY:d"), "UID:e", "UID:f"), event("SUMMARY:b"))},
		{"a deleted occurrence", calendar(event(weekly), event(moved)), calendar(event(weekly)), calendar(event(renamed), event(moved)), calendar(event(renamed))},
	} {
		got, conflicts := merge.Three(pim.TypeICalendar, []byte(c.base), []byte(c.ours), []byte(c.theirs))
		if d := cmp.Diff(c.want, string(got)); d != "" || len(conflicts) > 0 {
			t.Errorf("%s: %+v (-want +got):\n%s", c.name, conflicts, d)
		}
	}
}

func TestThreeConflicts(t *testing.T) {
	daily := strings.Replace(weekly, "WEEKLY", "DAILY", 1)
	late := strings.Replace(weekly, "DTSTART:20260706T10", "DTSTART:20260706T09", 1)
	for _, c := range []struct {
		name, base, ours, theirs string
		want                     []merge.Conflict
	}{
		{"a name", card("FN:a"), card("FN:b"), card("FN:c"), []merge.Conflict{{"VCARD", "FN", "a", "b", "c"}}},
		{"deleted and changed", card("FN:a", "NOTE:x\\ny"), card("FN:a"), card("FN:a", "NOTE:z"), []merge.Conflict{{"VCARD", "NOTE", "x\ny", "", "z"}}},
		{"an unknown one", card("X-A:1"), card("X-A:2"), card("X-A:3"), []merge.Conflict{{"VCARD", "X-A", "1", "2", "3"}}},
		{"another form", card("FN:a"), card("FN:b"), strings.Replace(card("FN:a", "TITLE:t"), "3.0", "4.0", 1), []merge.Conflict{{"VCARD", "VERSION", "3.0", "3.0", "4.0"}}},
		{"begin and end", calendar(event(weekly)), calendar(event(late)), calendar(event(strings.Replace(weekly, "T11", "T12", 1))), []merge.Conflict{
			{"VEVENT", "DTSTART", "20260706T100000Z", "20260706T090000Z", "20260706T100000Z"}, {"VEVENT", "DTEND", "20260706T110000Z", "20260706T110000Z", "20260706T120000Z"}}},
		{"a rule and an occurrence", calendar(event(weekly)), calendar(event(daily)), calendar(event(weekly), event(moved)),
			[]merge.Conflict{{"VEVENT", "RRULE", "FREQ=WEEKLY", "FREQ=DAILY", "FREQ=WEEKLY"}}},
		{"a day off and the begin", calendar(event(weekly)), calendar(event(weekly, "EXDATE:20260713T100000Z")), calendar(event(late)),
			[]merge.Conflict{{"VEVENT", "DTSTART", "20260706T100000Z", "20260706T100000Z", "20260706T090000Z"}}},
		{"a day off that was moved", calendar(event(weekly)), calendar(event(weekly, "EXDATE:20260713T100000Z")), calendar(event(weekly), event(moved)),
			[]merge.Conflict{{"VEVENT 20260713T100000Z", "EXDATE", "", "20260713T100000Z", event(moved)}}},
		{"an occurrence deleted and changed", calendar(event(weekly), event(moved)), calendar(event(weekly), event(moved+"x")), calendar(event(weekly)),
			[]merge.Conflict{{"VEVENT 20260713T100000Z", "VEVENT", event(moved), event(moved + "x"), ""}}},
		{"an answer", calendar(event("ATTENDEE:mailto:a@b")), calendar(event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b")), calendar(event("ATTENDEE;PARTSTAT=DECLINED:mailto:a@b")),
			[]merge.Conflict{{"VEVENT", "ATTENDEE", ":mailto:a@b", "PARTSTAT=ACCEPTED:mailto:a@b", "PARTSTAT=DECLINED:mailto:a@b"}}},
	} {
		typ := pim.TypeVCard
		if strings.HasPrefix(c.base, "BEGIN:VCALENDAR") {
			typ = pim.TypeICalendar
		}
		merged, got := merge.Three(typ, []byte(c.base), []byte(c.ours), []byte(c.theirs))
		if d := cmp.Diff(c.want, got); d != "" || merged != nil {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestThreeDoesNotLookIntoOthers(t *testing.T) {
	_, conflicts := merge.Three(pim.TypePlain, []byte("a"), []byte("b"), []byte("c"))
	if d := cmp.Diff([]merge.Conflict{{Base: "a", Ours: "b", Theirs: "c"}}, conflicts); d != "" {
		t.Error(d)
	}
	for _, c := range [][4]string{{"a", "b", "a", "b"}, {"a", "a", "c", "c"}, {"a", "b", "b", "b"}} {
		if got, conflicts := merge.Three(pim.TypeMessage, []byte(c[0]), []byte(c[1]), []byte(c[2])); string(got) != c[3] || len(conflicts) > 0 {
			t.Errorf("%q: %q, %v", c, got, conflicts)
		}
	}
}
