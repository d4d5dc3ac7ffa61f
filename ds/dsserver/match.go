package dsserver

import (
	"errors"
	"slices"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/pim/match"
)

// match finds a live item of the same identity that the device does not hold: by UID, else by content.
// deleted tells that the device has deleted it under another id, and that this is not carried out yet.
// Of several it is the one of this version, if any is.
func (r *reply) match(st *storeState, rec dsstore.Item, version string) (it dsstore.Item, deleted bool, err error) {
	same, err := r.tx.Same(st.c, rec.Type, rec.UID, rec.Hash)
	if err != nil || len(same) == 0 {
		return dsstore.Item{}, false, err
	}
	if it, err = r.orLeaving(st, rec, same, version); err != nil || it.GUID == "" {
		return dsstore.Item{}, false, err
	}
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if err != nil || m.LUID != "" {
		return it, false, ignoreNotFound(err)
	}
	list, err := r.tx.Deletions(r.x.deviceID, st.c)
	return it, slices.ContainsFunc(list, func(d dsstore.Deletion) bool { return d.GUID == it.GUID && d.Rev == it.Rev }), err
}

func ofVersion(items []dsstore.Item, version string) []dsstore.Item {
	return slices.DeleteFunc(slices.Clone(items), func(it dsstore.Item) bool { return ds.VersionOf(it.Hash) != version })
}

// firstFree is the first item that the device does not hold, the zero Item if there is none.
func (r *reply) firstFree(st *storeState, items []dsstore.Item) (dsstore.Item, error) {
	for _, it := range items {
		m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
		switch {
		case errors.Is(err, dsstore.ErrNotFound), err == nil && m.LUID == "":
			return it, nil
		case err != nil:
			return dsstore.Item{}, err
		}
	}
	return dsstore.Item{}, nil
}

// orLeaving is firstFree, or the only item there is if that was told to leave the device, and nobody knows whether it did. Its user may have moved it
// before, and edited it: what he adds then is no second one. What he has not edited is, or the device would know it (found by simulation).
func (r *reply) orLeaving(st *storeState, rec dsstore.Item, same []dsstore.Item, version string) (dsstore.Item, error) {
	it, err := r.firstFree(st, slices.Concat(ofVersion(same, version), same))
	if err != nil || it.GUID != "" || len(same) != 1 || rec.Hash == same[0].Hash {
		return it, err
	}
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, same[0].GUID)
	if m.Rev != leaving || err != nil {
		return it, err
	}
	if once, err := r.onceSeveral(st, same[0]); once || err != nil {
		return it, err
	}
	return same[0], r.unbind(st, same[0], m)
}

// unbind takes its id from an item that the device may still have under it, beside what it adds: it is told to delete that, as if it were another item
// (found by simulation).
func (r *reply) unbind(st *storeState, it dsstore.Item, m dsstore.Mapping) error {
	grave := it
	grave.GUID, grave.UID, grave.Alike, grave.Deleted, grave.Modified, grave.By = newGUID(r.now), "", "", true, r.now, r.x.deviceID
	_, err := r.tx.PutItem(st.c, grave, nil)
	return errors.Join(err,
		r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: it.GUID, Hash: m.Hash, Base: m.LUID}),
		r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: grave.GUID, LUID: m.LUID, Hash: m.Hash}))
}

// leaving is the revision in a mapping to an item that was told to leave the device, until that says whether it did.
const leaving = -2

// onceSeveral tells whether there was another item of this name, which was deleted: what is made from that is no edit of this one (found by simulation).
func (r *reply) onceSeveral(st *storeState, it dsstore.Item) (bool, error) {
	graves, err := r.graves(st.c)
	for _, grave := range graves {
		if grave.Type == it.Type && it.UID != "" && grave.UID == it.UID && grave.GUID != it.GUID {
			return true, err
		}
	}
	return false, err
}

