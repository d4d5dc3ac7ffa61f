package versit_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

// FuzzForms converts cards and calendar objects of either form, starting from real ones. No form is much longer than the other.
func FuzzForms(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=\r\n=A9;b\r\nEND:VCARD\r\n"))
	pimtest.Seed(f, 5000, "vcard", "icalendar")
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, typ := range []string{versit.TypeVCard, versit.TypeVCalendar} {
			newType, modern := versit.Modern(typ, body)
			_, old := versit.Old(newType, modern)
			if longest := 64*len(body) + 4096; len(modern) > longest || len(old) > longest {
				t.Errorf("%s of %d octets became %d and %d", typ, len(body), len(modern), len(old))
			}
		}
		for _, typ := range []string{pim.TypeVCard, pim.TypeICalendar} {
			versit.Old(typ, body)
		}
	})
}
