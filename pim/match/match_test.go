package match_test

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
)

const card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nN:Silva;Ana;;;\r\nFN:Ana Silva\r\nTEL;TYPE=CELL:+351 1\r\nTEL;TYPE=HOME:+351 2\r\nBDAY:1970-03-04\r\nX-MORE:a\r\nEND:VCARD\r\n"

func TestIdentify(t *testing.T) {
	id := match.Identify(pim.TypeVCard, []byte(card))
	if id.UID != "u1" || id.Alike == "" {
		t.Errorf("%+v", id)
	}
	for name, other := range map[string]string{
		"without UID":          strings.Replace(card, "UID:u1\r\n", "", 1),
		"another phone":        strings.Replace(card, "+351 1", "+351 7", 1),
		"trailing parts":       strings.Replace(card, "N:Silva;Ana;;;", "N:Silva;Ana", 1),
		"case and white space": strings.Replace(card, "N:Silva;Ana;;;", "n:silva;  ANA;;;", 1),
	} {
		if got := match.Identify(pim.TypeVCard, []byte(other)); got.Alike != id.Alike {
			t.Errorf("%s: not alike", name)
		}
	}
	if got := match.Identify(pim.TypeVCard, []byte(strings.Replace(card, "N:Silva", "N:Costa", 1))); got.Alike == id.Alike {
		t.Error("another name is alike")
	}
	if got := match.Identify(pim.TypeVCard, []byte("garbage")); got != (match.Identity{}) {
		t.Errorf("garbage is %+v", got)
	}
	if got := match.Identify(pim.TypeMessage, []byte("From: a\r\nMessage-ID:\r\n <1@x>\r\n\r\nMessage-ID: <2@x>")); got.UID != "<1@x>" {
		t.Errorf("%+v", got)
	}
	if a, b := match.Identify(pim.TypePlain, []byte("one\r\ntwo\r\n")), match.Identify(pim.TypePlain, []byte("one\ntwo")); a != b || a.Alike == "" {
		t.Errorf("notes: %+v, %+v", a, b)
	}
}

func TestAlarmsAndTimeZonesSayNothing(t *testing.T) {
	event := "BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nUID:tz\r\nDTSTART:19700101\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nBEGIN:VALARM\r\nSUMMARY:beep\r\nUID:alarm\r\n" +
		"END:VALARM\r\nUID:e1\r\nSUMMARY:Meeting\r\nDTSTART:20261201T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	plain := "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:e1\r\nSUMMARY:Meeting\r\nDTSTART:20261201T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if a, b := match.Identify(pim.TypeICalendar, []byte(event)), match.Identify(pim.TypeICalendar, []byte(plain)); a != b || a.UID != "e1" {
		t.Errorf("%+v, %+v", a, b)
	}
}

func TestAkin(t *testing.T) {
	for _, c := range []struct {
		name, other string
		want        bool
	}{
		{"itself", card, true},
		{"what a poor device keeps", "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Silva;Ana\r\nTEL;CELL:+3511\r\nBDAY:19700304\r\nNICKNAME:\r\nEND:VCARD\r\n", true},
		{"another phone", strings.Replace(card, "+351 1", "+351 7", 1), false},
		{"one phone more", strings.Replace(card, "END:", "TEL:+351 3\r\nEND:", 1), true},
		{"another note", strings.Replace(card, "X-MORE:a", "X-MORE:b", 1), false},
		{"another writer", strings.Replace(card, "UID:u1", "REV:2026\r\nPRODID:x", 1), true},
	} {
		if got := match.Akin(pim.TypeVCard, []byte(card), []byte(c.other)); got != c.want {
			t.Errorf("%s: %t, want %t", c.name, got, c.want)
		}
		if got := match.Akin(pim.TypeVCard, []byte(c.other), []byte(card)); got != c.want {
			t.Errorf("%s, the other way round: %t, want %t", c.name, got, c.want)
		}
	}
}
