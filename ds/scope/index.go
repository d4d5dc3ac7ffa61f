package scope

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// Index remembers what filters look at of the items of collections, in few octets and read once, so that a change of filters over thousands
// of devices is judged quickly: only the items are looked at about which the former filter and the new one differ, and these are found once for
// all devices of a collection. It may be used from many goroutines; a nil Index remembers nothing.
type Index struct {
	limit int

	mu     sync.Mutex
	tables map[dsstore.Collection]*table // guarded by mu
	size   int                           // of all tables, in octets; guarded by mu
	clock  int64                         // counts uses; guarded by mu
	unread []unread                      // facts that nobody had noted; guarded by mu
}

// unread are facts that are not in the store yet.
type unread struct {
	dsstore.Collection
	guid  string
	rev   int64
	facts filter.Facts
}

// maxUnread bounds what waits to be noted; what is beyond is read from the body once more when it is needed.
const maxUnread = 20_000

// NewIndex makes an Index that holds at most so many octets: the collections that were used longest ago are dropped, and read anew when they
// are needed.
func NewIndex(octets int) *Index {
	return &Index{limit: octets, tables: make(map[dsstore.Collection]*table)}
}

// Due tells whether a device has something to fetch from a collection, as the function Due.
func (x *Index) Due(tx dsstore.Tx, device string, c dsstore.Collection, k pim.Kind, l dsstore.Link, now time.Time) (due, filtered bool, err error) {
	s, err := Of(tx, device, c, k, now)
	if err != nil {
		return false, false, err
	}
	if due, err = s.any(tx, tx.Pending, device, c, l.Done, now); due || err != nil || !s.Stale(l, now) {
		return due, false, err
	}
	err = errTooLarge
	if former, at, ok := formerly(l, now); x != nil && ok && s.comparable(&former) {
		due, err = x.differs(tx, device, c, &s, &former, at, now)
	}
	if errors.Is(err, errTooLarge) {
		due, err = s.any(tx, tx.Scope, device, c, 0, now)
	}
	return due, due, err
}

// errTooLarge: the collection alone is more than an Index holds. It is read page by page.
var errTooLarge = errors.New("the collection is too large")

// formerly is the filter under which a device got what it has, and a time at which that was so; not ok if it was more than a filter.
func formerly(l dsstore.Link, now time.Time) (f filter.Filter, at time.Time, ok bool) {
	f, err := filter.Parse(l.Scope)
	if err != nil || f.String() != l.Scope {
		return f, now, false
	}
	if !l.Roll.IsZero() && !now.Before(l.Roll) {
		return f, l.Roll.Add(-time.Second), true // until then time has changed nothing
	}
	return f, now, true
}

// comparable tells whether the facts are enough to tell what differs between the filters. How much of a message a device has they do not tell.
func (s *Scope) comparable(former *filter.Filter) bool {
	whole := filter.Policy{}
	return s.Travel == nil && !s.Filter.NeedsBody() && !former.NeedsBody() && (former.Policy() == whole || former.Policy() == s.Filter.Policy())
}

// differs tells whether a device has anything to fetch of what the filters differ about.
func (x *Index) differs(tx dsstore.Tx, device string, c dsstore.Collection, s *Scope, former *filter.Filter, at, now time.Time) (bool, error) {
	t, err := x.table(tx, c, s.Kind)
	if err != nil {
		return false, err
	}
	u := filter.Unpacker{Kind: s.Kind, Words: true}
	for _, i := range t.differences(s, former, at, now) {
		e := &t.entries[i]
		p := dsstore.Pending{Item: dsstore.Item{GUID: t.guid(e), Rev: e.rev}}
		p.Mapping, err = tx.ByGUID(device, c, p.Item.GUID)
		if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
			return false, err
		}
		p.Known = err == nil
		if s.Judge(&p, &Look{facts: *u.Read(t.facts(e)), kind: s.Kind}, now) != Nothing {
			return true, nil
		}
	}
	return false, nil
}

