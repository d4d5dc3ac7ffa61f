package memstore

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// at is the collection, nil if there is none.
func (t *tx) at(c dsstore.Collection) *collection { return t.collections[c] }

func (t *tx) make(c dsstore.Collection) (*collection, error) {
	if x := t.at(c); x != nil {
		return x, nil
	}
	x := &collection{items: map[string]item{}}
	return x, put(t, t.collections, c, x)
}

func (t *tx) PutItem(c dsstore.Collection, it dsstore.Item, body []byte) (int64, error) {
	x, err := t.make(c)
	if err != nil {
		return 0, err
	}
	if err := t.putBody(it.Hash, body); err != nil {
		return 0, err
	}
	former := x.rev
	t.remember(func() { x.rev = former })
	x.rev++
	it.Rev, it.Modified = x.rev, stored(it.Modified)
	return it.Rev, put(t, x.items, it.GUID, item{Item: it})
}

func (t *tx) putBody(hash [32]byte, body []byte) error {
	if _, ok := t.bodies[hash]; ok || body == nil {
		return nil
	}
	return put(t, t.bodies, hash, append([]byte{}, body...))
}

func (t *tx) Item(c dsstore.Collection, guid string) (dsstore.Item, error) {
	x := t.at(c)
	if x == nil {
		return dsstore.Item{}, dsstore.ErrNotFound
	}
	it, err := find(x.items, guid)
	return it.Item, err
}

func (t *tx) Body(hash [32]byte) ([]byte, error) {
	body, err := find(t.bodies, hash)
	return slices.Clone(body), err
}

// sameLimit is how many items of one identity are worth looking at.
const sameLimit = 16

func (t *tx) Same(c dsstore.Collection, typ, uid string, hash [32]byte) ([]dsstore.Item, error) {
	return t.some(c, func(it *dsstore.Item) bool {
		return it.Type == typ && (uid != "" && it.UID == uid || uid == "" && it.Hash == hash)
	}), nil
}

func (t *tx) Alike(c dsstore.Collection, typ, alike string) ([]dsstore.Item, error) {
	return t.some(c, func(it *dsstore.Item) bool { return alike != "" && it.Type == typ && it.Alike == alike }), nil
}

func (t *tx) Akin(c dsstore.Collection, uid string, hash [32]byte, alike string) (bool, error) {
	return len(t.live(c, func(it *dsstore.Item) bool {
		return uid != "" && it.UID == uid || uid == "" && it.Hash == hash || alike != "" && it.Alike == alike
	})) > 0, nil
}

func (t *tx) some(c dsstore.Collection, want func(*dsstore.Item) bool) []dsstore.Item {
	out := t.live(c, want)
	return out[:min(len(out), sameLimit)]
}

func (t *tx) List(c dsstore.Collection) ([]dsstore.Item, error) {
	return t.live(c, func(*dsstore.Item) bool { return true }), nil
}

// live lists live items by Rev.
func (t *tx) live(c dsstore.Collection, want func(*dsstore.Item) bool) []dsstore.Item {
	var out []dsstore.Item
	if x := t.at(c); x != nil {
		for _, it := range x.items {
			if !it.Deleted && want(&it.Item) {
				out = append(out, it.Item)
			}
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Item) int { return cmp.Compare(a.Rev, b.Rev) })
	return out
}

func (t *tx) Rev(c dsstore.Collection) (int64, error) {
	if x := t.at(c); x != nil {
		return x.rev, nil
	}
	return 0, nil
}

func (t *tx) Keep(c dsstore.Collection, former dsstore.Item, body []byte, reason string) error {
	if !t.write {
		return errReadOnly
	}
	t.history = append(t.history, Kept{c, former, reason})
	return t.putBody(former.Hash, body)
}

func (t *tx) EachNoted(c dsstore.Collection, after int64, limit int, fn func(dsstore.Noted)) error {
	x := t.at(c)
	if x == nil {
		return nil
	}
	all := slices.SortedFunc(maps.Values(x.items), func(a, b item) int { return cmp.Compare(a.Rev, b.Rev) })
	for _, it := range all {
		if it.Rev > after && limit > 0 {
			limit--
			fn(dsstore.Noted{GUID: it.GUID, Rev: it.Rev, Deleted: it.Deleted, Type: it.Type, Facts: it.facts})
		}
	}
	return nil
}

func (t *tx) PutFacts(c dsstore.Collection, guid string, facts []byte) error {
	x := t.at(c)
	if x == nil {
		return nil
	}
	it, ok := x.items[guid]
	if !ok {
		return nil
	}
	it.facts = slices.Clone(facts)
	return put(t, x.items, guid, it)
}
