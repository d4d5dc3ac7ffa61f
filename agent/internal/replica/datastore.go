package replica

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// Local implements dsclient.Datastore, as do the other methods here.
func (r *Replica) Local() string { return "./" + r.name }

// Remote is the server's name of the datastore.
func (r *Replica) Remote() string { return r.remote }

// Kind is what it holds.
func (r *Replica) Kind() pim.Kind { return r.store.Kind() }

// Anchors are described at dsclient.AnchorState.
func (r *Replica) Anchors() (a dsclient.AnchorState, err error) {
	err = r.index.View(func(t *state.Tx) error {
		a, err = t.Anchors()
		return err
	})
	return a, err
}

// SetAnchors replaces them.
func (r *Replica) SetAnchors(a dsclient.AnchorState) error {
	return r.index.Update(func(t *state.Tx) error { return t.PutAnchors(a) })
}

func (r *Replica) luids(all bool) (out []string, err error) {
	err = r.index.View(func(t *state.Tx) error {
		out, err = t.LUIDs(all)
		return err
	})
	return out, err
}

// Count is how many changes Changes has.
func (r *Replica) Count(all bool) (int, error) {
	list, err := r.luids(all)
	return len(list), err
}

// Changes yields what the server has not got.
func (r *Replica) Changes(ctx context.Context, all bool) iter.Seq2[dsclient.Change, error] {
	return func(yield func(dsclient.Change, error) bool) {
		list, err := r.luids(all)
		if err != nil {
			yield(dsclient.Change{}, err)
			return
		}
		h, err := r.weigh()
		if err != nil {
			yield(dsclient.Change{}, err)
			return
		}
		reader, err := r.reader(len(list))
		if err != nil {
			yield(dsclient.Change{}, fmt.Errorf("cannot read %s: %w", r.name, err))
			return
		}
		defer reader.Close()
		for _, luid := range list {
			c, ok, err := r.change(ctx, reader, luid, all, false)
			if !ok && err == nil {
				c, ok, err = r.changeMoved(ctx, luid, all)
			}
			if ok && c.Op == dsclient.Delete && h.There > 0 && !r.approved(luid) {
				continue
			}
			if err != nil || ok {
				if !yield(c, err) || err != nil {
					return
				}
			}
		}
	}
}

// change is what the server must be told of one item; not ok if there is nothing that can be told now, or, unless somebody has just looked, if it is not
// as the last look saw it.
func (r *Replica) change(ctx context.Context, from pim.Reader, luid string, all, looked bool) (c dsclient.Change, ok bool, err error) {
	row, displaced, err := r.place(luid)
	if err != nil || row.LUID == "" || row.Problem != "" {
		return c, false, err
	}
	c.LUID, c.Base = luid, base(&row)
	if row.Gone && row.Synced.Hash == state.UnknownHash && !row.Unsure {
		c.Base = ds.VersionOf(row.Hash) // what was deleted was seen: it names a conflict copy of it (found by simulation)
	}
	if row.Doomed && !row.Dirty() {
		return c, false, nil // the server has deleted it
	}
	if row.Gone {
		c.Op, c.Approved = dsclient.Delete, row.Approved
		return c, true, nil
	}
	if displaced {
		return c, false, nil // the next look finds out
	}
	var bad *pim.ItemError
	item, _, err := from.Read(ctx, row.Key)
	switch {
	case errors.Is(err, pim.ErrNotFound) || errors.As(err, &bad):
		return c, false, nil // the next look finds out
	case err != nil:
		return c, false, fmt.Errorf("cannot read %s: %w", r.name, err)
	}
	if !looked && row.Version != version(item) {
		return c, false, nil
	}
	if row, err = r.sends(row, version(item)); err != nil {
		return c, false, err
	}
	c.Item, c.Token, c.Base = item, token{row.Version, whole(item)}, base(&row)
	switch {
	case all || !row.Shared:
		c.Op = dsclient.Add
	case row.Hash == row.Synced.Hash && !row.Unsure:
		c.Op = dsclient.Reflag
	default:
		c.Op = dsclient.Replace
	}
	return c, true, nil
}

// place is a row, the zero Row if there is none, and whether another item lies where its one was.
func (r *Replica) place(luid string) (row state.Row, displaced bool, err error) {
	err = r.index.View(func(t *state.Tx) error {
		var owner state.Row
		if row, _, err = t.Row(luid); err == nil {
			owner, _, err = t.ByKey(row.Key)
		}
		displaced = owner.LUID != row.LUID
		return err
	})
	return row, displaced, err
}

// changeMoved is change for an item that is not as the last look saw it: another one may lie where it was. In a slow sync it must be told, or the server
// sends it once more (found by simulation).
func (r *Replica) changeMoved(ctx context.Context, luid string, all bool) (c dsclient.Change, ok bool, err error) {
	row, ok, err := r.row(luid)
	if err != nil || !ok || row.Gone || row.Doomed || row.Problem != "" {
		return c, false, err
	}
	if err := r.lookMeanwhile(ctx); err != nil {
		return c, false, err
	}
	return r.change(ctx, single{r.store}, luid, all, true)
}

// base is the version that both sides had, as the server is told of it: of a part of a message it is that of the whole one (found by simulation).
func base(row *state.Row) string {
	switch {
	case row.Synced.Hash == [32]byte{}:
		return ""
	case row.Synced.Hash == state.UnknownHash:
		return ds.VersionUnknown
	case row.Whole != "":
		return row.Whole
	}
	return ds.VersionOf(row.Synced.Hash)
}

// token is what was sent.
type token struct {
	state.Version
	whole string
}

// whole is the version of the message that an item is a part of, "" if it is none.
func whole(it pim.Item) string {
	if it.Type != pim.TypeMessage {
		return ""
	}
	part, _ := mail.Partial(it.Body)
	return part.ID
}

