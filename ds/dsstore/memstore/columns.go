package memstore

import (
	"cmp"
	"maps"
	"slices"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

type block struct {
	dsstore.Block
	columns map[string]string
}

func (t *tx) Blocks(c dsstore.Collection) (out []dsstore.Block, _ error) {
	for _, b := range t.blocks[c] {
		out = append(out, b.Block)
	}
	return out, nil
}

func (t *tx) Column(c dsstore.Collection, upto int64, name string) (string, error) {
	for _, b := range t.blocks[c] {
		if b.Upto == upto {
			return find(b.columns, name)
		}
	}
	return "", dsstore.ErrNotFound
}

func (t *tx) PutBlock(c dsstore.Collection, b dsstore.Block, columns map[string]string) error {
	if slices.ContainsFunc(t.blocks[c], func(old block) bool { return old.After <= b.After && old.Upto >= b.Upto && old.Form == b.Form }) {
		return nil
	}
	list := slices.DeleteFunc(slices.Clone(t.blocks[c]), func(old block) bool {
		return old.Upto > b.After && old.Upto <= b.Upto && (old.After >= b.After || old.Form != b.Form)
	})
	list = append(list, block{b, maps.Clone(columns)})
	slices.SortFunc(list, func(a, b block) int { return cmp.Compare(a.Upto, b.Upto) })
	return put(t, t.blocks, c, list)
}

func (t *tx) Behind(form int, revs int64) (map[dsstore.Collection]int64, error) {
	out := make(map[dsstore.Collection]int64)
	for c, x := range t.collections {
		last := int64(0)
		for _, b := range t.blocks[c] {
			if b.Form == form {
				last = b.Upto
			}
		}
		if x.rev-last >= revs {
			out[c] = x.rev
		}
	}
	return out, nil
}
