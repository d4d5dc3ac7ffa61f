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
	statements map[string]*sql.Stmt // the hot ones; read-only after Open
}

// Open opens or makes the database file and brings its tables up to date. Every commit is durable (WAL, synchronous FULL).
func Open(ctx context.Context, path string) (*Store, error) {
	write, err := open(path, "_txlock=immediate")
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
	read.SetMaxOpenConns(4)
	s := &Store{write: write, read: read, statements: make(map[string]*sql.Stmt)}
	if err := s.warm(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
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
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Update implements dsstore.Store.
func (s *Store) Update(ctx context.Context, fn func(dsstore.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("cannot write to the database: %w", err)
	}
	defer t.Rollback() //nolint:errcheck // after a commit it does nothing, before one there is nothing to save
	if err := fn(&tx{ctx: ctx, sql: t, now: time.Now(), kept: s.statements, aead: s.aead}); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("cannot write to the database: %w", err)
	}
	return nil
}

// hot are the statements that run for each item: preparing them costs more than running them.
var hot = []string{bumpRev, putBody, putItem, sameUID, sameHash, byLUID, byGUID, dropLUID, putMapping}

func (s *Store) warm(ctx context.Context) error {
	for _, q := range hot {
		st, err := s.write.PrepareContext(ctx, q)
		if err != nil {
			return fmt.Errorf("cannot prepare %q: %w", q, err)
		}
		s.statements[q] = st
	}
	return nil
}

// View implements dsstore.Store.
func (s *Store) View(ctx context.Context, fn func(dsstore.Tx) error) error {
	t, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("cannot read the database: %w", err)
	}
	defer t.Rollback() //nolint:errcheck // it only read
	return fn(&tx{ctx: ctx, sql: t, now: time.Now(), aead: s.aead})
}
