package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim/filter"
)

func TestReduce(t *testing.T) {
	alarm := "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
	zone := "BEGIN:VTIMEZONE\r\nTZID:A\r\nEND:VTIMEZONE\r\n"
	start := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + zone + "BEGIN:VEVENT\r\nUID:e\r\nDTSTART:20260101T100000Z\r\n"
	end := "END:VEVENT\r\nEND:VCALENDAR\r\n"
	vcard := func(lines string) string { return "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ana\r\n" + lines + "END:VCARD\r\n" }
	for _, c := range []struct {
		name     string
		fields   filter.Fields
		in, want string
	}{
		{"no list", nil, vcard("NOTE:x\r\n"), vcard("NOTE:x\r\n")},
		{"an empty list", filter.Fields{}, vcard("NOTE:x\r\n"), vcard("")},
		{"some", filter.Fields{{Name: "tel"}}, vcard("NOTE:x\r\nitem1.TEL;TYPE=CELL:1\r\n"), vcard("item1.TEL;TYPE=CELL:1\r\n")},
		{"all there is", filter.Fields{{Name: "NOTE"}}, vcard("NOTE:a\r\n b\n"), vcard("NOTE:a\r\n b\n")},
		{"cut", filter.Fields{{Name: "NOTE", MaxSize: 4}}, vcard("NOTE:a\\,bé!\r\n"), vcard("NOTE:a\\,b\r\n")},
		{"cut between letters", filter.Fields{{Name: "NOTE", MaxSize: 5}}, vcard("NOTE:a\\,bé!\r\n"), vcard("NOTE:a\\,bé\r\n")},
		{"short enough", filter.Fields{{Name: "NOTE", MaxSize: 6}}, vcard("NOTE:a\\,bé!\r\n"), vcard("NOTE:a\\,bé!\r\n")},
		{"not to be cut", filter.Fields{{Name: "NOTE", MaxSize: 3, NoTruncate: true}}, vcard("NOTE:long\r\n"), vcard("")},
		{"half a picture is none", filter.Fields{{Name: "PHOTO", MaxSize: 3}}, vcard("PHOTO;ENCODING=b:aGVsbG8=\r\n"), vcard("")},
		{"alarms", filter.Fields{{Name: "SUMMARY"}}, start + "SUMMARY:x\r\nLOCATION:y\r\n" + alarm + end, start + "SUMMARY:x\r\n" + end},
		{"with alarms", filter.Fields{{Name: "VALARM"}}, start + "SUMMARY:x\r\n" + alarm + end, start + alarm + end},
		{"garbage", filter.Fields{}, "garbage\r\n", "garbage\r\n"},
		{"a message", filter.Fields{{Name: "emailitem"}}, message, message},
	} {
		if d := cmp.Diff(c.want, string(filter.Reduce([]byte(c.in), c.fields))); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	old := strings.Replace(vcard("NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nb\r\n"), "3.0", "2.1", 1)
	if got := string(filter.Reduce([]byte(old), filter.Fields{{Name: "NOTE", MaxSize: 1}})); strings.Contains(got, "NOTE") {
		t.Errorf("an encoded value was cut: %s", got)
	}
}

// TestPolicyOnTheWire is protocol.md E.3.
func TestPolicyOnTheWire(t *testing.T) {
	text, both := []string{"texttype"}, []string{"texttype", "attachtype"}
	item := func(size int64, params []string) filter.Fields {
		return filter.Fields{{Name: "emailitem", MaxSize: size, Params: params}}
	}
	for _, c := range []struct {
		in, back string
		want     filter.Fields
	}{
		{"", "", nil},
		{"body:full attachments:all", "", nil},
		{"body:headers", "body:headers", item(0, nil)},
		{"body:text attachments:none", "body:text attachments:none", item(0, text)},
		{"body:full attachments:none", "body:text attachments:none", item(0, text)},
		{"body:text body:50k attachments:none", "body:text body:50k attachments:none", item(50<<10, text)},
		{"attachments:2m", "body:text attachments:2m", item(2<<20, both)},
		{"body:text attachments:all", "body:text attachments:all", item(0, both)},
	} {
		fields, err := parse(t, c.in).Policy().Fields()
		if d := cmp.Diff(c.want, fields); d != "" || err != nil {
			t.Errorf("%s: %v %s", c.in, err, d)
		}
		back, err := fields.Policy()
		if err != nil || back.String() != c.back {
			t.Errorf("%s came back as %s, %v", c.in, back, err)
		}
	}
	if _, err := parse(t, "body:50k attachments:2m").Policy().Fields(); !errors.Is(err, filter.ErrInexpressible) {
		t.Error(err)
	}
	if _, err := (filter.Fields{{Name: "subject"}}).Policy(); !errors.Is(err, filter.ErrUnsupported) {
		t.Error(err)
	}
}
