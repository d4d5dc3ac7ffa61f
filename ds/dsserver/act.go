package dsserver

import (
	"errors"
	"slices"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/pim"
)

// do carries a decision out. cur is our item, rec the device's.
func (r *reply) do(a reconcile.Action, st *storeState, luid string, m dsstore.Mapping, cur, rec dsstore.Item, body []byte) error {
	switch a {
	case reconcile.Create:
		rec.GUID = newGUID(r.now)
		return r.store(st, luid, rec, body)
	case reconcile.Adopt:
		return r.adopt(st, luid, cur, rec)
	case reconcile.Update:
		if cur.Deleted {
			return r.revive(st, luid, cur, rec, body)
		}
		return r.update(st, luid, cur, rec, body)
	case reconcile.TakeMine:
		return r.takeMine(st, luid, m, cur, rec, body)
	case reconcile.SetFlags:
		if cur.Flags == rec.Flags && cur.Folder == rec.Folder {
			return r.sameFlags(st, luid, m, cur)
		}
		cur.Flags, cur.Folder, cur.Modified, cur.By = rec.Flags, rec.Folder, r.now, r.x.deviceID
		return r.reflag(st, luid, m, cur)
	case reconcile.Remove:
		if cur.Deleted || r.approved {
			return r.remove(st, cur)
		}
		return r.postpone(st, luid, cur)
	case reconcile.SendAgain: // what it had stays known: it may add that once more under another id, edited (found by simulation)
		return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: cur.GUID, Hash: m.Hash, Base: luid})
	}
	return nil // Nothing, Unknown
}

// revive takes an edit of an item that was deleted here. Somebody else may have brought back the same already, as with a former version (found by
// simulation).
func (r *reply) revive(st *storeState, luid string, cur, rec dsstore.Item, body []byte) error {
	same, deleted, err := r.match(st, rec, ds.VersionOf(rec.Hash))
	if err != nil {
		return err
	}
	if same.GUID == "" || deleted || same.Hash != rec.Hash {
		return r.update(st, luid, cur, rec, body)
	}
	if err := r.tx.DeleteMapping(r.x.deviceID, st.c, cur.GUID); err != nil {
		return err
	}
	return r.adopt(st, luid, same, rec)
}

// sameFlags is for marks that are ours already: with a new revision, a deletion of the item that is held would never happen (found by simulation).
func (r *reply) sameFlags(st *storeState, luid string, m dsstore.Mapping, cur dsstore.Item) error {
	other, err := r.otherPart(st, m, cur)
	switch {
	case err != nil:
		return err
	case other:
		m.Rev = 0
		return r.behind(st, cur, m)
	case m.Hash != cur.Hash:
		return r.behind(st, cur, m)
	}
	return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: cur.Rev, Hash: cur.Hash, Variant: m.Variant})
}

// reflag stores new marks of an item. A device that has other bytes than we, or than it shall have, gets ours: only the marks are agreed on.
func (r *reply) reflag(st *storeState, luid string, m dsstore.Mapping, cur dsstore.Item) error {
	other, err := r.otherPart(st, m, cur)
	if err != nil {
		return err
	}
	if m.Hash == cur.Hash && !other {
		return r.storeVariant(st, luid, m.Variant, cur, nil)
	}
	_, err = r.tx.PutItem(st.c, cur, nil)
	r.changed[st.c] = true
	return err
}

// otherPart tells whether a device has another part of a message than it shall have: it could not take that yet (found by simulation).
func (r *reply) otherPart(st *storeState, m dsstore.Mapping, cur dsstore.Item) (bool, error) {
	if m.Variant == "" {
		return false, nil
	}
	wanted, err := r.policy(st, cur)
	return wanted.String() != m.Variant, err
}

// keepBoth leaves the device's item mapped to ours, which goes out as a Replace; its own version is a new item and follows as an Add.
func (r *reply) keepBoth(st *storeState, luid string, cur, rec dsstore.Item, base string, body []byte) error {
	same, err := r.tx.Same(st.c, rec.Type, rec.UID, rec.Hash)
	if err != nil {
		return err
	}
	for _, it := range same {
		if it.GUID != cur.GUID && it.Hash == rec.Hash && it.By == rec.By { // the answer was lost, and here it is again
			return r.behind(st, cur, holdsCopy(cur, luid, rec, base))
		}
	}
	rec.GUID, rec.Name = newGUID(r.now), r.label(cur, rec)
	r.changed[st.c] = true
	if _, err := r.tx.PutItem(st.c, rec, body); err != nil {
		return err
	}
	return r.behind(st, cur, holdsCopy(cur, luid, rec, base))
}

