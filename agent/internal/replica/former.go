package replica

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/match"
)

// keepFormer keeps what is about to be overwritten or deleted here. What only leaves this device should be on the server, but only its word says so: it
// goes without a copy if the filter that was wished here leaves it out. Else a server could empty a device past the brake. What there is no room for is
// a deletion like any other, and is weighed with them.
func (r *Replica) keepFormer(ctx context.Context, jobs []job) error {
	if r.history == nil {
		return nil
	}
	var list []history.Former
	var weighed []update
	room := sync.OnceValues(r.history.Room) // most batches take nothing off this device
	var kept int64
	for i := range jobs {
		f, err := r.formerOf(ctx, &jobs[i])
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		if f.Left {
			n, err := room()
			if err != nil {
				return err
			}
			if kept += int64(len(f.Item.Body)); kept > n {
				weighed = append(weighed, jobs[i].weigh())
				continue
			}
		}
		list = append(list, *f)
	}
	if err := r.record(weighed); err != nil {
		return err
	}
	return r.history.Keep(list)
}

// weigh makes a deletion of this device only one like any other.
func (j *job) weigh() update {
	former := j.row
	j.row.Approved, j.doomed, j.result.Status = false, true, ds.StatusOK
	return update{former: former, row: j.row}
}

// formerOf is what a change takes away, nil if that is nothing that has to be kept.
func (r *Replica) formerOf(ctx context.Context, j *job) (*history.Former, error) {
	if j.result.Status != 0 || j.fresh || j.Op == dsclient.Reflag || j.row.Type == pim.TypeFolder {
		return nil, nil
	}
	item, _, err := r.store.Read(ctx, j.row.Key)
	var bad *pim.ItemError
	switch {
	case errors.Is(err, pim.ErrNotFound), errors.As(err, &bad):
		return nil, nil // the write finds out
	case err != nil:
		return nil, fmt.Errorf("cannot read %s: %w", r.name, err)
	case j.Op != dsclient.Delete && bytes.Equal(item.Body, j.Item.Body), j.Soft && r.leaves != nil && r.leaves(item):
		return nil, nil // nothing of it goes away
	}
	f := &history.Former{Store: r.name, LUID: j.row.LUID, Key: j.row.Key, Item: item, Reason: "overwritten by the server"}
	switch {
	case j.Soft:
		f.Left, f.Reason = true, "taken off this device by the server"
	case j.Op == dsclient.Delete:
		f.Reason = "deleted by the server"
	}
	return f, nil
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
	return r.putBeside(ctx, e, item)
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

// putOver writes a version over its item. It takes the place of equal ones as well, which another device has brought back beside it: nobody wants it twice
// (found by simulation).
func (r *Replica) putOver(ctx context.Context, row state.Row, item pim.Item) (key string, err error) {
	current, at, err := r.store.Read(ctx, row.Key)
	if err != nil {
		return "", err
	}
	twins, err := r.twins(row.LUID, item)
	if err != nil {
		return "", err
	}
	kept := []history.Former{{Store: r.name, LUID: row.LUID, Key: row.Key, Item: current, Reason: replaced}}
	for _, twin := range twins {
		kept = append(kept, history.Former{Store: r.name, LUID: twin.LUID, Key: twin.Key, Item: item, Reason: replaced})
	}
	if err := r.history.Keep(kept); err != nil {
		return "", err
	}
	e, err := r.batch(ctx, func(b pim.Batch) (pim.Entry, error) {
		e, err := b.Replace(row.Key, at.Stamp, item)
		if err == nil {
			err = drop(b, twins)
		}
		return e, err
	})
	if err == nil {
		err = r.putBack(row, row.LUID, e, item.Body)
	}
	return e.Key, err
}

// drop deletes items, but for those that have changed.
func drop(b pim.Batch, rows []state.Row) error {
	for _, row := range rows {
		if err := b.Delete(row.Key, row.Stamp); err != nil && !errors.Is(err, pim.ErrChanged) && !errors.Is(err, pim.ErrNotFound) {
			return err
		}
	}
	return nil
}

const replaced = "replaced by a former version"

// twins are others in the folder of an item that is put back that equal it in all. There may be copies of messages, and of what has no UID.
func (r *Replica) twins(luid string, item pim.Item) (out []state.Row, err error) {
	if item.Type == pim.TypeMessage || match.Identify(item.Type, item.Body).UID == "" {
		return nil, nil
	}
	hash := sha256.Sum256(item.Body)
	err = r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if row.LUID != luid && !row.Gone && !row.Doomed && row.Hash == hash && row.Folder == item.Folder {
				out = append(out, row)
			}
			return nil
		})
	})
	return out, err
}

// putBeside writes a version of an item that is gone. One whose deletion the server has not been told of is that item again, or whoever keeps held
// deletions from happening, too, would have it twice (found by simulation).
func (r *Replica) putBeside(ctx context.Context, former history.Entry, item pim.Item) (key string, err error) {
	if item.Name == "" {
		item.Name = baseName(former.Key)
	}
	if key, err = r.already(former.Back, item); err != nil || key != "" {
		return key, err
	}
	row, _, err := r.untold(former.LUID, item)
	if err != nil {
		return "", err
	}
	luid := cmp.Or(row.LUID, newLUID())
	if key, err = r.store.PlanKey(item); err == nil {
		err = r.history.PutBack(former.ID, luid)
	}
	if err != nil {
		return "", err
	}
	e, err := r.batch(ctx, func(b pim.Batch) (pim.Entry, error) { return b.Add(key, item) })
	if err == nil {
		err = r.putBack(row, luid, e, item.Body)
	}
	return e.Key, err
}

// untold is an item that was deleted here, which the server has not been told: this one, or an equal one, as which it was put back before.
func (r *Replica) untold(luid string, item pim.Item) (row state.Row, ok bool, err error) {
	if row, ok, err = r.row(luid); err != nil || ok && row.Gone {
		return row, ok, err
	}
	rows, err := r.index.Deleted()
	hash := sha256.Sum256(item.Body)
	i := slices.IndexFunc(rows, func(row state.Row) bool { return row.Gone && row.Type == item.Type && row.Hash == hash })
	if err != nil || i < 0 {
		return state.Row{}, false, err
	}
	return rows[i], true, nil
}

// putBack notes what was put back, and where. Its user may move it before anybody looks: with other bytes than those that are noted it would seem a
// new item then, and who undoes once more would have it twice (found by simulation).
func (r *Replica) putBack(former state.Row, luid string, e pim.Entry, body []byte) error {
	row := former
	row.LUID, row.Type = luid, e.Type
	row.UID = uid(pim.Item{Type: e.Type, Body: body})
	if row.Doomed {
		row = asNew(row)
	}
	row.Key, row.Stamp, row.Problem, row.Gone, row.Approved = e.Key, e.Stamp, "", false, false
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

// already is the key of an item that was put back before, as this one if that is known: who undoes twice does not want it twice (found by simulation).
// What has a UID is one wherever it lies, as when another device has put it back; of messages there are copies.
func (r *Replica) already(as string, item pim.Item) (key string, err error) {
	hash := sha256.Sum256(item.Body)
	one := item.Type != pim.TypeMessage && match.Identify(item.Type, item.Body).UID != ""
	err = r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if !row.Gone && row.Hash == hash && (one || row.LUID == as || row.Folder == item.Folder && strings.HasSuffix(baseName(row.Key), item.Name)) {
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
