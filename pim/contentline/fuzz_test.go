package contentline_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// seed adds real files.
func seed(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nBEGIN:VALARM\r\nEND:VEVENT\r\nSUMMARY:x\r\n y\r\nEND:VTODO\r\n"))
	f.Add([]byte("BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nNOTE;QUOTED-PRINTABLE:=\n=C3\nEND:VCARD"))
	pimtest.Seed(f, 5000, "vcard", "icalendar")
}

// FuzzParseTree reads files as trees. No line is lost.
func FuzzParseTree(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		lines := contentline.Parse(body)
		again := contentline.ParseTree(body).Lines()
		if len(again) < len(lines) {
			t.Errorf("of %d lines of %q the tree has %d", len(lines), body, len(again))
		}
	})
}

// FuzzPick compares what Pick picks with what Parse reads.
func FuzzPick(f *testing.F) {
	seed(f)
	names := map[string]bool{"BEGIN": true, "N": true, "TEL": true, "NOTE": true, "PHOTO": true, "SUMMARY": true}
	other := func(l contentline.Line) bool { return !names[l.Name] }
	f.Fuzz(func(t *testing.T, body []byte) {
		want := slices.DeleteFunc(contentline.Parse(body), other)
		if got := slices.DeleteFunc(contentline.Pick(body, names), other); !slices.EqualFunc(got, want, func(a, b contentline.Line) bool { return reflect.DeepEqual(a, b) }) {
			t.Errorf("of %q got %q, want %q", body, got, want)
		}
	})
}
