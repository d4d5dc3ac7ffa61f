package match_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
)

// FuzzIdentify looks into anything: it has an identity or not, and is akin to itself.
func FuzzIdentify(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nN:Last;First;;;\r\nTEL:+1 2-3\r\nPHOTO;ENCODING=b:QUJD\r\nEND:VCARD\r\n"))
	f.Add([]byte("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nSUMMARY:x\nDTSTART:20260101\nEND:VEVENT\nEND:VCALENDAR\n"))
	f.Add([]byte("Message-ID: <a@b>\r\nSubject: =?utf-8?q?x?=\r\n\r\nbody"))
	f.Add([]byte("a note\n\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, typ := range []string{pim.TypeVCard, pim.TypeICalendar, pim.TypePlain, pim.TypeMessage} {
			if a, b := match.Identify(typ, body), match.Identify(typ, body); a != b {
				t.Errorf("%s is %+v and %+v", typ, a, b)
			}
			if typ != pim.TypeMessage && !match.Akin(typ, body, body) {
				t.Errorf("%s is not akin to itself: %q", typ, body)
			}
		}
	})
}
