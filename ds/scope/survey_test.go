package scope_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

var inbox = dsstore.Collection{User: "ana", Store: "mail"}

// world is a store with messages and devices that have what their filter wants.
type world struct {
	t     *testing.T
	store *memstore.Store
	r     *rand.Rand
	now   time.Time
	guids []string
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{t: t, store: memstore.New(), r: rand.New(rand.NewPCG(seed, 0)), now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
}

func (w *world) update(fn func(dsstore.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// put writes a message, a new one or another version of one.
func (w *world) put(tx dsstore.Tx) error {
	guid := fmt.Sprint("g", len(w.guids))
	if len(w.guids) > 0 && w.r.IntN(4) == 0 {
		guid = w.guids[w.r.IntN(len(w.guids))]
	} else {
		w.guids = append(w.guids, guid)
	}
	body := []byte(fmt.Sprintf("From: p%d@x.example\r\nSubject: %d\r\nDate: %s\r\n\r\nx", w.r.IntN(5), w.r.Int(), w.now.Add(-time.Duration(w.r.IntN(40))*time.Hour*24).Format(time.RFC1123Z)))
	it := dsstore.Item{GUID: guid, Type: pim.TypeMessage, Folder: []string{"", "Work", "Work/Old"}[w.r.IntN(3)], Flags: []pim.Flags{"", "S", "FS"}[w.r.IntN(3)], Size: int64(len(body)), Hash: sha256.Sum256(body), Deleted: w.r.IntN(6) == 0}
	if w.r.IntN(8) == 0 {
		it.Type = pim.TypeFolder
	}
	_, err := tx.PutItem(inbox, it, body)
	return err
}

// settle gives a device what its filter wants; some of it, it refuses.
func (w *world) settle(tx dsstore.Tx, device string) error {
	s, err := scope.Of(tx, device, inbox, pim.Mail, w.now)
	if err != nil {
		return err
	}
	list, err := tx.Scope(device, inbox, 0, 1000)
	if err != nil {
		return err
	}
	var roll time.Time
	for _, p := range list {
		look, e := s.Look(tx, inbox, &p, w.r.IntN(2) == 0)
		if err = errors.Join(err, e); err != nil {
			return err
		}
		if at, ok := s.NextChange(look, w.now); ok && (roll.IsZero() || at.Before(roll)) {
			roll = at
		}
		switch s.Judge(&p, look, w.now) {
		case scope.Add, scope.Replace:
			m := dsstore.Mapping{GUID: p.Item.GUID, LUID: "l" + p.Item.GUID, Rev: p.Item.Rev}
			if w.r.IntN(10) == 0 {
				m.LUID = ""
			}
			err = tx.PutMapping(device, inbox, m)
		case scope.Leave, scope.Delete:
			err = tx.DeleteMapping(device, inbox, p.Item.GUID)
		}
		if err != nil {
			return err
		}
	}
	rev, err := tx.Rev(inbox)
	return errors.Join(err, tx.PutLink(device, inbox, dsstore.Link{ClientNext: "1", Scope: s.String(), Roll: roll, Done: rev}))
}

var texts = []string{"", "since:30d", "since:14d", "since:39d", "from:p1@x.example", "from:p1@x.example,p2@x.example", "-from:p4@x.example", "since:14d body:text",
	"before:2026-11-01", "subject:7 since:20d", "text:x", "since:14d or from:p3@x.example",
	"folder:Work", "-flag:seen since:20d", "larger:120 or flag:flagged", "has:attachment"}

// TestASurveySaysTheSame: what columns tell is what looking at each item of each device finds (F8), however far behind the columns are.
func TestASurveySaysTheSame(t *testing.T) {
	counts := map[bool]int{}
	for seed := range uint64(150) {
		w := newWorld(t, seed)
		k := &scope.Keeper{Store: w.store, Kinds: map[string]pim.Kind{"mail": pim.Mail}, Slack: int64(w.r.IntN(8)), Items: 4 + w.r.IntN(40)}
		device := func() string { return fmt.Sprint("d", w.r.IntN(4)) }
		for range 40 {
			w.update(func(tx dsstore.Tx) (err error) {
				switch w.r.IntN(4) {
				case 0:
					for range w.r.IntN(9) {
						err = errors.Join(err, w.put(tx))
					}
				case 1:
					err = w.settle(tx, device())
				case 2:
					err = tx.PutFilter(device(), inbox, dsstore.Filter{Text: texts[w.r.IntN(len(texts))], At: w.now})
				case 3:
					w.now = w.now.Add(time.Duration(w.r.IntN(60)) * time.Hour)
				}
				return err
			})
			if w.r.IntN(4) == 0 {
				if err := k.Round(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for due, n := range w.same(seed) {
				counts[due] += n
			}
		}
	}
	if counts[true] < 300 || counts[false] < 300 {
		t.Errorf("%v: the test compares too little", counts)
	}
}

// same checks that devices are judged alike by a survey and item by item, where it is not only a matter of changes.
func (w *world) same(seed uint64) map[bool]int {
	w.t.Helper()
	counts := map[bool]int{}
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) error {
		v := scope.NewSurvey(tx, w.now)
		for d := range 4 {
			device := fmt.Sprint("d", d)
			l, err := tx.Link(device, inbox)
			if err != nil || !l.Known() {
				continue
			}
			want, wantFiltered, err := scope.Due(tx, device, inbox, pim.Mail, l, w.now)
			if err != nil {
				return err
			}
			got, scoped, err := v.Due(device, inbox, pim.Mail, l)
			filtered := scoped != nil
			f, _ := tx.Filter(device, inbox)
			if got != want || filtered != wantFiltered {
				w.t.Errorf("seed %d: %s, from %q to %q: due %t, filtered %t, want %t, %t", seed, device, l.Scope, f.Text, got, filtered, want, wantFiltered)
			}
			if s := scope.New(f, pim.Mail, w.now); s.Stale(l, w.now) && (filtered || !got) {
				counts[got]++
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return counts
}

// TestBlocksStayFewAndFresh: however long a collection is changed, its blocks hold little that has changed since, and the last one reaches the end.
func TestBlocksStayFewAndFresh(t *testing.T) {
	w := newWorld(t, 5)
	k := &scope.Keeper{Store: w.store, Kinds: map[string]pim.Kind{"mail": pim.Mail}, Slack: 5, Items: 32}
	for range 200 {
		w.update(func(tx dsstore.Tx) (err error) {
			for range 7 {
				if len(w.guids) == 100 {
					w.guids = w.guids[:99] // and again
				}
				err = errors.Join(err, w.put(tx))
			}
			return err
		})
		for range 2 {
			if err := k.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := w.store.View(t.Context(), func(tx dsstore.Tx) error {
		blocks, _ := tx.Blocks(inbox)
		live, _ := tx.List(inbox)
		rev, err := tx.Rev(inbox)
		items, upto := 0, int64(0)
		for _, b := range blocks {
			if b.After > upto {
				t.Errorf("there is a gap from %d to %d", upto, b.After)
			}
			items, upto = items+b.Items, b.Upto
		}
		if items > 3*len(live)+32 || len(blocks) > 20 || rev-upto > 5 {
			t.Errorf("%d items in %d blocks up to %d; there are %d up to %d", items, len(blocks), upto, len(live), rev)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWhatIsBeingFilledIsLeftAlone until it has not changed between two rounds, except at the start.
func TestWhatIsBeingFilledIsLeftAlone(t *testing.T) {
	w := newWorld(t, 6)
	k := &scope.Keeper{Store: w.store, Kinds: map[string]pim.Kind{"mail": pim.Mail}, Slack: 1}
	for i, packed := range []bool{true, false, false, true} {
		if i < 3 {
			w.update(w.put)
		}
		if err := k.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.update(func(tx dsstore.Tx) error {
			if behind, _ := tx.Behind(filter.ColumnsForm, 1); (len(behind) == 0) != packed {
				t.Errorf("after round %d %v is behind", i, behind)
			}
			return nil
		})
	}
}

// TestBrokenColumnsAreNotBelieved: then each item is looked at.
func TestBrokenColumnsAreNotBelieved(t *testing.T) {
	w := newWorld(t, 8)
	w.update(func(tx dsstore.Tx) (err error) {
		for range 30 {
			err = errors.Join(err, w.put(tx))
		}
		return errors.Join(err, tx.PutFilter("d0", inbox, dsstore.Filter{Text: "since:30d"}), w.settle(tx, "d0"),
			tx.PutFilter("d0", inbox, dsstore.Filter{Text: "from:p1@x.example"}))
	})
	for _, columns := range []map[string]string{nil, {"since": "\x00", "from": "\x00"}, {"since": strings.Repeat("\x00", 31), "from": "\x01\x00\x00\x01\x1e", "rev": ""}} {
		w.update(func(tx dsstore.Tx) error {
			rev, err := tx.Rev(inbox)
			w.put(tx)
			return errors.Join(err, tx.PutBlock(inbox, dsstore.Block{Upto: rev + 1, Items: 30, Form: filter.ColumnsForm}, columns))
		})
		w.same(8)
	}
}

// TestBodiesAreReadOnce: facts that nobody had noted are noted when they are packed.
func TestBodiesAreReadOnce(t *testing.T) {
	w := newWorld(t, 3)
	w.update(func(tx dsstore.Tx) (err error) {
		for range 10 {
			err = errors.Join(err, w.put(tx))
		}
		return errors.Join(err, tx.PutLink("d", inbox, dsstore.Link{ClientNext: "1", Done: 100}), tx.PutFilter("d", inbox, dsstore.Filter{Text: "since:1d"}))
	})
	k := &scope.Keeper{Store: w.store, Kinds: map[string]pim.Kind{"mail": pim.Mail}, Slack: 1}
	if err := k.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := w.store.View(t.Context(), func(tx dsstore.Tx) error {
		return tx.EachNoted(inbox, 0, 100, func(n dsstore.Noted) {
			if !n.Deleted && n.Type == pim.TypeMessage && !strings.Contains(string(n.Facts), "example") {
				t.Errorf("%s: facts %q", n.GUID, n.Facts)
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
