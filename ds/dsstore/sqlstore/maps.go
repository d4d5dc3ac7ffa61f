package sqlstore

import (
	"database/sql"
	"errors"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) Link(device string, c dsstore.Collection) (dsstore.Link, error) {
	var l dsstore.Link
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return l, err
	}
	var roll int64
	err = t.row(`SELECT client_last, client_next, server_last, server_next, running, done, scope, roll FROM links WHERE device = ? AND collection = ?`,
		[]any{device, id}, &l.ClientLast, &l.ClientNext, &l.ServerLast, &l.ServerNext, &l.Running, &l.Done, &l.Scope, &roll)
	l.Roll = fromUnix(roll)
	if errors.Is(err, dsstore.ErrNotFound) {
		err = nil
	}
	return l, err
}

func (t *tx) PutLink(device string, c dsstore.Collection, l dsstore.Link) error {
	id, err := t.collectionID(c, true)
	if err != nil {
		return err
	}
	return t.exec(`INSERT OR REPLACE INTO links (device, collection, client_last, client_next, server_last, server_next, running, done, scope, roll)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, device, id, l.ClientLast, l.ClientNext, l.ServerLast, l.ServerNext, int(l.Running), l.Done, l.Scope, unix(l.Roll))
}

func (t *tx) mapping(device string, c dsstore.Collection, query, key string) (dsstore.Mapping, error) {
	var m dsstore.Mapping
	var hash []byte
	id, err := t.collectionID(c, false)
	if err != nil {
		return m, err
	}
	err = t.row(query, []any{device, id, key}, &m.GUID, &m.LUID, &m.Rev, &hash, &m.Variant, &m.Base)
	copy(m.Hash[:], hash)
	return m, err
}

const (
	byLUID     = `SELECT guid, luid, rev, hash, variant, base FROM mappings WHERE device = ? AND collection = ? AND luid = ? AND luid <> '' AND former = 0`
	byGUID     = `SELECT guid, luid, rev, hash, variant, base FROM mappings WHERE device = ? AND collection = ? AND guid = ? AND former = 0`
	former     = `SELECT guid, luid, rev, hash, variant, base FROM mappings WHERE device = ? AND collection = ? AND luid = ? AND luid <> '' AND former = 1`
	putMapping = `INSERT OR REPLACE INTO mappings (device, collection, guid, luid, rev, hash, variant, base) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
)

func (t *tx) ByLUID(device string, c dsstore.Collection, luid string) (dsstore.Mapping, error) {
	if luid == "" {
		return dsstore.Mapping{}, dsstore.ErrNotFound // stands for refused items, which have no id on the device
	}
	return t.mapping(device, c, byLUID, luid)
}

func (t *tx) ByGUID(device string, c dsstore.Collection, guid string) (dsstore.Mapping, error) {
	return t.mapping(device, c, byGUID, guid)
}

func (t *tx) PutMapping(device string, c dsstore.Collection, m dsstore.Mapping) error {
	id, err := t.collectionID(c, true)
	if err != nil {
		return err
	}
	return t.exec(putMapping, device, id, m.GUID, m.LUID, m.Rev, m.Hash[:], m.Variant, m.Base)
}

func (t *tx) DeleteMapping(device string, c dsstore.Collection, guid string) error {
	id, err := t.collectionID(c, false)
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM mappings WHERE device = ? AND collection = ? AND guid = ?`, device, id, guid)
}

func (t *tx) ClearMappings(device string, c dsstore.Collection) error {
	id, err := t.collectionID(c, false)
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM mappings WHERE device = ? AND collection = ?`, device, id)
}

func (t *tx) Forget(device string, c dsstore.Collection) error {
	id, err := t.collectionID(c, false)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE mappings SET former = 1 WHERE device = ? AND collection = ?`, device, id)
}

func (t *tx) Former(device string, c dsstore.Collection, luid string) (dsstore.Mapping, error) {
	return t.mapping(device, c, former, luid)
}

func (t *tx) ForgetFormer(device string, c dsstore.Collection) error {
	id, err := t.collectionID(c, false)
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM mappings WHERE device = ? AND collection = ? AND former = 1`, device, id)
}

// pendingFrom: live items the device has not, and those it has or refused in an older version. A tombstone of an item
// that the device refused is of no interest to it.
const pendingFrom = ` FROM items i LEFT JOIN mappings m ON m.device = ? AND m.collection = i.collection AND m.guid = i.guid AND m.former = 0
	WHERE i.collection = ? AND i.rev > ? AND (m.rev IS NULL AND i.deleted = 0 OR m.rev < i.rev AND (i.deleted = 0 OR m.luid <> ''))`

func (t *tx) Pending(device string, c dsstore.Collection, after int64, limit int) ([]dsstore.Pending, error) {
	return t.pending(pendingFrom, device, c, after, limit)
}

func (t *tx) CountPending(device string, c dsstore.Collection, after int64) (int, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return 0, err
	}
	var n int
	err = t.row(`SELECT COUNT(*)`+pendingFrom, []any{device, id, after}, &n)
	return n, err
}

func (t *tx) Holdings(device string, c dsstore.Collection) ([]dsstore.Holding, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	return collect(t, `SELECT m.luid, i.hash, i.flags, m.variant FROM mappings m JOIN items i ON i.collection = m.collection AND i.guid = m.guid
		WHERE m.device = ? AND m.collection = ? AND m.former = 0 AND m.luid <> '' AND i.deleted = 0`, []any{device, id},
		func(r *sql.Rows, h *dsstore.Holding) error {
			var hash []byte
			err := r.Scan(&h.LUID, &hash, &h.Flags, &h.Variant)
			copy(h.Hash[:], hash)
			return err
		})
}
