package contentline_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// FuzzParseTree reads files as trees. No line is lost.
func FuzzParseTree(f *testing.F) {
	f.Add([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nBEGIN:VALARM\r\nEND:VEVENT\r\nSUMMARY:x\r\n y\r\nEND:VTODO\r\n"))
	f.Add([]byte("BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nEND:VCARD\nNOTE;QUOTED-PRINTABLE:=\n=C3\nEND:VCARD"))
	for _, folder := range []string{"vcard", "icalendar"} {
		err := filepath.WalkDir(pimtest.Shared(f, "corpus", folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			if len(body) < 5000 { // longer ones only slow it down
				f.Add(body)
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines := contentline.Parse(body)
		again := contentline.ParseTree(body).Lines()
		if len(again) < len(lines) {
			t.Errorf("of %d lines of %q the tree has %d", len(lines), body, len(again))
		}
	})
}
