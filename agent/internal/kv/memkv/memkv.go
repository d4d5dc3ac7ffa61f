// Package memkv is a kv.Store in memory, for tests: it can fail and it can crash at any write.
package memkv

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
)

// ErrFault is the error of an Update that was told to fail.
var ErrFault = errors.New("injected fault")

// Store is a kv.Store. The zero value is empty and usable.
type Store struct {
	mu   sync.Mutex
	data map[string][]byte
	// FailAt makes the Nth Update from now fail, and with Crash all after it; 0 is never.
	FailAt int
	Crash  bool
}

type tx struct {
	data  map[string][]byte
	write bool
}

// View implements kv.Store.
func (s *Store) View(fn func(kv.Reader) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fn(&tx{data: s.data})
}

// Update implements kv.Store.
func (s *Store) Update(fn func(kv.Writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &tx{data: maps.Clone(s.data), write: true}
	if t.data == nil {
		t.data = make(map[string][]byte)
	}
	if err := fn(t); err != nil {
		return err
	}
	if s.fault() {
		return ErrFault
	}
	s.data = t.data
	return nil
}

func (s *Store) fault() bool {
	if s.FailAt == 0 {
		return false
	}
	if s.FailAt == 1 {
		if !s.Crash {
			s.FailAt = 0
		}
		return true
	}
	s.FailAt--
	return false
}

// Close implements kv.Store.
func (s *Store) Close() error { return nil }

func (t *tx) Get(key string) ([]byte, error) {
	v, ok := t.data[key]
	if !ok {
		return nil, kv.ErrNotFound
	}
	return slices.Clone(v), nil
}

func (t *tx) Scan(prefix string, fn func(string, []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(t.data)) {
		if strings.HasPrefix(k, prefix) {
			if err := fn(k, slices.Clone(t.data[k])); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tx) Set(key string, value []byte) error {
	t.data[key] = slices.Clone(value)
	return nil
}

func (t *tx) Delete(key string) error {
	delete(t.data, key)
	return nil
}