// table is that of a collection, brought up to date.
func (x *Index) table(tx dsstore.Tx, c dsstore.Collection, k pim.Kind) (*table, error) {
	rev, err := tx.Rev(c)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	t := x.tables[c]
	if t != nil {
		x.clock++
		t.used = x.clock
	}
	x.mu.Unlock()
	if t != nil && t.rev >= rev {
		return t, nil
	}
	t, found, err := t.extended(tx, c, k, rev, x.limit)
	if err == nil {
		x.keep(c, t, found)
	}
	return t, err
}

// keep remembers a table and drops others if it must.
func (x *Index) keep(c dsstore.Collection, t *table, found []unread) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if room := maxUnread - len(x.unread); room > 0 {
		x.unread = append(x.unread, found[:min(room, len(found))]...)
	}
	x.drop(c)
	for x.size+t.size() > x.limit && len(x.tables) > 0 {
		x.drop(x.oldest())
	}
	x.clock++
	t.used = x.clock
	x.tables[c] = t
	x.size += t.size()
}

func (x *Index) oldest() (c dsstore.Collection) {
	var oldest *table
	for k, t := range x.tables {
		if oldest == nil || t.used < oldest.used {
			c, oldest = k, t
		}
	}
	return c
}

func (x *Index) drop(c dsstore.Collection) {
	if t := x.tables[c]; t != nil {
		x.size -= t.size()
		delete(x.tables, c)
	}
}

// Warm reads a collection ahead, so that the next change of filters finds it. It tells whether there is room for more.
func (x *Index) Warm(ctx context.Context, store dsstore.Store, c dsstore.Collection, k pim.Kind) (room bool, err error) {
	err = store.View(ctx, func(tx dsstore.Tx) error {
		_, err := x.table(tx, c, k)
		return err
	})
	if err != nil && !errors.Is(err, errTooLarge) {
		return false, err
	}
	x.mu.Lock()
	room = x.size < x.limit*3/4 // the next one must not drop this one
	x.mu.Unlock()
	return room, x.Note(ctx, store)
}

// Note writes to the store what had to be read from bodies, so that it is read once.
func (x *Index) Note(ctx context.Context, store dsstore.Store) error {
	x.mu.Lock()
	all := x.unread
	x.unread = nil
	x.mu.Unlock()
	for some := range slices.Chunk(all, Page) {
		if err := store.Update(ctx, func(tx dsstore.Tx) error { return note(tx, some) }); err != nil {
			return err
		}
	}
	return nil
}

