package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/pim"
)

// check holds a settled world to the invariants.
func (w *World) check() {
	live := w.server.documents()
	w.checkLost(live)
	w.checkInvented(live)
	w.checkDoubled(live)
	for _, d := range w.devices {
		d.checkConverged()
		d.checkSettled()
		d.checkSession()
	}
}

// checkLost: what a user wrote last is there, unless a user wrote over it or deleted it.
func (w *World) checkLost(live []entry) {
	there, kept := map[string]bool{}, w.server.former()
	for _, e := range live {
		for _, m := range marks(e.item.Body) {
			there[m] = true
		}
	}
	for _, d := range w.devices {
		for _, f := range d.book.list {
			for _, m := range marks(f.Item.Body) {
				kept[m] = "of " + d.id + ": " + f.Reason
			}
		}
	}
	for _, m := range w.ledger.needed() {
		switch s := w.ledger.status[m]; {
		case there[m], w.ledger.mayYield(m) && kept[m] != "":
		case kept[m] != "":
			w.fail("lost", "%s of %s is in the history only (%s)", m, s.by, kept[m])
		default:
			w.fail("lost", "%s of %s is nowhere", m, s.by)
		}
	}
}

// former are the marks of all versions that do not live on, with the reason.
func (s *server) former() map[string]string {
	kept := map[string]string{}
	for _, k := range s.store.History() {
		for _, m := range marks(s.body(k.Hash)) {
			kept[m] = k.Reason
		}
	}
	return kept
}

// mayYield tells whether it is enough that a mark is in a history.
func (l *ledger) mayYield(m string) bool {
	u := l.status[m].uid
	return l.loose || l.twins[u] || l.restored[u] || l.yielded[m]
}

func (s *server) body(hash [32]byte) (body []byte) {
	s.view(func(tx dsstore.Tx) (err error) {
		body, err = tx.Body(hash)
		return err
	})
	return body
}

// checkInvented: every line of every item was written by a user.
func (w *World) checkInvented(live []entry) {
	for _, e := range live {
		for line := range strings.Lines(string(e.item.Body)) {
			if !w.ledger.lines[line] {
				w.fail("invented", "nobody ever wrote %q in %q", line, e.item.Body)
			}
		}
	}
}

// checkDoubled: each item has something that users need and that no other item has. So there are no doubles, and nothing that was deleted or
// written over has come back.
func (w *World) checkDoubled(live []entry) {
	count := map[string]int{}
	for _, e := range live {
		for _, m := range marks(e.item.Body) {
			count[m]++
		}
	}
	former := w.server.former()
	heard := func(m string) bool {
		_, was := former[m]
		return was || count[m] > 0
	}
	bodies := map[string]bool{}
	for i, e := range live {
		if body := string(e.item.Body); bodies[body] && !w.ledger.mayTwice(uid(e.item.Body)) {
			w.fail("doubled", "the same twice: %s", w.ledger.tell(e.item.Body, count))
		} else {
			bodies[body] = true
		}
		if !w.ledger.entitled(e.item.Body, count, heard) && !w.ledger.between(e.item.Body, slices.Concat(live[:i], live[i+1:])) {
			w.fail("doubled", "or resurrected: %s", w.ledger.tell(e.item.Body, count))
		}
	}
}

// mayTwice tells whether an item may be there twice: it was written on several devices, or a copy of a conflict was put back over the other version.
func (l *ledger) mayTwice(uid string) bool {
	return l.loose || l.twins[uid] || l.restored[uid] && l.copied[uid]
}

// entitled tells whether an item may be there. heard is of which marks the server has heard. Of an item that lives in two versions each may be there, also
// if it was deleted before somebody else's edit of it brought it back.
func (l *ledger) entitled(body []byte, count map[string]int, heard func(string) bool) bool {
	rest := l.lasting(marks(body))
	edited := slices.ContainsFunc(marks(body), func(m string) bool { return l.status[m].replaced == "" })
	return l.loose || slices.ContainsFunc(marks(body), func(m string) bool {
		s := l.status[m]
		return l.overruled(l.status[l.unheard(m, heard)], rest) && count[m] == 1 || l.moved[m] || l.twins[s.uid] || l.restored[s.uid] || l.gaveWay(s.replaced) || l.copied[s.uid] && s.replaced != "" && (edited || s.replaced != "deleted") || s.replaced == "" && count[m] == 1
	})
}

// between tells whether an item was put together of versions that live on beside it because others contradict them: each has something of it, and none
// has all.
func (l *ledger) between(body []byte, others []entry) bool {
	all := slices.DeleteFunc(marks(body), func(m string) bool { return l.status[m].replaced != "" })
	return len(all) > 0 && l.copied[uid(body)] && !slices.ContainsFunc(others, func(e entry) bool { return len(without(all, marks(e.item.Body))) == 0 })
}

func (l *ledger) tell(body []byte, count map[string]int) string {
	var out []string
	for _, m := range marks(body) {
		s := l.status[m]
		out = append(out, fmt.Sprintf("%s of %s in %d items, replaced by %q", m, s.by, count[m], s.replaced))
	}
	return strings.Join(out, "; ")
}

