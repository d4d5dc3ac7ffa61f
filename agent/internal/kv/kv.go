// Package kv is the small ordered key-value store under the agent's durable state.
package kv

import "errors"

// ErrNotFound: the key has no value.
var ErrNotFound = errors.New("no such key")

// ErrTooLarge: an Update wrote more than the store takes in one piece; nothing of it was done. Callers keep what they write
// at once below MaxWrites.
var ErrTooLarge = errors.New("too many writes at once")

// MaxWrites is how many small entries (up to about 300 octets) one Update may write in every store: Badger bounds a transaction
// to 15 % of its memtable, which is small on devices.
const MaxWrites = 1000

// Store keeps keys and values. It may be used from many goroutines.
type Store interface {
	// View gives fn a consistent state to read.
	View(fn func(Reader) error) error
	// Update gives fn a state to read and write. All of its writes are durable when Update returns nil, and none is done otherwise.
	Update(fn func(Writer) error) error
	Close() error
}

// Reader reads. Keys and values belong to the caller.
type Reader interface {
	Get(key string) ([]byte, error)
	// Scan calls fn for each key with the prefix, in order of the keys. An error of fn ends the scan and is returned.
	Scan(prefix string, fn func(key string, value []byte) error) error
}

// Writer reads and writes. Values are copied.
type Writer interface {
	Reader
	Set(key string, value []byte) error
	// Delete removes a key; one that is not there is no error.
	Delete(key string) error
}
