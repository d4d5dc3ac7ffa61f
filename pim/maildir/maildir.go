// Package maildir is a store of messages in a Maildir tree, as mail programs keep it: the flags of a message are in its file name, and
// changing them never touches its bytes.
package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

// Store is a Maildir with its sub-folders. It implements pim.Store and pim.Watcher. The key of a message is its folder and its unique
// name, so that it stays the same when flags change and when a mail program moves it from new to cur.
type Store struct {
	dir  string
	root func(*os.Root) safefile.Root // what writes go through; tests put faults in between

	cached *listing // of the folder that was looked at last
}

// New is the store in the folder dir, which need not exist yet: until it is a Maildir, the store is unavailable.
func New(dir string) *Store {
	return &Store{dir: dir, root: func(r *os.Root) safefile.Root { return r }}
}

// Create makes an empty Maildir.
func Create(dir string) error {
	var errs []error
	for _, sub := range []string{"cur", "new", "tmp"} {
		errs = append(errs, os.MkdirAll(filepath.Join(dir, sub), folderPerm))
	}
	return errors.Join(errs...)
}

// Kind implements pim.Store.
func (s *Store) Kind() pim.Kind { return pim.Mail }

// tree is an opened Maildir with its folders.
type tree struct {
	r *os.Root
	layout
}

// open opens the tree. The caller closes it. A folder without cur, or without an INBOX that has it, is no Maildir (any more), so nothing in it counts as
// deleted.
func (s *Store) open() (*tree, error) {
	r, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
	}
	inbox, ok := inboxOf(r)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%w: %s has no folder cur, nor INBOX/cur", pim.ErrUnavailable, s.dir), r.Close())
	}
	t := &tree{r: r}
	if t.layout, err = readLayout(r, inbox); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %v", pim.ErrUnavailable, err), r.Close())
	}
	return t, nil
}

func (t *tree) Close() { t.r.Close() } //nolint:errcheck // it was only read, or synced by the batch

