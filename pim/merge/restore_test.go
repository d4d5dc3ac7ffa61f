package merge_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/merge"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

const original = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nN:Silva;Ana;;;\r\nFN:Ana Silva\r\nTEL;TYPE=CELL:+351 1\r\nX-COLOR:blue\r\nBDAY:1970-03-04\r\n" +
	"NOTE:long\r\nREV:2020\r\nEND:VCARD\r\n"

// poor holds what a poor device holds.
func poor(name string) bool {
	return name == "N" || name == "FN" || name == "TEL" || name == "BDAY" || name == "NOTE"
}

func TestRestore(t *testing.T) {
	card := func(lines ...string) string {
		return "BEGIN:VCARD\r\nVERSION:3.0\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VCARD\r\n"
	}
	for _, c := range []struct{ name, returned, want string }{
		{"as it was", original, original},
		{"as a poor device writes it", card("PRODID:phone", "REV:2026", "N:Silva;Ana", "FN:Ana Silva", "TEL;TYPE=VOICE;TYPE=CELL:+351 1", "BDAY:19700304", "NOTE:long",
			"TITLE:", "ORG:;;"), original},
		{"one number changed", card("N:Silva;Ana", "FN:Ana Silva", "TEL;TYPE=CELL:+351 7", "BDAY:19700304", "NOTE:long"), strings.Replace(original, "+351 1", "+351 7", 1)},
		{"a note deleted", card("N:Silva;Ana", "FN:Ana Silva", "TEL;TYPE=CELL:+351 1", "BDAY:19700304"), strings.Replace(original, "NOTE:long\r\n", "", 1)},
		{"a title added", card("N:Silva;Ana", "FN:Ana Silva", "TEL;TYPE=CELL:+351 1", "BDAY:19700304", "NOTE:long", "TITLE:Buyer"),
			strings.Replace(original, "END:", "TITLE:Buyer\r\nEND:", 1)},
		{"a second number", card("N:Silva;Ana", "FN:Ana Silva", "TEL;TYPE=CELL:+351 1", "TEL;TYPE=HOME:+351 2", "BDAY:19700304", "NOTE:long"),
			strings.Replace(original, "TEL;TYPE=CELL:+351 1\r\n", "TEL;TYPE=CELL:+351 1\r\nTEL;TYPE=HOME:+351 2\r\n", 1)},
		{"only the case changed", card("N:Silva;Ana", "FN:ana silva", "TEL;TYPE=CELL:+351 1", "BDAY:19700304", "NOTE:long"), strings.Replace(original, "FN:Ana Silva", "FN:ana silva", 1)},
	} {
		if d := cmp.Diff(c.want, string(merge.Restore([]byte(original), []byte(original), []byte(c.returned), poor))); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

// TestRestoreThroughTheOldForm: a recurring event with a zone, a changed occurrence and an alarm goes to a phone that knows none of them.
func TestRestoreThroughTheOldForm(t *testing.T) {
	const event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Lisbon\r\nBEGIN:STANDARD\r\nDTSTART:19701025T020000\r\n" +
		"TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:e1\r\nDTSTAMP:20260101T000000Z\r\n" +
		"DTSTART;TZID=Europe/Lisbon:20260701T100000\r\nDTEND;TZID=Europe/Lisbon:20260701T110000\r\nRRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1\r\nSUMMARY:Café\r\n" +
		"X-MORE:1\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:e1\r\n" +
		"RECURRENCE-ID;TZID=Europe/Lisbon:20260727T100000\r\nDTSTART;TZID=Europe/Lisbon:20260728T100000\r\nSUMMARY:moved\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	oldType, old := versit.Old(pim.TypeICalendar, []byte(event))
	_, sent := versit.Modern(oldType, old)
	everything := func(string) bool { return true }

	if d := cmp.Diff(event, string(merge.Restore([]byte(event), sent, sent, everything))); d != "" {
		t.Errorf("nothing changed (-want +got):\n%s", d)
	}
	_, returned := versit.Modern(oldType, []byte(strings.Replace(string(old), "Caf=C3=A9", "Lunch", 1)))
	if d := cmp.Diff(strings.Replace(event, "Café", "Lunch", 1), string(merge.Restore([]byte(event), sent, returned, everything))); d != "" {
		t.Errorf("the summary changed (-want +got):\n%s", d)
	}
}

// TestRestoreWhatTheDeviceHasNoRoomFor: it has one field for a number and two for a name.
func TestRestoreWhatTheDeviceHasNoRoomFor(t *testing.T) {
	const original = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Silva;Ana;Maria;Dr.;\r\nitem1.TEL;TYPE=CELL;TYPE=PREF:1\r\nitem1.X-ABLABEL:mine\r\nTEL;TYPE=CELL:2\r\n" +
		"TEL;TYPE=X-TELEX:3\r\nADR;TYPE=HOME:1;;Street;City;;;\r\nEND:VCARD\r\n"
	const sent = "BEGIN:VCARD\r\nN:Silva;Ana\r\nTEL;TYPE=CELL:1\r\nADR;TYPE=HOME:;;Street;City\r\nEND:VCARD\r\n"
	everything := func(string) bool { return true }
	for _, c := range []struct{ name, was, is, want, wantIs string }{
		{"nothing", "", "", "", ""},
		{"the name", "Silva;Ana", "Silva;Eva", "Silva;Ana;", "Silva;Eva;"},
		{"the number", "CELL:1", "CELL:7", "PREF:1", "PREF:7"},
		{"another number", "ADR", "TEL;TYPE=HOME:5\r\nADR", "ADR", "TEL;TYPE=HOME:5\r\nADR"},
		{"no number", "TEL;TYPE=CELL:1\r\n", "", "item1.TEL;TYPE=CELL;TYPE=PREF:1\r\n", ""},
		{"the city", ";City", ";Town", "Street;City", "Street;Town"},
	} {
		returned := strings.Replace(sent, c.was, c.is, 1)
		want := strings.Replace(original, c.want, c.wantIs, 1)
		if d := cmp.Diff(want, string(merge.Restore([]byte(original), []byte(sent), []byte(returned), everything))); d != "" {
			t.Errorf("%s changed (-want +got):\n%s", c.name, d)
		}
	}
}
