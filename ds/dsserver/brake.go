package dsserver

import (
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/scope"
)

// postpone notes that the device has deleted an item under an id. It is carried out when all its changes have come, so that they are weighed together.
// Until then the device is believed not to want the item, unless it has it under another id, too.
func (r *reply) postpone(st *storeState, luid string, it dsstore.Item) error {
	if r.approved {
		return r.tombstone(st, it, "deleted by a device")
	}
	err := r.tx.PutDeletion(r.x.deviceID, st.c, dsstore.Deletion{GUID: it.GUID, Rev: it.Rev, At: r.now})
	if err != nil {
		return err
	}
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if err == nil && m.LUID != "" && m.LUID != luid || ignoreNotFound(err) != nil {
		return err
	}
	return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: it.GUID, Rev: it.Rev, Hash: it.Hash, Base: luid})
}

// settleDeletions carries out what the device has deleted, unless it is too much: then it is held until somebody has looked at it.
func (r *reply) settleDeletions() error {
	for _, st := range r.x.stores {
		if err := r.leftOut(st); err != nil {
			return err
		}
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

// leftOut notes as deleted what the device could have and has not sent in a refresh from it. Nothing is deleted before all has come: a refresh that is
// cut off is none. Nor is its user's word an approval: he gave it before anybody knew how many they are.
func (r *reply) leftOut(st *storeState) error {
	if !st.replaces() || !st.told {
		return nil
	}
	r.approved = false
	for after := int64(0); ; {
		list, err := r.tx.Pending(r.x.deviceID, st.c, after, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			if err := r.leaveOut(st, &list[i]); err != nil {
				return err
			}
		}
		after = list[len(list)-1].Item.Rev
	}
}

func (r *reply) leaveOut(st *storeState, p *dsstore.Pending) error {
	look, err := st.scope.Look(r.tx, st.c, p, true)
	if err != nil || st.scope.Judge(p, look, r.now) != scope.Add {
		return err
	}
	return r.postpone(st, "", p.Item)
}

func (r *reply) weigh(st *storeState, due []dsstore.Deletion) error {
	hold := st.replaces() && st.denied // what was not taken may be among them
	if b := r.s.o.Brake; len(due) > b.Count {
		live, err := r.tx.List(st.c)
		if err != nil {
			return err
		}
		hold = hold || b.Holds(len(due), len(live))
	}
	if hold && len(due) > 0 {
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

// DecideHeld lets the held deletions of a device happen, or gives it the items back, and tells how many they are.
func DecideHeld(tx dsstore.Tx, device string, c dsstore.Collection, approve bool, now time.Time) (n int, err error) {
	list, err := tx.Deletions(device, c)
	for _, d := range list {
		switch {
		case err != nil || !d.Held:
			continue
		case approve:
			_, err = CarryOut(tx, device, c, d, now)
		default:
			err = giveBack(tx, device, c, d)
		}
		n++
	}
	return n, err
}

// giveBack sends an item again to a device that has deleted it. It gets a new revision, because the device has been told of all up to the one it has
// (found by simulation).
func giveBack(tx dsstore.Tx, device string, c dsstore.Collection, d dsstore.Deletion) error {
	if err := tx.DropDeletion(device, c, d.GUID); err != nil {
		return err
	}
	m, err := tx.ByGUID(device, c, d.GUID)
	if err != nil || m.LUID != "" { // it was changed since, and has come again already
		return ignoreNotFound(err)
	}
	it, err := tx.Item(c, d.GUID)
	if err == nil && !it.Deleted {
		_, err = tx.PutItem(c, it, nil)
	}
	return ignoreNotFound(err)
}

// CarryOut deletes an item that a device has deleted, and keeps its last version. One that was changed since lives on, and comes to the device again,
// or has done so already. It tells whether the collection was changed.
func CarryOut(tx dsstore.Tx, device string, c dsstore.Collection, d dsstore.Deletion, now time.Time) (changed bool, err error) {
	if err := tx.DropDeletion(device, c, d.GUID); err != nil {
		return false, err
	}
	it, err := tx.Item(c, d.GUID)
	switch {
	case err == nil && !it.Deleted && it.Rev != d.Rev:
		return false, nil
	case err != nil && !errors.Is(err, dsstore.ErrNotFound):
		return false, err
	}
	if e := forget(tx, device, c, d.GUID); e != nil || err != nil || it.Deleted {
		return false, e
	}
	if err := tx.Keep(c, it, nil, "deleted by "+device); err != nil {
		return false, err
	}
	it.Deleted, it.Modified, it.By = true, now, device
	_, err = tx.PutItem(c, it, nil)
	return true, err
}

// forget drops the mapping of an item that a device has deleted. If it has the item all the same, under another id or again, it is told of the deletion.
func forget(tx dsstore.Tx, device string, c dsstore.Collection, guid string) error {
	m, err := tx.ByGUID(device, c, guid)
	if err != nil || m.LUID != "" {
		return ignoreNotFound(err)
	}
	return tx.DeleteMapping(device, c, guid)
}
