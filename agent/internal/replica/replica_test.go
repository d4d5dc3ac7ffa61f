package replica_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// local is a vdir with its index.
type local struct {
	t   *testing.T
	dir string
	db  *memkv.Store
	r   *replica.Replica
}

func newLocal(t *testing.T) *local {
	l := &local{t: t, dir: t.TempDir(), db: &memkv.Store{}}
	l.open()
	return l
}

// open is a start of the agent.
func (l *local) open() {
	l.t.Helper()
	r, err := replica.Open(l.t.Context(), "contacts", "contacts", vdir.New(l.dir, pim.Contacts), openItems(l.t, l.db, "contacts"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.r = r
}

func (l *local) edit(name, body string) {
	l.t.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(body), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l *local) look() int {
	l.t.Helper()
	n, err := l.r.Look(l.t.Context(), pim.Hint{})
	if err != nil {
		l.t.Fatal(err)
	}
	return n
}

func (l *local) changes() []dsclient.Change {
	l.t.Helper()
	var out []dsclient.Change
	for c, err := range l.r.Changes(l.t.Context(), false) {
		if err != nil {
			l.t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// send acknowledges everything that waits, as a server would, and returns it.
func (l *local) send() []dsclient.Change {
	l.t.Helper()
	list := l.changes()
	var acks []dsclient.Ack
	for _, c := range list {
		acks = append(acks, dsclient.Ack{Change: c, Status: ds.StatusOK})
	}
	if err := l.r.Acknowledge(l.t.Context(), acks); err != nil {
		l.t.Fatal(err)
	}
	return list
}

func (l *local) apply(changes ...dsclient.Change) []dsclient.Result {
	l.t.Helper()
	out, err := l.r.Apply(l.t.Context(), changes)
	if err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *local) quiet() {
	l.t.Helper()
	if n, left := l.look(), l.changes(); n != 0 || len(left) != 0 {
		l.t.Errorf("nothing changed, but %d changes were seen and %v would be sent", n, left)
	}
	if kept, counted := l.r.Counts(), openItems(l.t, l.db, "contacts").Counts(); kept != counted || kept.Pending != 0 {
		l.t.Errorf("the counts say %+v, the rows %+v", kept, counted)
	}
	if w, err := l.r.Waiting(); err != nil || len(w) != 0 {
		l.t.Errorf("waiting: %v, %v", w, err)
	}
}

func add(guid, name, body string) dsclient.Change {
	return dsclient.Change{Op: dsclient.Add, GUID: guid, Item: pim.Item{Type: pim.TypeVCard, Name: name, Body: []byte(body)}}
}

func TestLocalChangesAreSentOnce(t *testing.T) {
	l := newLocal(t)
	l.edit("a.vcf", "1")
	l.edit("b.vcf", "2")
	l.look()
	sent := l.send()
	if len(sent) != 2 || sent[0].Op != dsclient.Add {
		t.Fatalf("sent %+v", sent)
	}
	l.quiet()
	l.edit("a.vcf", "one")
	if err := os.Remove(filepath.Join(l.dir, "b.vcf")); err != nil {
		t.Fatal(err)
	}
	l.look()
	got := map[dsclient.Op]string{}
	for _, c := range l.send() {
		got[c.Op] = c.Base
	}
	if len(got) != 2 || got[dsclient.Replace] != ds.Version([]byte("1")) || got[dsclient.Delete] != ds.Version([]byte("2")) {
		t.Errorf("sent %v", got)
	}
	l.quiet()
}

func TestARenamedFileIsTheSameItem(t *testing.T) {
	l := newLocal(t)
	l.edit("a.vcf", "1")
	l.look()
	luid := l.send()[0].LUID
	if err := os.Rename(filepath.Join(l.dir, "a.vcf"), filepath.Join(l.dir, "b.vcf")); err != nil {
		t.Fatal(err)
	}
	l.look()
	if left := l.changes(); len(left) != 0 {
		t.Errorf("a rename is sent: %+v", left)
	}
	if err := os.Mkdir(filepath.Join(l.dir, "work"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(l.dir, "b.vcf"), filepath.Join(l.dir, "work", "b.vcf")); err != nil {
		t.Fatal(err)
	}
	l.look()
	var ops []string
	for _, c := range l.send() {
		ops = append(ops, fmt.Sprint(c.Op, c.LUID == luid, c.Item.Folder))
	}
	if len(ops) != 2 || ops[0] == ops[1] {
		t.Errorf("sent %v, want the new folder and the move", ops)
	}
	l.quiet()
}

func TestOwnWritesAreNoNews(t *testing.T) {
	l := newLocal(t)
	res := l.apply(add("g1", "ana.vcf", "1"), add("g2", "ana.vcf", "2"))
	if !res[0].Status.OK() || !res[1].Status.OK() || res[0].LUID == res[1].LUID {
		t.Errorf("results %+v", res)
	}
	l.quiet()
	l.apply(dsclient.Change{Op: dsclient.Replace, LUID: res[0].LUID, Item: pim.Item{Type: pim.TypeVCard, Body: []byte("one")}},
		dsclient.Change{Op: dsclient.Delete, LUID: res[1].LUID})
	l.quiet()
	if got, err := os.ReadFile(filepath.Join(l.dir, "ana.vcf")); err != nil || string(got) != "one" {
		t.Errorf("ana.vcf holds %q, %v", got, err)
	}
	if again := l.apply(add("g1", "ana.vcf", "one")); again[0].LUID != res[0].LUID {
		t.Error("an item that came again was doubled")
	}
}

func TestAnUnsentEditIsNotOverwritten(t *testing.T) {
	l := newLocal(t)
	luid := l.apply(add("g1", "a.vcf", "1"))[0].LUID
	l.edit("a.vcf", "mine")
	for _, looked := range []bool{false, true} { // the agent may not even have noticed yet
		if looked {
			l.look()
		}
		res := l.apply(dsclient.Change{Op: dsclient.Replace, LUID: luid, Item: pim.Item{Type: pim.TypeVCard, Body: []byte("theirs")}})
		if res[0].Status != ds.StatusConflict {
			t.Errorf("status %v", res[0].Status)
		}
	}
	if got, _ := os.ReadFile(filepath.Join(l.dir, "a.vcf")); string(got) != "mine" {
		t.Errorf("it holds %q", got)
	}
}

func TestAVanishedStoreDeletesNothing(t *testing.T) {
	l := newLocal(t)
	for i := range 10 {
		l.edit(fmt.Sprint(i, ".vcf"), fmt.Sprint(i))
	}
	l.look()
	l.send()
	if err := os.Rename(l.dir, l.dir+".away"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.r.Look(t.Context(), pim.Hint{}); !errors.Is(err, pim.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if err := os.Mkdir(l.dir, 0o700); err != nil { // an empty mount point
		t.Fatal(err)
	}
	var empty *replica.EmptiedError
	if _, err := l.r.Look(t.Context(), pim.Hint{}); !errors.As(err, &empty) || empty.Items != 10 {
		t.Errorf("error %v", err)
	}
	if left := l.changes(); len(left) != 0 {
		t.Errorf("would send %v", left)
	}
}

// TestACrashAtEachWrite stops the agent at each durable write of its state in turn, with items from the server coming in, and
// starts it again. The server sends again what was not acknowledged.
func TestACrashAtEachWrite(t *testing.T) {
	for n := 1; n <= 5; n++ {
		t.Run(fmt.Sprint("write ", n), func(t *testing.T) {
			l := newLocal(t)
			l.edit("mine.vcf", "mine")
			l.db.FailAt, l.db.Crash = n, true
			work := func() error {
				if _, err := l.r.Look(t.Context(), pim.Hint{}); err != nil {
					return err
				}
				_, err := l.r.Apply(t.Context(), []dsclient.Change{add("g1", "a.vcf", "1"), add("g2", "b.vcf", "2")})
				return err
			}
			err := work()
			l.db.FailAt = 0
			l.open()
			if err != nil {
				if err := work(); err != nil {
					t.Fatal(err)
				}
			}
			l.look()
			if left := l.changes(); len(left) != 1 || string(left[0].Item.Body) != "mine" {
				t.Errorf("would send %v, want only the item made here", left)
			}
			if n := len(pimtest.List(t, vdir.New(l.dir, pim.Contacts))); n != 3 {
				t.Errorf("%d files, want 3", n)
			}
		})
	}
}

// TestAFirstLookThatIsCutOffGoesOn: what it recorded stays, and each item has one row, whichever write was the last.
func TestAFirstLookThatIsCutOffGoesOn(t *testing.T) {
	const items = 1100 // some pieces
	failed := 0
	for n := 1; n <= 5; n++ {
		l := newLocal(t)
		for i := range items {
			l.edit(fmt.Sprint(i, ".vcf"), fmt.Sprint("BEGIN:VCARD\r\nUID:", i, "\r\nEND:VCARD\r\n"))
		}
		l.db.FailAt, l.db.Crash = n, true
		if _, err := l.r.Look(t.Context(), pim.Hint{}); err != nil {
			failed++
		}
		l.db.FailAt = 0
		l.open()
		l.look()
		if got := l.send(); len(got) != items {
			t.Errorf("write %d: %d items would be sent", n, len(got))
		}
		l.quiet()
	}
	if failed == 0 {
		t.Error("no look was cut off")
	}
}

// TestACrashInAChangeIsNoEdit: a file that was overwritten for the server, but not yet recorded, is not sent back as if the user had
// edited it (found by killing processes at random: it became a conflict with the next version).
func TestACrashInAChangeIsNoEdit(t *testing.T) {
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint("write ", n), func(t *testing.T) {
			l := newLocal(t)
			luid := l.apply(add("g1", "a.vcf", "1"))[0].LUID
			change := dsclient.Change{Op: dsclient.Replace, LUID: luid, Item: pim.Item{Type: pim.TypeVCard, Body: []byte("22")}}
			l.db.FailAt, l.db.Crash = n, true
			_, err := l.r.Apply(t.Context(), []dsclient.Change{change})
			l.db.FailAt = 0
			l.open()
			l.look()
			if left := l.changes(); len(left) != 0 {
				t.Errorf("would send %+v", left)
			}
			if err != nil {
				l.apply(change)
			}
			if got, _ := os.ReadFile(filepath.Join(l.dir, "a.vcf")); string(got) != "22" {
				t.Errorf("it holds %q", got)
			}
			l.quiet()
		})
	}
}

// TestADeletionIsSentThoughTheItemWasNeverConfirmed: the answer to its Add may be what was lost (found by killing processes at random).
func TestADeletionIsSentThoughTheItemWasNeverConfirmed(t *testing.T) {
	l := newLocal(t)
	l.edit("a.vcf", "1")
	l.look()
	if sent := l.changes(); len(sent) != 1 {
		t.Fatalf("sent %v", sent)
	}
	if err := os.Remove(filepath.Join(l.dir, "a.vcf")); err != nil {
		t.Fatal(err)
	}
	l.open()
	l.look()
	if sent := l.send(); len(sent) != 1 || sent[0].Op != dsclient.Delete {
		t.Errorf("sent %+v, want a deletion", sent)
	}
	l.quiet()
}

func openItems(t testing.TB, db kv.Store, store string) *state.Items {
	t.Helper()
	x, err := state.OpenItems(db, store)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// TestACrashBetweenTwoRowsOfAMove: files are moved over each other's names, and more of them than go into one transaction. What a crash leaves
// in between is two rows for one name.
func TestACrashBetweenTwoRowsOfAMove(t *testing.T) {
	const files = 500
	name := func(i int) string { return fmt.Sprintf("%03d.vcf", i) }
	for _, failing := range []int{1, 2, 3} {
		t.Run(fmt.Sprint("write ", failing), func(t *testing.T) {
			l := newLocal(t)
			for i := range files {
				l.edit(name(i), fmt.Sprint("item ", i))
			}
			l.look()
			var first string
			for _, c := range l.send() {
				if string(c.Item.Body) == "item 0" {
					first = c.LUID
				}
			}
			for i := 1; i < files; i++ {
				if err := os.Rename(filepath.Join(l.dir, name(i)), filepath.Join(l.dir, name(i-1))); err != nil {
					t.Fatal(err)
				}
			}
			l.db.FailAt, l.db.Crash = failing, true
			l.r.Look(t.Context(), pim.Hint{}) //nolint:errcheck // it fails, or not
			l.db.FailAt = 0
			l.open()
			l.look()
			if sent := l.send(); len(sent) != 1 || sent[0].Op != dsclient.Delete || sent[0].LUID != first {
				t.Errorf("%d changes are sent, want the deletion of what was overwritten: %.300v", len(sent), sent)
			}
			l.quiet()
		})
	}
}

// TestOfSeveralOfOneNameThePathDecides: alwayson fetch and others name an item by its path.
func TestOfSeveralOfOneNameThePathDecides(t *testing.T) {
	l := newLocal(t)
	one, two := add("g1", "n1.vcf", "1"), add("g2", "n1.vcf", "2")
	one.Item.Folder, two.Item.Folder = "home", "work"
	res := l.apply(one, two)
	for i, name := range []string{"home/n1.vcf", "/mail/work/n1.vcf"} {
		if luid, ok, err := l.r.Find(name); err != nil || !ok || luid != res[i].LUID {
			t.Errorf("%s is %q, %t, %v, want %q", name, luid, ok, err, res[i].LUID)
		}
	}
	if _, ok, err := l.r.Find("n1.vcf"); err != nil || !ok {
		t.Errorf("the bare name finds nothing: %v", err)
	}
}
