package tree_test

import (
	"errors"
	"maps"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
)

// changes touch the tree's own nodes, values of an object, and properties of its nodes.
var changes = []string{
	"Add ./DMAcc/a/Name chr x", "Delete ./DMAcc/old", "Replace ./Set/Host b.example", "Replace ./Set/Port 2", "Delete ./Set/Account/work",
	"Add ./Set/Account/home/User chr eve", "Replace ./Set/Account?prop=Title accounts", "Replace .?prop=Title root",
}

// faulty is a world in which writes fail as f says, with an account in it.
func faulty(t *testing.T, f *treetest.Faults) (*world, treetest.Store) {
	t.Helper()
	store := treetest.Store{Memory: tree.Memory{}, Faults: &treetest.Faults{Left: -1}}
	w := newWorld(t, store, all)
	x := w.begin("admin")
	for _, command := range []string{"Add ./DMAcc/old/Name chr x", "Replace ./Set/Account/work?prop=Title mine"} {
		if got := run(t, x, command); got != "200" {
			t.Fatal(command, got)
		}
	}
	w.ok(x.Commit())
	*store.Faults = *f
	w.set.Faults = store.Faults
	return w, store
}

func change(t *testing.T, w *world) error {
	t.Helper()
	x := w.begin("admin")
	for _, command := range changes {
		if got := run(t, x, command); got != "200" {
			t.Fatal(command, got)
		}
	}
	return x.Commit()
}

// TestCrashAtEveryWrite kills the program at each of the writes that a change makes: opened again, the tree and its object are as before or as
// after, and the next change works.
func TestCrashAtEveryWrite(t *testing.T) {
	w, _ := faulty(t, &treetest.Faults{Left: -1})
	before := w.dump()
	w.ok(change(t, w))
	after := w.dump()
	total := w.set.Faults.Writes
	if before == after || total != 3 { // the note, the object, the end
		t.Fatal("the change changes nothing, or takes", total, "writes")
	}
	for n := range total {
		w, store := faulty(t, &treetest.Faults{Left: n})
		if err := change(t, w); err == nil {
			t.Fatalf("%d writes: no error", n)
		}
		*store.Faults = treetest.Faults{Left: -1}
		w.open()
		if got := w.dump(); got != before {
			t.Errorf("%d writes: half done:\n%s\nbefore:\n%s", n, got, before)
		}
		w.ok(change(t, w))
		if got := w.dump(); got != after {
			t.Errorf("%d writes, done again:\n%s", n, got)
		}
	}
}

// TestFailedWrite: the store or the object refuses once and goes on working. The change is taken back at once, in the running program and on disk.
func TestFailedWrite(t *testing.T) {
	for n := range 3 {
		w, _ := faulty(t, &treetest.Faults{Left: n, Once: true})
		before := w.dump()
		if err := change(t, w); !errors.Is(err, treetest.ErrFault) || dm.StatusOf(err) != 500 {
			t.Fatalf("%d writes: %v", n, err)
		}
		if got := w.dump(); got != before {
			t.Errorf("%d writes: half done:\n%s", n, got)
		}
		w.open()
		if got := w.dump(); got != before {
			t.Errorf("%d writes, opened again: half done:\n%s", n, got)
		}
	}
}

// TestRollbackThatFails is told as such, and made up for as soon as it works.
func TestRollbackThatFails(t *testing.T) {
	w, store := faulty(t, &treetest.Faults{Left: 2})
	before := w.dump()
	if err := change(t, w); dm.StatusOf(err) != 516 {
		t.Fatal(err)
	}
	if _, err := w.tree.Begin("admin", now); err == nil {
		t.Error("work goes on with a change that is half done")
	}
	*store.Faults = treetest.Faults{Left: -1}
	if got := w.dump(); got != before {
		t.Errorf("half done:\n%s", got)
	}
}

// TestUnfitValues are refused together, though each of them is good.
func TestUnfitValues(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	w.set.Unfit = "13"
	before, values := w.dump(), maps.Clone(w.set.Values)
	x := w.begin("admin")
	for _, command := range []string{"Replace ./Set/Port 13", "Replace ./Set/Host b", "Add ./DMAcc/a node"} {
		if got := run(t, x, command); got != "200" {
			t.Fatal(command, got)
		}
	}
	if err := x.Commit(); dm.StatusOf(err) != 500 || x.Changed() {
		t.Error(err)
	}
	if w.dump() != before || len(values) != len(w.set.Values) {
		t.Error("half done")
	}
}