// behind notes that a device holds another version of our item than ours. It may have been passed over because the device's filter leaves it out, so
// it is looked at again (found by simulation).
func (r *reply) behind(st *storeState, cur dsstore.Item, held dsstore.Mapping) error {
	if err := r.lookAgain(st, cur); err != nil {
		return err
	}
	return r.tx.PutMapping(r.x.deviceID, st.c, held)
}

// lookAgain makes an item be looked at again, in this exchange or, if that is cut off, in the next one.
func (r *reply) lookAgain(st *storeState, it dsstore.Item) error {
	st.cursor = min(st.cursor, it.Rev-1)
	if st.link.Done < it.Rev {
		return nil
	}
	st.link.Done = it.Rev - 1
	return r.tx.PutLink(r.x.deviceID, st.c, st.link)
}

// another is the revision in a mapping to an item of which the device has a version that was never ours. Its hash is that of the copy.
const another = -1

// holdsCopy is the mapping to our item of a device that has a version which lives on beside that, and that it made from base, as it says.
func holdsCopy(cur dsstore.Item, luid string, copied dsstore.Item, base string) dsstore.Mapping {
	return dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: another, Hash: copied.Hash, Base: base}
}

// copyOf is the conflict copy that a change is about which the device made before it took ours instead; the zero Item if it is about none.
func (r *reply) copyOf(st *storeState, luid string, in reconcile.Incoming, cur dsstore.Item, m dsstore.Mapping) (dsstore.Item, error) {
	if m.LUID != luid { // it may have edited it again before a slow sync (found by simulation)
		former, err := r.tx.Former(r.x.deviceID, st.c, luid)
		if err != nil || former.GUID != cur.GUID {
			return dsstore.Item{}, ignoreNotFound(err)
		}
		m = former
	}
	ours := ds.VersionOf(cur.Hash)
	// A device that has not heard of the conflict names what it made the copy from, or the copy; one that has got ours names that.
	about := in.Base != "" && (in.Base == m.Base || in.Base == ds.VersionOf(m.Hash))
	if m.Rev != another || m.Hash == ([32]byte{}) || in.Op == reconcile.Reflag || in.Base == ds.VersionUnknown || in.Base == ours || in.Version == ours || !about {
		return dsstore.Item{}, nil
	}
	same, err := r.tx.Same(st.c, cur.Type, "", m.Hash)
	i := slices.IndexFunc(same, func(it dsstore.Item) bool { return it.GUID != cur.GUID && it.By == r.x.deviceID })
	if err != nil || i < 0 {
		return dsstore.Item{}, err
	}
	return same[i], nil
}

// changeCopy carries a change out on the conflict copy that it is about, or the copy would live on although its user has written over it or deleted
// it (found by simulation). Ours still goes out.
func (r *reply) changeCopy(st *storeState, luid string, cur, copied, rec dsstore.Item, base string, body []byte) (ds.Status, error) {
	if body == nil {
		if err := r.postpone(st, luid, copied); err != nil { // for the brake, as any other item (found by simulation)
			return 0, err
		}
		if _, err := r.tx.ByGUID(r.x.deviceID, st.c, cur.GUID); err != nil {
			return ds.StatusOK, ignoreNotFound(err) // the mapping is one of before a slow sync; deletedAsCopy needs it
		}
		return ds.StatusOK, r.tx.DeleteMapping(r.x.deviceID, st.c, cur.GUID)
	}
	if rec.Hash == copied.Hash { // the answer was lost, and here it is again
		return ds.StatusDuplicated, r.behind(st, cur, holdsCopy(cur, luid, copied, base))
	}
	if err := r.tx.Keep(st.c, copied, nil, "overwritten by a device"); err != nil {
		return 0, err
	}
	rec.GUID, rec.Name, rec.Folder = copied.GUID, copied.Name, copied.Folder
	r.changed[st.c] = true
	if _, err := r.tx.PutItem(st.c, rec, body); err != nil {
		return 0, err
	}
	return ds.StatusDuplicated, r.behind(st, cur, holdsCopy(cur, luid, rec, base))
}

