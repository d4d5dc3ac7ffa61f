package dm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
)

func TestAddresses(t *testing.T) {
	deep := strings.Repeat("/a", dm.MaxDepth)
	for _, c := range []struct{ in, want, err string }{
		{".", ".", ""},
		{"./A/B", "./A/B", ""},
		{"A/B", "./A/B", ""}, // "./" is optional
		{"./A%2FB/x%20y", "./A%2FB/x%20y", ""},
		{"./A?prop=ACL", "./A?prop=ACL", ""},
		{".?list=TNDS+ACL+Value", ".?list=TNDS+ACL+Value", ""},
		{"." + deep, "." + deep, ""},
		{"./ü/日本", "./ü/日本", ""},
		{"", "", "400"},
		{"/A", "", "400"},
		{"./A/", "", "400"},
		{"./", "", "400"},
		{"./A//B", "", "400"},
		{"./A/../B", "", "400"},
		{"././A", "", "400"},
		{"./A%zz", "", "400"},
		{"./A%00", "", "400"},
		{"./\xff", "", "400"},
		{"./A?prop=", "", "406"},
		{"./A?mid=1", "", "406"},
		{"./A?", "", "406"},
		{"." + deep + "/a", "", "414"},
		{"./" + strings.Repeat("n", dm.MaxSegLen+1), "", "414"},
		{"./A" + strings.Repeat("/bbbbbbbb", 200), "", "414"},
	} {
		u, err := dm.ParseURI(c.in)
		if err != nil {
			if got := dm.StatusOf(err).Error(); !strings.HasPrefix(got, c.err) || c.err == "" {
				t.Errorf("%.40q: %v, %v, want %q", c.in, got, err, c.err)
			}
			continue
		}
		if u.String() != c.want || c.err != "" {
			t.Errorf("%.40q: got %q, want %q%s", c.in, u, c.want, c.err)
		}
	}
}

func TestPathsBelowOthers(t *testing.T) {
	for _, c := range []struct {
		p, q, rest string
	}{
		{"./A/B", "./A", "./B"}, {"./A", "./A", "."}, {"./A", ".", "./A"}, {"./AB", "./A", ""}, {".", "./A", ""}, {"./B/A", "./A", ""},
	} {
		p, _ := dm.ParsePath(c.p)
		q, _ := dm.ParsePath(c.q)
		rest, ok := p.Below(q)
		if ok != (c.rest != "") || ok && rest.String() != c.rest {
			t.Errorf("%s below %s: %s, %v", c.p, c.q, rest, ok)
		}
	}
}

// FuzzURI reads addresses: what could be read is written so that it reads the same.
func FuzzURI(f *testing.F) {
	for _, s := range []string{".", "./A/B", "A%2fB?prop=Name", "./A?list=TNDS-ACL", "./a b", "../x", "./%", "./Ä"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := dm.ParseURI(text)
		if err != nil {
			return
		}
		again, err := dm.ParseURI(u.String())
		if err != nil && len(u.String()) <= dm.MaxTotLen {
			t.Fatalf("%q became %q: %v", text, u, err)
		}
		if err == nil && (!slices.Equal(again.Path, u.Path) || again.Prop != u.Prop || again.List != u.List) {
			t.Errorf("%q became %q", u, again)
		}
	})
}
