package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
)

// addressBook is a store of twenty cards that the server has.
func addressBook(t *testing.T) (l *local, luids map[string]bool) {
	l, luids = newLocal(t), map[string]bool{}
	for i := range 20 {
		l.edit(fmt.Sprintf("%d.vcf", i), card(i, "as it was"))
	}
	l.look()
	for _, c := range l.send() {
		luids[c.LUID] = true
	}
	l.r.SetBrake(reconcile.Brake{Count: 1, Percent: 25})
	return l, luids
}

func card(i int, note string) string {
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u%d\r\nFN:Name %d\r\nNOTE:%s\r\nEND:VCARD\r\n", i, i, note)
}

// clear deletes all that addressBook has written.
func (l *local) clear() {
	for i := range 20 {
		if err := os.Remove(filepath.Join(l.dir, fmt.Sprintf("%d.vcf", i))); err != nil {
			l.t.Fatal(err)
		}
	}
}

// rewrite writes the cards under other names.
func (l *local) rewrite() {
	for i := range 20 {
		l.edit(fmt.Sprintf("card-%d.vcf", i), card(i, "written by another program"))
	}
}

// edited fails the test unless each item, and nothing else, is sent as an edit.
func (l *local) edited(luids map[string]bool) {
	l.t.Helper()
	list := l.changes()
	for _, c := range list {
		if c.Op != dsclient.Replace || !luids[c.LUID] || c.Base == "" {
			l.t.Fatalf("%v of %s, made from %q", c.Op, c.LUID, c.Base)
		}
	}
	if len(list) != 20 || l.r.Held().Any() {
		l.t.Errorf("%d changes, held %+v", len(list), l.r.Held())
	}
}

// TestAnAddressBookThatIsWrittenAnew by a program that names its files otherwise is edited, and not deleted with another one beside it.
func TestAnAddressBookThatIsWrittenAnew(t *testing.T) {
	l, luids := addressBook(t)
	l.clear()
	l.rewrite()
	l.look()
	l.edited(luids)
}

// TestDeletionsEndWhenTheItemsComeBack although they were held already: the program took its time.
func TestDeletionsEndWhenTheItemsComeBack(t *testing.T) {
	l, luids := addressBook(t)
	l.edit("stays.vcf", card(99, "")) // a store that is empty is a case of its own
	l.look()
	l.send()
	l.clear()
	l.look()
	if list := l.changes(); len(list) != 0 || l.r.Held().There != 20 {
		t.Fatalf("%d changes, held %+v", len(list), l.r.Held())
	}
	l.rewrite()
	l.look()
	l.edited(luids)
}

// TestCopiesOfACardAreNoEditsOfIt: the first takes its place, the others are new.
func TestCopiesOfACardAreNoEditsOfIt(t *testing.T) {
	l, luids := addressBook(t)
	if err := os.Remove(filepath.Join(l.dir, "3.vcf")); err != nil {
		t.Fatal(err)
	}
	l.edit("a.vcf", card(3, "one"))
	l.edit("b.vcf", card(3, "another"))
	l.look()
	ops := map[dsclient.Op]int{}
	for _, c := range l.changes() {
		ops[c.Op]++
		if luids[c.LUID] != (c.Op == dsclient.Replace) {
			t.Errorf("%v of %s", c.Op, c.LUID)
		}
	}
	if ops[dsclient.Replace] != 1 || ops[dsclient.Add] != 1 || len(ops) != 2 {
		t.Errorf("sent %v", ops)
	}
}

// TestAFileThatTakesThePlaceOfAnother is no edit of it, and the other one is known where it lies now although it was edited, too.
func TestAFileThatTakesThePlaceOfAnother(t *testing.T) {
	l, luids := addressBook(t)
	l.edit("moved.vcf", card(3, "edited"))
	l.edit("3.vcf", card(77, "new"))
	l.look()
	list := l.changes()
	for _, c := range list {
		moved := c.Item.Name == "moved.vcf"
		if luids[c.LUID] != moved || moved != (c.Op == dsclient.Replace) {
			t.Errorf("%v of %s, which is %s", c.Op, c.LUID, c.Item.Name)
		}
	}
	if len(list) != 2 {
		t.Errorf("sent %v", list)
	}
}
