// Package badgerkv is the kv.Store of the agent, on Badger with a profile that sleeps when nothing happens.
package badgerkv

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/ristretto/v2/z"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
)

// load opens the database.
func load(o badger.Options) (*badger.DB, error) {
	db, err := badger.Open(o)
	for n := 0; n < births && err != nil && strings.Contains(err.Error(), z.NewFile.Error()); n++ { // Badger does not wrap it
		// A kill left a log between its creation and its first octet. Badger begins it and then takes that for an error (found by killing
		// agents 200 times); now it is like any other, but there may be one of each sort.
		db, err = badger.Open(o)
	}
	return db, err
}

// births is how many logs a kill may leave unborn: Badger has one of writes and one of large values.
const births = 4

// profile makes Badger quiet: its own compactors wake twenty times a second for ever, so there are none, and tidy does their work
// after writes. Nothing goes to the value log, whose space comes back late (and before 4.9.4 deleted keys came back too).
func profile(dir string) badger.Options {
	return badger.DefaultOptions(dir).WithLogger(nil).WithSyncWrites(true).
		WithMemTableSize(5 << 19).WithNumMemtables(2).
		WithNumCompactors(0).WithNumLevelZeroTables(4).WithNumLevelZeroTablesStall(128).
		WithBlockCacheSize(1 << 20).WithIndexCacheSize(0).
		WithBaseTableSize(1 << 20).WithBaseLevelSize(4 << 20).
		WithValueThreshold(256 << 10).WithValueLogFileSize(4 << 20).
		WithMetricsEnabled(false).WithNumGoroutines(1)
}

// View implements kv.Store.
func (s *Store) View(fn func(kv.Reader) error) error {
	db, _, err := s.use()
	if err != nil {
		return err
	}
	defer s.done()
	return db.View(func(t *badger.Txn) error { return fn(tx{t}) })
}

// Update implements kv.Store. Only its own conflicts are tried again: two goroutines wrote the same key.
func (s *Store) Update(fn func(kv.Writer) error) error {
	db, poor, err := s.use()
	if err != nil {
		return err
	}
	defer s.done()
	if poor {
		return errFull
	}
	for {
		err := db.Update(func(t *badger.Txn) error { return fn(tx{t}) })
		switch {
		case errors.Is(err, badger.ErrConflict):
			continue
		case errors.Is(err, badger.ErrTxnTooBig):
			return kv.ErrTooLarge
		case err != nil:
			return err
		}
		return s.tidy(db)
	}
}

const (
	tidyEvery  = 64 // updates between two looks at the levels
	tidyTables = 4  // of level zero; writers would stall at 128
)

// tidy compacts when enough has piled up. It runs in the writer's goroutine: no timer, no wake-up while nothing is written.
func (s *Store) tidy(db *badger.DB) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes++; s.writes < tidyEvery {
		return nil
	}
	s.writes = 0
	return s.flatten(db)
}

// flatten is called with mu held: there is one compaction at a time.
func (s *Store) flatten(db *badger.DB) error {
	if levels := db.Levels(); len(levels) > 0 && levels[0].NumTables >= tidyTables {
		if err := db.Flatten(1); err != nil {
			return fmt.Errorf("cannot compact the state: %w", err)
		}
	}
	return nil
}

type tx struct{ t *badger.Txn }

func (t tx) Get(key string) ([]byte, error) {
	it, err := t.t.Get([]byte(key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, kv.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return it.ValueCopy(nil)
}

func (t tx) Scan(prefix string, fn func(string, []byte) error) error {
	o := badger.DefaultIteratorOptions
	o.Prefix = []byte(prefix)
	it := t.t.NewIterator(o)
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		v, err := it.Item().ValueCopy(nil)
		if err != nil {
			return err
		}
		if err := fn(string(it.Item().Key()), v); err != nil {
			return err
		}
	}
	return nil
}

func (t tx) Set(key string, value []byte) error {
	return t.t.Set([]byte(key), append([]byte{}, value...)) // both belong to Badger until the commit
}

func (t tx) Delete(key string) error { return t.t.Delete([]byte(key)) }