// resemble finds the item that one without the UID of ours may be a copy of: many devices drop it, and what else they cannot keep. It is
// the one that the device had under the same id before a slow sync, if they are alike; or one that is alike and contradicts it in nothing.
func (r *reply) resemble(st *storeState, luid string, rec dsstore.Item, body []byte) (dsstore.Item, reconcile.Likeness, error) {
	if rec.Alike == "" {
		return dsstore.Item{}, 0, nil
	}
	it, like, err := r.resembleFormer(st, luid, rec, body)
	if err != nil || it.GUID != "" {
		return it, like, err
	}
	list, err := r.tx.Alike(st.c, rec.Type, rec.Alike)
	if err != nil {
		return dsstore.Item{}, 0, err
	}
	var akin []dsstore.Item
	for _, it := range list {
		ours, err := r.tx.Body(it.Hash)
		if err != nil {
			return dsstore.Item{}, 0, err
		}
		if (rec.UID == "" || it.UID == "") && match.Akin(rec.Type, ours, body) {
			akin = append(akin, it)
		}
	}
	it, err = r.firstFree(st, akin)
	return it, reconcile.Akin, err
}

// resembleFormer looks at what the device held under this id before a slow sync.
func (r *reply) resembleFormer(st *storeState, luid string, rec dsstore.Item, body []byte) (dsstore.Item, reconcile.Likeness, error) {
	former, err := r.tx.Former(r.x.deviceID, st.c, luid)
	if err != nil {
		return dsstore.Item{}, 0, ignoreNotFound(err)
	}
	it, err := r.tx.Item(st.c, former.GUID)
	if err != nil || it.Deleted || it.Type != rec.Type || it.Alike != rec.Alike {
		return dsstore.Item{}, 0, ignoreNotFound(err)
	}
	ours, err := r.tx.Body(it.Hash)
	switch {
	case err != nil:
		return dsstore.Item{}, 0, err
	case match.Akin(it.Type, ours, body):
		return it, reconcile.Akin, nil
	case former.Hash == it.Hash:
		return it, reconcile.Newer, nil
	}
	return it, reconcile.Contrary, nil
}

// since tells who changed an item since the device had it under this id before a slow sync, and what it was then: the edits are put together, and
// none is lost as in a first meeting.
func (r *reply) since(st *storeState, luid string, in *reconcile.Incoming, it, rec dsstore.Item, body []byte) (base [32]byte, like reconcile.Likeness, err error) {
	former, err := r.tx.Former(r.x.deviceID, st.c, luid)
	if errors.Is(err, dsstore.ErrNotFound) {
		former, err = r.deletedBefore(st, it)
	}
	unheard := errors.Is(err, dsstore.ErrNotFound)
	switch {
	case unheard, err == nil && former.GUID == it.GUID && former.Hash == base:
		like, err := r.sinceBase(in, it, unheard && st.settled, body)
		return base, like, err
	case err != nil, former.GUID != it.GUID, former.Hash == rec.Hash:
		return base, reconcile.Akin, err
	case former.Hash == it.Hash:
		return base, reconcile.Newer, nil
	}
	return former.Hash, reconcile.Contrary, nil
}

// deletedBefore is what the device had of an item that it has deleted under another id although it was changed here: its file was edited and renamed.
func (r *reply) deletedBefore(st *storeState, it dsstore.Item) (dsstore.Mapping, error) {
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if err == nil && (m.LUID != "" || m.Hash == ([32]byte{})) {
		err = dsstore.ErrNotFound
	}
	return m, err
}

// sinceBase is since if we do not know what the device had, perhaps because its Map never came: its own word counts (found by simulation). made: it
// was made there since, perhaps from ours, edited and moved at once; if nothing of ours is missing, it was.
func (r *reply) sinceBase(in *reconcile.Incoming, it dsstore.Item, made bool, body []byte) (reconcile.Likeness, error) {
	switch {
	case in.Base != "" && in.Base == ds.VersionOf(it.Hash):
		return reconcile.Newer, nil
	case in.Base != "" && in.Base == in.Version:
		return reconcile.Akin, nil // it is as it was, and ours was changed
	case in.Base != "":
		return reconcile.Contrary, nil
	case made:
		added, err := r.adds(it, body)
		if added {
			return reconcile.Newer, err
		}
		return reconcile.Contrary, err
	}
	return reconcile.Akin, nil
}