// checkConverged: the device has exactly what the server has under the filter, byte for byte.
func (d *device) checkConverged() {
	var have []string
	want, own, parts := d.w.server.inScope(d)
	for _, e := range d.items() {
		text := describe(e.item)
		if whole, ok := parts[text]; ok {
			text = whole
		}
		have = append(have, text)
	}
	for f := range d.disk.folders {
		have = append(have, describe(pim.FolderItem(f)))
	}
	slices.Sort(want)
	slices.Sort(have)
	lacks, besides := without(want, have), without(without(have, want), own)
	if len(lacks)+len(besides) > 0 {
		d.w.fail("converged", "%s has not converged: it lacks %q and has %q besides", d.id, lacks, besides)
	}
}

func describe(it pim.Item) string {
	if it.Type == pim.TypeFolder {
		return "folder " + it.Folder
	}
	return fmt.Sprintf("%s [%s] %s", it.Folder, it.Flags, it.Body)
}

// without is a less what is in b, each as often as it is there.
func without(a, b []string) (out []string) {
	b = slices.Clone(b)
	for _, s := range a {
		if i := slices.Index(b, s); i >= 0 {
			b = slices.Delete(b, i, i+1)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// inScope lists what a device shall have, folders included, and what it wrote itself although its filter leaves it out: that may stay until
// somebody else changes it. Of a message it may have the part that its filter says instead.
func (s *server) inScope(d *device) (want, own []string, parts map[string]string) {
	now := s.now()
	parts = map[string]string{}
	s.view(func(tx dsstore.Tx) error {
		sc, err := scope.Of(tx, d.id, collection, s.w.plan.Kind, now)
		if err != nil {
			return err
		}
		if s.w.home && sc.Travel != nil {
			s.w.fail("travel", "%s still gets %s besides although its trip is over", d.id, sc.Travel)
		}
		return dsstore.Each(tx, collection, func(it dsstore.Item, body []byte) error {
			item := pim.Item{Type: it.Type, Folder: it.Folder, Flags: it.Flags, Body: body}
			part, ok, err := s.reduced(tx, &sc, it, item)
			if ok {
				parts[describe(part)] = describe(item)
			}
			switch {
			case it.Type == pim.TypeFolder || sc.Filter.Match(item, s.w.plan.Kind, now), sc.Travel != nil && sc.Travel.Match(item, s.w.plan.Kind, now):
				want = append(want, describe(item))
			case it.By == d.id, d.kept[uid(body)], d.made[uid(body)] == describe(item), s.w.ledger.twins[uid(body)], s.w.ledger.restored[uid(body)]: // an equal one that was there already makes no difference to whom it belongs to
				own = append(own, describe(item))
			}
			return err
		})
	})
	return want, own, parts
}

// checkSettled: nothing waits on the device, nothing was left unfinished, and it knows its filter.
func (d *device) checkSettled() {
	list, err := d.proc.replica.Waiting()
	if err != nil || len(list) > 0 {
		d.w.fail("waiting", "%s: still waiting: %+v, %v", d.id, list, err)
	}
	maps, err := d.proc.replica.PendingMaps()
	if err != nil || len(maps) > 0 {
		d.w.fail("maps", "%s: maps that were not confirmed: %v, %v", d.id, maps, err)
	}
	if h := d.proc.replica.Held(); h.Any() {
		d.w.fail("held", "%s: deletions are still held: %+v", d.id, h)
	}
	if list := d.w.server.held(d); len(list) > 0 {
		d.w.fail("held", "%s: deletions are still held on the server: %+v", d.id, list)
	}
	d.checkIndex()
	known := ""
	d.w.server.view(func(tx dsstore.Tx) error {
		f, err := tx.Filter(d.id, collection)
		known = f.Text
		return err
	})
	if e := d.proc.wants.Get(storeName); e.Untold || e.Filter.Text != known {
		d.w.fail("filter", "%s: the device filters by %q (untold: %t), the server by %q", d.id, e.Filter.Text, e.Untold, known)
	}
}

// checkIndex: the counts that users see are those of the rows, and no intent is left.
func (d *device) checkIndex() {
	index, err := state.OpenItems(store{d}, storeName)
	if err != nil {
		d.w.fail("index", "%s: the index cannot be read: %v", d.id, err)
		return
	}
	if now, kept := index.Counts(), d.proc.replica.Counts(); now != kept {
		d.w.fail("counts", "%s: the counts say %+v, the rows %+v", d.id, kept, now)
	}
	err = index.View(func(t *state.Tx) error {
		list, err := t.Intents()
		if len(list) > 0 {
			d.w.fail("intents", "%s: intents are left: %v", d.id, list)
		}
		return err
	})
	if err != nil {
		d.w.fail("index", "%s: the index cannot be read: %v", d.id, err)
	}
}

// checkSession: both sides know of the same one session.
func (d *device) checkSession() {
	if id, open := d.w.server.session(d); open != 1 || id != d.proc.m.ID {
		d.w.fail("session", "%s: its session is %q, the server's %d open ones %q", d.id, d.proc.m.ID, open, id)
	}
}

// checkQuiet: one more sync of a settled world does nothing, and nobody would be notified.
func (w *World) checkQuiet() {
	for _, d := range w.devices {
		if due, _ := w.server.due(d); due {
			w.fail("quiet", "%s would be notified although everything is settled", d.id)
		}
		trips := d.trips
		if d.poll() {
			w.fail("quiet", "%s: a sync of a settled world does something", d.id)
		}
		if d.trips != trips+1 {
			w.fail("trips", "%s: a sync of a settled world takes %d round trips", d.id, d.trips-trips)
		}
	}
}
