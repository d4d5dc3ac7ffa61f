// Package sqlstore keeps what a Data Sync Server remembers in SQLite.
package sqlstore

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is a dsstore.Store on SQLite. One connection writes, so that writers queue in the process and not in the file.
type Store struct {
	write, read *sql.DB
	aead        cipher.AEAD // seals credentials; nil leaves them as they are

	mu         sync.Mutex           // one writer
	conn       *sql.Conn            // of write; guarded by mu
	statements map[string]*sql.Stmt // on conn, prepared once: that costs more than running them; guarded by mu
}

// Open opens or makes the database file and brings its tables up to date. Every commit is durable (WAL, synchronous FULL).
func Open(ctx context.Context, path string) (*Store, error) {
	write, err := open(path, "")
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	if err := migrate(ctx, write); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot bring the database %s up to date: %w", path, err), write.Close())
	}
	read, err := open(path, "_pragma=query_only(1)")
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(8)
	conn, err := write.Conn(ctx)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the database %s: %w", path, err), read.Close(), write.Close())
	}
	return &Store{write: write, read: read, conn: conn, statements: make(map[string]*sql.Stmt)}, nil
}

func open(path, extra string) (*sql.DB, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_pragma=temp_store(MEMORY)&" + extra
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("cannot open the database %s: %w", path, err)
	}
	return db, nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, sub)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close closes the database. Transactions must have ended.
func (s *Store) Close() error {
	var errs []error
	for _, st := range s.statements { // else they keep the file open
		errs = append(errs, st.Close())
	}
	return errors.Join(errors.Join(errs...), s.read.Close(), s.conn.Close(), s.write.Close())
}

// Update implements dsstore.Store. Its statements do not watch ctx, which would cost a goroutine for each: a transaction is short, and one
// whose caller is gone at its end is undone.
func (s *Store) Update(ctx context.Context, fn func(dsstore.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	t := &tx{ctx: context.WithoutCancel(ctx), prepare: s.conn.PrepareContext, statements: s.statements, now: time.Now(), aead: s.aead}
	if err := t.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done {
			t.exec(`ROLLBACK`) //nolint:errcheck // a commit that failed may have done it
		}
	}()
	err := fn(t)
	if err == nil {
		err = t.finish()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = t.exec(`COMMIT`)
	}
	done = err == nil
	return err
}

// View implements dsstore.Store. As in Update, its statements do not watch ctx; when that is done the transaction ends, and the next one fails.
func (s *Store) View(ctx context.Context, fn func(dsstore.Tx) error) error {
	t, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("cannot read the database: %w", err)
	}
	defer t.Rollback() //nolint:errcheck // it only read
	return fn(&tx{ctx: context.WithoutCancel(ctx), prepare: t.PrepareContext, statements: make(map[string]*sql.Stmt), now: time.Now(), reading: true, aead: s.aead})
}
