package dsserver

import (
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/email"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// sync takes the changes of one datastore.
func (r *reply) sync(c *syncml.Sync) error {
	r.hadSync = true
	st := r.x.store(c.Target.URI)
	code := ds.StatusOK
	switch {
	case st == nil:
		code = ds.StatusNotFound
	case st.refused:
		code = ds.StatusRefreshRequired
	}
	a := r.answer(c, code)
	a.TargetRefs, a.SourceRefs = refs(c.Target.URI), refs(c.Source.URI)
	if code == ds.StatusOK {
		st.told = true
		return r.changes(st, c)
	}
	for _, inner := range c.Commands {
		r.answer(inner, code)
	}
	return nil
}

// changes takes what lies in a Sync. In the first sync of all nothing of it can be a copy of an item that is there, so none is looked for.
func (r *reply) changes(st *storeState, c *syncml.Sync) error {
	rev, err := r.tx.Rev(st.c)
	if err != nil {
		return err
	}
	st.alone = st.own == rev
	for _, inner := range c.Commands {
		ch, ok := inner.(*syncml.Change)
		if !ok {
			r.answer(inner, ds.StatusUnsupported)
			continue
		}
		if err := r.change(st, ch); err != nil {
			return err
		}
	}
	if st.own = -1; st.alone {
		st.own, err = r.tx.Rev(st.c)
	}
	return err
}

// change takes one command with its items.
func (r *reply) change(st *storeState, c *syncml.Change) error {
	for i := range c.Items {
		it := &c.Items[i]
		code, err := r.changeItem(st, c, it)
		if err != nil {
			return err
		}
		r.answerItem(c, it, code)
		st.denied = st.denied || !code.OK()
		if code.OK() && code != ds.StatusChunk {
			st.took++
		}
	}
	return nil
}

func (r *reply) changeItem(st *storeState, c *syncml.Change, it *syncml.Item) (ds.Status, error) {
	luid := wire.URI(it.Source)
	meta := wire.Meta(c, it)
	switch {
	case luid == "":
		return ds.StatusIncomplete, nil
	case !st.alert.FromClient():
		return ds.StatusNotAllowed, nil
	case c.Op == syncml.OpDelete:
		if err := r.empty(st, luid); err != nil {
			return 0, err
		}
		r.approved = r.x.aware && wire.Approved(&meta)
		return r.decide(st, luid, reconcile.Incoming{Op: reconcile.Delete, Base: meta.Version}, dsstore.Item{}, nil)
	case c.Op == syncml.OpMove && st.Kind == pim.Mail:
		return r.move(st, luid, it)
	case c.Op != syncml.OpAdd && c.Op != syncml.OpReplace:
		return ds.StatusNotImplemented, nil
	case meta.FieldLevel:
		return r.takeFlags(st, luid, meta)
	}
	data, code := r.assemble(st, c.Op, luid, &meta, it)
	if code != ds.StatusOK {
		return code, nil
	}
	return r.takeItem(st, c.Op, luid, meta, data, it)
}

// assemble puts chunks of a large object together (protocol.md C.8). 200 means that data is complete.
func (r *reply) assemble(st *storeState, op syncml.Op, luid string, meta *syncml.Meta, it *syncml.Item) ([]byte, ds.Status) {
	x := r.x
	var data []byte
	if it.Data != nil {
		data = it.Data.Bytes
	}
	if x.in != nil && (x.in.store != st || x.in.luid != luid || x.in.op != op) {
		r.lost(x.in)
	}
	if pos := wire.DataPos(meta); x.in != nil && pos >= 0 && pos <= x.in.data.Len() {
		x.in.data.Truncate(pos) // after a resume the device goes on where it knows that we were
	}
	if x.in == nil {
		if wire.DataPos(meta) > 0 {
			return nil, ds.StatusSizeMismatch // the part before it is gone: a restart
		}
		if !it.MoreData {
			return data, ds.StatusOK
		}
		if meta.Size <= 0 {
			return nil, ds.StatusSizeRequired
		}
		if meta.Size > wire.MaxObjSize {
			return nil, ds.StatusTooLarge
		}
		x.in = &inObject{store: st, op: op, luid: luid, meta: *meta}
	}
	return r.chunk(data, meta, it.MoreData)
}

func (r *reply) chunk(data []byte, meta *syncml.Meta, more bool) ([]byte, ds.Status) {
	in := r.x.in
	if int64(in.data.Len()+len(data)) > in.meta.Size {
		r.x.in = nil
		return nil, ds.StatusSizeMismatch
	}
	in.data.Write(data)
	if more {
		return nil, ds.StatusChunk
	}
	r.x.in = nil
	if int64(in.data.Len()) != in.meta.Size {
		return nil, ds.StatusSizeMismatch
	}
	*meta = in.meta
	return in.data.Bytes(), ds.StatusOK
}

// lost tells the device that an object was not finished before the next one began.
func (r *reply) lost(in *inObject) {
	r.x.in = nil
	r.after = append(r.after, &syncml.Alert{Code: ds.AlertNoEndOfData, Items: []syncml.Item{{
		Target: &syncml.Location{URI: in.store.peer}, Source: &syncml.Location{URI: in.luid}}}})
}

// takeItem takes a whole item.
func (r *reply) takeItem(st *storeState, op syncml.Op, luid string, meta syncml.Meta, data []byte, from *syncml.Item) (ds.Status, error) {
	if meta.Type == "" {
		meta.Type = st.Kind.ContentType()
	}
	if !accepts(st.Kind, wire.BareType(meta.Type)) {
		return ds.StatusMediaType, nil
	}
	it, err := wire.Item(meta, data)
	if err != nil {
		return ds.StatusBadRequest, nil //nolint:nilerr // the item is at fault, not the message
	}
	switch {
	case it.Type == email.TypeEmail:
		return r.takeEmail(st, op, luid, meta, it.Body, from)
	case it.Type == pim.TypeFolder && len(it.Body) > 0:
		return r.takeFolder(st, op, luid, meta, it.Body, from)
	}
	r.form(st).Take(&it)
	return r.takeWhole(st, op, luid, meta, it)
}

// takeWhole takes an item in the form in which items are kept.
func (r *reply) takeWhole(st *storeState, op syncml.Op, luid string, meta syncml.Meta, it pim.Item) (ds.Status, error) {
	if it.Type == pim.TypeMessage {
		if code, taken, err := r.takePartial(st, op, luid, meta, it); taken || err != nil {
			return code, err
		}
	}
	rec := record(it)
	rec.Modified, rec.By = r.now, r.x.deviceID
	in := reconcile.Incoming{Op: reconcile.Add, Base: meta.Version, Version: ds.VersionOf(rec.Hash)}
	if op == syncml.OpReplace {
		in.Op = reconcile.Replace
	}
	if it.Body == nil {
		it.Body = []byte{}
	}
	return r.decide(st, luid, in, rec, it.Body)
}

// accepts tells whether a datastore of this kind takes items of this type.
func accepts(k pim.Kind, typ string) bool {
	if typ == k.ContentType() || typ == pim.TypeFolder || sif.Is(typ) && typ == sif.TypeOf(k) {
		return true
	}
	switch typ {
	case "text/x-vcard", "text/directory":
		return k == pim.Contacts
	case "text/x-vcalendar":
		return k == pim.Calendar || k == pim.Tasks
	case "message/x-rfc822", email.TypeEmail: // Nokia 9300 (protocol.md C.14)
		return k == pim.Mail
	}
	return false
}

func (r *reply) takeFlags(st *storeState, luid string, meta syncml.Meta) (ds.Status, error) {
	it, err := wire.Item(meta, nil)
	if err != nil {
		return ds.StatusBadRequest, nil //nolint:nilerr // the item is at fault, not the message
	}
	if err := r.bytesOf(st, luid, meta.Version); err != nil {
		return 0, err
	}
	return r.decide(st, luid, reconcile.Incoming{Op: reconcile.Reflag, Base: meta.Version}, dsstore.Item{Flags: it.Flags, Folder: it.Folder}, nil)
}

// bytesOf notes that a device has other bytes of an item than we believed, if it says so: its word that it took ours may have been lost (found by
// simulation).
func (r *reply) bytesOf(st *storeState, luid, version string) error {
	m, err := r.tx.ByLUID(r.x.deviceID, st.c, luid)
	if err != nil || version == "" || m.Variant != "" || m.Hash == ([32]byte{}) || ds.VersionOf(m.Hash) == version {
		return ignoreNotFound(err)
	}
	m.Hash = [32]byte{}
	return r.tx.PutMapping(r.x.deviceID, st.c, m)
}

// decide looks up what we have, asks reconcile, and does what it says.
func (r *reply) decide(st *storeState, luid string, in reconcile.Incoming, rec dsstore.Item, body []byte) (ds.Status, error) {
	cur, m, err := r.current(st, luid, &in, rec, body)
	if err == nil && r.takesPlace(in, cur, rec) {
		cur, m, err = r.makePlace(st, luid, &in, cur, rec, body)
	}
	if err != nil {
		return 0, err
	}
	if cur.GUID == "" && len(body) > 0 && in.Base != "" && in.Base == in.Version && !st.replaces() {
		if cur, m, err = r.buried(st, luid, rec); err != nil {
			return 0, err
		}
	}
	rec, body, err = r.restore(st, &in, cur, m, rec, body)
	if err != nil {
		return 0, err
	}
	state := reconcile.Current{Exists: cur.GUID != "", Deleted: cur.Deleted, Version: ds.VersionOf(cur.Hash), Rev: cur.Rev,
		Mapped: m.LUID == luid, HeldRev: m.Rev, Held: m.LUID == luid && m.Hash == cur.Hash}
	if m.LUID == luid && m.Hash != ([32]byte{}) {
		state.HeldVersion = ds.VersionOf(m.Hash)
	}
	if in.Base == "" {
		in.Base = state.HeldVersion // a peer without versions: what we know it holds
	}
	copied, err := r.copyOf(st, luid, in, cur, m)
	if err != nil || copied.GUID != "" {
		if err != nil {
			return 0, err
		}
		return r.changeCopy(st, luid, cur, copied, rec, in.Base, body)
	}
	if in.Base == ds.VersionUnknown && body != nil && !cur.Deleted {
		added, err := r.adds(cur, body)
		if err != nil {
			return 0, err
		}
		if added {
			in.Base = state.Version // whatever it was made from, ours is in it (found by simulation)
		}
	}
	in.Policy = st.policy
	d := reconcile.Decide(in, state)
	st.alone = st.alone && d.Action == reconcile.Create
	switch {
	case d.Action == reconcile.KeepBoth && st.policy != ds.ConflictsKeepBoth:
		return r.reconcileBoth(st, luid, cur, rec, m, in.Base, body)
	case d.Action == reconcile.KeepBoth:
		return d.Status, r.keepBoth(st, luid, cur, rec, in.Base, body)
	}
	return d.Status, r.do(d.Action, st, luid, m, cur, rec, body)
}

// takesPlace tells whether what a device sends is another item than the one that it had under this id: its user has deleted that, and given its file to
// this one. The ids of others than our own devices mean the same item whatever its UID.
func (r *reply) takesPlace(in reconcile.Incoming, cur, rec dsstore.Item) bool {
	return r.x.aware && in.Op == reconcile.Replace && cur.UID != "" && rec.UID != "" && cur.UID != rec.UID
}

// makePlace takes the deletion of an item in whose place there is another one: as an edit of it that would get what others edited in it, or overwrite it
// where it was not meant (found by simulation). A device that does not know what it had may have been about to take it off itself, and says nothing of it.
func (r *reply) makePlace(st *storeState, luid string, in *reconcile.Incoming, cur, rec dsstore.Item, body []byte) (dsstore.Item, dsstore.Mapping, error) {
	r.approved = false
	var err error
	if in.Base == ds.VersionUnknown {
		err = r.tx.DeleteMapping(r.x.deviceID, st.c, cur.GUID)
	} else {
		_, err = r.decide(st, luid, reconcile.Incoming{Op: reconcile.Delete, Base: in.Base}, dsstore.Item{}, nil)
	}
	if err != nil {
		return dsstore.Item{}, dsstore.Mapping{}, err
	}
	in.Op, in.Base = reconcile.Add, ""
	return r.current(st, luid, in, rec, body)
}

// current is the item that a device's change is about: the mapped one, or for new ones an item of the same identity
// that this device does not have yet, so that a first sync makes no doubles (N6).
func (r *reply) current(st *storeState, luid string, in *reconcile.Incoming, rec dsstore.Item, body []byte) (dsstore.Item, dsstore.Mapping, error) {
	m, err := r.tx.ByLUID(r.x.deviceID, st.c, luid)
	if err == nil {
		it, err := r.tx.Item(st.c, m.GUID)
		return it, m, ignoreNotFound(err)
	}
	switch {
	case !errors.Is(err, dsstore.ErrNotFound):
		return dsstore.Item{}, m, err
	case in.Op == reconcile.Delete && (st.first || r.x.aware):
		return r.formerly(st, luid)
	case in.Version == "":
		return dsstore.Item{}, m, nil
	case st.alone:
		return dsstore.Item{}, dsstore.Mapping{}, nil
	}
	former, held, err := r.before(st, luid)
	if err != nil || former.Deleted {
		return former, held, err
	}
	akin, err := r.tx.Akin(st.c, rec.UID, rec.Hash, rec.Alike)
	if err != nil || !akin {
		it, m := r.replaced(former, held, rec)
		return it, m, err
	}
	it, deleted, err := r.match(st, rec, in.Version)
	switch {
	case err != nil:
		return it, dsstore.Mapping{}, err
	case deleted: // the file got another name: what the device deleted in this exchange is what it adds
		m = dsstore.Mapping{GUID: it.GUID, LUID: luid, Rev: it.Rev, Hash: it.Hash}
		if asCopy, err := r.deletedAsCopy(st, it); asCopy || err != nil {
			return it, m, err
		}
		return it, m, r.tx.DropDeletion(r.x.deviceID, st.c, it.GUID)
	case it.GUID != "" && same(former, rec):
		it = former // of several of one name
	case it.GUID == "":
		if was, m := r.replaced(former, held, rec); was.GUID != "" {
			return was, m, nil
		}
	}
	return r.liken(st, luid, in, it, rec, body)
}

// liken finds out how the item that a device adds and ours of the same identity are alike, and looks for one that is alike if there is none.
func (r *reply) liken(st *storeState, luid string, in *reconcile.Incoming, it, rec dsstore.Item, body []byte) (_ dsstore.Item, m dsstore.Mapping, err error) {
	switch {
	case st.replaces() && it.GUID == "":
		it, _, err = r.resemble(st, luid, rec, body)
		in.Likeness = reconcile.Newer
	case st.replaces():
		in.Likeness = reconcile.Newer
	case it.GUID == "":
		it, in.Likeness, err = r.resemble(st, luid, rec, body)
	case it.Hash != rec.Hash && !st.first:
		m.Hash, in.Likeness, err = r.beside(st, it, body)
	case it.Hash != rec.Hash:
		m.Hash, in.Likeness, err = r.since(st, luid, in, it, rec, body)
	}
	return it, m, err
}

// beside is how two items of one name are alike that are no first sync, and what the device had of ours, if it had it under another id. Both live on,
// unless nobody has edited ours since, or nothing of ours is missing: it was made from ours then, which an agent had written when it was killed before it
// could tell (found by simulation).
func (r *reply) beside(st *storeState, it dsstore.Item, body []byte) (base [32]byte, like reconcile.Likeness, err error) {
	held, err := r.tx.ByGUID(r.x.deviceID, st.c, it.GUID)
	if ignoreNotFound(err) != nil {
		return base, 0, err
	}
	added := held.Hash == it.Hash
	if !added {
		added, err = r.adds(it, body)
	}
	if added {
		return base, reconcile.Newer, err
	}
	return held.Hash, reconcile.Contrary, err
}

// formerly is the item that a device held under an id before a slow sync. It may delete it in that or later, or a deletion that was made before the sync
// was cut off, or that was held on the device meanwhile, would be forgotten (found by simulation).
func (r *reply) formerly(st *storeState, luid string) (dsstore.Item, dsstore.Mapping, error) {
	m, err := r.tx.Former(r.x.deviceID, st.c, luid)
	if err != nil {
		return dsstore.Item{}, m, ignoreNotFound(err)
	}
	it, err := r.tx.Item(st.c, m.GUID)
	return it, m, ignoreNotFound(err)
}

// before is the item that a device held under an id before a slow sync, the zero Item if it is not in one. If that was deleted here since, its coming
// again is no new item, and it has to go there, too (found by simulation).
func (r *reply) before(st *storeState, luid string) (dsstore.Item, dsstore.Mapping, error) {
	if !st.known {
		return dsstore.Item{}, dsstore.Mapping{}, nil
	}
	it, m, err := r.formerly(st, luid)
	if err != nil || !it.Deleted {
		return it, m, err
	}
	if err := r.lookAgain(st, it); err != nil {
		return it, m, err
	}
	return it, m, r.tx.PutMapping(r.x.deviceID, st.c, m)
}

// buried is an item that was deleted here and that a device adds as it was when both had it: its Map was lost, as when an agent was killed after it had
// written the item, and the deletion has to go there, too (found by simulation). The zero Item is none.
func (r *reply) buried(st *storeState, luid string, rec dsstore.Item) (it dsstore.Item, m dsstore.Mapping, err error) {
	if st.buried == nil {
		if st.buried, err = r.graves(st.c); err != nil {
			return it, m, err
		}
	}
	it, ok := st.buried[rec.Hash]
	if !ok || it.Type != rec.Type {
		return dsstore.Item{}, m, nil
	}
	delete(st.buried, rec.Hash) // of two that are equal each was deleted for itself
	m = dsstore.Mapping{GUID: it.GUID, LUID: luid, Hash: rec.Hash}
	if err := r.lookAgain(st, it); err != nil {
		return it, m, err
	}
	return it, m, r.tx.PutMapping(r.x.deviceID, st.c, m)
}

// graves are the items that were deleted of late, by their hash.
func (r *reply) graves(c dsstore.Collection) (map[[32]byte]dsstore.Item, error) {
	out := map[[32]byte]dsstore.Item{}
	kept, err := r.tx.KeptVersions(c, time.Time{}, recent)
	for _, k := range kept {
		it, e := r.tx.Item(c, k.Item.GUID)
		if e == nil && it.Deleted && it.Hash == k.Item.Hash {
			out[it.Hash] = it
		}
		err = errors.Join(err, ignoreNotFound(e))
	}
	return out, err
}

// replaced is the item that a device of ours held under an id before a slow sync, if there is another one under it now: its ids last, so its user has
// put the other one in its place (found by simulation). The zero Item is none.
func (r *reply) replaced(former dsstore.Item, held dsstore.Mapping, rec dsstore.Item) (dsstore.Item, dsstore.Mapping) {
	if !r.x.aware || former.GUID == "" || former.Hash != held.Hash || same(former, rec) {
		return dsstore.Item{}, dsstore.Mapping{}
	}
	return former, held
}

// same tells whether two versions are of one item by what they say themselves.
func same(a, b dsstore.Item) bool {
	return a.Type == b.Type && (a.UID != "" && a.UID == b.UID || a.Hash == b.Hash)
}

func ignoreNotFound(err error) error {
	if errors.Is(err, dsstore.ErrNotFound) {
		return nil
	}
	return err
}
