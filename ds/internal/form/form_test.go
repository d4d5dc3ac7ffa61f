package form_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/internal/form"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

const (
	card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nN:Silva;Ana;;;\r\nFN:Ana Silva\r\nTEL;TYPE=CELL:+351 1\r\nX-MORE:1\r\nEND:VCARD\r\n"
	task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:Do\r\nX-MORE:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)

// TestPhones: what real device information decides about an item, and that what the phone does not keep outlives its edit.
func TestPhones(t *testing.T) {
	for _, c := range []struct {
		file, uri string
		kind      pim.Kind
		typ       string // of what the phone is given
		drops     string // a line that it never returns
	}{
		{"buteo/devinf01.txt", "Contacts", pim.Contacts, "text/x-vcard", "X-MORE"}, // 1.1, properties beside the datastores
		{"buteo/devinf02.txt", "./Contacts", pim.Contacts, "text/x-vcard", "X-MORE"},
		{"horde/devinf.wbxml", "tasks", pim.Tasks, "text/x-vcalendar", "X-MORE"}, // Palm, 1.0
		{"syncmldotnet/Devinf.xml", "contacts", pim.Contacts, pim.TypeVCard, "UID"},
		{"syncmldotnet/DevinfMobiledit.xml", "pb", pim.Contacts, "text/x-vcard", "X-MORE"},
		{"syncmldotnet/DevinfMobiledit.xml", "tasks", pim.Tasks, "text/x-vcalendar", "X-MORE"},
		{"wbxml-stream/devinf-011.wbxml", "./contacts", pim.Contacts, pim.TypeVCard, "X-MORE"},
	} {
		doc, err := os.ReadFile(filepath.Join(pimtest.Shared(t, "corpus", "devinf"), c.file))
		if err != nil {
			t.Fatal(err)
		}
		inf, err := syncml.DecodeDevInf(doc)
		if err != nil {
			t.Fatal(c.file, err)
		}
		f := form.Of(inf, c.uri, c.kind)
		original := pim.Item{Type: c.kind.ContentType(), Body: []byte(card)}
		if c.kind == pim.Tasks {
			original.Body = []byte(task)
		}
		given := original
		f.Give(&given)
		if given.Type != c.typ {
			t.Errorf("%s %s is given %s, want %s", c.file, c.uri, given.Type, c.typ)
		}
		returned := pim.Item{Type: given.Type, Body: []byte(edit(string(given.Body), c.drops))}
		f.Take(&returned)
		if got, want := string(f.Restore(original, returned)), edit(string(original.Body), ""); got != want {
			t.Errorf("%s %s returns\n%s\nwant\n%s", c.file, c.uri, got, want)
		}
	}
}

// edit changes what a phone can change, and drops the lines that it does not keep.
func edit(body, drops string) string {
	var out strings.Builder
	for line := range strings.Lines(body) {
		if drops == "" || !strings.HasPrefix(line, drops) {
			out.WriteString(line)
		}
	}
	return strings.NewReplacer("+351 1", "+351 2", "SUMMARY:Do", "SUMMARY:Done").Replace(out.String())
}

// TestStrangersAreBelieved: a peer that tells nothing keeps everything but the UID.
func TestStrangersAreBelieved(t *testing.T) {
	f := form.Of(nil, "contacts", pim.Contacts)
	original := pim.Item{Type: pim.TypeVCard, Body: []byte(card)}
	for _, c := range []struct{ drops, want string }{{"UID", card}, {"X-MORE", strings.Replace(card, "X-MORE:1\r\n", "", 1)}} {
		var b strings.Builder
		for line := range strings.Lines(card) {
			if !strings.HasPrefix(line, c.drops) {
				b.WriteString(line)
			}
		}
		if got := string(f.Restore(original, pim.Item{Type: pim.TypeVCard, Body: []byte(b.String())})); got != c.want {
			t.Errorf("without %s: %s", c.drops, got)
		}
	}
}
