package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// shelf is a history with room for so many octets of what leaves the device.
type shelf struct {
	kept []history.Former
	room int64
	back string
}

func (s *shelf) Keep(list []history.Former) error {
	for _, f := range list {
		if f.Left {
			s.room -= int64(len(f.Item.Body))
		}
	}
	s.kept = append(s.kept, list...)
	return nil
}

func (s *shelf) PutBack(_, luid string) error {
	s.back = luid
	return nil
}

func (s *shelf) Room() (int64, error) { return s.room, nil }

// TestAServerCannotEmptyADeviceSoftly: items that only leave this device are on the server, or so it says. Without a copy goes only what the filter that
// was wished here leaves out; what there is no room for is weighed as any deletion is.
func TestAServerCannotEmptyADeviceSoftly(t *testing.T) {
	for name, c := range map[string]struct {
		room                int64
		leaves              func(pim.Item) bool
		here, kept, waiting int
	}{
		"kept":                  {room: 1 << 20, kept: 20},
		"wished":                {room: 1 << 20, leaves: func(it pim.Item) bool { return !strings.Contains(string(it.Body), "card 7") }, kept: 1},
		"no room":               {room: 0, here: 20, waiting: 20},
		"too little room":       {room: 25, here: 16, kept: 4, waiting: 16},
		"no room, and few left": {room: 70, leaves: func(it pim.Item) bool { return strings.Contains(string(it.Body), "card 1") }, kept: 9},
	} {
		t.Run(name, func(t *testing.T) {
			l, book := newLocal(t), &shelf{room: c.room}
			var err error
			l.r, err = replica.OpenSafe(t.Context(), "contacts", "contacts", vdir.New(l.dir, pim.Contacts), openItems(t, l.db, "contacts"),
				replica.Safety{Brake: reconcile.Brake{Count: 10, Percent: 10}, History: book, Leaves: c.leaves})
			if err != nil {
				t.Fatal(err)
			}
			l.remove(l.twenty(), true)
			if err := l.r.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := l.files(); n != c.here || len(book.kept) != c.kept || l.r.Held().Here != c.waiting {
				t.Errorf("%d items are here, %d are kept, %d wait; should be %d, %d, %d", n, len(book.kept), l.r.Held().Here, c.here, c.kept, c.waiting)
			}
		})
	}
}

// twenty adds items of the server, and returns their ids.
func (l *local) twenty() (luids []string) {
	for i := range 20 {
		luids = append(luids, l.apply(add(fmt.Sprint(i), fmt.Sprint(i, ".vcf"), fmt.Sprintf("card %d", i)))[0].LUID)
	}
	return luids
}

func (l *local) remove(luids []string, soft bool) {
	var changes []dsclient.Change
	for _, id := range luids {
		changes = append(changes, dsclient.Change{Op: dsclient.Delete, LUID: id, Soft: soft})
	}
	l.apply(changes...)
}

func (l *local) files() int {
	l.t.Helper()
	list, err := os.ReadDir(l.dir)
	if err != nil {
		l.t.Fatal(err)
	}
	return len(slices.DeleteFunc(list, func(e os.DirEntry) bool { return !strings.HasSuffix(e.Name(), ".vcf") }))
}

// TestWhatIsPutBackIsThereOnce: it is sent as an edit, or as a new item if the former one is gone; and put back again it is the same one, wherever its user
// has moved it meanwhile.
func TestWhatIsPutBackIsThereOnce(t *testing.T) {
	for name, c := range map[string]dsclient.Change{
		"overwritten": {Op: dsclient.Replace, Item: pim.Item{Type: pim.TypeVCard, Name: "1.vcf", Body: []byte("other card")}},
		"deleted":     {Op: dsclient.Delete},
	} {
		l, book := newLocal(t), &shelf{}
		var err error
		l.r, err = replica.OpenSafe(t.Context(), "contacts", "contacts", vdir.New(l.dir, pim.Contacts), openItems(t, l.db, "contacts"), replica.Safety{History: book})
		if err != nil {
			t.Fatal(err)
		}
		c.LUID = l.apply(add("1", "1.vcf", "card"))[0].LUID
		l.apply(c)
		if err := l.r.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		f := book.kept[0]
		putBack := func() string {
			e := history.Entry{ID: name, Back: book.back, Store: f.Store, LUID: f.LUID, Key: f.Key, Type: f.Item.Type, Name: "1.vcf"}
			key, err := l.r.PutBack(t.Context(), e, f.Item.Body)
			if err != nil {
				t.Fatal(err)
			}
			return key
		}
		if err := os.Rename(filepath.Join(l.dir, putBack()), filepath.Join(l.dir, "moved.vcf")); err != nil {
			t.Fatal(err)
		}
		putBack()
		if n := l.files(); n != 1 {
			t.Errorf("%s: put back twice it is there %d times", name, n)
		}
		if sent := l.send(); len(sent) != 1 || string(sent[0].Item.Body) != "card" {
			t.Errorf("%s: %v is sent", name, sent)
		}
	}
}
