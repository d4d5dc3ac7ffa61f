package dsserver

import (
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// postpone notes a deletion of the device. It is carried out when all its changes have come, so that they are weighed together. Until then
// the device is believed not to want the item.
func (r *reply) postpone(st *storeState, cur dsstore.Item) error {
	err := r.tx.PutDeletion(r.x.deviceID, st.c, dsstore.Deletion{GUID: cur.GUID, Rev: cur.Rev, At: r.now})
	if err != nil {
		return err
	}
	return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: cur.GUID, Rev: cur.Rev, Hash: cur.Hash})
}

// settleDeletions carries out what the device has deleted, unless it is too much: then it is held until somebody has looked at it.
func (r *reply) settleDeletions() error {
	for _, st := range r.x.stores {
		all, err := r.tx.Deletions(r.x.deviceID, st.c)
		if err != nil {
			return err
		}
		var due []dsstore.Deletion
		for _, d := range all {
			if !d.Held {
				due = append(due, d)
			}
		}
		if err := r.weigh(st, due); err != nil {
			return err
		}
	}
	return nil
}

func (r *reply) weigh(st *storeState, due []dsstore.Deletion) error {
	hold := false
	if b := r.s.o.Brake; len(due) > b.Count {
		live, err := r.tx.List(st.c)
		if err != nil {
			return err
		}
		hold = b.Holds(len(due), len(live))
	}
	if hold {
		r.s.o.Log.Warn("deletions of a device are held; alwayson-server hold", "device", r.x.deviceID, "store", st.URI, "deletions", len(due))
	}
	for _, d := range due {
		if d.Held = hold; hold {
			if err := r.tx.PutDeletion(r.x.deviceID, st.c, d); err != nil {
				return err
			}
			continue
		}
		changed, err := CarryOut(r.tx, r.x.deviceID, st.c, d, r.now)
		if err != nil {
			return err
		}
		if changed {
			r.changed[st.c] = true
		}
	}
	return nil
}

// CarryOut deletes an item that a device has deleted, and keeps its last version. One that was changed since lives on, and comes to the device again.
// It tells whether the collection was changed.
func CarryOut(tx dsstore.Tx, device string, c dsstore.Collection, d dsstore.Deletion, now time.Time) (changed bool, err error) {
	if err := tx.DropDeletion(device, c, d.GUID); err != nil {
		return false, err
	}
	if err := tx.DeleteMapping(device, c, d.GUID); err != nil {
		return false, err
	}
	it, err := tx.Item(c, d.GUID)
	switch {
	case errors.Is(err, dsstore.ErrNotFound), err == nil && (it.Deleted || it.Rev != d.Rev):
		return false, nil
	case err != nil:
		return false, err
	}
	if err := tx.Keep(c, it, nil, "deleted by "+device); err != nil {
		return false, err
	}
	it.Deleted, it.Modified, it.By = true, now, device
	_, err = tx.PutItem(c, it, nil)
	return true, err
}
