// Package vdir is a store of one file per item, with folders as collections, as khal, khard, todoman and vdirsyncer keep it.
package vdir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

// Store is a vdir. It implements pim.Store and pim.Watcher.
type Store struct {
	dir  string
	kind pim.Kind
	root func(*os.Root) safefile.Root // what writes go through; tests put faults in between
}

// New is the store of items of one kind in the folder dir, which need not exist yet: until it does, the store is unavailable.
func New(dir string, kind pim.Kind) *Store {
	return &Store{dir: dir, kind: kind, root: func(r *os.Root) safefile.Root { return r }}
}

// Create makes the folder of a new store.
func Create(dir string) error { return os.MkdirAll(dir, 0o700) }

// Kind implements pim.Store.
func (s *Store) Kind() pim.Kind { return s.kind }

// Dir is the folder of the store.
func (s *Store) Dir() string { return s.dir }

// open opens the folder. The caller closes it. That it is opened each time makes a folder that was moved away or unmounted
// show at once.
func (s *Store) open() (*os.Root, error) {
	r, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
	}
	return r, nil
}

// extensions are the files that are items, by kind; the first is that of new ones.
var extensions = map[pim.Kind][]string{
	pim.Contacts: {".vcf"}, pim.Calendar: {".ics"}, pim.Tasks: {".ics"}, pim.Notes: {".txt", ".md"},
}

func (s *Store) isItem(name string) bool { return IsItem(s.kind, name) }

// IsItem tells whether a file of this name is an item of a kind.
func IsItem(kind pim.Kind, name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasPrefix(name, "#") {
		return false // temporary files of editors, and our own
	}
	ext := strings.ToLower(path.Ext(name))
	for _, e := range extensions[kind] {
		if ext == e {
			return true
		}
	}
	return false
}

// Scan implements pim.Store.
func (s *Store) Scan(ctx context.Context, yield func(pim.Entry, error) error) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	defer r.Close()
	return s.scanFolder(ctx, r, "", yield)
}

// scanFolder lists one folder, then its sub-folders.
func (s *Store) scanFolder(ctx context.Context, r *os.Root, folder string, yield func(pim.Entry, error) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d, err := r.Open(at(folder))
	if err != nil {
		return fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
	}
	defer d.Close()
	var folders []string
	for {
		list, err := d.ReadDir(256)
		for _, e := range list {
			if err := s.scanEntry(folder, e, &folders, yield); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
		}
	}
	for _, f := range folders {
		if err := yield(pim.FolderEntry(f), nil); err != nil {
			return err
		}
		if err := s.scanFolder(ctx, r, f, yield); err != nil {
			return err
		}
	}
	return nil
}

func at(folder string) string {
	if folder == "" {
		return "."
	}
	return folder
}

func (s *Store) scanEntry(folder string, e fs.DirEntry, folders *[]string, yield func(pim.Entry, error) error) error {
	key := path.Join(folder, e.Name())
	switch {
	case e.IsDir() && !strings.HasPrefix(e.Name(), "."):
		*folders = append(*folders, key)
		return nil
	case !e.Type().IsRegular() || !s.isItem(e.Name()):
		return nil
	}
	fi, err := e.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed while we looked
	}
	if err != nil {
		return yield(pim.Entry{Key: key}, &pim.ItemError{Key: key, Err: err})
	}
	return yield(s.entry(key, fi), nil)
}

func (s *Store) entry(key string, fi fs.FileInfo) pim.Entry {
	folder := path.Dir(key)
	if folder == "." {
		folder = ""
	}
	return pim.Entry{Key: key, Type: s.kind.ContentType(), Folder: folder, Stamp: pim.StampOf(fi)}
}

// Stat implements pim.Store.
func (s *Store) Stat(_ context.Context, keys []string) ([]pim.Entry, error) {
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []pim.Entry
	for _, key := range keys {
		fi, err := r.Lstat(strings.TrimSuffix(key, "/"))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("%w: %v", pim.ErrUnavailable, err)
		case fi.IsDir() && strings.HasSuffix(key, "/"):
			out = append(out, pim.FolderEntry(strings.TrimSuffix(key, "/")))
		case fi.Mode().IsRegular() && s.isItem(path.Base(key)):
			out = append(out, s.entry(key, fi))
		}
	}
	return out, nil
}

// Read implements pim.Store.
func (s *Store) Read(ctx context.Context, key string) (pim.Item, pim.Entry, error) {
	r, err := s.OpenReader()
	if err != nil {
		return pim.Item{}, pim.Entry{}, err
	}
	defer r.Close()
	return r.Read(ctx, key)
}

// reader implements pim.Reader.
type reader struct {
	s *Store
	r *os.Root
}

// OpenReader implements pim.Opener.
func (s *Store) OpenReader() (pim.Reader, error) {
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	return reader{s, r}, nil
}

func (r reader) Close() error { return r.r.Close() }

// Read implements pim.Reader. The stamp is taken before the bytes: an edit in between shows as a change later.
func (r reader) Read(_ context.Context, key string) (pim.Item, pim.Entry, error) {
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return readFolder(r.r, folder)
	}
	f, err := r.r.Open(key)
	if err != nil {
		return pim.Item{}, pim.Entry{}, itemError(key, err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return pim.Item{}, pim.Entry{}, itemError(key, err)
	}
	if fi.Size() > pim.MaxItemSize {
		return pim.Item{}, pim.Entry{}, &pim.ItemError{Key: key, Err: pim.ErrTooLarge}
	}
	body, err := safefile.Read(f, fi.Size())
	if err != nil {
		return pim.Item{}, pim.Entry{}, itemError(key, err)
	}
	e := r.s.entry(key, fi)
	return pim.Item{Type: e.Type, Folder: e.Folder, Name: path.Base(key), Body: body}, e, nil
}

func readFolder(r *os.Root, folder string) (pim.Item, pim.Entry, error) {
	fi, err := r.Stat(folder)
	if err != nil || !fi.IsDir() {
		return pim.Item{}, pim.Entry{}, pim.ErrNotFound
	}
	return pim.FolderItem(folder), pim.FolderEntry(folder), nil
}

func itemError(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return pim.ErrNotFound
	}
	return &pim.ItemError{Key: key, Err: err}
}

// Watch implements pim.Watcher.
func (s *Store) Watch(ctx context.Context, hint func(pim.Hint)) error {
	return watch.Dir(ctx, s.dir, hint)
}
