package replica

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
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
	if r.brake.Holds(len(gone), items) {
		h.There = len(gone)
		h.add(gone)
	}
	if r.brake.Holds(len(doomed), items) {
		h.Here = len(doomed)
		h.add(doomed)
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
	h, err := r.weigh()
	if err != nil {
		return err
	}
	rows, err := r.index.Deleted()
	var due []dsclient.Change
	for _, row := range rows {
		if row.Doomed && !row.Gone && (h.Here == 0 || row.Approved) {
			due = append(due, dsclient.Change{Op: dsclient.Delete, LUID: row.LUID, Item: pim.Item{Type: row.Type, Folder: row.Folder}})
		}
	}
	if err != nil || len(due) == 0 {
		return err
	}
	sort.Slice(due, func(i, j int) bool { return deeper(due[i].Item, due[j].Item) })
	results, err := r.carryOut(ctx, due, now)
	if err == nil && slices.ContainsFunc(results, func(x dsclient.Result) bool { return x.Status == ds.StatusConflict }) {
		_, err = r.Look(ctx, pim.Hint{}) // one that was renamed would be a new one once another has taken its name (found by simulation)
	}
	if err == nil {
		_, err = r.weigh()
	}
	return err
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
		row.Doomed, row.Shared, row.Synced, row.Whole = false, false, state.Version{}, ""
		return false
	})
	return slow, err
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

// keepFormer keeps what is about to be overwritten or deleted here. What only leaves this device is on the server: it would take room that a narrower
// filter is to free, and put back it would be there twice (found by simulation).
func (r *Replica) keepFormer(ctx context.Context, jobs []job) error {
	if r.history == nil {
		return nil
	}
	var list []history.Former
	for i := range jobs {
		j := &jobs[i]
		if j.result.Status != 0 || j.fresh || j.Op == dsclient.Reflag || j.Soft || j.row.Type == pim.TypeFolder {
			continue
		}
		item, _, err := r.store.Read(ctx, j.row.Key)
		var bad *pim.ItemError
		switch {
		case errors.Is(err, pim.ErrNotFound), errors.As(err, &bad):
			continue // the write finds out
		case err != nil:
			return fmt.Errorf("cannot read %s: %w", r.name, err)
		case j.Op != dsclient.Delete && bytes.Equal(item.Body, j.Item.Body):
			continue // nothing of it goes away
		}
		reason := "overwritten by the server"
		if j.Op == dsclient.Delete {
			reason = "deleted by the server"
		}
		list = append(list, history.Former{Store: r.name, LUID: j.row.LUID, Key: j.row.Key, Item: item, Reason: reason})
	}
	return r.history.Keep(list)
}

// PutBack writes a former version over its item, or beside the others if that is gone. It is an edit like any other, and what it replaces is kept.
func (r *Replica) PutBack(ctx context.Context, e history.Entry, body []byte) (key string, err error) {
	item := pim.Item{Type: e.Type, Folder: e.Folder, Flags: e.Flags, Name: e.Name, Body: body}
	for range 2 { // its user may move it just then, and who undoes once more would have it twice (found by simulation)
		row, ok, err := r.placeOf(ctx, e, item)
		if err != nil {
			return "", err
		}
		if !ok {
			break
		}
		if key, err = r.putOver(ctx, row, item); !errors.Is(err, pim.ErrNotFound) {
			return key, err
		}
	}
	return r.putBeside(ctx, e.Key, item)
}

// placeOf is the item of which a version is to be put back; not ok if it is gone.
func (r *Replica) placeOf(ctx context.Context, e history.Entry, item pim.Item) (row state.Row, ok bool, err error) {
	var empty *EmptiedError
	if _, err := r.Look(ctx, pim.Hint{}); err != nil && !errors.As(err, &empty) {
		return row, false, err
	}
	if row, ok, err = r.row(e.LUID); err == nil && (!ok || row.Gone) {
		row, ok, err = r.sameAt(ctx, e.Key, item)
	}
	return row, ok && !row.Gone, err
}

// putOver writes a version over its item.
func (r *Replica) putOver(ctx context.Context, row state.Row, item pim.Item) (key string, err error) {
	current, at, err := r.store.Read(ctx, row.Key)
	if err != nil {
		return "", err
	}
	if err := r.history.Keep([]history.Former{{Store: r.name, LUID: row.LUID, Key: row.Key, Item: current, Reason: "replaced by a former version"}}); err != nil {
		return "", err
	}
	e, err := r.batch(ctx, func(b pim.Batch) (pim.Entry, error) { return b.Replace(row.Key, at.Stamp, item) })
	if err == nil {
		err = r.putBack(row, e, item.Body)
	}
	return e.Key, err
}

// putBeside writes a version of an item that is gone.
func (r *Replica) putBeside(ctx context.Context, former string, item pim.Item) (key string, err error) {
	if item.Name == "" {
		item.Name = baseName(former)
	}
	if key, err = r.already(item); err != nil || key != "" {
		return key, err
	}
	if key, err = r.store.PlanKey(item); err != nil {
		return "", err
	}
	e, err := r.batch(ctx, func(b pim.Batch) (pim.Entry, error) { return b.Add(key, item) })
	return e.Key, err
}

// putBack notes what was put back, and where. Its user may move it before anybody looks: with other bytes than those that are noted it would seem a
// new item then, and who undoes once more would have it twice (found by simulation).
func (r *Replica) putBack(former state.Row, e pim.Entry, body []byte) error {
	row := former
	row.Key, row.Stamp, row.Problem, row.Doomed = e.Key, e.Stamp, "", false
	row.Version = state.Version{Hash: sha256.Sum256(body), Flags: e.Flags, Folder: e.Folder}
	return r.record([]update{{former: former, row: row}})
}

// sameAt is the item under a key if it is another version of the one that is put back: it left this device, and came again since (found by simulation).
func (r *Replica) sameAt(ctx context.Context, key string, item pim.Item) (row state.Row, ok bool, err error) {
	err = r.index.View(func(t *state.Tx) error {
		row, ok, err = t.ByKey(key)
		return err
	})
	if err != nil || !ok {
		return row, false, err
	}
	here, _, err := r.store.Read(ctx, key)
	var bad *pim.ItemError
	if errors.Is(err, pim.ErrNotFound) || errors.As(err, &bad) {
		return row, false, nil
	}
	id := match.Identify(item.Type, item.Body).UID
	return row, id != "" && id == match.Identify(here.Type, here.Body).UID, err
}

// already is the key of an item that was put back before: who undoes twice does not want it twice (found by simulation).
func (r *Replica) already(item pim.Item) (key string, err error) {
	hash := sha256.Sum256(item.Body)
	err = r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if !row.Gone && row.Hash == hash && row.Folder == item.Folder && strings.HasSuffix(baseName(row.Key), item.Name) {
				key = row.Key
			}
			return nil
		})
	})
	return key, err
}

func (r *Replica) batch(ctx context.Context, write func(pim.Batch) (pim.Entry, error)) (pim.Entry, error) {
	b, err := r.store.Update(ctx)
	if err != nil {
		return pim.Entry{}, err
	}
	e, err := write(b)
	return e, errors.Join(err, b.Commit())
}

func baseName(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }
