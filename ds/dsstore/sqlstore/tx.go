package sqlstore

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// tx implements dsstore.Tx.
type tx struct {
	ctx         context.Context // of the transaction, which ends with it
	prepare     func(context.Context, string) (*sql.Stmt, error)
	statements  map[string]*sql.Stmt // that are prepared
	aead        cipher.AEAD
	now         time.Time
	reading     bool // what is not there does not come while the transaction lasts
	collections map[dsstore.Collection]int64
	users       map[string]bool // of whom all collections are known, if it only reads
	fixed       map[int64]int64 // revisions of those, by number
	revs        map[int64]int64 // of collections that were changed, by number; written by finish
}

// stmt is query prepared.
func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if st := t.statements[query]; st != nil {
		return st, nil
	}
	st, err := t.prepare(t.ctx, query)
	if err != nil {
		return nil, fmt.Errorf("cannot prepare a statement: %w", err)
	}
	t.statements[query] = st
	return st, nil
}

func (t *tx) exec(query string, args ...any) error {
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	if _, err := st.ExecContext(t.ctx, args...); err != nil {
		return fmt.Errorf("cannot write to the database: %w", err)
	}
	return nil
}

// row scans the first row into dest, dsstore.ErrNotFound if there is none.
func (t *tx) row(query string, args []any, dest ...any) error {
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	err = st.QueryRowContext(t.ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return dsstore.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("cannot read the database: %w", err)
	}
	return nil
}

// rows calls scan for each row.
func (t *tx) rows(query string, args []any, scan func(*sql.Rows) error) error {
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(t.ctx, args...)
	if err != nil {
		return fmt.Errorf("cannot read the database: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("cannot read the database: %w", err)
		}
	}
	return rows.Err()
}

// collect scans all rows into a slice.
func collect[T any](t *tx, query string, args []any, scan func(*sql.Rows, *T) error) ([]T, error) {
	var out []T
	err := t.rows(query, args, func(r *sql.Rows) error {
		var v T
		err := scan(r, &v)
		out = append(out, v)
		return err
	})
	return out, err
}

// unix and fromUnix keep times as microseconds; zero stays zero.
func unix(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

func fromUnix(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us)
}

// collectionID is the number of a collection, 0 if it has none yet and create is not set.
func (t *tx) collectionID(c dsstore.Collection, create bool) (int64, error) {
	if id := t.collections[c]; id != 0 || t.reading && t.users[c.User] {
		return id, nil
	}
	if t.reading {
		err := t.collectionsOf(c.User)
		return t.collections[c], err
	}
	var id int64
	args := []any{c.User, c.Store}
	const query = `SELECT id FROM collections WHERE user_name = ? AND store = ?`
	err := t.row(query, args, &id)
	if errors.Is(err, dsstore.ErrNotFound) {
		if !create {
			return 0, nil
		}
		if err = t.exec(`INSERT INTO collections (user_name, store, rev) VALUES (?, ?, 0)`, args...); err == nil {
			err = t.row(query, args, &id)
		}
	}
	if err != nil {
		return 0, err
	}
	t.note(c, id)
	return id, nil
}

// collectionsOf looks all collections of a user up at once: who asks for one will ask for the others.
func (t *tx) collectionsOf(user string) error {
	if t.users == nil {
		t.users, t.fixed = make(map[string]bool), make(map[int64]int64)
	}
	t.users[user] = true
	return t.rows(`SELECT id, store, rev FROM collections WHERE user_name = ?`, []any{user}, func(r *sql.Rows) error {
		var id, rev int64
		c := dsstore.Collection{User: user}
		err := r.Scan(&id, &c.Store, &rev)
		t.note(c, id)
		t.fixed[id] = rev
		return err
	})
}

// note remembers the number of a collection.
func (t *tx) note(c dsstore.Collection, id int64) {
	if t.collections == nil {
		t.collections = make(map[dsstore.Collection]int64)
	}
	t.collections[c] = id
}

// bump is the next revision of a collection.
func (t *tx) bump(id int64) (int64, error) {
	rev, ok := t.revs[id]
	if !ok {
		if err := t.row(`SELECT rev FROM collections WHERE id = ?`, []any{id}, &rev); err != nil {
			return 0, err
		}
	}
	if t.revs == nil {
		t.revs = make(map[int64]int64)
	}
	t.revs[id] = rev + 1
	return rev + 1, nil
}

// finish writes what was kept in memory, so that it is there for what reads it or when the transaction ends.
func (t *tx) finish() error {
	for id, rev := range t.revs {
		if err := t.exec(`UPDATE collections SET rev = ? WHERE id = ?`, rev, id); err != nil {
			return err
		}
	}
	t.revs = nil
	return nil
}
