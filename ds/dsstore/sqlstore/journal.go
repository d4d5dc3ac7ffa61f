package sqlstore

import (
	"database/sql"
	"errors"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) PutEvent(device string, e dsstore.Event) error {
	var id int64
	var last dsstore.Event
	err := t.row(`SELECT id, what, why, outcome FROM events WHERE device = ? ORDER BY id DESC LIMIT 1`, []any{device}, &id, &last.What, &last.Why, &last.Outcome)
	switch {
	case err == nil && last.Same(e):
		return t.exec(`UPDATE events SET at = ?, times = times + 1 WHERE id = ?`, unix(e.At), id)
	case err != nil && !errors.Is(err, dsstore.ErrNotFound):
		return err
	}
	err = t.exec(`INSERT INTO events (device, what, why, outcome, first, at, times) VALUES (?, ?, ?, ?, ?, ?, 1)`, device, string(e.What), e.Why, e.Outcome, unix(e.At), unix(e.At))
	return errors.Join(err, t.exec(`DELETE FROM events WHERE device = ?1 AND id <= (SELECT id FROM events WHERE device = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
		device, dsstore.KeepEvents))
}

func (t *tx) Events(device string) ([]dsstore.Event, error) {
	return collect(t, `SELECT what, why, outcome, first, at, times FROM events WHERE device = ? ORDER BY at, id`, []any{device}, func(r *sql.Rows, e *dsstore.Event) error {
		var first, at int64
		err := r.Scan(&e.What, &e.Why, &e.Outcome, &first, &at, &e.Times)
		e.First, e.At = fromUnix(first), fromUnix(at)
		return err
	})
}

func (t *tx) PutPresence(device string, p dsstore.Presence) error {
	return t.exec(`INSERT OR REPLACE INTO presence (device, online, since) VALUES (?, ?, ?)`, device, p.Online, unix(p.Since))
}

func (t *tx) Presence(device string) (p dsstore.Presence, err error) {
	var since int64
	err = t.row(`SELECT online, since FROM presence WHERE device = ?`, []any{device}, &p.Online, &since)
	if errors.Is(err, dsstore.ErrNotFound) {
		err = nil
	}
	p.Since = fromUnix(since)
	return p, err
}
