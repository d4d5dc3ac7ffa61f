package site

import (
	"context"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// KeepHistory is how long former versions are kept.
const KeepHistory = 30 * 24 * time.Hour

// HoldInfo is deletions of a device that wait for somebody's word, because there were too many at once.
type HoldInfo struct {
	Device string    `json:"device"`
	Store  string    `json:"store"`
	Items  int       `json:"items"`
	Since  time.Time `json:"since"`
	Names  []string  `json:"names,omitempty"` // of some of them
}

// someNames bounds HoldInfo.Names.
const someNames = 10

// Holds lists what is held of a user's devices, of everybody's if user is "".
func Holds(ctx context.Context, store dsstore.Store, user string) ([]HoldInfo, error) {
	list := []HoldInfo{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		devices, err := tx.Devices(user)
		for _, d := range devices {
			for _, s := range dsserver.DefaultDatastores() {
				if err == nil {
					err = addHold(tx, &list, d, s.URI)
				}
			}
		}
		return err
	})
	return list, err
}

func addHold(tx dsstore.Tx, list *[]HoldInfo, d dsstore.Device, uri string) error {
	c := dsstore.Collection{User: d.User, Store: uri}
	deletions, err := tx.Deletions(d.ID, c)
	if err != nil {
		return err
	}
	h := HoldInfo{Device: d.ID, Store: uri}
	for _, x := range deletions {
		if !x.Held {
			continue
		}
		if h.Items++; h.Since.IsZero() || x.At.Before(h.Since) {
			h.Since = x.At
		}
		if it, err := tx.Item(c, x.GUID); err == nil && len(h.Names) < someNames {
			h.Names = append(h.Names, it.Name)
		}
	}
	if h.Items > 0 {
		*list = append(*list, h)
	}
	return nil
}

// DecideHold lets held deletions of a device happen, or gives it the items back. It returns the collection, and whether that was changed.
func DecideHold(ctx context.Context, store dsstore.Store, device, uri string, approve bool) (c dsstore.Collection, n int, err error) {
	err = store.Update(ctx, func(tx dsstore.Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return notFound(err, "there is no device "+device)
		}
		c = dsstore.Collection{User: d.User, Store: uri}
		n, err = dsserver.DecideHeld(tx, device, c, approve, time.Now())
		return err
	})
	if err == nil && n == 0 {
		err = Mistake(fmt.Sprintf("nothing of %s is held for %s", uri, device))
	}
	return c, n, err
}

// FormerInfo is a version of an item that was overwritten or deleted.
type FormerInfo struct {
	ID     int64     `json:"id"`
	At     time.Time `json:"at"`
	Store  string    `json:"store"`
	Item   string    `json:"item"` // GUID
	Name   string    `json:"name,omitempty"`
	Size   int64     `json:"size"`
	Reason string    `json:"reason"`
}

// History lists former versions of a user's items, newest first; those of all datastores if uri is "".
func History(ctx context.Context, store dsstore.Store, user, uri string) ([]FormerInfo, error) {
	list := []FormerInfo{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		for _, s := range dsserver.DefaultDatastores() {
			if uri != "" && uri != s.URI {
				continue
			}
			kept, err := tx.KeptVersions(dsstore.Collection{User: user, Store: s.URI}, time.Time{}, manyVersions)
			if err != nil {
				return err
			}
			for _, k := range kept {
				list = append(list, FormerInfo{k.ID, k.At, s.URI, k.Item.GUID, k.Item.Name, k.Item.Size, k.Reason})
			}
		}
		return nil
	})
	return list, err
}

// manyVersions bounds a list of versions.
const manyVersions = 100_000

// Restore puts former versions of a user's datastore back: one by its id, or, with a time, all that was replaced since by what was there at it. What
// they replace is kept.
func Restore(ctx context.Context, store dsstore.Store, user, uri string, id int64, at time.Time) (n int, err error) {
	c := dsstore.Collection{User: user, Store: uri}
	err = store.Update(ctx, func(tx dsstore.Tx) error {
		kept, err := tx.KeptVersions(c, at, manyVersions)
		if err != nil {
			return err
		}
		for _, k := range chosen(kept, id) {
			if err := putBack(tx, c, k.Item); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err == nil && n == 0 {
		err = Mistake("there is no such former version")
	}
	return n, err
}

// chosen is the version of an id, or of each item the oldest.
func chosen(newestFirst []dsstore.Kept, id int64) (out []dsstore.Kept) {
	place := map[string]int{}
	for _, k := range newestFirst {
		i, again := place[k.Item.GUID]
		switch {
		case id != 0 && k.ID != id:
		case again:
			out[i] = k
		default:
			place[k.Item.GUID] = len(out)
			out = append(out, k)
		}
	}
	return out
}

func putBack(tx dsstore.Tx, c dsstore.Collection, former dsstore.Item) error {
	now, err := tx.Item(c, former.GUID)
	if err != nil {
		return err
	}
	if !now.Deleted {
		if err := tx.Keep(c, now, nil, "replaced by a former version"); err != nil {
			return err
		}
	}
	former.Alike, former.Modified, former.By, former.Deleted = now.Alike, time.Now(), "", false
	_, err = tx.PutItem(c, former, nil)
	return err
}

func decideHold(approve bool) func(*call, string) (any, error) {
	return func(c *call, device string) (any, error) {
		collection, n, err := DecideHold(c.Context(), c.site.store, device, c.PathValue("store"), approve)
		if err == nil {
			c.site.notifier.Changed(collection, "")
		}
		return map[string]int{"items": n}, err
	}
}

func restore(c *call) (any, error) {
	var in struct {
		ID int64     `json:"id"`
		At time.Time `json:"at"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	n, err := Restore(c.Context(), c.site.store, c.who.Name, c.PathValue("store"), in.ID, in.At)
	if err == nil {
		c.site.notifier.Changed(dsstore.Collection{User: c.who.Name, Store: c.PathValue("store")}, "")
	}
	return map[string]int{"items": n}, err
}
