package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
)

// emptied is a store of four items that the server has, and of which a user has deleted three, with a brake that holds two.
func emptied(t *testing.T) *local {
	l := newLocal(t)
	for i := range 4 {
		l.edit(fmt.Sprintf("%d.vcf", i), fmt.Sprint(i))
	}
	l.look()
	l.send()
	l.r.SetBrake(reconcile.Brake{Count: 1, Percent: 25})
	for i := range 3 {
		if err := os.Remove(filepath.Join(l.dir, fmt.Sprintf("%d.vcf", i))); err != nil {
			t.Fatal(err)
		}
	}
	l.look()
	if list := l.changes(); len(list) != 0 {
		t.Fatalf("although they are many: %v", list)
	}
	return l
}

// reopen is a start of the agent with the brake.
func (l *local) reopen() {
	l.open()
	l.r.SetBrake(reconcile.Brake{Count: 1, Percent: 25})
}

// fetch takes twenty items from the server, beside which three are few.
func (l *local) fetch() {
	l.t.Helper()
	var list []dsclient.Change
	for i := range 20 {
		list = append(list, add(fmt.Sprintf("g%d", i), fmt.Sprintf("s%d.vcf", i), fmt.Sprintf("s%d", i)))
	}
	l.apply(list...)
	if err := l.r.Settle(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

func TestHeldDeletionsStayHeldWhateverComes(t *testing.T) {
	l := emptied(t)
	l.fetch()
	if h := l.r.Held(); h.There != 3 {
		t.Errorf("after items have come it holds %+v", h)
	}
	l.reopen()
	if list := l.changes(); len(list) != 0 || l.r.Held().There != 3 {
		t.Errorf("after a start it sends %v and holds %+v", list, l.r.Held())
	}
	if err := l.r.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := l.send(); len(list) != 3 {
		t.Errorf("approved, it sends %v", list)
	}
	l.quiet()
}

// TestFewDeletionsAreNotHeldForEver: when the brake allows more, or some of them are no deletions any more, they go.
func TestFewDeletionsAreNotHeldForEver(t *testing.T) {
	l := emptied(t)
	l.fetch()
	l.r.SetBrake(reconcile.Brake{Count: 3, Percent: 25})
	if list := l.changes(); len(list) != 3 || l.r.Held().Any() {
		t.Errorf("it sends %v and holds %+v", list, l.r.Held())
	}
	if !l.r.Meanwhile() {
		t.Error("nobody is told that they may go")
	}
}
