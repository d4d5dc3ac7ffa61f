package versit_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/match"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

// between is what stands between the first and the last line.
func between(body []byte) string {
	lines := strings.SplitAfter(string(body), "\r\n")
	return strings.Join(lines[1:len(lines)-2], "")
}

func TestCards(t *testing.T) {
	for _, c := range []struct{ name, old, modern, back string }{
		{"version", "VERSION:2.1\r\n", "VERSION:3.0\r\n", "VERSION:2.1\r\n"},
		{"types", "TEL;CELL;VOICE:+351 1\r\n", "TEL;TYPE=CELL;TYPE=VOICE:+351 1\r\n", "TEL;CELL;VOICE:+351 1\r\n"},
		{"quoted-printable", "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a=0D=0Ab=C3=A9,c;d\r\n", "NOTE:a\\nbé\\,c\\;d\r\n",
			"NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:a=0D=0Ab=C3=A9,c\\;d\r\n"},
		{"Latin-1", "FN;CHARSET=ISO-8859-1:Jo\xe3o\r\n", "FN:João\r\n", "FN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Jo=C3=A3o\r\n"},
		{"parts", "N:Silva\\;S;Ana;;Dr.\r\n", "N:Silva\\;S;Ana;;Dr.\r\n", "N:Silva\\;S;Ana;;Dr.\r\n"},
		{"a backslash is a letter", "NOTE:C:\\new\r\n", "NOTE:C:\\\\new\r\n", "NOTE:C:\\new\r\n"},
		{"photo", "PHOTO;JPEG;ENCODING=BASE64:\r\n aGVsbG8=\r\n\r\n", "PHOTO;TYPE=JPEG;ENCODING=b:aGVsbG8=\r\n\r\n", "PHOTO;JPEG;ENCODING=BASE64:aGVsbG8=\r\n\r\n\r\n"},
		{"lists", "CATEGORIES:work;friends\r\n", "CATEGORIES:work,friends\r\n", "CATEGORIES:work;friends\r\n"},
	} {
		old := "BEGIN:VCARD\r\n" + c.old + "END:VCARD\r\n"
		typ, modern := versit.Modern(versit.TypeVCard, []byte(old))
		if d := cmp.Diff(c.modern, between(modern)); d != "" || typ != pim.TypeVCard {
			t.Errorf("%s, modern: %s", c.name, d)
		}
		typ, back := versit.Old(typ, modern)
		if d := cmp.Diff(c.back, between(back)); d != "" || typ != versit.TypeVCard {
			t.Errorf("%s, back: %s", c.name, d)
		}
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct{ old, modern, back string }{
		{"D1 #10", "FREQ=DAILY;COUNT=10", "D1 #10"},
		{"D2 #0", "FREQ=DAILY;INTERVAL=2", "D2 #0"},
		{"W1 20261222T090000Z", "FREQ=WEEKLY;UNTIL=20261222T090000Z", "W1 20261222T090000Z"},
		{"W2 MO WE FR #5", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;COUNT=5", "W2 MO WE FR #5"},
		{"MP1 1+ 2- FR #3", "FREQ=MONTHLY;BYDAY=1FR,-2FR;COUNT=3", "MP1 1+ FR 2- FR #3"},
		{"MD1 1 LD #0", "FREQ=MONTHLY;BYMONTHDAY=1,-1", "MD1 1+ 1- #0"},
		{"YM1 6 7 #8", "FREQ=YEARLY;BYMONTH=6,7;COUNT=8", "YM1 6+ 7+ #8"},
		{"YD1 1 100 #0", "FREQ=YEARLY;BYYEARDAY=1,100", "YD1 1 100 #0"},
		{"D1", "FREQ=DAILY;COUNT=2", "D1 #2"},
	} {
		_, modern := versit.Modern(versit.TypeVCalendar, event("RRULE:"+c.old))
		if got := prop(modern, "RRULE"); got != c.modern {
			t.Errorf("%s became %s, want %s", c.old, got, c.modern)
		}
		back := c.back
		if strings.HasPrefix(c.old, "YM") {
			back = "YM1 6 7 #8"
		}
		_, old := versit.Old(pim.TypeICalendar, modern)
		if got := prop(old, "RRULE"); got != back {
			t.Errorf("%s became %s, want %s", c.modern, got, back)
		}
	}
	for _, no := range []string{"FREQ=SECONDLY", "FREQ=MONTHLY;BYDAY=MO", "FREQ=YEARLY;BYDAY=1MO;BYMONTH=3", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=1MO", "x"} {
		_, old := versit.Old(pim.TypeICalendar, event("RRULE:"+no))
		if got := prop(old, "RRULE"); got != "" {
			t.Errorf("%s became %s, but the old form cannot say it", no, got)
		}
	}
}

func event(lines ...string) []byte {
	return []byte("BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
}

func prop(body []byte, name string) string {
	for _, l := range contentline.Parse(body) {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

func TestEvents(t *testing.T) {
	_, modern := versit.Modern(versit.TypeVCalendar, event("SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Caf=C3=A9", "DTSTART:20261201T100000Z",
		"EXDATE:20261208T100000Z;20261215T100000Z", "STATUS:NEEDS ACTION", "AALARM:20261201T095000Z;;;", "DALARM:20261201T094000Z;;;Go"))
	for name, want := range map[string]string{"SUMMARY": "Café", "EXDATE": "20261208T100000Z,20261215T100000Z", "STATUS": "NEEDS-ACTION", "VERSION": "2.0",
		"ACTION": "AUDIO", "TRIGGER": "20261201T095000Z", "DESCRIPTION": "Go"} {
		if got := prop(modern, name); got != want {
			t.Errorf("%s:%s, want %s in\n%s", name, got, want, modern)
		}
	}
	_, old := versit.Old(pim.TypeICalendar, modern)
	for name, want := range map[string]string{"EXDATE": "20261208T100000Z;20261215T100000Z", "STATUS": "NEEDS ACTION", "VERSION": "1.0",
		"AALARM": "20261201T095000Z;;;", "DALARM": "20261201T094000Z;;;"} {
		if got := prop(old, name); got != want {
			t.Errorf("%s:%s, want %s in\n%s", name, got, want, old)
		}
	}
}

func TestWholeDays(t *testing.T) {
	for _, c := range []struct{ start, end, wantStart, wantEnd string }{
		{"20261201T000000", "20261202T000000", "20261201", "20261202"},
		{"20261201T000000", "20261201T235959", "20261201", "20261202"},
		{"20261231T000000", "20261231T240000", "20261231", "20270101"},
		{"2026-12-01", "20261202", "20261201", "20261202"},
		{"20261201T000000Z", "20261202T000000Z", "20261201T000000Z", "20261202T000000Z"},
		{"20261201T000000", "20261201T100000", "20261201T000000", "20261201T100000"},
	} {
		_, modern := versit.Modern(versit.TypeVCalendar, event("DTSTART:"+c.start, "DTEND:"+c.end))
		if s, e := prop(modern, "DTSTART"), prop(modern, "DTEND"); s != c.wantStart || e != c.wantEnd {
			t.Errorf("%s to %s became %s to %s", c.start, c.end, s, e)
		}
	}
}

func TestZonesAndDurationsBecomeTimes(t *testing.T) {
	_, old := versit.Old(pim.TypeICalendar, event("DTSTART;TZID=/softwarestudio.org/Europe/Lisbon:20260701T100000", "DURATION:PT1H30M",
		"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT15M", "END:VALARM"))
	for name, want := range map[string]string{"DTSTART": "20260701T090000Z", "DTEND": "20260701T103000Z", "DALARM": "20260701T084500Z;;;"} {
		if got := prop(old, name); got != want {
			t.Errorf("%s:%s, want %s in\n%s", name, got, want, old)
		}
	}
	_, old = versit.Old(pim.TypeICalendar, event("DTSTART;VALUE=DATE:20260701", "DTEND;TZID=Nowhere:20260701T100000"))
	if prop(old, "DTSTART") != "20260701T000000" || prop(old, "DTEND") != "20260701T100000" {
		t.Errorf("%s", old)
	}
}

// TestRealOldFiles: what phones wrote becomes UTF-8 of the modern form, and an old phone would read the same from it again.
func TestRealOldFiles(t *testing.T) {
	n := 0
	for dir, typ := range map[string]string{"vcard": versit.TypeVCard, "icalendar": versit.TypeVCalendar} {
		walk(t, dir, func(path string, body []byte) {
			if v := prop(body, "VERSION"); v != "2.1" && v != "1.0" {
				return
			}
			n++
			newType, modern := versit.Modern(typ, body)
			if !utf8.Valid(modern) {
				t.Errorf("%s is no UTF-8", path)
			}
			_, again := versit.Old(newType, modern)
			_, twice := versit.Modern(typ, again)
			if !match.Akin(newType, modern, twice) {
				t.Errorf("%s says something else after a way through the old form:\n%s\n---\n%s", path, modern, twice)
			}
		})
	}
	if n < 150 {
		t.Errorf("only %d old files", n)
	}
}

func walk(t *testing.T, dir string, do func(path string, body []byte)) {
	t.Helper()
	err := filepath.WalkDir(pimtest.Shared(t, "corpus", dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err == nil && bytes.Contains(body, []byte("BEGIN:")) {
			do(path, body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRealModernFiles come through the old form without harm to what it can say.
func TestRealModernFiles(t *testing.T) {
	walk(t, "vcard", func(path string, body []byte) {
		if prop(body, "VERSION") != "3.0" {
			return
		}
		if strings.Contains(path, "MoreFunctionsForAddressBook") {
			return // it escapes the commas between its categories, so that the old form takes them for several
		}
		oldType, old := versit.Old(pim.TypeVCard, body)
		_, back := versit.Modern(oldType, old)
		if !match.Akin(pim.TypeVCard, body, back) {
			t.Errorf("%s says something else:\n%s\n---\n%s", path, body, back)
		}
	})
}

func FuzzConvert(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nRRULE:MP1 1+ 2- FR #3\r\nAALARM:20261201T095000Z;;;\r\nDURATION:P1W\r\nDTSTART;TZID=Europe/Lisbon:20260701T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	f.Add([]byte("BEGIN:VCARD\r\nTEL;CELL:1\r\nNOTE;QUOTED-PRINTABLE:=\r\n=C3\r\nEND:VCARD\r\n"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		for _, typ := range []string{versit.TypeVCard, versit.TypeVCalendar} {
			newType, modern := versit.Modern(typ, body)
			versit.Old(newType, modern)
			versit.Old(newType, body)
		}
	})
}
