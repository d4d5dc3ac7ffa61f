package replica

import (
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/digest"
	"github.com/alwayson-sync/alwayson/pim"
)

// Waiting is an item that the server has not got as it is here.
type Waiting struct {
	Key     string // of the item in its store
	Change  string // new, changed, moved or marked, deleted; "" if it only has a Problem
	Problem string // why it cannot be synchronized, "" if it only waits
}

// Counts is how many items, unsent changes and problems there are. It may be called at any time.
func (r *Replica) Counts() state.Counts {
	c := r.index.Counts()
	r.mu.Lock()
	defer r.mu.Unlock()
	c.Problems += len(r.unlisted)
	return c
}

// Since is when the oldest change came that the server has not got, the zero time if there is none. It may be called at any time.
func (r *Replica) Since() time.Time { return r.index.Since() }

// Waiting lists them by key. It may be called at any time.
func (r *Replica) Waiting() ([]Waiting, error) {
	var out []Waiting
	err := r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if row.Dirty() || row.Problem != "" {
				out = append(out, Waiting{Key: row.Key, Change: changeOf(row), Problem: row.Problem})
			}
			return nil
		})
	})
	r.mu.Lock()
	for _, e := range r.unlisted {
		out = append(out, Waiting{Key: e.Key, Problem: e.Err.Error()})
	}
	r.mu.Unlock()
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out, err
}

func changeOf(row state.Row) string {
	switch {
	case row.Gone:
		return "deleted"
	case row.Problem != "" && row.Hash == [32]byte{}:
		return "" // it could never be read
	case !row.Shared && row.Type == pim.TypeFolder:
		return "new folder"
	case !row.Shared:
		return "new"
	case row.Hash != row.Synced.Hash:
		return "changed"
	case row.Dirty():
		return "moved or marked"
	}
	return ""
}

// Find is the LUID of the item that a person means by a file's name or path: of a message without the marks that its name ends with. Of several of one
// name it is the one whose path is meant, if any is.
func (r *Replica) Find(name string) (luid string, ok bool, err error) {
	name, _, _ = strings.Cut(filepath.ToSlash(name), ":2,")
	err = r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if !row.Gone && path.Base(row.Key) == path.Base(name) && (!ok || strings.HasSuffix("/"+name, "/"+row.Key)) {
				luid, ok = row.LUID, true
			}
			return nil
		})
	})
	return luid, ok, err
}

// Digest is what both sides are believed to have, for a comparison with the server.
func (r *Replica) Digest() (digest.Set, error) {
	var leaves []digest.Leaf
	err := r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if !row.Gone && !row.Doomed && row.Shared {
				leaves = append(leaves, digest.Leaf{ID: row.LUID, Sum: digest.Sum(row.Hash, string(row.Flags))})
			}
			return nil
		})
	})
	return digest.New(leaves), err
}

// KeyOf is the key of an item; not ok if there is none with this LUID.
func (r *Replica) KeyOf(luid string) (key string, ok bool, err error) {
	row, ok, err := r.row(luid)
	return row.Key, ok && !row.Gone, err
}
