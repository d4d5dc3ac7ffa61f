package scope

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"iter"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// blockItems is how many items are packed together at most: it bounds what is in memory.
const blockItems = 1 << 14

// run is items of a collection in columns, in memory.
type run struct {
	dsstore.Block
	columns *filter.Columns
	revs    []int64
	found   []unread
	end     bool // nothing follows
}

// unread are facts that nobody had noted.
type unread struct {
	guid  string
	rev   int64
	facts filter.Facts
}

// pack reads the next items of a collection, at most limit. What is not noted of them is read from their bodies.
func pack(tx dsstore.Tx, c dsstore.Collection, k pim.Kind, after int64, limit int) (*run, error) {
	list, r, err := noted(tx, c, after, limit)
	if err != nil {
		return nil, err
	}
	p := filter.NewPacker(k)
	for i := range list {
		n := &list[i]
		if n.facts.Stale() {
			if n.facts, err = read(tx, c, k, n.guid); err != nil {
				return nil, err
			}
			r.found = append(r.found, *n)
		}
		p.Add(&n.facts)
		r.revs = append(r.revs, n.rev)
	}
	r.columns, r.Items = p.Columns(), p.Items()
	return r, nil
}

// noted reads what is noted of the items that filters look at.
func noted(tx dsstore.Tx, c dsstore.Collection, after int64, limit int) (list []unread, r *run, err error) {
	rows := 0
	r = &run{Block: dsstore.Block{After: after, Upto: after, Form: filter.ColumnsForm}}
	err = tx.EachNoted(c, after, limit, func(n dsstore.Noted) {
		rows++
		if r.Upto = n.Rev; n.Deleted || n.Type == pim.TypeFolder {
			return
		}
		u := unread{guid: strings.Clone(n.GUID), rev: n.Rev}
		if n.Facts == nil || json.Unmarshal(n.Facts, &u.facts) != nil {
			u.facts = filter.Facts{} // stale
		}
		list = append(list, u)
	})
	r.end = rows < limit
	return list, r, err
}

// read reads facts from a body.
func read(tx dsstore.Tx, c dsstore.Collection, k pim.Kind, guid string) (filter.Facts, error) {
	it, err := tx.Item(c, guid)
	if err != nil {
		return filter.Facts{}, err
	}
	body, err := tx.Body(it.Hash)
	if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
		return filter.Facts{}, err
	}
	return filter.FactsOf(pim.Item{Type: it.Type, Folder: it.Folder, Name: it.Name, Flags: it.Flags, Body: body}, k), nil
}

// revColumn holds the revisions of a block's items, which are how they are found.
const revColumn = "rev"

func packRevs(revs []int64) string {
	var b []byte
	last := int64(0)
	for _, rev := range revs {
		b = binary.AppendVarint(b, rev-last)
		last = rev
	}
	return string(b)
}

// unpackRevs reads the revisions of the items that are marked. ok is false once, at the end, if they are broken.
func unpackRevs(column []byte, marked []bool) iter.Seq2[int64, bool] {
	return func(yield func(rev int64, ok bool) bool) {
		b, rev := column, int64(0)
		for _, m := range marked {
			d, n := binary.Varint(b)
			if n <= 0 {
				yield(0, false)
				return
			}
			b, rev = b[n:], rev+d
			if m && !yield(rev, true) {
				return
			}
		}
	}
}

// usable are the blocks of our form that leave no gap, and how far they reach.
func usable(all []dsstore.Block) (out []dsstore.Block, upto int64) {
	for _, b := range all {
		if b.Form == filter.ColumnsForm && b.After <= upto {
			out, upto = append(out, b), b.Upto
		}
	}
	return out, upto
}
