package memstore

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// deletion names a deletion that is not carried out yet.
type deletion struct {
	place
	guid string
}

func (t *tx) PutDeletion(device string, c dsstore.Collection, d dsstore.Deletion) error {
	d.At = stored(d.At)
	return put(t, t.deletions, deletion{place{device, c}, d.GUID}, d)
}

func (t *tx) Deletions(device string, c dsstore.Collection) (out []dsstore.Deletion, err error) {
	for k := range maps.Keys(t.deletions) {
		if k.place == (place{device, c}) {
			out = append(out, t.deletions[k])
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Deletion) int { return cmp.Compare(a.GUID, b.GUID) })
	return out, nil
}

func (t *tx) DropDeletion(device string, c dsstore.Collection, guid string) error {
	return drop(t, t.deletions, deletion{place{device, c}, guid})
}

func (t *tx) KeptVersions(c dsstore.Collection, _ time.Time, limit int) (out []dsstore.Kept, err error) {
	for i, k := range slices.Backward(t.history) {
		if k.Collection == c && len(out) < limit {
			out = append(out, dsstore.Kept{ID: int64(i + 1), Item: k.Item, Reason: k.Reason})
		}
	}
	return out, nil
}

// ForgetKept forgets nothing: what is in memory does not live for a month.
func (t *tx) ForgetKept(time.Time) (int, error) { return 0, nil }

func (t *tx) Revs() (map[dsstore.Collection]int64, error) {
	out := map[dsstore.Collection]int64{}
	for c, x := range t.collections {
		out[c] = x.rev
	}
	return out, nil
}

func (t *tx) Holdings(device string, c dsstore.Collection) (out []dsstore.Holding, err error) {
	for _, m := range t.mappings[place{device, c}] {
		it, err := t.Item(c, m.GUID)
		if err == nil && !it.Deleted && !m.former && m.LUID != "" {
			out = append(out, dsstore.Holding{LUID: m.LUID, Hash: it.Hash, Flags: it.Flags, Variant: m.Variant})
		}
	}
	return out, nil
}
