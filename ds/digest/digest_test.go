package digest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/digest"
)

func leaves(n int) []digest.Leaf {
	r := rand.New(rand.NewPCG(1, 2))
	var out []digest.Leaf
	for i := range n {
		out = append(out, digest.Leaf{ID: fmt.Sprintf("%016x", r.Uint64()), Sum: fmt.Sprint(i)})
	}
	return out
}

// find asks until nothing is open. It returns the items that differ, how many rounds it took, and how many octets came.
func find(t *testing.T, ours, theirs digest.Set) (items []string, rounds, octets int) {
	t.Helper()
	for open := []string{""}; len(open) > 0; rounds++ {
		var next []string
		for _, prefix := range open {
			text := theirs.Answer(prefix, false).String()
			octets += len(text)
			a, err := digest.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			found, more := ours.Compare(prefix, a)
			items, next = append(items, found...), append(next, more...)
		}
		open = next
	}
	slices.Sort(items)
	return items, rounds, octets
}

// TestDifferencesAreFound: those that were changed, those that one side lacks, at any number, in few steps.
func TestDifferencesAreFound(t *testing.T) {
	for _, n := range []int{0, 1, 5, 17, 300, 10_000} {
		a, b := leaves(n), leaves(n)
		if items, rounds, octets := find(t, digest.New(slices.Clone(a)), digest.New(slices.Clone(b))); len(items) > 0 || rounds != 1 || octets > 1000 {
			t.Errorf("%d equal items: %v in %d rounds, %d octets", n, items, rounds, octets)
		}
		var want []string
		change := func(i int, drop bool) {
			if i >= n {
				return
			}
			want = append(want, b[i].ID)
			if b[i].Sum = "other"; drop {
				b = slices.Delete(b, i, i+1)
			}
		}
		change(n/2, false)
		change(n/3, n > 3)
		a = append(a, digest.Leaf{ID: "zz", Sum: "new"})
		want = append(want, "zz")
		slices.Sort(want)
		items, rounds, _ := find(t, digest.New(a), digest.New(b))
		if d := cmp.Diff(slices.Compact(want), items); d != "" || rounds > 6 {
			t.Errorf("%d items, %d rounds (-want +got):\n%s", n, rounds, d)
		}
	}
}

func TestGarbageIsNoDigest(t *testing.T) {
	for _, text := range []string{"tree\n", "leaves\nabc\n"} {
		if _, err := digest.Parse(text); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
