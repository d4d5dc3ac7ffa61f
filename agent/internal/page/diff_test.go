package page

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSideBySide(t *testing.T) {
	both := func(s string) pair { return pair{s, s, true, true, false} }
	for name, c := range map[string]struct {
		this, that string
		want       []pair
	}{
		"equal":          {"a\r\nb\r\n", "a\nb", []pair{both("a"), both("b")}},
		"one changed":    {"a\nb\nc", "a\nx\nc", []pair{both("a"), {"b", "x", true, true, true}, both("c")}},
		"one more here":  {"a\nb\nc", "a\nc", []pair{both("a"), {"b", "", true, false, true}, both("c")}},
		"one more there": {"a\nc", "a\nb\nc", []pair{both("a"), {"", "b", false, true, true}, both("c")}},
		"two for one":    {"a\nb\nc", "x\nc", []pair{{"a", "x", true, true, true}, {"b", "", true, false, true}, both("c")}},
		"nothing there":  {"a", "", []pair{{"a", "", true, false, true}}},
		"both empty":     {"", "", nil},
	} {
		got, cut := sideBySide(c.this, c.that)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(pair{})); diff != "" || cut {
			t.Errorf("%s: %v %s", name, cut, diff)
		}
	}
}

// TestLongTextsAreCut: what somebody puts into an item must not cost the agent its memory.
func TestLongTextsAreCut(t *testing.T) {
	got, cut := sideBySide(strings.Repeat("a\n", 10*maxLines), strings.Repeat("ä", maxLine))
	if !cut || len(got) > 2*maxLines || len(got[0].That) > maxLine+len("…") {
		t.Errorf("%v, %d lines, the first has %d", cut, len(got), len(got[0].That))
	}
}
