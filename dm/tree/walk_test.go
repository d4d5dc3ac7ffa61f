package tree_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
)

// verbs make a command of a name and a value; many are refused.
var verbs = []func(name, value string) string{
	func(name, value string) string { return "Add ./DMAcc/" + name + "/Name chr " + value },
	func(name, value string) string { return "Add ./DMAcc/" + name + "/AppAddr/" + value + "/Addr chr x" },
	func(name, value string) string { return "Replace ./DMAcc/" + name + "/Name " + value },
	func(name, value string) string { return "Replace ./DMAcc/" + name + "?prop=Name " + value },
	func(name, value string) string { return "Replace ./DMAcc/" + name + "?prop=Title " + value },
	func(name, value string) string { return "Copy ./DMAcc/" + name + "/Name ./DMAcc/" + value + "/Name" },
	func(name, value string) string { return "Delete ./DMAcc/" + name },
	func(name, value string) string { return "Delete ./DMAcc/" + name + "/AppAddr/" + value },
	func(name, value string) string { return "Add ./Set/Account/" + name + "/User chr " + value },
	func(name, value string) string { return "Replace ./Set/Account/" + name + "?prop=Name " + value },
	func(name, value string) string {
		return "Replace ./Set/Account/" + name + "?prop=ACL Get=*&Delete=admin"
	},
	func(name, value string) string { return "Delete ./Set/Account/" + name },
	func(_, value string) string { return "Replace ./Set/Host " + value },
}

// TestRandomWalk gives random commands, commits or drops them, while writes fail now and then and the program is started again: the tree is
// always what it was after the last Commit that worked, and the store holds nothing else.
func TestRandomWalk(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { walk(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func walk(t *testing.T, r *rand.Rand) {
	store := treetest.Store{Memory: tree.Memory{}, Faults: &treetest.Faults{Left: -1}}
	w := newWorld(t, store, all)
	w.set.Faults = store.Faults
	for range 60 {
		before := w.dump()
		x := w.begin("admin")
		for range r.IntN(6) {
			run(t, x, verbs[r.IntN(len(verbs))](string('a'+rune(r.IntN(4))), string('a'+rune(r.IntN(4)))))
		}
		want := whole(t, x)
		crash := r.IntN(4)
		*store.Faults = []treetest.Faults{{Left: -1}, {Left: r.IntN(3)}, {Left: r.IntN(3), Once: true}, {Left: -1}}[crash]
		err := x.Commit()
		*store.Faults = treetest.Faults{Left: -1}
		if err != nil {
			want = before
		}
		if r.IntN(2) == 0 {
			w.open()
		}
		if got := w.dump(); got != want {
			t.Fatalf("got %s\nwant %s\nerror %v", got, want, err)
		}
	}
	empty(t, w)
}

func whole(t *testing.T, x *tree.Tx) string {
	t.Helper()
	return list(t, x, ".?list=TNDS")
}

// empty removes everything: nothing stays in the store but what is said about permanent nodes.
func empty(t *testing.T, w *world) {
	t.Helper()
	x := w.begin("admin")
	for _, parent := range []string{"./DMAcc", "./Set/Account"} {
		for _, name := range []string{"a", "b", "c", "d", "work"} {
			run(t, x, "Replace "+parent+"/"+name+"?prop=ACL ")
			run(t, x, "Delete "+parent+"/"+name)
		}
	}
	w.ok(x.Commit())
	for key := range w.store.(treetest.Store).Memory {
		if p, err := dm.ParsePath(key); err != nil || len(p) > 2 || len(p) == 2 && p[0] == "DMAcc" {
			t.Errorf("%s is left in the store", key)
		}
	}
}
