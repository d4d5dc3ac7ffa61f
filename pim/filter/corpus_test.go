package filter_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// realItems are the files of a folder of the corpus.
func realItems(t *testing.T, dir, typ string) map[string]pim.Item {
	t.Helper()
	out := map[string]pim.Item{}
	err := filepath.WalkDir(pimtest.Shared(t, "corpus", dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		out[path] = pim.Item{Type: typ, Body: body}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRealItems: most can be read, none is hidden by a filter and by its contrary, and facts do for every item.
func TestRealItems(t *testing.T) {
	for _, c := range []struct {
		dir, typ string
		kind     pim.Kind
		filters  []string
		readable int // files, at least
	}{
		{"vcard", pim.TypeVCard, pim.Contacts, []string{"name:a", "email:@example.com", "phone:5", "category:work", "text:street", "property:NOTE~e"}, 210},
		{"icalendar", pim.TypeICalendar, pim.Calendar, []string{"since:2010-01-01", "before:2008-01-01", "subject:meeting", "text:a"}, 310},
		{"icalendar", pim.TypeICalendar, pim.Tasks, []string{"status:open", "due:2010-01-01", "since:2010-01-01", "before:1y"}, 50},
		{"email", pim.TypeMessage, pim.Mail, []string{"from:a", "since:2010-01-01", "has:attachment", "text:hello", "subject:test", "property:MIME-VERSION=1.0"}, 300},
	} {
		items := realItems(t, c.dir, c.typ)
		read, in := 0, map[string]int{}
		for path, item := range items {
			facts := filter.FactsOf(item, c.kind)
			if facts.Read {
				read++
			}
			for _, text := range c.filters {
				f, contrary := parse(t, text), parse(t, "-"+text)
				if f.Match(item, c.kind, now) {
					in[text]++
				} else if !contrary.Match(item, c.kind, now) {
					t.Errorf("%s is hidden by %s and its contrary", path, text)
				}
				if f.Match(item, c.kind, now) && !f.MatchFacts(facts, now) {
					t.Errorf("%s is hidden by facts for %s", path, text)
				}
			}
		}
		t.Logf("%s of %s: %d of %d can be read, %v", c.kind, c.dir, read, len(items), in)
		if read < c.readable {
			t.Errorf("only %d of %d %s can be read", read, len(items), c.dir)
		}
	}
}

// TestRealMessagesHaveASenderAndADate, as far as a person finds them there.
func TestRealMessagesHaveASenderAndADate(t *testing.T) {
	sender, dated, n := 0, 0, 0
	for _, item := range realItems(t, "email", pim.TypeMessage) {
		f := filter.FactsOf(item, pim.Mail)
		if !f.Read {
			continue
		}
		n++
		if len(f.Words["from"]) > 0 {
			sender++
		}
		if f.End != nil {
			dated++
		}
	}
	t.Logf("%d messages, %d with a sender, %d with a date", n, sender, dated)
	if sender < n*8/10 || dated < n*7/10 {
		t.Errorf("of %d messages %d have a sender and %d a date", n, sender, dated)
	}
}

// TestReducedRealItems are readable still, and reducing them again changes nothing.
func TestReducedRealItems(t *testing.T) {
	fields := filter.Fields{{Name: "TEL"}, {Name: "NOTE", MaxSize: 10}, {Name: "SUMMARY", MaxSize: 10}, {Name: "DTEND"}}
	for _, c := range []struct {
		dir, typ string
		kind     pim.Kind
	}{{"vcard", pim.TypeVCard, pim.Contacts}, {"icalendar", pim.TypeICalendar, pim.Calendar}} {
		for path, item := range realItems(t, c.dir, c.typ) {
			once := filter.Reduce(item.Body, fields)
			if twice := filter.Reduce(once, fields); string(twice) != string(once) {
				t.Errorf("%s: reduced twice it is another", path)
			}
			before := filter.FactsOf(item, c.kind)
			item.Body = once
			if after := filter.FactsOf(item, c.kind); before.Read != after.Read || len(before.Words["phone"]) != len(after.Words["phone"]) {
				t.Errorf("%s: reduced it is no item: %+v", path, after)
			}
		}
	}
}