// Scan implements pim.Store.
func (s *Store) Scan(ctx context.Context, yield func(pim.Entry, error) error) error {
	t, err := s.open()
	if err != nil {
		return err
	}
	defer t.Close()
	for _, folder := range t.folders() {
		if folder != "" {
			if err := yield(pim.FolderEntry(folder), nil); err != nil {
				return err
			}
		}
		if err := s.scanFolder(ctx, t, folder, yield); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) scanFolder(ctx context.Context, t *tree, folder string, yield func(pim.Entry, error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l, err := list(t.r, t.dirOf(folder))
	if err != nil {
		return fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
	}
	for unique, files := range l.messages {
		key := path.Join(folder, unique)
		e, err := stat(t.r, folder, unique, files[0])
		if errors.Is(err, fs.ErrNotExist) {
			if _, e, err = s.find(t, key); errors.Is(err, pim.ErrNotFound) {
				continue // removed while we looked
			}
		}
		if err != nil {
			err = &pim.ItemError{Key: key, Err: err}
			e = pim.Entry{Key: key}
		}
		if err := yield(e, err); err != nil {
			return err
		}
		for _, other := range files[1:] {
			bad := &pim.ItemError{Key: other, Err: errors.New("another file has the same unique name; it is kept, but not synchronized")}
			if err := yield(pim.Entry{Key: other}, bad); err != nil {
				return err
			}
		}
	}
	return nil
}

// stat is the entry of a message in a file.
func stat(r *os.Root, folder, unique, file string) (pim.Entry, error) {
	fi, err := r.Lstat(file)
	if err != nil {
		return pim.Entry{}, err
	}
	if !fi.Mode().IsRegular() {
		return pim.Entry{}, errors.New("it is no regular file")
	}
	_, flags := splitName(path.Base(file))
	return pim.Entry{Key: path.Join(folder, unique), Type: pim.TypeMessage, Folder: folder, Flags: flags, Stamp: pim.StampOf(fi)}, nil
}

// find looks a message up by its key: its file now, and its entry; pim.ErrNotFound if it is not there.
func (s *Store) find(t *tree, key string) (file string, e pim.Entry, err error) {
	folder, unique := splitKey(key)
	for range 2 { // once more if its flags change just now
		if file, err = s.file(t, key); err != nil {
			return "", pim.Entry{}, err
		}
		if e, err = stat(t.r, folder, unique, file); !errors.Is(err, fs.ErrNotExist) {
			return file, e, err
		}
		s.cached = nil
	}
	return "", pim.Entry{}, pim.ErrNotFound
}

// file is where a message lies now.
func (s *Store) file(t *tree, key string) (string, error) {
	folder, unique := splitKey(key)
	dir := t.dirOf(folder)
	if s.cached == nil || s.cached.dir != dir || !s.cached.fresh(t.r) {
		l, err := list(t.r, dir)
		if errors.Is(err, fs.ErrNotExist) {
			return "", pim.ErrNotFound
		}
		if err != nil {
			return "", fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
		}
		s.cached = l
	}
	if files := s.cached.messages[unique]; len(files) > 0 {
		return files[0], nil
	}
	return "", pim.ErrNotFound
}

func splitKey(key string) (folder, unique string) {
	folder, unique = path.Split(key)
	return strings.TrimSuffix(folder, "/"), unique
}

// Stat implements pim.Store.
func (s *Store) Stat(_ context.Context, keys []string) ([]pim.Entry, error) {
	t, err := s.open()
	if err != nil {
		return nil, err
	}
	defer t.Close()
	keys = append([]string(nil), keys...)
	sort.Strings(keys) // folder by folder
	var out []pim.Entry
	for _, key := range keys {
		if folder, ok := strings.CutSuffix(key, "/"); ok {
			if t.has(folder) {
				out = append(out, pim.FolderEntry(folder))
			}
			continue
		}
		_, e, err := s.find(t, key)
		switch {
		case err == nil:
			out = append(out, e)
		case errors.Is(err, pim.ErrUnavailable):
			return nil, err
		}
	}
	return out, nil
}

// Read implements pim.Store. The stamp is taken before the bytes: an edit in between shows as a change later.
func (s *Store) Read(_ context.Context, key string) (pim.Item, pim.Entry, error) {
	t, err := s.open()
	if err != nil {
		return pim.Item{}, pim.Entry{}, err
	}
	defer t.Close()
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		if !t.has(folder) {
			return pim.Item{}, pim.Entry{}, pim.ErrNotFound
		}
		return pim.FolderItem(folder), pim.FolderEntry(folder), nil
	}
	file, e, err := s.find(t, key)
	if err != nil {
		return pim.Item{}, pim.Entry{}, itemError(key, err)
	}
	body, err := read(t.r, file, e.Stamp.Size)
	if err != nil {
		return pim.Item{}, pim.Entry{}, itemError(key, err)
	}
	_, unique := splitKey(key)
	return pim.Item{Type: e.Type, Folder: e.Folder, Name: unique, Flags: e.Flags, Body: body}, e, nil
}

func read(r *os.Root, file string, size int64) ([]byte, error) {
	if size > pim.MaxItemSize {
		return nil, pim.ErrTooLarge
	}
	f, err := r.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return safefile.Read(f, size)
}

func itemError(key string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, pim.ErrNotFound):
		return pim.ErrNotFound
	case errors.Is(err, pim.ErrUnavailable):
		return err
	}
	return &pim.ItemError{Key: key, Err: err}
}

// Watch implements pim.Watcher.
func (s *Store) Watch(ctx context.Context, hint func(pim.Hint)) error {
	return watch.Tree(ctx, s.dir, ignored, func(h pim.Hint) {
		h.Keys = s.keys(h.Keys)
		hint(h)
	})
}

// ignored are paths that are no messages yet: what is being delivered, and what programs hide.
func ignored(rel string) bool {
	base := path.Base(rel)
	if base == "tmp" || path.Base(path.Dir(rel)) == "tmp" {
		return true
	}
	parent := path.Base(path.Dir(rel))
	return strings.HasPrefix(base, ".") && (parent == "cur" || parent == "new")
}

// keys are the keys of touched files; nil if anything else was touched.
func (s *Store) keys(paths []string) []string {
	if paths == nil {
		return nil
	}
	t, err := s.open()
	if err != nil {
		return nil
	}
	defer t.Close()
	seen := make(map[string]bool)
	for _, p := range paths {
		dir, sub := path.Split(path.Dir(strings.TrimSuffix(p, "/")))
		folder, ok := t.folderOf(strings.TrimSuffix(dir, "/"))
		if !ok || sub != "cur" && sub != "new" {
			return nil
		}
		unique, _ := splitName(path.Base(p))
		seen[path.Join(folder, unique)] = true
	}
	out := make([]string, 0, len(seen))
	for k := range seen {
		out = append(out, k)
	}
	return out
}
