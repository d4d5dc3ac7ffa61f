package filter_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// terms are of all fields that facts tell, and some that they do not.
var terms = []string{
	"from:ana", "from:@b.example", "to:bo,ana", "subject:report", "name:ana", "email:@b.example", "phone:12", "org:x", "location:room", "category:work,play",
	"since:3d", "since:2026-11-20", "before:2d", "before:+1d", "due:4d", "due:2026-11-24", "status:open", "status:done", "flag:seen", "flag:flagged,draft", "has:attachment",
	"folder:work", "folder:/", "folder:inbox", "larger:100", "smaller:100", "larger:99", "text:x", "property:N=x",
}

// randomFilter combines terms.
func randomFilter(t testing.TB, r *rand.Rand) filter.Filter {
	var b strings.Builder
	for range r.IntN(4) {
		if b.Len() > 0 && r.IntN(2) == 0 {
			b.WriteString(" or")
		}
		b.WriteString(" " + strings.Repeat("-", r.IntN(2)) + terms[r.IntN(len(terms))])
	}
	return parse(t, b.String())
}

func randomMoment(r *rand.Rand) *filter.Moment {
	at := now.Unix() + int64(r.IntN(20)-10)*12*3600 + int64(r.IntN(3)) - 1
	switch r.IntN(8) {
	case 0:
		return nil
	case 1:
		return &filter.Moment{at, 1<<63 - 1}
	case 2:
		return &filter.Moment{-1 << 63, at}
	}
	return &filter.Moment{at, at + max(0, int64(r.IntN(3)-1)*14*3600)}
}

func randomBool(r *rand.Rand) *bool {
	b := r.IntN(2) == 0
	if r.IntN(3) == 0 {
		return nil
	}
	return &b
}

// randomFacts are of an item that may say anything.
func randomFacts(r *rand.Rand, kind pim.Kind) filter.Facts {
	f := filter.Facts{Kind: kind, Folder: []string{"", "work", "Work/old", "home"}[r.IntN(4)], Flags: pim.Flags([]string{"", "S", "FS", "D"}[r.IntN(4)]), Size: int64(98 + r.IntN(5))}
	if f.Read = r.IntN(10) > 0; !f.Read {
		return f
	}
	f.Begin, f.End, f.Due, f.Attachment, f.Done = randomMoment(r), randomMoment(r), randomMoment(r), randomBool(r), randomBool(r)
	f.Words = map[string][]string{}
	for _, field := range []string{"from", "to", "subject", "name", "email", "phone", "org", "location", "category"} {
		for range r.IntN(3) {
			f.Words[field] = append(f.Words[field], []string{"ana <ana@b.example>", "bo@c.example", "a report", "room 12", "work", ""}[r.IntN(6)])
		}
	}
	return f
}

// TestColumnsSayWhatFactsSay of each item, whatever the filter.
func TestColumnsSayWhatFactsSay(t *testing.T) {
	kinds := []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes}
	differs := map[bool]int{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		kind := kinds[r.IntN(len(kinds))]
		var all []filter.Facts
		p := filter.NewPacker(kind)
		for range r.IntN(20 << r.IntN(5)) {
			f := randomFacts(r, kind)
			all = append(all, f)
			p.Add(&f)
		}
		columns := p.Columns()
		for range 20 {
			f, g, then := randomFilter(t, r), randomFilter(t, r), now.Add(-time.Duration(r.IntN(3))*24*time.Hour)
			got := differ(t, columns, f, then, g)
			for i := range all {
				want := f.MatchFacts(all[i], then) != g.MatchFacts(all[i], now)
				if got[i] != want {
					t.Fatalf("seed %d, %s: from %q to %q, %+v differs: %t", seed, kind, f, g, all[i], !want)
				}
				differs[want]++
			}
		}
	}
	if differs[true] < 10_000 || differs[false] < 10_000 {
		t.Errorf("%v: the test compares too little", differs)
	}
}

// differ judges by no more than the columns that the filters name.
func differ(t testing.TB, all *filter.Columns, f filter.Filter, then time.Time, g filter.Filter) []bool {
	c := &filter.Columns{Kind: all.Kind, Items: all.Items, Data: map[string]string{}}
	for _, name := range append(f.Columns(all.Kind), g.Columns(all.Kind)...) {
		c.Data[name] = all.Data[name]
	}
	got, err := c.Differ(&f, then, &g, now)
	if err != nil {
		t.Fatalf("from %q to %q: %v", f, g, err)
	}
	return got
}

// TestColumnsOfSamples: what was read from real bodies is packed whole.
func TestColumnsOfSamples(t *testing.T) {
	for kind, item := range samples {
		p := filter.NewPacker(kind)
		facts := filter.FactsOf(item, kind)
		p.Add(&facts)
		for _, text := range terms {
			f := parse(t, text)
			if in := !differ(t, p.Columns(), filter.Filter{}, now, f)[0]; in != f.MatchFacts(facts, now) {
				t.Errorf("%s %s: by columns, in scope is %t", kind, f, in)
			}
		}
	}
}

// FuzzColumns: columns that are broken are refused or read as something, and nothing else happens.
func FuzzColumns(f *testing.F) {
	p := filter.NewPacker(pim.Mail)
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		facts := randomFacts(r, pim.Mail)
		p.Add(&facts)
	}
	for _, name := range []string{"from", "since", "flag"} {
		f.Add(p.Columns().Data[name])
	}
	f.Fuzz(func(t *testing.T, data string) {
		for name, text := range map[string]string{"from": "from:ana", "since": "since:3d", "before": "before:3d", "flag": "flag:seen", "larger": "larger:1k"} {
			c := &filter.Columns{Kind: pim.Mail, Items: 40, Data: map[string]string{name: data}}
			wanted := parse(t, text)
			if got, err := c.Differ(&filter.Filter{}, now, &wanted, now); err == nil && len(got) != c.Items {
				t.Errorf("%d items", len(got))
			}
		}
	})
	c := &filter.Columns{Kind: pim.Mail, Items: 1}
	wanted := parse(f, "from:ana")
	if _, err := c.Differ(&wanted, now, &wanted, now); err == nil {
		f.Error("a missing column is no error")
	}
}

// BenchmarkColumns judges 10,000 messages.
func BenchmarkColumns(b *testing.B) {
	p := filter.NewPacker(pim.Mail)
	for i := range 10_000 {
		at := now.Unix() - int64(i)*240
		p.Add(&filter.Facts{Kind: pim.Mail, Read: true, Size: int64(i * 7919 % 5000), Begin: &filter.Moment{at, at}, End: &filter.Moment{at, at},
			Words: map[string][]string{"from": {fmt.Sprintf("person %d <p%d@b.example>", i%300, i%300)}, "subject": {fmt.Sprintf("message %d about this and that", i)}}})
	}
	c := p.Columns()
	for _, text := range []string{"since:30d", "larger:1k", "from:p1", "subject:that", "flag:seen"} {
		f := parse(b, text)
		b.Run(text, func(b *testing.B) {
			name := f.Columns(pim.Mail)[0]
			for b.Loop() {
				if _, err := c.Differ(&filter.Filter{}, now, &f, now); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(c.Data[name]))/float64(c.Items), "octets/item")
		})
	}
}