// sends notes what is about to be sent if it is not what the last look saw: with the answer lost, the server has it all the same, and a file that
// gets another name is known by it. What the server had deleted goes there as new: it is no more for the server to delete (found by simulation).
func (r *Replica) sends(row state.Row, now state.Version) (state.Row, error) {
	if row.Version == now && !row.Doomed {
		return row, nil
	}
	former := row
	if row.Doomed && !row.Approved {
		row = asNew(row)
	}
	row.Doomed, row.Approved = false, false
	if row.Version = now; now.Hash != former.Hash {
		row.Stamp.Inode = 0 // it is that of other bytes, which may have been moved away from here (found by simulation)
	}
	if err := r.record([]update{{former: former, row: row}}); err != nil {
		return former, err
	}
	row, _, err := r.row(row.LUID)
	return row, err
}

// approved tells whether the deletion of an item may be told although others are held.
func (r *Replica) approved(luid string) bool {
	row, ok, err := r.row(luid)
	return err == nil && ok && (row.Approved || !row.Shared || row.Type == pim.TypeFolder)
}

func (r *Replica) row(luid string) (row state.Row, ok bool, err error) {
	err = r.index.View(func(t *state.Tx) error {
		row, ok, err = t.Row(luid)
		return err
	})
	return row, ok, err
}

// Acknowledge records the server's answers: exactly the version that was sent is settled, so an edit made meanwhile stays to be sent.
func (r *Replica) Acknowledge(_ context.Context, acks []dsclient.Ack) error {
	return r.index.InPieces(len(acks), func(t *state.Tx, i int) error { return acknowledge(t, acks[i]) })
}

func acknowledge(t *state.Tx, a dsclient.Ack) error {
	former, ok, err := t.Row(a.Change.LUID)
	if err != nil || !ok {
		return err
	}
	row := former
	switch {
	case a.Change.Op == dsclient.Delete:
		if a.Status.OK() || a.Status == ds.StatusNotFound || a.Status == ds.StatusGone {
			return t.Remove(former)
		}
	case a.Status.OK():
		sent := a.Change.Token.(token)
		row.Shared, row.Unsure, row.Synced, row.Whole = true, false, sent.Version, sent.whole
	case a.Status == ds.StatusNotFound || a.Status == ds.StatusGone:
		row.Shared = false // the server lost it: it goes out whole
	case refusedForGood(a.Status):
		row.Problem = strings.TrimSpace(fmt.Sprintf("%s: %v %s", refused, a.Status, a.Text))
	}
	return t.Put(former, row)
}

// refused begins a problem that the server has with an item, and not we.
const refused = "the server refused it"

// refusedForGood tells whether the same version would be refused again. It is sent again when the item changes.
func refusedForGood(s ds.Status) bool {
	switch s {
	case ds.StatusBadRequest, ds.StatusForbidden, ds.StatusUnsupported, ds.StatusTooLarge, ds.StatusMediaType, ds.StatusObjectTooLarge:
		return true
	}
	return false
}

// PendingMaps are those that the server has not confirmed.
func (r *Replica) PendingMaps() (out []dsclient.MapEntry, err error) {
	err = r.index.View(func(t *state.Tx) error {
		out, err = t.Maps()
		return err
	})
	return out, err
}

// MapsConfirmed forgets them.
func (r *Replica) MapsConfirmed(entries []dsclient.MapEntry) error {
	return r.index.InPieces(len(entries), func(t *state.Tx, i int) error { return t.DeleteMap(entries[i].GUID) })
}

// Restart prepares a slow sync: the server is told of every item again.
func (r *Replica) Restart(_ context.Context, deletions bool) error {
	var rows []update
	err := r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			former := row
			row.Unsure = false
			if row.Doomed || row.Gone && deletions { // it is gone on the server, or will be, whatever is synchronized
				if row != former {
					rows = append(rows, update{former: former, row: row})
				}
				return nil
			}
			row.Shared = false // Synced stays: a server that does not know what we had is told
			if strings.HasPrefix(row.Problem, refused) {
				row.Problem = "" // perhaps not this time
			}
			if row != former || row.Gone {
				rows = append(rows, update{former: former, row: row, remove: row.Gone})
			}
			return nil
		})
	})
	if err == nil {
		err = r.record(rows)
	}
	if err != nil {
		return err
	}
	return r.dropMaps(deletions)
}

// dropMaps forgets what the server calls items that are unknown here by now. As to the others, it may be told that they are deleted, and could not know
// what is meant (found by simulation).
func (r *Replica) dropMaps(deletions bool) error {
	maps, err := r.PendingMaps()
	if err == nil && deletions {
		err = r.index.View(func(t *state.Tx) (err error) {
			maps = slices.DeleteFunc(maps, func(m dsclient.MapEntry) bool {
				_, ok, e := t.Row(m.LUID)
				err = errors.Join(err, e)
				return ok
			})
			return err
		})
	}
	if err != nil {
		return err
	}
	return r.MapsConfirmed(maps)
}

// Refresh begins a refresh from the server: what the device has counts for nothing unless the server sends it.
func (r *Replica) Refresh(ctx context.Context) error { return r.Restart(ctx, false) }

// FinishRefresh removes what the server did not send.
func (r *Replica) FinishRefresh(ctx context.Context) error {
	var stale []dsclient.Change
	err := r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if !row.Shared && row.Problem == "" {
				stale = append(stale, dsclient.Change{Op: dsclient.Delete, LUID: row.LUID})
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	_, err = r.carryOut(ctx, stale, forced)
	return err
}

// Name of the store, as the user calls it.
func (r *Replica) Name() string { return r.name }
