package dsserver

import (
	"errors"
	"path"
	"strings"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/email"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// The e-mail and folder objects of OMA DS, and the hierarchy that SourceParent, TargetParent and Move make of them (protocol.md C.13).
// Our own devices say folder and flags in an extension instead.

// takeEmail takes an e-mail object. One without a body says nothing but flags; one with a part of a message that we have must not
// replace it.
func (r *reply) takeEmail(st *storeState, op syncml.Op, luid string, meta syncml.Meta, object []byte, it *syncml.Item) (ds.Status, error) {
	e, err := email.Decode(object)
	if err != nil {
		return ds.StatusBadRequest, nil //nolint:nilerr // the item is at fault, not the message
	}
	cur, err := r.mapped(st, luid)
	if err != nil {
		return 0, err
	}
	folder, err := r.folderOf(st, it, cur.Folder)
	if err != nil {
		return 0, err
	}
	if e.Body == nil || e.Partial && cur.GUID != "" {
		return r.decide(st, luid, reconcile.Incoming{Op: reconcile.Reflag}, dsstore.Item{Flags: e.Apply(cur.Flags), Folder: folder}, nil)
	}
	item := e.Item(folder)
	item.Flags = e.Apply(cur.Flags)
	return r.takeWhole(st, op, luid, meta, item)
}

// mapped is the item that the device calls luid, the zero Item if there is none.
func (r *reply) mapped(st *storeState, luid string) (dsstore.Item, error) {
	m, err := r.tx.ByLUID(r.x.deviceID, st.c, luid)
	if err != nil {
		return dsstore.Item{}, ignoreNotFound(err)
	}
	it, err := r.tx.Item(st.c, m.GUID)
	return it, ignoreNotFound(err)
}

// folderOf is the path of the folder that an item says it lies in, else the one it lay in. An unknown one is the root.
func (r *reply) folderOf(st *storeState, it *syncml.Item, former string) (string, error) {
	var parent dsstore.Item
	var err error
	switch {
	case it.TargetParent != "" && it.TargetParent != "/":
		parent, err = r.tx.Item(st.c, it.TargetParent)
		err = ignoreNotFound(err)
	case it.SourceParent != "" && it.SourceParent != "/":
		parent, err = r.mapped(st, it.SourceParent)
	case it.SourceParent == "" && it.TargetParent == "":
		return former, nil
	}
	if parent.Type != pim.TypeFolder {
		return "", err
	}
	return parent.Folder, err
}

// takeFolder takes a folder object: a new folder, or one that is renamed with all that lies in it.
func (r *reply) takeFolder(st *storeState, op syncml.Op, luid string, meta syncml.Meta, object []byte, it *syncml.Item) (ds.Status, error) {
	f, err := email.DecodeFolder(object)
	if err != nil {
		return ds.StatusBadRequest, nil //nolint:nilerr // the item is at fault, not the message
	}
	cur, err := r.mapped(st, luid)
	if err != nil {
		return 0, err
	}
	parent, err := r.folderOf(st, it, parentOf(cur.Folder))
	if err != nil {
		return 0, err
	}
	to := path.Join(parent, f.Name)
	if cur.GUID == "" || cur.Deleted {
		return r.takeWhole(st, op, luid, meta, pim.Item{Type: pim.TypeFolder, Folder: to})
	}
	return ds.StatusOK, r.rename(st, cur.Folder, to)
}

func parentOf(folder string) string {
	if i := strings.LastIndexByte(folder, '/'); i >= 0 {
		return folder[:i]
	}
	return ""
}

// rename moves a folder with all that lies in it. The device has done so itself.
func (r *reply) rename(st *storeState, from, to string) error {
	if from == to {
		return nil
	}
	items, err := r.tx.List(st.c)
	for _, it := range items {
		rest, inside := strings.CutPrefix(it.Folder, from+"/")
		switch {
		case err != nil:
			return err
		case inside:
			err = r.place(st, it, to+"/"+rest)
		case it.Folder == from:
			err = r.place(st, it, to)
		}
	}
	return err
}

// place puts an item into another folder, and notes that the device has it there.
func (r *reply) place(st *storeState, it dsstore.Item, folder string) error {
	it.Folder, it.Modified, it.By = folder, r.now, r.x.deviceID
	if it.Type == pim.TypeFolder {
		it.UID = identity(pim.Item{Type: it.Type, Folder: folder}).UID
	}
	rev, err := r.tx.PutItem(st.c, it, nil)
	if err != nil {
		return err
	}
	r.changed[st.c] = true
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if err != nil || m.LUID == "" {
		return ignoreNotFound(err)
	}
	m.Rev = rev
	return r.tx.PutMapping(r.x.deviceID, st.c, m)
}

// move carries out Move: the item lies in another folder now, a folder with all that is in it.
func (r *reply) move(st *storeState, luid string, it *syncml.Item) (ds.Status, error) {
	cur, err := r.mapped(st, luid)
	if err != nil {
		return 0, err
	}
	if cur.GUID == "" || cur.Deleted {
		return ds.StatusNotFound, nil
	}
	to, err := r.folderOf(st, it, "")
	switch {
	case err != nil:
		return 0, err
	case cur.Type != pim.TypeFolder:
		return ds.StatusOK, r.place(st, cur, to)
	case to == cur.Folder || strings.HasPrefix(to, cur.Folder+"/"):
		return ds.StatusMoveFailed, nil // into itself
	}
	return ds.StatusOK, r.rename(st, cur.Folder, path.Join(to, path.Base(cur.Folder)))
}

// empty deletes what lies in a folder that a device of others has deleted: it names the folder only.
func (r *reply) empty(st *storeState, luid string) error {
	if r.x.aware || st.Kind != pim.Mail {
		return nil
	}
	cur, err := r.mapped(st, luid)
	if err != nil || cur.Type != pim.TypeFolder {
		return err
	}
	items, err := r.tx.List(st.c)
	for _, it := range items {
		if err == nil && it.GUID != cur.GUID && (it.Folder == cur.Folder || strings.HasPrefix(it.Folder, cur.Folder+"/")) {
			err = r.discard(st, it)
		}
	}
	return err
}

// discard is a deletion of what lay in a folder: there may be a lot of it, so it is weighed as if the device had named each item.
func (r *reply) discard(st *storeState, it dsstore.Item) error {
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if ignoreNotFound(err) != nil {
		return err
	}
	return r.postpone(st, m.LUID, it)
}

// setParent tells a device of others in which folder an item lies: by its own id of the folder, or by ours if it does not know that yet.
func (r *reply) setParent(st *storeState, item pim.Item, it *syncml.Item) error {
	folder := item.Folder
	if item.Type == pim.TypeFolder {
		folder = parentOf(folder)
	}
	if folder == "" {
		return nil
	}
	list, err := r.tx.Same(st.c, pim.TypeFolder, identity(pim.Item{Type: pim.TypeFolder, Folder: folder}).UID, [32]byte{})
	if err != nil || len(list) == 0 {
		return err
	}
	m, err := r.tx.ByGUID(r.x.deviceID, st.c, list[0].GUID)
	if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
		return err
	}
	if it.TargetParent = m.LUID; m.LUID == "" {
		it.SourceParent = list[0].GUID
	}
	return nil
}