// deletedAsCopy tells whether a device has deleted an item as another one, of which it is the copy of a conflict. What it adds then is no file that got
// another name, but the copy, which came when its user had deleted his edit already (found by simulation).
func (r *reply) deletedAsCopy(st *storeState, it dsstore.Item) (bool, error) {
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if err != nil || m.Base == "" {
		return false, ignoreNotFound(err)
	}
	former, err := r.tx.Former(r.x.deviceID, st.c, m.Base)
	return err == nil && former.GUID != it.GUID, ignoreNotFound(err)
}

// store writes an item and notes that the device holds this version.
func (r *reply) store(st *storeState, luid string, it dsstore.Item, body []byte) error {
	return r.storeVariant(st, luid, "", it, body)
}

// storeVariant is store for a device that holds a part of the item.
func (r *reply) storeVariant(st *storeState, luid, variant string, it dsstore.Item, body []byte) error {
	rev, err := r.tx.PutItem(st.c, it, body)
	if err != nil {
		return err
	}
	r.changed[st.c] = true
	return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: it.GUID, LUID: luid, Rev: rev, Hash: it.Hash, Variant: variant})
}

// adopt binds the device's item to ours of the same content. Flags and folder of a device that sends them anew win.
func (r *reply) adopt(st *storeState, luid string, cur, rec dsstore.Item) error {
	if cur.Flags == rec.Flags && cur.Folder == rec.Folder {
		st.again = st.again || cur.By != r.x.deviceID && !st.scope.Filter.Everything() // it may be out of its filter by somebody else's doing (found by simulation)
		return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: cur.Rev, Hash: cur.Hash})
	}
	former := cur.Rev
	m, err := r.tx.ByLUID(r.x.deviceID, st.c, luid)
	if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
		return err
	}
	cur.Folder, cur.Modified, cur.By = rec.Folder, r.now, r.x.deviceID
	if m.GUID == cur.GUID || st.replaces() { // it has told of them before, and tells again
		cur.Flags = rec.Flags
		return r.store(st, luid, cur, nil)
	}
	if cur.Flags = mergeFlags(cur, rec); cur.Flags == rec.Flags {
		return r.store(st, luid, cur, nil)
	}
	if _, err := r.tx.PutItem(st.c, cur, nil); err != nil {
		return err
	}
	r.changed[st.c] = true
	return r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: former, Hash: cur.Hash}) // the united marks go out
}

// mergeFlags unites: a message read on one device is read.
func mergeFlags(a, b dsstore.Item) pim.Flags { return pim.NewFlags(string(a.Flags) + string(b.Flags)) }

// update overwrites our item; its former version is kept.
func (r *reply) update(st *storeState, luid string, cur, rec dsstore.Item, body []byte) error {
	if err := r.tx.Keep(st.c, cur, nil, "overwritten by a device"); err != nil {
		return err
	}
	rec.GUID = cur.GUID
	if rec.Name == "" {
		rec.Name = cur.Name
	}
	return r.store(st, luid, rec, body)
}

// takeMine binds the device's item to ours and sends ours; what the device had goes to the history.
func (r *reply) takeMine(st *storeState, luid string, m dsstore.Mapping, cur, rec dsstore.Item, body []byte) error {
	now, reason := dsstore.Mapping{GUID: cur.GUID, LUID: luid}, "the server's version was newer in a first or slow sync"
	if m.LUID == luid || !st.first { // it may come again, and has lost then, too (found by simulation)
		now.Rev, now.Hash, reason = another, rec.Hash, "the server's version wins conflicts"
	}
	rec.GUID = cur.GUID
	if err := r.tx.Keep(st.c, rec, body, reason); err != nil {
		return err
	}
	return r.behind(st, cur, now)
}

func (r *reply) remove(st *storeState, cur dsstore.Item) error {
	if !cur.Deleted {
		if err := r.tombstone(st, cur, "deleted by a device"); err != nil {
			return err
		}
	}
	return r.tx.DeleteMapping(r.x.deviceID, st.c, cur.GUID)
}
