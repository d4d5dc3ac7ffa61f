package sif_test

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

var (
	dataOf  = regexp.MustCompile(`<Data>([A-Za-z0-9+/=\s]{64,})</Data>`)
	rootOf  = regexp.MustCompile(`<(contact|appointment|task|note)>`)
	fieldOf = regexp.MustCompile(`<(\w+)>([^<]*[^<\s][^<]*)</`)
)

var typeOf = map[string]string{"contact": sif.TypeContact, "appointment": sif.TypeEvent, "task": sif.TypeTask, "note": sif.TypeNote}

// recorded are the items in SIF of recorded messages, by type.
func recorded(t testing.TB, do func(path, typ string, body []byte)) {
	t.Helper()
	for _, folder := range []string{"syncml-xml", "syncml-wbxml"} {
		walk(t, folder, func(path string, message []byte) {
			for _, m := range dataOf.FindAllSubmatch(message, -1) {
				body, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
				root := rootOf.FindSubmatch(body)
				if err == nil && root != nil {
					do(path, typeOf[string(root[1])], body)
				}
			}
		})
	}
}

func walk(t testing.TB, folder string, do func(path string, body []byte)) {
	t.Helper()
	err := filepath.WalkDir(pimtest.Shared(t, "corpus", folder), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err == nil {
			do(path, body)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// again are fields that say what others say, or that say nothing where they stand.
var again = regexp.MustCompile(`^(SIFVersion|Duration|BusinessWebPage|ReminderTime|ReminderMinutesBeforeStart|RecurrenceType|Interval|MonthOfYear|DayOfMonth|DayOfWeekMask|` +
	`Instance|PatternStartDate|NoEndDate|PatternEndDate|Occurrences)=|^Email\dAddressType=SMTP|^Subject=.*\|contact$`)

// fields are the fields of an item that say something.
func fields(typ string, body []byte) []string {
	var out []string
	for _, m := range fieldOf.FindAllSubmatch(body, -1) {
		name, v := string(m[1]), strings.Join(strings.Fields(string(m[2])), " ")
		name = strings.Replace(name, "WorkAddress", "BusinessAddress", 1)
		v = strings.NewReplacer("False", "0", "True", "1").Replace(v)
		if f := name + "=" + v; !again.MatchString(f) && (name != "Subject" || typ != sif.TypeContact) {
			out = append(out, f)
		}
	}
	return out
}

// TestRecordedItemsComeBack: whatever a client wrote is in the item that it gets.
func TestRecordedItemsComeBack(t *testing.T) {
	n := map[string]int{}
	recorded(t, func(path, typ string, body []byte) {
		n[typ]++
		modernType, modern := sif.Modern(typ, body)
		if modernType == typ || !utf8.Valid(modern) {
			t.Errorf("%s is not read:\n%s", path, body)
		}
		oldType, old := sif.Old(modernType, modern)
		given := fields(typ, old)
		for _, f := range fields(typ, body) {
			if oldType != typ || !slices.Contains(given, f) {
				t.Errorf("%s: %s is not in\n%s\nby way of\n%s", path, f, old, modern)
			}
		}
		if _, twice := sif.Modern(oldType, old); !bytes.Equal(modern, twice) {
			t.Errorf("%s (-first +second):\n%s", path, cmp.Diff(string(modern), string(twice)))
		}
	})
	if n[sif.TypeContact] < 12 || n[sif.TypeEvent] < 12 {
		t.Errorf("only %v items", n)
	}
}

// TestGivenItemsComeBack: what a client was given and returns as it was makes the same item again, whatever was left out on the way.
func TestGivenItemsComeBack(t *testing.T) {
	for folder, typ := range map[string]string{"vcard": pim.TypeVCard, "icalendar": pim.TypeICalendar} {
		n := 0
		walk(t, folder, func(path string, body []byte) {
			oldType, old := sif.Old(typ, body)
			if oldType == typ {
				return
			}
			n++
			backType, back := sif.Modern(oldType, old)
			_, again := sif.Old(backType, back)
			if d := cmp.Diff(string(old), string(again)); d != "" || backType != typ {
				t.Errorf("%s (-first +second):\n%s", path, d)
			}
		})
		if n < 150 {
			t.Errorf("only %d files of %s", n, folder)
		}
	}
}

// FuzzForms converts items of either form. No form is much longer than the other, and what is given can be read again.
func FuzzForms(f *testing.F) {
	recorded(f, func(_, _ string, body []byte) { f.Add(body) })
	for _, folder := range []string{"vcard", "icalendar"} {
		walk(f, folder, func(_ string, body []byte) {
			if len(body) < 3000 { // longer ones only slow it down
				f.Add(body)
			}
		})
	}
	f.Add([]byte("<task><Subject>a</Subject><IsRecurring>1</IsRecurring><RecurrenceType>6</RecurrenceType><Interval>12</Interval><Instance>5</Instance>" +
		"<DayOfWeekMask>62</DayOfWeekMask><StartDate>2007-01-01</StartDate><Exceptions><ExcludeDate>20080101</ExcludeDate><X><Y>z</Y></X></Exceptions></task>"))
	f.Add([]byte("<note><Subject>&lt;&foo;&#65;</Subject><Body><![CDATA[a]]>\r\nb</Body></note>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for typ := range map[string]bool{sif.TypeContact: true, sif.TypeEvent: true, sif.TypeTask: true, sif.TypeNote: true} {
			modernType, modern := sif.Modern(typ, body)
			if modernType != typ {
				comesBack(t, modernType, modern)
			}
		}
		for _, typ := range []string{pim.TypeVCard, pim.TypeICalendar, pim.TypePlain} {
			comesBack(t, typ, body)
		}
	})
}

// unprintable are characters that XML does not carry, or not as they are.
func unprintable(c rune) bool { return unicode.IsControl(c) || c >= 0xFEFF && c <= 0xFFFF }

func comesBack(t *testing.T, typ string, body []byte) {
	oldType, old := sif.Old(typ, body)
	if oldType == typ {
		return
	}
	backType, back := sif.Modern(oldType, old)
	if backType != typ {
		t.Fatalf("%q is not read again: %q", body, old)
	}
	if longest := 64*len(body) + 8192; len(old) > longest || len(back) > longest {
		t.Errorf("%s of %d octets became %d and %d", typ, len(body), len(old), len(back))
	}
	if typ == pim.TypePlain && utf8.Valid(body) && !bytes.ContainsFunc(body, unprintable) && !bytes.Equal(body, back) {
		t.Errorf("%q became %q", body, back)
	}
}