func note(tx dsstore.Tx, some []unread) error {
	for _, n := range some {
		it, err := tx.Item(n.Collection, n.guid)
		if errors.Is(err, dsstore.ErrNotFound) || err == nil && it.Rev != n.rev {
			continue
		}
		facts, e := json.Marshal(n.facts)
		if err = errors.Join(err, e); err == nil {
			err = tx.PutFacts(n.Collection, n.guid, facts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// table is what filters look at of the live items of a collection, without folders. It does not change.
type table struct {
	rev     int64
	entries []entry
	packed  string // ids and facts
	used    int64  // guarded by Index.mu

	mu     sync.Mutex
	former []difference // what was found last; guarded by mu
}

// entry is one item: its id and facts lie in packed, one after the other.
type entry struct {
	rev              int64
	begin, facts, to uint32
}

const entrySize = 24

func (t *table) size() int             { return len(t.packed) + entrySize*len(t.entries) }
func (t *table) guid(e *entry) string  { return t.packed[e.begin:e.facts] }
func (t *table) facts(e *entry) string { return t.packed[e.facts:e.to] }

// builder makes a table of at most so many octets.
type builder struct {
	limit   int
	full    bool
	entries []entry
	packed  []byte
}

func (b *builder) add(rev int64, guid string, facts func([]byte) []byte) {
	if b.full = len(b.packed)+entrySize*len(b.entries) > b.limit; b.full {
		return
	}
	e := entry{rev: rev, begin: uint32(len(b.packed))} //nolint:gosec // a table is bounded
	b.packed = append(b.packed, guid...)
	e.facts = uint32(len(b.packed)) //nolint:gosec // see above
	b.packed = facts(b.packed)
	e.to = uint32(len(b.packed)) //nolint:gosec // see above
	b.entries = append(b.entries, e)
}

// extended is t, which may be nil, with what has changed since. found are facts that had to be read from bodies.
func (t *table) extended(tx dsstore.Tx, c dsstore.Collection, k pim.Kind, rev int64, limit int) (*table, []unread, error) {
	b := builder{limit: limit}
	var after int64
	changed := make(map[string]bool)
	if t != nil {
		after = t.rev
	}
	var bare []dsstore.Noted
	err := tx.EachNoted(c, after, math.MaxInt, func(n dsstore.Noted) {
		if t != nil {
			changed[n.GUID] = true
		}
		if n.Deleted || n.Type == pim.TypeFolder {
			return
		}
		var f filter.Facts
		if b.full {
			return
		}
		if n.Facts == nil || json.Unmarshal(n.Facts, &f) != nil || f.Stale() {
			bare = append(bare, n)
			return
		}
		b.add(n.Rev, n.GUID, f.Pack)
	})
	if err != nil {
		return nil, nil, err
	}
	found, err := read(tx, c, k, bare)
	for i := range found {
		b.add(found[i].rev, found[i].guid, found[i].facts.Pack)
	}
	if t != nil {
		for i := range t.entries {
			if e := &t.entries[i]; !changed[t.guid(e)] {
				b.add(e.rev, t.guid(e), func(p []byte) []byte { return append(p, t.facts(e)...) })
			}
		}
	}
	if b.full && err == nil {
		err = errTooLarge
	}
	return &table{rev: rev, entries: slices.Clip(b.entries), packed: string(b.packed)}, found, err
}

// read reads facts from bodies.
func read(tx dsstore.Tx, c dsstore.Collection, k pim.Kind, list []dsstore.Noted) (out []unread, err error) {
	for _, n := range list {
		it, err := tx.Item(c, n.GUID)
		if err != nil {
			return nil, err
		}
		body, err := tx.Body(it.Hash)
		if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
			return nil, err
		}
		f := filter.FactsOf(pim.Item{Type: it.Type, Folder: it.Folder, Name: it.Name, Flags: it.Flags, Body: body}, k)
		out = append(out, unread{c, strings.Clone(n.GUID), n.Rev, f})
	}
	return out, nil
}

// difference is what two filters differ about at two times.
type difference struct {
	former, wanted string
	at, now        int64
	entries        []int32
}

// manyDifferences bounds what a table remembers: devices of one user rarely have more filters.
const manyDifferences = 8

// differences lists the items about which the scope says something else now than the former filter then.
func (t *table) differences(s *Scope, former *filter.Filter, at, now time.Time) []int32 {
	d := difference{former: former.String(), wanted: s.Filter.String(), at: at.Unix(), now: now.Unix()}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.former {
		if known.former == d.former && known.wanted == d.wanted && known.at == d.at && known.now == d.now {
			return known.entries
		}
	}
	u := filter.Unpacker{Kind: s.Kind, Words: former.LooksAtWords() || s.Filter.LooksAtWords()}
	for i := range t.entries {
		u.Read(t.facts(&t.entries[i]))
		if u.Match(former, at) != u.Match(&s.Filter, now) {
			d.entries = append(d.entries, int32(i)) //nolint:gosec // a table is bounded
		}
	}
	if len(t.former) == manyDifferences {
		t.former = t.former[1:]
	}
	t.former = append(t.former, d)
	return d.entries
}
