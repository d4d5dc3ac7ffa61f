package replica

import (
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
)

// Hold is deletions that wait for somebody's word.
type Hold struct {
	Here   int // items that the server has deleted and that are still here
	There  int // items that were deleted here and that the server still has
	Since  time.Time
	Listed []string // some of their keys
}

// Any tells whether something is held.
func (h Hold) Any() bool { return h.Here+h.There > 0 }

// listed bounds Hold.Listed.
const listed = 20

// Held is what is held at the moment. It may be called at any time.
func (r *Replica) Held() Hold {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.held
}

// deletions counts what is deleted here and waits to be told, and what the server has deleted and is still here, without folders, and what
// both sides have.
func (r *Replica) deletions() (gone, doomed []state.Row, items int, err error) {
	rows, err := r.index.Deleted()
	items = r.index.Counts().Items
	for _, row := range rows {
		switch {
		case row.Type == pim.TypeFolder:
			continue
		case row.Gone && row.Shared && !row.Approved:
			gone = append(gone, row)
		case row.Doomed && !row.Gone && !row.Approved:
			doomed = append(doomed, row)
		}
		if row.Gone {
			items++ // it is counted no more
		}
	}
	return gone, doomed, items, err
}

// weigh decides what is held. It comes before the changes of an exchange are read and after one has ended.
func (r *Replica) weigh() (Hold, error) {
	gone, doomed, items, err := r.deletions()
	if err != nil {
		return Hold{}, err
	}
	var h Hold
	if r.tooMany(gone, items) {
		h.There = len(gone)
		h.add(gone)
	}
	if r.tooMany(doomed, items) {
		h.Here = len(doomed)
		h.add(doomed)
	}
	if r.Held().There > 0 && h.There == 0 {
		r.meanwhile++ // they may go, and nobody else will find them
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.Any() {
		if h.Since = r.held.Since; h.Since.IsZero() {
			h.Since = time.Now()
		}
	}
	r.held = h
	return h, nil
}

// tooMany tells whether deletions are to be held, and notes it of each of them. If that fails they are held all the same, and noted the next time.
func (r *Replica) tooMany(rows []state.Row, items int) bool {
	held := func(row state.Row) bool { return row.Held }
	if !r.brake.Holds(len(rows), items) && !(r.brake.Keeps(len(rows)) && slices.ContainsFunc(rows, held)) {
		return false
	}
	var notes []update
	for _, former := range rows {
		if row := former; !row.Held {
			row.Held = true
			notes = append(notes, update{former: former, row: row})
		}
	}
	r.record(notes) //nolint:errcheck // see above
	return true
}

func (h *Hold) add(rows []state.Row) {
	for _, row := range rows {
		if len(h.Listed) < listed {
			h.Listed = append(h.Listed, row.Key)
		}
	}
}

// Settle carries out the deletions of the server that an exchange brought, unless they are too many. It is called after an exchange has ended well, so
// that they are weighed together.
func (r *Replica) Settle(ctx context.Context) error {
	moved, err := r.deleteDue(ctx)
	if err != nil || !moved {
		return err
	}
	if err := r.lookMeanwhile(ctx); err != nil { // one that was renamed would be a new one once another has taken its name (found by simulation)
		return err
	}
	if moved, err = r.deleteDue(ctx); err == nil && moved {
		_, err = r.weigh()
	}
	return err
}

// deleteDue deletes what the server has deleted and nobody holds, and weighs what is left. It tells whether something was not as it was when somebody
// looked last: then what is left is to be weighed after another look.
func (r *Replica) deleteDue(ctx context.Context) (moved bool, err error) {
	h, err := r.weigh()
	if err != nil {
		return false, err
	}
	rows, err := r.index.Deleted()
	var due []dsclient.Change
	for _, row := range rows {
		if row.Doomed && !row.Gone && (h.Here == 0 || row.Approved) {
			due = append(due, dsclient.Change{Op: dsclient.Delete, LUID: row.LUID, Item: pim.Item{Type: row.Type, Folder: row.Folder}})
		}
	}
	if err != nil || len(due) == 0 {
		return false, err
	}
	sort.Slice(due, func(i, j int) bool { return deeper(due[i].Item, due[j].Item) })
	results, err := r.carryOut(ctx, due, now)
	moved = slices.ContainsFunc(results, func(x dsclient.Result) bool { return x.Status == ds.StatusConflict })
	if err == nil && !moved {
		_, err = r.weigh()
	}
	return moved, err
}

// deeper sorts items before folders, and folders before those that they lie in.
func deeper(a, b pim.Item) bool {
	if fa, fb := a.Type == pim.TypeFolder, b.Type == pim.TypeFolder; fa != fb {
		return fb
	}
	return a.Type == pim.TypeFolder && strings.Count(a.Folder, "/") > strings.Count(b.Folder, "/")
}

// Approve lets the held deletions happen, on both sides.
func (r *Replica) Approve(ctx context.Context) error {
	err := r.decide(func(row *state.Row) bool { row.Approved = true; return false })
	if err != nil {
		return err
	}
	return r.Settle(ctx)
}

// Reject keeps what is held: what the server deleted goes to it again, as new; what was deleted here is forgotten here, and the next sync is a slow
// one, which brings it back. It tells whether that must follow.
func (r *Replica) Reject() (slow bool, err error) {
	if slow = r.Held().There > 0; slow { // noted first: without it the items would never come back (found by simulation)
		a, err := r.Anchors()
		if err != nil {
			return false, err
		}
		a.Slow = true
		if err := r.SetAnchors(a); err != nil {
			return false, err
		}
	}
	err = r.decide(func(row *state.Row) (remove bool) {
		if row.Gone {
			return true
		}
		*row = asNew(*row)
		return false
	})
	return slow, err
}

// asNew is an item that the server has deleted and that shall live on: it goes there again.
func asNew(row state.Row) state.Row {
	row.Doomed, row.Shared, row.Synced, row.Whole = false, false, state.Version{}, ""
	return row
}

// decide changes the rows of what is held.
func (r *Replica) decide(change func(*state.Row) (remove bool)) error {
	h := r.Held()
	gone, doomed, _, err := r.deletions()
	if err != nil {
		return err
	}
	var rows []state.Row
	if h.There > 0 {
		rows = append(rows, gone...)
	}
	if h.Here > 0 {
		rows = append(rows, doomed...)
	}
	var out []update
	for _, former := range rows {
		row := former
		remove := change(&row)
		out = append(out, update{former: former, row: row, remove: remove})
	}
	if err := r.record(out); err != nil {
		return err
	}
	_, err = r.weigh()
	return err
}
