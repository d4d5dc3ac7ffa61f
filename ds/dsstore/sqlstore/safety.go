package sqlstore

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) PutDeletion(device string, c dsstore.Collection, d dsstore.Deletion) error {
	id, err := t.collectionID(c, true)
	if err != nil {
		return err
	}
	return t.exec(`INSERT OR REPLACE INTO deletions (device, collection, guid, rev, at, held) VALUES (?, ?, ?, ?, ?, ?)`, device, id, d.GUID, d.Rev, unix(d.At), d.Held)
}

func (t *tx) Deletions(device string, c dsstore.Collection) ([]dsstore.Deletion, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	return collect(t, `SELECT guid, rev, at, held FROM deletions WHERE device = ? AND collection = ? ORDER BY guid`, []any{device, id},
		func(r *sql.Rows, d *dsstore.Deletion) error {
			var at int64
			err := r.Scan(&d.GUID, &d.Rev, &at, &d.Held)
			d.At = fromUnix(at)
			return err
		})
}

func (t *tx) DropDeletion(device string, c dsstore.Collection, guid string) error {
	id, err := t.collectionID(c, false)
	if err != nil {
		return err
	}
	return t.exec(`DELETE FROM deletions WHERE device = ? AND collection = ? AND guid = ?`, device, id, guid)
}

func (t *tx) KeptVersions(c dsstore.Collection, after time.Time, limit int) ([]dsstore.Kept, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	return collect(t, `SELECT i.guid, i.rev, 0, i.type, i.folder, i.name, i.flags, i.hash, i.size, i.uid, '', i.modified, i.written_by, i.id, i.kept, i.reason
		FROM history i WHERE i.collection = ? AND i.kept > ? ORDER BY i.id DESC LIMIT ?`, []any{id, unix(after), limit},
		func(r *sql.Rows, k *dsstore.Kept) error {
			dest, done := itemDest(&k.Item)
			var at int64
			err := r.Scan(append(dest, &k.ID, &at, &k.Reason)...)
			done()
			k.At = fromUnix(at)
			return err
		})
}

func (t *tx) ForgetKept(before time.Time) (n int, err error) {
	if err := t.row(`SELECT COUNT(*) FROM history WHERE kept < ?`, []any{unix(before)}, &n); err != nil || n == 0 {
		return 0, err
	}
	if err := t.exec(`DELETE FROM history WHERE kept < ?`, unix(before)); err != nil {
		return 0, err
	}
	err = t.exec(`DELETE FROM bodies WHERE hash NOT IN (SELECT hash FROM items) AND hash NOT IN (SELECT hash FROM history)
		AND hash NOT IN (SELECT hash FROM mappings)`)
	if err != nil {
		return 0, fmt.Errorf("cannot forget former versions: %w", err)
	}
	return n, nil
}
