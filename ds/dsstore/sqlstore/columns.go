package sqlstore

import (
	"database/sql"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) Blocks(c dsstore.Collection) ([]dsstore.Block, error) {
	id, err := t.collectionID(c, false)
	if err != nil || id == 0 {
		return nil, err
	}
	return collect(t, `SELECT after, upto, items, form FROM blocks WHERE collection = ? ORDER BY upto`, []any{id}, func(r *sql.Rows, b *dsstore.Block) error {
		return r.Scan(&b.After, &b.Upto, &b.Items, &b.Form)
	})
}

func (t *tx) Column(c dsstore.Collection, upto int64, name string) (string, error) {
	var data string
	id, err := t.collectionID(c, false)
	if err == nil { // as text it is copied once, as a blob twice
		err = t.row(`SELECT CAST(data AS TEXT) FROM columns WHERE collection = ? AND upto = ? AND name = ?`, []any{id, upto, name}, &data)
	}
	return data, err
}

const (
	covered     = `SELECT EXISTS (SELECT 1 FROM blocks WHERE collection = ? AND after <= ? AND upto >= ? AND form = ?)`
	oldBlocks   = `FROM blocks WHERE collection = ?1 AND upto > ?2 AND upto <= ?3 AND (after >= ?2 OR form <> ?4)`
	dropColumns = `DELETE FROM columns WHERE collection = ?1 AND upto IN (SELECT upto ` + oldBlocks + `)`
	putBlock    = `INSERT INTO blocks (collection, after, upto, items, form) VALUES (?, ?, ?, ?, ?)`
	putColumn   = `INSERT INTO columns (collection, upto, name, data) VALUES (?, ?, ?, ?)`
	behind      = `SELECT c.user_name, c.store, c.rev FROM collections c
		WHERE c.rev - COALESCE((SELECT MAX(b.upto) FROM blocks b WHERE b.collection = c.id AND b.form = ?), 0) >= ?`
)

func (t *tx) PutBlock(c dsstore.Collection, b dsstore.Block, columns map[string]string) error {
	id, err := t.collectionID(c, true)
	if err != nil {
		return err
	}
	var done bool
	if err := t.row(covered, []any{id, b.After, b.Upto, b.Form}, &done); err != nil || done {
		return err
	}
	for _, q := range []string{dropColumns, `DELETE ` + oldBlocks} {
		if err := t.exec(q, id, b.After, b.Upto, b.Form); err != nil {
			return err
		}
	}
	if err := t.exec(putBlock, id, b.After, b.Upto, b.Items, b.Form); err != nil {
		return err
	}
	for name, data := range columns {
		if err := t.exec(putColumn, id, b.Upto, name, []byte(data)); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) Behind(form int, revs int64) (map[dsstore.Collection]int64, error) {
	out := make(map[dsstore.Collection]int64)
	if err := t.finish(); err != nil {
		return nil, err
	}
	return out, t.rows(behind, []any{form, revs}, func(r *sql.Rows) error {
		var c dsstore.Collection
		var rev int64
		err := r.Scan(&c.User, &c.Store, &rev)
		out[c] = rev
		return err
	})
}
