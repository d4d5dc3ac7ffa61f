package dsserver

import (
	"crypto/sha256"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// takePartial takes a message of which the device has a part. It says nothing of the message but flags and folder: it must never replace the
// whole. Not taken means that it is a whole message, or that the server has no such message and never had, so that the part is all there is.
func (r *reply) takePartial(st *storeState, op syncml.Op, luid string, meta syncml.Meta, it pim.Item) (ds.Status, bool, error) {
	m, ok := mail.Partial(it.Body)
	if !ok {
		return 0, false, nil
	}
	rec := record(it)
	whole, err := r.heldElsewhere(st, luid, rec, m)
	if err != nil {
		return 0, false, err
	}
	if whole != nil {
		code, err := r.takeTwin(st, luid, it, whole, m)
		return code, true, err
	}
	cur, held, err := r.current(st, luid, &reconcile.Incoming{Version: m.ID}, rec, it.Body)
	if err != nil {
		return 0, false, err
	}
	if cur.GUID == "" || cur.Deleted || cur.Type != it.Type {
		return r.takeGone(st, op, luid, meta, it, m)
	}
	if err := r.keepEdit(st, cur.GUID, it, m); err != nil {
		return 0, true, err
	}
	rev := cur.Rev
	if cur.Flags != it.Flags || cur.Folder != it.Folder {
		if held.LUID == luid || st.replaces() {
			cur.Flags = it.Flags
		} else {
			cur.Flags = mergeFlags(cur, rec)
		}
		cur.Folder, cur.Modified, cur.By = it.Folder, r.now, r.x.deviceID
		if rev, err = r.tx.PutItem(st.c, cur, nil); err != nil {
			return 0, true, err
		}
		r.changed[st.c] = true
	}
	cur.Rev = rev
	return ds.StatusOK, true, r.holdsPart(st, luid, cur, m, it.Flags)
}

// holdsPart notes that a device has a part of a message, with marks. If that is not the part that it shall have, of what lives on, that goes out: its
// filter may have changed meanwhile, its user has put a former version back or edited it, or its marks were put together with others (found by
// simulation).
func (r *reply) holdsPart(st *storeState, luid string, cur dsstore.Item, m mail.Marker, marks pim.Flags) error {
	now := dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: cur.Rev, Hash: cur.Hash, Variant: m.Policy.String()}
	wanted, err := r.policy(st, cur)
	switch current := m.Unchanged && m.ID == ds.VersionOf(cur.Hash); {
	case err != nil:
		return err
	case current && marks == cur.Flags && wanted.String() == now.Variant:
		return r.tx.PutMapping(r.x.deviceID, st.c, now)
	case !current:
		now.Hash = [32]byte{}
	}
	now.Rev = 0
	return r.behind(st, cur, now)
}

// policy is how much of a message the device shall have.
func (r *reply) policy(st *storeState, it dsstore.Item) (mail.Policy, error) {
	look, err := st.scope.Look(r.tx, st.c, &dsstore.Pending{Item: it}, false)
	return st.scope.Policy(look, r.now), err
}

// heldElsewhere is the message that a new part is of if the device has that under another id only, nil if not. It has made a copy of the part, or has moved it
// and has not told yet that the former one is gone. Another message of the same name is none that the part was made of (found by simulation).
func (r *reply) heldElsewhere(st *storeState, luid string, rec dsstore.Item, m mail.Marker) ([]byte, error) {
	_, err := r.tx.ByLUID(r.x.deviceID, st.c, luid)
	if err == nil || ignoreNotFound(err) != nil {
		return nil, err
	}
	same, err := r.tx.Same(st.c, rec.Type, rec.UID, rec.Hash)
	same = ofVersion(same, m.ID)
	if err != nil || len(same) == 0 {
		return nil, err
	}
	if free, err := r.firstFree(st, same); err != nil || free.GUID != "" {
		return nil, err
	}
	body, err := r.tx.Body(same[0].Hash)
	if err != nil || !m.Of(body) {
		return nil, err
	}
	return body, nil
}

// takeTwin takes a part of a message that the device has under another id, too, as if it were the whole one.
func (r *reply) takeTwin(st *storeState, luid string, it pim.Item, whole []byte, m mail.Marker) (ds.Status, error) {
	part := it.Body
	it.Body = whole
	rec := record(it)
	rec.GUID, rec.Modified, rec.By = newGUID(r.now), r.now, r.x.deviceID
	rev, err := r.tx.PutItem(st.c, rec, whole)
	if err != nil {
		return 0, err
	}
	rec.Rev, r.changed[st.c] = rev, true
	it.Body = part
	if err := r.keepEdit(st, rec.GUID, it, m); err != nil {
		return 0, err
	}
	return ds.StatusAdded, r.holdsPart(st, luid, rec, m, rec.Flags)
}

// keepEdit keeps the edit of a part beside what lives on.
func (r *reply) keepEdit(st *storeState, guid string, it pim.Item, m mail.Marker) error {
	if m.Unchanged {
		return nil
	}
	rec := record(it)
	rec.GUID = guid
	return r.tx.Keep(st.c, rec, it.Body, editOfPart)
}

const editOfPart = "an edit of a part of the message"

// takeGone takes a part of a message that was deleted here as if it were the whole one, which is in the history: else the part would be all that comes
// back (found by simulation).
func (r *reply) takeGone(st *storeState, op syncml.Op, luid string, meta syncml.Meta, it pim.Item, m mail.Marker) (ds.Status, bool, error) {
	whole, err := r.formerWhole(st, m)
	if err != nil || whole == nil {
		return 0, false, err
	}
	if err := r.keepEdit(st, "", it, m); err != nil {
		return 0, true, err
	}
	it.Body = whole
	code, err := r.takeWhole(st, op, luid, meta, it)
	if err != nil {
		return code, true, err
	}
	cur, err := r.mapped(st, luid)
	if err != nil || cur.Deleted || cur.Hash != sha256.Sum256(whole) {
		return code, true, ignoreNotFound(err)
	}
	return code, true, r.holdsPart(st, luid, cur, m, it.Flags)
}

// formerWhole is the message that a part was made of, nil if the history does not have it.
func (r *reply) formerWhole(st *storeState, m mail.Marker) ([]byte, error) {
	kept, err := r.tx.KeptVersions(st.c, time.Time{}, recent)
	if err != nil {
		return nil, err
	}
	for _, k := range kept {
		if ds.VersionOf(k.Item.Hash) != m.ID {
			continue
		}
		body, err := r.tx.Body(k.Item.Hash)
		if err == nil && m.Of(body) {
			return body, nil
		}
		if ignoreNotFound(err) != nil {
			return nil, err
		}
	}
	return nil, nil
}
