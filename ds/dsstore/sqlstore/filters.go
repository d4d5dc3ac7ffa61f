package sqlstore

import (
	"database/sql"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) Filter(device string, c dsstore.Collection) (dsstore.Filter, error) {
	var f dsstore.Filter
	var at, until int64
	id, err := t.collectionID(c, false)
	if err != nil {
		return f, err
	}
	err = t.row(`SELECT filter, set_by, set_at, travel, travel_until FROM filters WHERE device = ? AND collection = ?`,
		[]any{device, id}, &f.Text, &f.By, &at, &f.Travel, &until)
	if errors.Is(err, dsstore.ErrNotFound) {
		err = nil
	}
	f.At, f.Until = fromUnix(at), fromUnix(until)
	return f, err
}

func (t *tx) PutFilter(device string, c dsstore.Collection, f dsstore.Filter) error {
	id, err := t.collectionID(c, true)
	if err != nil {
		return err
	}
	return t.exec(`INSERT OR REPLACE INTO filters (device, collection, filter, set_by, set_at, travel, travel_until) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		device, id, f.Text, f.By, unix(f.At), f.Travel, unix(f.Until))
}

func (t *tx) Filtered(after time.Time) (devices []string, last time.Time, err error) {
	newest := unix(after)
	err = t.rows(`SELECT device, MAX(set_at) FROM filters WHERE set_at > ? GROUP BY device`, []any{unix(after)}, func(r *sql.Rows) error {
		var device string
		var at int64
		err := r.Scan(&device, &at)
		devices, newest = append(devices, device), max(newest, at)
		return err
	})
	return devices, fromUnix(newest), err
}

func (t *tx) Rolled(now time.Time) ([]string, error) {
	return collect(t, `SELECT DISTINCT device FROM links WHERE roll > 0 AND roll <= ?`, []any{unix(now)}, func(r *sql.Rows, device *string) error { return r.Scan(device) })
}

func (t *tx) PutFacts(c dsstore.Collection, guid string, facts []byte) error {
	id, err := t.collectionID(c, false)
	if err != nil {
		return err
	}
	return t.exec(`UPDATE items SET facts = ? WHERE collection = ? AND guid = ?`, facts, id, guid)
}

func (t *tx) EachNoted(c dsstore.Collection, after int64, limit int, fn func(dsstore.Noted)) error {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return err
	}
	var n dsstore.Noted
	var facts sql.RawBytes
	return t.rows(`SELECT guid, rev, deleted, type, facts FROM items WHERE collection = ? AND rev > ? ORDER BY rev LIMIT ?`, []any{id, after, limit}, func(r *sql.Rows) error {
		err := r.Scan(&n.GUID, &n.Rev, &n.Deleted, &n.Type, &facts)
		n.Facts = facts
		fn(n)
		return err
	})
}

// scopeFrom is all that may be or become part of what a device has: live items, and deleted ones that it holds.
const scopeFrom = ` FROM items i LEFT JOIN mappings m ON m.device = ? AND m.collection = i.collection AND m.guid = i.guid AND m.former = 0
	WHERE i.collection = ? AND i.rev > ? AND (i.deleted = 0 OR m.rev < i.rev AND m.luid <> '')`

func (t *tx) Scope(device string, c dsstore.Collection, after int64, limit int) ([]dsstore.Pending, error) {
	return t.pending(scopeFrom, device, c, after, limit)
}

func (t *tx) pending(from, device string, c dsstore.Collection, after int64, limit int) ([]dsstore.Pending, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	return collect(t, `SELECT `+itemColumns+`, i.facts, COALESCE(m.luid, ''), COALESCE(m.rev, 0), m.hash, COALESCE(m.variant, ''), m.guid IS NOT NULL`+
		from+` ORDER BY i.rev LIMIT ?`, []any{device, id, after, limit}, scanPending)
}

func scanPending(r *sql.Rows, p *dsstore.Pending) error {
	dest, done := itemDest(&p.Item)
	var hash []byte
	err := r.Scan(append(dest, &p.Facts, &p.Mapping.LUID, &p.Mapping.Rev, &hash, &p.Mapping.Variant, &p.Known)...)
	done()
	copy(p.Mapping.Hash[:], hash)
	p.Mapping.GUID = p.Item.GUID
	return err
}
