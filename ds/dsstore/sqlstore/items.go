package sqlstore

import (
	"database/sql"
	"errors"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

const itemColumns = `i.guid, i.rev, i.deleted, i.type, i.folder, i.name, i.flags, i.hash, i.size, i.uid, i.alike, i.modified, i.written_by`

// itemDest are the places for itemColumns; call the function returned after the scan.
func itemDest(it *dsstore.Item) (dest []any, done func()) {
	var hash []byte
	var modified int64
	dest = []any{&it.GUID, &it.Rev, &it.Deleted, &it.Type, &it.Folder, &it.Name, &it.Flags, &hash, &it.Size, &it.UID, &it.Alike, &modified, &it.By}
	return dest, func() {
		copy(it.Hash[:], hash)
		it.Modified = fromUnix(modified)
	}
}

func scanItem(r *sql.Rows, it *dsstore.Item) error {
	dest, done := itemDest(it)
	err := r.Scan(dest...)
	done()
	return err
}

const (
	putBody = `INSERT INTO bodies (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING`
	putItem = `INSERT OR REPLACE INTO items (collection, guid, rev, deleted, type, folder, name, flags, hash, size, uid, alike, modified, written_by)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
)

func (t *tx) PutItem(c dsstore.Collection, it dsstore.Item, body []byte) (int64, error) {
	id, err := t.collectionID(c, true)
	if err != nil {
		return 0, err
	}
	if it.Rev, err = t.bump(id); err != nil {
		return 0, err
	}
	if body != nil {
		if err := t.exec(putBody, it.Hash[:], body); err != nil {
			return 0, err
		}
	}
	return it.Rev, t.exec(putItem, id, it.GUID, it.Rev, it.Deleted, it.Type, it.Folder, it.Name, string(it.Flags), it.Hash[:], it.Size, it.UID,
		it.Alike, unix(it.Modified), it.By)
}

func (t *tx) Item(c dsstore.Collection, guid string) (dsstore.Item, error) {
	var it dsstore.Item
	id, err := t.collectionID(c, false)
	if err != nil {
		return it, err
	}
	dest, done := itemDest(&it)
	err = t.row(`SELECT `+itemColumns+` FROM items i WHERE i.collection = ? AND i.guid = ?`, []any{id, guid}, dest...)
	done()
	return it, err
}

func (t *tx) Body(hash [32]byte) ([]byte, error) {
	var body []byte
	err := t.row(`SELECT body FROM bodies WHERE hash = ?`, []any{hash[:]}, &body)
	return body, err
}

// The unary plus keeps the planner from walking the whole collection by revision to save sorting a handful of rows.
const (
	sameUID  = `SELECT ` + itemColumns + ` FROM items i WHERE i.collection = ? AND i.uid = ? AND i.type = ? AND i.deleted = 0 ORDER BY +i.rev LIMIT 16`
	sameLike = `SELECT ` + itemColumns + ` FROM items i WHERE i.collection = ? AND i.alike = ? AND i.type = ? AND i.deleted = 0 ORDER BY +i.rev LIMIT 16`
	akinUID  = `SELECT EXISTS (SELECT 1 FROM items WHERE collection = ?1 AND uid = ?2) OR ?3 <> '' AND EXISTS (SELECT 1 FROM items WHERE collection = ?1 AND alike = ?3)`
	akinHash = `SELECT EXISTS (SELECT 1 FROM items WHERE collection = ?1 AND hash = ?2) OR ?3 <> '' AND EXISTS (SELECT 1 FROM items WHERE collection = ?1 AND alike = ?3)`
	sameHash = `SELECT ` + itemColumns + ` FROM items i WHERE i.collection = ? AND i.hash = ? AND i.type = ? AND i.deleted = 0 ORDER BY +i.rev LIMIT 16`
)

func (t *tx) Same(c dsstore.Collection, typ, uid string, hash [32]byte) ([]dsstore.Item, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	if uid != "" {
		return collect(t, sameUID, []any{id, uid, typ}, scanItem)
	}
	return collect(t, sameHash, []any{id, hash[:], typ}, scanItem)
}

func (t *tx) Alike(c dsstore.Collection, typ, alike string) ([]dsstore.Item, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 || alike == "" {
		return nil, err
	}
	return collect(t, sameLike, []any{id, alike, typ}, scanItem)
}

func (t *tx) Akin(c dsstore.Collection, uid string, hash [32]byte, alike string) (found bool, err error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return false, err
	}
	if uid != "" {
		err = t.row(akinUID, []any{id, uid, alike}, &found)
	} else {
		err = t.row(akinHash, []any{id, hash[:], alike}, &found)
	}
	return found, err
}

func (t *tx) List(c dsstore.Collection) ([]dsstore.Item, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	return collect(t, `SELECT `+itemColumns+` FROM items i WHERE i.collection = ? AND i.deleted = 0 ORDER BY i.rev`, []any{id}, scanItem)
}

func (t *tx) Rev(c dsstore.Collection) (int64, error) {
	if t.reading {
		id, err := t.collectionID(c, false)
		return t.fixed[id], err
	}
	var rev int64
	if err := t.finish(); err != nil {
		return 0, err
	}
	err := t.row(`SELECT rev FROM collections WHERE user_name = ? AND store = ?`, []any{c.User, c.Store}, &rev)
	if errors.Is(err, dsstore.ErrNotFound) {
		err = nil
	}
	return rev, err
}

func (t *tx) Keep(c dsstore.Collection, it dsstore.Item, body []byte, reason string) error {
	id, err := t.collectionID(c, true)
	if err != nil {
		return err
	}
	if body != nil {
		if err := t.exec(putBody, it.Hash[:], body); err != nil {
			return err
		}
	}
	return t.exec(`INSERT INTO history (collection, guid, rev, type, folder, name, flags, hash, size, uid, modified, written_by, kept, reason)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		id, it.GUID, it.Rev, it.Type, it.Folder, it.Name, string(it.Flags), it.Hash[:], it.Size, it.UID, unix(it.Modified), it.By, unix(t.now), reason)
}

func (t *tx) Revs() (map[dsstore.Collection]int64, error) {
	out := map[dsstore.Collection]int64{}
	if err := t.finish(); err != nil {
		return nil, err
	}
	err := t.rows(`SELECT user_name, store, rev FROM collections`, nil, func(r *sql.Rows) error {
		var c dsstore.Collection
		var rev int64
		err := r.Scan(&c.User, &c.Store, &rev)
		out[c] = rev
		return err
	})
	return out, err
}
