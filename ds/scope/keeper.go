package scope

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// Keeper keeps in columns what filters look at of all collections, behind the back of those who change them: nobody who synchronizes waits for it.
// It serves one goroutine.
type Keeper struct {
	Store dsstore.Store
	Kinds map[string]pim.Kind // of the datastores, by URI
	// Slack is how many changes of a collection are left for a Survey to read one by one; 0 is 100, which takes it about a millisecond.
	Slack int64
	// Items is how many lie in a block at most; 0 is 16,384.
	Items int

	former map[dsstore.Collection]int64 // behind, as of the last round; nil before the first one
}

// Round brings up to date what has not changed since the last round: one that is being filled would have to be packed again and again. The first
// round takes all.
func (k *Keeper) Round(ctx context.Context) error {
	var behind map[dsstore.Collection]int64
	err := k.Store.View(ctx, func(tx dsstore.Tx) (err error) {
		behind, err = tx.Behind(filter.ColumnsForm, k.slack())
		return err
	})
	if err != nil {
		return err
	}
	former := k.former
	k.former = behind
	for c, rev := range behind {
		kind, ok := k.Kinds[c.Store]
		if !ok || former != nil && former[c] != rev {
			continue
		}
		if err := k.keep(ctx, c, kind); err != nil {
			return err
		}
	}
	return nil
}

func (k *Keeper) slack() int64 { return cmp.Or(k.Slack, 100) }
func (k *Keeper) items() int   { return cmp.Or(k.Items, blockItems) }

// keep packs what has changed in a collection, block by block.
func (k *Keeper) keep(ctx context.Context, c dsstore.Collection, kind pim.Kind) error {
	after := int64(-1)
	for {
		var r *run
		err := k.Store.View(ctx, func(tx dsstore.Tx) (err error) {
			if after < 0 {
				after, err = k.begin(tx, c)
			}
			if err == nil {
				r, err = pack(tx, c, kind, after, k.items())
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := k.put(ctx, c, r); err != nil || r.end {
			return err
		}
		after = r.Upto
	}
}

// begin is the revision behind which is to be packed: that of the last block, or an earlier one, so that blocks do not become many, nor full of
// items that have changed since.
func (k *Keeper) begin(tx dsstore.Tx, c dsstore.Collection) (int64, error) {
	all, err := tx.Blocks(c)
	if err != nil {
		return 0, err
	}
	rev, err := tx.Rev(c)
	if err != nil {
		return 0, err
	}
	blocks, upto := usable(all)
	if worn, err := k.worn(tx, c, blocks); worn || err != nil {
		return 0, err
	}
	after, items := upto, int(rev-upto)
	for _, b := range slices.Backward(blocks) {
		if b.Items > 2*items || b.Items+items > k.items() {
			break
		}
		after, items = min(after, b.After), items+b.Items
	}
	return after, nil
}

// worn tells whether more than half of what lies in blocks has changed since. It looks when a block is full, for it takes a while to find out.
func (k *Keeper) worn(tx dsstore.Tx, c dsstore.Collection, blocks []dsstore.Block) (bool, error) {
	total := 0
	for _, b := range blocks {
		total += b.Items
	}
	if total <= k.items() || blocks[len(blocks)-1].Items <= k.items()/2 {
		return false, nil
	}
	live, err := tx.CountPending("", c, 0) // what a new device would get
	return total > 2*live, err
}

// put writes a block, and notes before what had to be read from bodies, so that it is read once.
func (k *Keeper) put(ctx context.Context, c dsstore.Collection, r *run) error {
	for some := range slices.Chunk(r.found, Page) { // others have to write between
		if err := k.Store.Update(ctx, func(tx dsstore.Tx) error { return note(tx, c, some) }); err != nil {
			return err
		}
	}
	if r.Upto == r.After {
		return nil
	}
	data := maps.Clone(r.columns.Data)
	data[revColumn] = packRevs(r.revs)
	return k.Store.Update(ctx, func(tx dsstore.Tx) error { return tx.PutBlock(c, r.Block, data) })
}

func note(tx dsstore.Tx, c dsstore.Collection, some []unread) error {
	for _, n := range some {
		it, err := tx.Item(c, n.guid)
		if errors.Is(err, dsstore.ErrNotFound) || err == nil && it.Rev != n.rev {
			continue
		}
		facts, e := json.Marshal(n.facts)
		if err = errors.Join(err, e); err == nil {
			err = tx.PutFacts(c, n.guid, facts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
