package badgerkv

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/gofrs/flock"
)

// Store is a kv.Store. Badger wakes a processor forty times a minute also when it has nothing to do, and keeps its tables in memory. So it is closed
// when nobody has used it for a while, and opened by who needs it.
type Store struct {
	o    Options
	lock *flock.Flock // Badger's own is given back at rest

	mu     sync.Mutex
	db     *badger.DB // nil at rest
	poor   bool       // db can only be read, as there was no room
	users  int        // of db
	idle   *time.Timer
	closed bool
	writes int // since the last look at the levels
}

// Options of a Store. Dir must be set.
type Options struct {
	Dir  string
	Rest time.Duration // after which an unused database is closed; 0 is half a minute
	// Room tells whether the disk has room for tables of a few megabytes; nil is always. Where it has none Badger would wait for it when it is closed,
	// and end the process when it is opened: it stays open, or is only read.
	Room func() bool
}

// defaultRest is long for who works and short for a battery.
const defaultRest = 30 * time.Second

// ErrClosed: the store was closed.
var ErrClosed = errors.New("the state was closed")

// Open opens or makes the database. A second process that has it open is an error that names the folder.
func Open(o Options) (*Store, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil { // Badger makes its files readable for all
		return nil, fmt.Errorf("cannot open the state: %w", err)
	}
	if o.Room == nil {
		o.Room = func() bool { return true }
	}
	o.Rest = cmp.Or(o.Rest, defaultRest)
	s := &Store{o: o, lock: flock.New(filepath.Join(o.Dir, "alwayson.lock"), flock.SetPermissions(0o600))}
	mine, err := s.lock.TryLock()
	if err == nil && !mine {
		err = errors.New("it is locked")
	}
	if err == nil {
		s.db, err = load(profile(o.Dir))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the state in %s (is another agent running?): %w", o.Dir, err), s.lock.Close())
	}
	s.mu.Lock() // it may be over at once
	defer s.mu.Unlock()
	s.idle = time.AfterFunc(o.Rest, s.sleep)
	return s, nil
}

// use returns the database, which stays open until done.
func (s *Store) use() (db *badger.DB, poor bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, ErrClosed
	}
	if err := s.wake(); err != nil {
		return nil, false, fmt.Errorf("cannot open the state again: %w", err)
	}
	s.users++
	return s.db, s.poor, nil
}

func (s *Store) wake() (err error) {
	room := s.db != nil && !s.poor || s.o.Room()
	if s.poor && room && s.users == 0 {
		s.db.Close() //nolint:errcheck // it was only read
		s.db = nil
	}
	if s.db == nil {
		s.poor = !room
		s.db, err = load(profile(s.o.Dir).WithReadOnly(s.poor))
	}
	return err
}

// errFull is what writers get while the disk is full.
var errFull = fmt.Errorf("cannot write the state: %w", syscall.ENOSPC)

func (s *Store) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.users == 0 && !s.closed {
		s.idle.Reset(s.o.Rest)
	}
}

// sleep puts the database to rest, and gives back its memory: some 4 MB that would stay for minutes.
func (s *Store) sleep() {
	if s.retire() {
		debug.FreeOSMemory()
	}
}

// retire closes the database unless somebody uses it, who will see to its sleep. An error loses nothing: what was acknowledged is in Badger's log, and
// who opens it again is told what is wrong with it.
func (s *Store) retire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.db == nil || s.users > 0:
		return false
	case !s.poor && !s.o.Room():
		s.idle.Reset(s.o.Rest)
		return false
	case !s.poor:
		s.flatten(s.db) //nolint:errcheck // see above
	}
	s.db.Close() //nolint:errcheck // see above
	s.db, s.poor = nil, false
	return true
}

// Close implements kv.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.idle.Stop()
	var err error
	if s.db != nil {
		err = s.db.Close()
	}
	return errors.Join(err, s.lock.Close())
}