// TestUnchangedValues reach neither store nor object.
func TestUnchangedValues(t *testing.T) {
	store := treetest.Store{Memory: tree.Memory{}, Faults: &treetest.Faults{Left: -1}}
	w := newWorld(t, store, all)
	store.Writes = 0
	x := w.begin("admin")
	for _, command := range []string{"Replace ./Set/Host a.example", "Replace ./Set?prop=Title ", "Replace .?prop=ACL " + all} {
		if got := run(t, x, command); got != "200" {
			t.Error(command, got)
		}
	}
	w.ok(x.Commit())
	if store.Writes != 0 || len(w.set.Commits) != 0 {
		t.Errorf("%d writes, %v", store.Writes, w.set.Commits)
	}
}

// TestObjectsGetChangesTogether: one Commit with old and new values.
func TestObjectsGetChangesTogether(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	w.ok(change2(t, w))
	if len(w.set.Commits) != 1 {
		t.Fatalf("%d commits", len(w.set.Commits))
	}
	got := ""
	for _, c := range w.set.Commits[0] {
		got += c.Path.String() + " " + text(c.Old) + ">" + text(c.New) + ", "
	}
	const want = "./Account/work node>-, ./Account/work/User ana>-, ./Host a.example>b.example, ./Port 1>2, "
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func change2(t *testing.T, w *world) error {
	t.Helper()
	x := w.begin("admin")
	for _, command := range []string{"Replace ./Set/Port 3", "Replace ./Set/Port 2", "Replace ./Set/Host b.example", "Delete ./Set/Account/work"} {
		if got := run(t, x, command); got != "200" {
			t.Fatal(command, got)
		}
	}
	return x.Commit()
}

func text(v *dm.Value) string {
	switch {
	case v == nil:
		return "-"
	case v.IsNode():
		return "node"
	}
	return string(v.Data)
}

// TestObjectChangesElsewhere: what the user changes meanwhile is seen, and a node that went takes its ACL with it.
func TestObjectChangesElsewhere(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	if got := run(t, x, "Replace ./Set/Account/work?prop=ACL Get=admin"); got != "200" {
		t.Fatal(got)
	}
	w.ok(x.Commit())
	user := w.set.Values["Account/work/User"]
	delete(w.set.Values, "Account/work/User")
	w.set.Values["Host"] = dm.Value{Format: dm.FormatChr, Data: []byte("by hand")}
	x = w.begin("admin")
	if got := run(t, x, "Get ./Set/Account"); got != "" {
		t.Error(got)
	}
	if got := run(t, x, "Get ./Set/Host"); got != "by hand" {
		t.Error(got)
	}
	w.set.Values["Account/work/User"] = user
	x = w.begin("admin")
	if got := run(t, x, "Get ./Set/Account/work?prop=ACL"); got != "" {
		t.Error(got)
	}
	if got := run(t, x, "Replace ./Set/Host c"); got != "200" {
		t.Error(got)
	}
	w.ok(x.Commit())
	w.open()
	if got := run(t, w.begin("admin"), "Get ./Set/Account/work?prop=ACL"); got != "" {
		t.Error(got)
	}
}

func TestRefusedTrees(t *testing.T) {
	schema := treetest.Schema(t, described)
	for name, open := range map[string]func() error{
		"no place": func() error {
			_, err := tree.Open(schema, tree.Memory{}, map[string]tree.Object{"./Nowhere": nil})
			return err
		},
		"no address": func() error {
			_, err := tree.Open(schema, tree.Memory{}, map[string]tree.Object{"/Set": nil})
			return err
		},
		"the root": func() error {
			_, err := tree.Open(schema, tree.Memory{}, map[string]tree.Object{".": nil})
			return err
		},
		"inside another": func() error {
			_, err := tree.Open(schema, tree.Memory{}, map[string]tree.Object{"./Set": nil, "./Set/Account": nil})
			return err
		},
		"garbage": func() error {
			_, err := tree.Open(schema, tree.Memory{"./DMAcc/x": []byte("{")}, nil)
			return err
		},
		"a key that is no address": func() error {
			_, err := tree.Open(schema, tree.Memory{"/": []byte("{}")}, nil)
			return err
		},
	} {
		if open() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestRetiredNodes: what a new description does not have can be read and deleted, and no more.
func TestRetiredNodes(t *testing.T) {
	store := tree.Memory{}
	w := newWorld(t, store, all)
	x := w.begin("admin")
	if got := run(t, x, "Add ./DMAcc/a/Name chr x"); got != "200" {
		t.Fatal(got)
	}
	w.ok(x.Commit())
	later, err := tree.Open(treetest.Schema(t, ". node Get permanent"), store, nil)
	w.ok(err)
	x, err = later.Begin("admin", now)
	w.ok(err)
	for _, c := range []struct{ command, want string }{
		{"Get ./DMAcc/a/Name", "x"}, {"Replace ./DMAcc/a/Name y", "405"}, {"Add ./DMAcc/b node", "405"}, {"Delete ./DMAcc", "200"},
	} {
		if got := run(t, x, c.command); got != c.want {
			t.Errorf("%s: got %q, want %q", c.command, got, c.want)
		}
	}
}
