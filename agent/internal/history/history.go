// Package history keeps former versions of items for a while: what the server overwrites or deletes here can be had back.
package history

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// Keep is how long versions are kept.
const Keep = 30 * 24 * time.Hour

// Former is a version that is about to be replaced or deleted.
type Former struct {
	Store, LUID, Key string
	Item             pim.Item
	Reason           string // e.g. "overwritten by the server"
	Left             bool   // see Entry
}

// Entry is a former version that is kept.
type Entry struct {
	ID     string    `json:"-"`
	At     time.Time // when it was replaced
	Store  string
	LUID   string
	Key    string
	Type   string
	Folder string    `json:",omitempty"`
	Flags  pim.Flags `json:",omitempty"`
	Name   string    `json:",omitempty"`
	Hash   string
	Size   int64
	Reason string
	// Left: the server took it off this device only, and says that it has it. Undo leaves it alone: put back it would be there twice.
	Left bool `json:",omitempty"`
	// Back is the LUID of the item as which it was put back last, "" if it never was.
	Back string `json:",omitempty"`
}

// leftRoom is how many octets of items that have left this device are kept at most: some 30,000 mails. A filter is there to save room.
const leftRoom = 1 << 30

// Book keeps the versions of all stores. It may be used from any goroutine.
type Book struct {
	db  kv.Store
	dir string
	now func() time.Time

	mu   sync.Mutex // one writer
	left int64      // octets of what has left, -1 until somebody asks; guarded by mu
}

const prefix = "history/"

// Open keeps bodies in a folder, which it makes if need be, and what is known of them in the state.
func Open(db kv.Store, dir string) (*Book, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of former versions: %w", err)
	}
	return &Book{db: db, dir: dir, now: time.Now, left: -1}, nil
}

// count notes how much has left this device of what is kept.
func (b *Book) count(list []Entry) {
	b.left = 0
	for _, e := range list {
		if e.Left {
			b.left += e.Size
		}
	}
}

// Room is how many octets of items that leave this device may still be kept.
func (b *Book) Room() (int64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < 0 {
		all, err := b.List("")
		if err != nil {
			return 0, err
		}
		b.count(all)
	}
	return leftRoom - b.left, nil
}

// Keep makes versions durable, before what replaces them is written. All of one call belong together: Last finds them.
func (b *Book) Keep(list []Former) error {
	if len(list) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.bodies(list); err != nil {
		return fmt.Errorf("cannot keep former versions, so nothing was changed: %w", err)
	}
	at := b.now().UTC()
	if err := kv.InPieces(b.db, len(list), func(w kv.Writer, i int) error { return b.note(w, at, &list[i]) }); err != nil {
		return fmt.Errorf("cannot keep former versions, so nothing was changed: %w", err)
	}
	for i := range list {
		if list[i].Left && b.left >= 0 {
			b.left += int64(len(list[i].Item.Body))
		}
	}
	return nil
}

// bodies writes what is not there yet, and makes it durable.
func (b *Book) bodies(list []Former) error {
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	s := safefile.NewSyncer(root)
	for i := range list {
		name := hash(list[i].Item.Body)
		if err := root.Mkdir(name[:2], 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		err := safefile.Create(root, s, path.Join(name[:2], name), list[i].Item.Body, 0o600)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	s.Touched(".")
	return s.Sync()
}

func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func (b *Book) note(w kv.Writer, at time.Time, f *Former) error {
	e := Entry{At: at, Store: f.Store, LUID: f.LUID, Key: f.Key, Type: f.Item.Type, Folder: f.Item.Folder, Flags: f.Item.Flags, Name: f.Item.Name,
		Hash: hash(f.Item.Body), Size: int64(len(f.Item.Body)), Reason: f.Reason, Left: f.Left}
	return put(w, fmt.Sprintf("%016x-%s", at.UnixNano(), f.LUID), &e)
}

func put(w kv.Writer, id string, e *Entry) error {
	v, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return w.Set(prefix+id, v)
}

func entry(r kv.Reader, id string) (e Entry, err error) {
	v, err := r.Get(prefix + id)
	if err == nil {
		err = json.Unmarshal(v, &e)
	}
	return e, err
}

// List is what is kept of a store, or of all if it is "", newest first.
func (b *Book) List(store string) (out []Entry, err error) {
	err = b.db.View(func(r kv.Reader) error {
		return r.Scan(prefix, func(k string, v []byte) error {
			e := Entry{ID: strings.TrimPrefix(k, prefix)}
			if err := json.Unmarshal(v, &e); err != nil {
				return nil //nolint:nilerr // one that is damaged is not listed, the others are
			}
			if store == "" || e.Store == store {
				out = append(out, e)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read former versions: %w", err)
	}
	slices.Reverse(out)
	return out, nil
}

// ErrNone says that there is no such version.
var ErrNone = errors.New("there is no such former version")

// Get is a version with its body.
func (b *Book) Get(id string) (e Entry, body []byte, err error) {
	err = b.db.View(func(r kv.Reader) error {
		e, err = entry(r, id)
		return err
	})
	if errors.Is(err, kv.ErrNotFound) {
		err = ErrNone
	}
	if err != nil {
		return e, nil, err
	}
	e.ID = id
	body, err = os.ReadFile(filepath.Join(b.dir, e.Hash[:2], e.Hash))
	if err == nil && hash(body) != e.Hash {
		err = fmt.Errorf("the former version of %s is damaged on disk", e.Key)
	}
	return e, body, err
}

// PutBack notes as which item a version is put back.
func (b *Book) PutBack(id, luid string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.db.Update(func(w kv.Writer) error {
		e, err := entry(w, id)
		if err != nil {
			return err
		}
		e.Back = luid
		return put(w, id, &e)
	})
	if err != nil {
		return fmt.Errorf("cannot note that a former version is put back: %w", err)
	}
	return nil
}

// Prune forgets what is older than Keep, with the bodies that nothing else needs.
func (b *Book) Prune() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, err := b.List("")
	if err != nil {
		return err
	}
	limit := b.now().Add(-Keep)
	needed, old, kept := map[string]bool{}, []Entry{}, []Entry{}
	for _, e := range all {
		if e.At.Before(limit) {
			old = append(old, e)
		} else {
			needed[e.Hash] = true
			kept = append(kept, e)
		}
	}
	if err := kv.InPieces(b.db, len(old), func(w kv.Writer, i int) error { return w.Delete(prefix + old[i].ID) }); err != nil {
		return fmt.Errorf("cannot forget former versions: %w", err)
	}
	b.count(kept)
	for _, e := range old {
		if !needed[e.Hash] {
			os.Remove(filepath.Join(b.dir, e.Hash[:2], e.Hash)) //nolint:errcheck // it takes room, no more
		}
	}
	return nil
}
