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
	it := dsstore.Item{GUID: guid, Type: pim.TypeMessage, Hash: sha256.Sum256(body), Deleted: w.r.IntN(6) == 0}
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
	"before:2026-11-01", "subject:7 since:20d", "text:x", "since:14d or from:p3@x.example"}

// TestAnIndexSaysTheSame: what is found out once for all devices is what looking at each item of each device finds (F8).
func TestAnIndexSaysTheSame(t *testing.T) {
	counts := map[bool]int{}
	for seed := range uint64(60) {
		w := newWorld(t, seed)
		x := scope.NewIndex(1 << 20)
		device := func() string { return fmt.Sprint("d", w.r.IntN(4)) }
		for range 40 {
			w.update(func(tx dsstore.Tx) (err error) {
				switch w.r.IntN(4) {
				case 0:
					for range w.r.IntN(5) {
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
			for d := range 4 {
				counts[w.same(x, fmt.Sprint("d", d), seed)]++
			}
		}
		if err := x.Note(t.Context(), w.store); err != nil {
			t.Fatal(err)
		}
	}
	if counts[true] < 100 || counts[false] < 100 {
		t.Errorf("%v: the test compares too little", counts)
	}
}

// same checks that a device is judged alike with and without an index.
func (w *world) same(x *scope.Index, device string, seed uint64) (due bool) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) error {
		l, err := tx.Link(device, inbox)
		if err != nil || !l.Known() {
			return err
		}
		want, wantFiltered, err := scope.Due(tx, device, inbox, pim.Mail, l, w.now)
		if err != nil {
			return err
		}
		got, filtered, err := x.Due(tx, device, inbox, pim.Mail, l, w.now)
		if got != want || filtered != wantFiltered {
			f, _ := tx.Filter(device, inbox)
			w.t.Errorf("seed %d: %s, from %q to %q: due %t, filtered %t, want %t, %t", seed, device, l.Scope, f.Text, got, filtered, want, wantFiltered)
		}
		due = got
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return due
}

// TestAnIndexIsBounded: what does not fit is dropped or read page by page, and the answer is the same.
func TestAnIndexIsBounded(t *testing.T) {
	for _, octets := range []int{0, 300, 3000} {
		w := newWorld(t, 7)
		x := scope.NewIndex(octets)
		w.update(func(tx dsstore.Tx) (err error) {
			for range 30 {
				err = errors.Join(err, w.put(tx))
			}
			return errors.Join(err, tx.PutFilter("d", inbox, dsstore.Filter{Text: "since:30d"}), w.settle(tx, "d"))
		})
		for _, text := range texts {
			w.update(func(tx dsstore.Tx) error { return tx.PutFilter("d", inbox, dsstore.Filter{Text: text}) })
			w.same(x, "d", 7)
		}
	}
}

// TestBodiesAreReadOnce: facts that nobody had noted are noted after the first change of filters.
func TestBodiesAreReadOnce(t *testing.T) {
	w := newWorld(t, 3)
	w.update(func(tx dsstore.Tx) (err error) {
		for range 10 {
			err = errors.Join(err, w.put(tx))
		}
		return errors.Join(err, tx.PutLink("d", inbox, dsstore.Link{ClientNext: "1", Done: 100}), tx.PutFilter("d", inbox, dsstore.Filter{Text: "since:1d"}))
	})
	x := scope.NewIndex(1 << 20)
	if _, err := x.Warm(t.Context(), w.store, inbox, pim.Mail); err != nil {
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

// BenchmarkDifference is two filters over the messages of one user, for all his devices together.
func BenchmarkDifference(b *testing.B) {
	facts := filter.FactsOf(pim.Item{Type: pim.TypeMessage, Body: []byte("From: p1@x.example\r\nSubject: Report of today\r\nDate: Mon, 23 Nov 2026 08:15:00 +0000\r\n\r\nx")}, pim.Mail)
	packed := string(facts.Pack(nil))
	for _, texts := range [][2]string{{"since:30d", "since:14d"}, {"from:p1", "from:p2"}} {
		b.Run(texts[0], func(b *testing.B) {
			former, _ := filter.Parse(texts[0])
			wanted, _ := filter.Parse(texts[1])
			u := filter.Unpacker{Kind: pim.Mail, Words: former.LooksAtWords()}
			now := time.Now()
			for b.Loop() {
				for range 10_000 {
					u.Read(packed)
					if u.Match(&former, now) != u.Match(&wanted, now) {
						continue
					}
				}
			}
		})
	}
}
