package merge_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/merge"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// files are real cards and calendars.
func files(t testing.TB, do func(path, typ string, body []byte)) {
	t.Helper()
	for folder, typ := range map[string]string{"vcard": pim.TypeVCard, "icalendar": pim.TypeICalendar} {
		err := filepath.WalkDir(pimtest.Shared(t, "corpus", folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			if len(body) < 10000 && bytes.Contains(body, []byte("BEGIN:")) { // longer ones only slow it down
				do(path, typ, body)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// place is something that one person edits: a property of a component, or all that tells when an event is.
type place struct {
	component int
	name      string
}

var times = []string{"DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "EXRULE", "EXDATE", "RDATE"}

// objects are the components of a file that have properties of their own.
func objects(c *contentline.Component) []*contentline.Component {
	var out []*contentline.Component
	for _, s := range c.Subs {
		if slices.Contains([]string{"VCARD", "VCALENDAR", "VEVENT", "VTODO", "VJOURNAL"}, s.Name) {
			out = append(append(out, s), objects(s)...)
		}
	}
	return out
}

// places are where a file can be edited: what is there, and some more.
func places(body []byte) []place {
	seen := map[place]bool{}
	for i, c := range objects(contentline.ParseTree(body)) {
		names := []string{"X-NEW", "NOTE", "TEL", "LOCATION", "CATEGORIES"}
		for _, l := range c.Props {
			names = append(names, l.Name)
		}
		for _, name := range names {
			switch {
			case slices.Contains([]string{"", "UID", "VERSION", "RECURRENCE-ID", "BEGIN", "END"}, name):
			case slices.Contains(times, name) && bytes.Contains(body, []byte("RECURRENCE-ID")): // is of one piece with the changed occurrences
			case slices.Contains(times, name):
				seen[place{i, "times"}] = true
			default:
				seen[place{i, name}] = true
			}
		}
	}
	var out []place
	for p := range seen {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b place) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return out
}

// edit changes, deletes or adds properties at places.
func edit(r *rand.Rand, body []byte, at []place) []byte {
	root := contentline.ParseTree(body)
	all := objects(root)
	for _, p := range at {
		c := all[p.component]
		names := []string{p.name}
		if p.name == "times" {
			names = times
		}
		var props []contentline.Line
		for _, l := range c.Props {
			switch n := r.IntN(3); {
			case !slices.Contains(names, l.Name) || n == 0:
				props = append(props, l)
			case n == 1:
				props = append(props, contentline.Line{Group: l.Group, Name: l.Name, Params: l.Params, Value: fmt.Sprint("9", r.IntN(4))})
			}
		}
		if r.IntN(2) == 0 {
			name := names[r.IntN(len(names))]
			props = append(props, contentline.Line{Name: name, Value: fmt.Sprint("8", r.IntN(4))})
		}
		c.Props = props
	}
	return root.Bytes()
}

// said is what a file says, whatever the order and the names of groups, and without bookkeeping.
func said(body []byte) string {
	var out []string
	var walk func(path string, c *contentline.Component)
	walk = func(path string, c *contentline.Component) {
		path += "/" + c.Name
		if id := c.Prop("RECURRENCE-ID"); id != nil {
			path += " " + id.Value
		}
		for _, l := range c.Props {
			switch l.Name {
			case "REV", "LAST-MODIFIED", "DTSTAMP", "SEQUENCE", "PRODID", "CREATED":
				continue
			}
			kinds := slices.DeleteFunc(l.Types(), func(t string) bool {
				return slices.Contains([]string{"", "VOICE", "INTERNET", "QUOTED-PRINTABLE", "BASE64"}, t)
			})
			params := slices.DeleteFunc(slices.Clone(l.Params), func(p contentline.Param) bool {
				return slices.Contains([]string{"", "TYPE", "ENCODING", "CHARSET"}, p.Name)
			})
			values := []string{l.Text()}
			if slices.Contains([]string{"CATEGORIES", "EXDATE", "RDATE", "NICKNAME", "RESOURCES", "FREEBUSY"}, l.Name) {
				values = strings.Split(values[0], ",")
			}
			for _, v := range values {
				out = append(out, fmt.Sprint(path, " ", l.Name, kinds, params, strings.TrimSpace(v)))
			}
		}
		for _, s := range c.Subs {
			walk(path, s)
		}
	}
	walk("", contentline.ParseTree(body))
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// TestThreeWithRandomEdits of real files.
func TestThreeWithRandomEdits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	n, clean := 0, 0
	files(t, func(path, typ string, base []byte) {
		base = contentline.ParseTree(base).Bytes()
		at := places(base)
		if len(at) < 2 {
			return
		}
		for range 3 {
			n++
			r.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
			split, more := 1+r.IntN(min(len(at)-1, 4)), r.IntN(3)
			apart := at[split:min(len(at), split+3)]
			a, b := edit(r, base, at[:split]), edit(r, base, apart)
			oneSide(t, path, typ, base, a)
			merged, conflicts := merge.Three(typ, base, a, b)
			if len(conflicts) > 0 {
				t.Errorf("%s: edits of different properties clash: %+v\n%s\n---\n%s\n---\n%s", path, conflicts, base, a, b)
			}
			comesFrom(t, path, merged, a, b)
			both := edit(r, a, at[max(0, split-more):split]) // some in the same places
			if bothWays(t, path, typ, base, both, b) && bothWays(t, path, typ, base, a, edit(r, base, at[:split])) {
				clean++
			}
		}
	})
	if n < 1000 || clean < n/10 || clean == n {
		t.Errorf("%d of %d were merged", clean, n)
	}
}

// oneSide: who made no change yields.
func oneSide(t *testing.T, path, typ string, base, a []byte) {
	t.Helper()
	for _, c := range [][2][]byte{{a, base}, {base, a}, {a, a}} {
		if got, conflicts := merge.Three(typ, base, c[0], c[1]); !bytes.Equal(got, a) || len(conflicts) > 0 {
			t.Errorf("%s: one side's change did not come through: %+v\n%s", path, conflicts, got)
		}
	}
}

// bothWays: it does not matter who is who.
func bothWays(t *testing.T, path, typ string, base, a, b []byte) bool {
	t.Helper()
	ab, c1 := merge.Three(typ, base, a, b)
	ba, c2 := merge.Three(typ, base, b, a)
	if len(c1) != len(c2) {
		t.Errorf("%s: %+v one way, %+v the other", path, c1, c2)
	}
	if len(c1) > 0 {
		return false
	}
	if d := cmp.Diff(said(ab), said(ba)); d != "" {
		t.Errorf("%s (-ours +theirs):\n%s\nof\n%s\n---\n%s\n---\n%s", path, d, base, a, b)
	}
	return true
}

// comesFrom: each line is one of theirs or ours to the octet, but lists of which elements were taken off.
func comesFrom(t *testing.T, path string, merged, a, b []byte) {
	t.Helper()
	known := map[string]bool{}
	for _, l := range slices.Concat(contentline.Parse(a), contentline.Parse(b)) {
		known[string(l.Raw)] = true
	}
	for _, l := range contentline.Parse(merged) {
		if !known[string(l.Raw)] && l.Name != "CATEGORIES" && l.Name != "EXDATE" && l.Name != "RDATE" && l.Name != "NICKNAME" {
			t.Errorf("%s: %q is of nobody", path, l.Raw)
		}
	}
}

// FuzzThree merges whatever there is. What comes out can be read, and the sides may change places.
func FuzzThree(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\nVERSION:3.0\nTEL:1\nEND:VCARD"), []byte("BEGIN:VCARD\nVERSION:3.0\nTEL:2\nEND:VCARD"), []byte("BEGIN:VCARD\nVERSION:3.0\nTEL:1\nCATEGORIES:a,\\\nEND:VCARD"))
	f.Add([]byte(calendar(event(weekly), event(moved))), []byte(calendar(zone, event(weekly, alarm, "EXDATE:20260713T100000Z"))), []byte(calendar(event(moved))))
	n := 0
	files(f, func(_, _ string, body []byte) {
		if n++; n%8 == 0 && len(body) < 2000 {
			f.Add(body, bytes.Replace(body, []byte("e"), []byte("E"), 1), bytes.Replace(body, []byte("\n"), []byte("\nTEL:1\n"), 2))
		}
	})
	f.Fuzz(func(t *testing.T, base, ours, theirs []byte) {
		for _, typ := range []string{pim.TypeVCard, pim.TypeICalendar} {
			merged, c1 := merge.Three(typ, base, ours, theirs)
			_, c2 := merge.Three(typ, base, theirs, ours)
			if len(c1) != len(c2) {
				t.Errorf("%+v one way, %+v the other", c1, c2)
			}
			if longest := 8*(len(ours)+len(theirs)) + 1024; len(merged) > longest {
				t.Errorf("%d octets of %d and %d", len(merged), len(ours), len(theirs))
			}
		}
		merge.Restore(base, ours, theirs, func(name string) bool { return len(name)%2 == 0 })
	})
}
