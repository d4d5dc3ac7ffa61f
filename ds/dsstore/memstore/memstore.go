// Package memstore is a dsstore.Store in memory, for tests: a transaction applies whole or not at all, and can be made to fail.
package memstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// Store is a dsstore.Store. New makes one.
type Store struct {
	// Fault is asked before each commit, if it is set: its error makes the Update fail, and nothing of it is done.
	Fault func() error

	mu          sync.RWMutex // guards all below
	users       map[string]dsstore.User
	devices     map[string]dsstore.Device
	sessions    map[string]dsstore.Session
	collections map[dsstore.Collection]*collection
	bodies      map[[32]byte][]byte
	links       map[place]dsstore.Link
	filters     map[place]dsstore.Filter
	mappings    map[place]map[string]mapping // by GUID
	history     []Kept
	deletions   map[deletion]dsstore.Deletion
	events      map[string][]dsstore.Event // by device, oldest first
	presence    map[string]dsstore.Presence
	settings    map[string][]wish // by device, oldest first
	management  map[string]dsstore.Management
	groups      map[string]dsstore.Group
	members     map[membership]dsstore.Member
	wishes      map[wanted]dsstore.Wish
	blocks      map[dsstore.Collection][]block // by Upto; a list is never changed
}

// place is one collection as one device sees it.
type place struct {
	device string
	dsstore.Collection
}

type collection struct {
	rev   int64
	items map[string]item // by GUID
}

type item struct {
	dsstore.Item
	facts []byte
}

type mapping struct {
	dsstore.Mapping
	former bool
}

// Kept is a version that does not live on, see dsstore.Items.
type Kept struct {
	dsstore.Collection
	dsstore.Item
	Reason string
}

// New makes an empty store.
func New() *Store {
	return &Store{users: map[string]dsstore.User{}, devices: map[string]dsstore.Device{}, sessions: map[string]dsstore.Session{},
		collections: map[dsstore.Collection]*collection{}, bodies: map[[32]byte][]byte{}, links: map[place]dsstore.Link{},
		filters: map[place]dsstore.Filter{}, mappings: map[place]map[string]mapping{}, deletions: map[deletion]dsstore.Deletion{},
		events: map[string][]dsstore.Event{}, presence: map[string]dsstore.Presence{}, blocks: map[dsstore.Collection][]block{},
		settings: map[string][]wish{}, management: map[string]dsstore.Management{},
		groups: map[string]dsstore.Group{}, members: map[membership]dsstore.Member{}, wishes: map[wanted]dsstore.Wish{}}
}

// Update implements dsstore.Store.
func (s *Store) Update(ctx context.Context, fn func(dsstore.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &tx{Store: s, write: true, kept: len(s.history)}
	err := errors.Join(ctx.Err(), fn(t))
	if err == nil && s.Fault != nil {
		err = s.Fault()
	}
	if err != nil {
		t.rollback()
		return fmt.Errorf("cannot write to the store: %w", err)
	}
	return nil
}

// View implements dsstore.Store.
func (s *Store) View(ctx context.Context, fn func(dsstore.Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return errors.Join(ctx.Err(), fn(&tx{Store: s}))
}

// Close implements dsstore.Store.
func (s *Store) Close() error { return nil }

// History lists what was kept, oldest first.
func (s *Store) History() []Kept {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.history)
}

// tx implements dsstore.Tx. It writes in place and remembers how to take that back.
type tx struct {
	*Store
	write bool
	undo  []func()
	kept  int // length of the history before
}

var errReadOnly = errors.New("the transaction can only read")

func (t *tx) rollback() {
	for _, undo := range slices.Backward(t.undo) {
		undo()
	}
	t.history = t.history[:t.kept]
}

// put sets m[k], drop deletes it; both can be taken back.
func put[K comparable, V any](t *tx, m map[K]V, k K, v V) error {
	if !t.write {
		return errReadOnly
	}
	t.remember(restore(m, k))
	m[k] = v
	return nil
}

func drop[K comparable, V any](t *tx, m map[K]V, k K) error {
	if !t.write {
		return errReadOnly
	}
	t.remember(restore(m, k))
	delete(m, k)
	return nil
}

func (t *tx) remember(undo func()) { t.undo = append(t.undo, undo) }

func restore[K comparable, V any](m map[K]V, k K) func() {
	old, had := m[k]
	return func() {
		if delete(m, k); had {
			m[k] = old
		}
	}
}

// find is a look-up that finds nothing with an error.
func find[K comparable, V any](m map[K]V, k K) (V, error) {
	v, ok := m[k]
	if !ok {
		return v, dsstore.ErrNotFound
	}
	return v, nil
}

// stored is a time as a database keeps it.
func stored(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return time.UnixMicro(at.UnixMicro())
}
