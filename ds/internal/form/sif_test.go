package form_test

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/internal/form"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// TestSIFIsForThoseWhoSayOrSendIt: device information decides, and without it the type of what the peer sends.
func TestSIFIsForThoseWhoSayOrSendIt(t *testing.T) {
	types := func(names ...string) *syncml.DevInf {
		d := syncml.DataStore{SourceRef: "./scard", RxPref: syncml.ContentType{Type: names[0]}}
		for _, name := range names {
			d.Rx = append(d.Rx, syncml.ContentType{Type: name})
		}
		return &syncml.DevInf{DataStores: []syncml.DataStore{d}}
	}
	for _, c := range []struct {
		name string
		inf  *syncml.DevInf
		sent string
		want string
	}{
		{"SIF only", types(sif.TypeContact), "", sif.TypeContact},
		{"SIF preferred", types(sif.TypeContact, pim.TypeVCard), "", sif.TypeContact},
		{"SIF as well", types(pim.TypeVCard, sif.TypeContact), sif.TypeContact, pim.TypeVCard},
		{"SIF after the old form", types("text/x-vcard", sif.TypeContact), "", "text/x-vcard"},
		{"nothing told, SIF sent", nil, sif.TypeContact, sif.TypeContact},
		{"nothing told, the old form sent", nil, "text/x-vcard", "text/x-vcard"},
		{"nothing we know", types("text/x-strange"), sif.TypeContact, sif.TypeContact},
		{"nothing told nor sent", nil, "", pim.TypeVCard},
		{"SIF of another kind sent", nil, sif.TypeNote, pim.TypeVCard},
	} {
		f := form.Of(c.inf, "scard", pim.Contacts)
		f.Sent(c.sent, nil)
		it := pim.Item{Type: pim.TypeVCard, Body: []byte(card)}
		if f.Give(&it); it.Type != c.want {
			t.Errorf("%s: %s, want %s", c.name, it.Type, c.want)
		}
	}
}

// TestSIFLosesNothing: a client of few fields changes one of them.
func TestSIFLosesNothing(t *testing.T) {
	const original = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nN:Silva;Ana;Maria;;\r\nFN:Ana Silva\r\nTEL;TYPE=CELL:+351 1\r\nTEL;TYPE=X-EVOLUTION-TELEX:2\r\n" +
		"NICKNAME:Nana\r\nNOTE:long\r\nX-MORE:1\r\nEND:VCARD\r\n"
	f := form.Of(nil, "contacts", pim.Contacts)
	returned := pim.Item{Type: sif.TypeContact, Body: []byte("<contact><FirstName>Ana</FirstName><LastName>Silva</LastName><FileAs>Ana Silva</FileAs>" +
		"<MobileTelephoneNumber>+351 7</MobileTelephoneNumber><Body></Body></contact>")}
	f.Take(&returned)
	want := strings.NewReplacer("+351 1", "+351 7", "NOTE:long\r\n", "").Replace(original)
	if got := string(f.Restore(pim.Item{Type: pim.TypeVCard, Body: []byte(original)}, returned)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestNotesInSIF come back to the octet if nobody changed them, and stay as they are for others.
func TestNotesInSIF(t *testing.T) {
	original := pim.Item{Type: pim.TypePlain, Body: []byte("list\r\n- BEGIN:x\r\n")}
	f := form.Of(nil, "memo", pim.Notes)
	given := original
	if f.Give(&given); string(given.Body) != string(original.Body) {
		t.Errorf("%q", given.Body)
	}
	f.Sent(sif.TypeNote, nil)
	f.Give(&given)
	f.Take(&given)
	if got := f.Restore(original, given); string(got) != string(original.Body) {
		t.Errorf("%q", got)
	}
	given.Body = append(given.Body, "more"...)
	if got := f.Restore(original, given); string(got) != string(given.Body) {
		t.Errorf("%q", got)
	}
}
