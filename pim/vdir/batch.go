package vdir

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// PlanKey implements pim.Store.
func (s *Store) PlanKey(item pim.Item) (string, error) {
	folder := safefile.Folder(item.Folder)
	if item.Type == pim.TypeFolder {
		return folder + "/", nil
	}
	r, err := s.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	ext := extensions[s.kind][0]
	stem := safeName(strings.TrimSuffix(item.Name, path.Ext(item.Name)))
	if stem == "" {
		stem = safefile.Random()
	}
	key := path.Join(folder, stem+ext)
	if _, err := r.Lstat(key); errors.Is(err, fs.ErrNotExist) {
		return key, nil
	}
	return path.Join(folder, stem+"-"+safefile.Random()[:8]+ext), nil
}

// safeName keeps a name that is one on every system, "" otherwise. What comes from the wire never becomes a path.
func safeName(name string) string {
	if name == "" || len(name) > safefile.MaxName || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || reserved[strings.ToLower(name)] {
		return ""
	}
	for i := range len(name) {
		c := name[i]
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._@+=-", c) >= 0
		if !plain {
			return ""
		}
	}
	return name
}

// reserved are names that Windows keeps for devices.
var reserved = map[string]bool{"con": true, "prn": true, "aux": true, "nul": true, "com1": true, "com2": true, "com3": true, "com4": true,
	"lpt1": true, "lpt2": true, "lpt3": true}

// batch implements pim.Batch. Its folder is opened for its whole life.
type batch struct {
	s    *Store
	r    *os.Root
	w    safefile.Root
	sync *safefile.Syncer
}

// Update implements pim.Store.
func (s *Store) Update(context.Context) (pim.Batch, error) {
	r, err := s.open()
	if err != nil {
		return nil, err
	}
	w := s.root(r)
	return &batch{s: s, r: r, w: w, sync: safefile.NewSyncer(w)}, nil
}

const filePerm, folderPerm = 0o600, 0o700

func (b *batch) Add(key string, item pim.Item) (pim.Entry, error) {
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return pim.FolderEntry(folder), b.makeFolder(folder)
	}
	if err := b.makeFolder(path.Dir(key)); err != nil {
		return pim.Entry{}, err
	}
	err := safefile.Create(b.w, b.sync, key, item.Body, filePerm)
	if errors.Is(err, fs.ErrExist) {
		return pim.Entry{}, pim.ErrExists
	}
	if err != nil {
		return pim.Entry{}, err
	}
	return b.stat(key)
}

func (b *batch) makeFolder(folder string) error {
	if folder == "." || folder == "" {
		return nil
	}
	if fi, err := b.r.Stat(folder); err == nil && fi.IsDir() {
		return nil
	}
	if err := b.r.MkdirAll(folder, folderPerm); err != nil {
		return err
	}
	for f := folder; f != "."; f = path.Dir(f) {
		b.sync.Touched(path.Dir(f))
	}
	return nil
}

func (b *batch) stat(key string) (pim.Entry, error) {
	fi, err := b.r.Lstat(key)
	if err != nil {
		return pim.Entry{}, err
	}
	return b.s.entry(key, fi), nil
}

// as checks that the item is still what the caller saw.
func (b *batch) as(key string, expect pim.Stamp) error {
	fi, err := b.r.Lstat(key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pim.ErrNotFound
	case err != nil:
		return err
	case pim.StampOf(fi) != expect:
		return pim.ErrChanged
	}
	return nil
}

func (b *batch) Replace(key string, expect pim.Stamp, item pim.Item) (pim.Entry, error) {
	if strings.HasSuffix(key, "/") {
		return pim.FolderEntry(strings.TrimSuffix(key, "/")), nil // a folder has no content of its own
	}
	if err := b.as(key, expect); err != nil {
		return pim.Entry{}, err
	}
	if err := safefile.Replace(b.w, b.sync, key, item.Body, filePerm); err != nil {
		return pim.Entry{}, err
	}
	e, err := b.move(key, item.Folder)
	if errors.Is(err, fs.ErrNotExist) { // it was written, and somebody was quicker: what he did to it shows
		return pim.Entry{Key: key, Type: item.Type, Folder: safefile.Folder(item.Folder)}, nil
	}
	return e, err
}

func (b *batch) Reflag(key string, _ pim.Flags, folder string) (pim.Entry, error) {
	if _, err := b.r.Lstat(strings.TrimSuffix(key, "/")); err != nil {
		return pim.Entry{}, pim.ErrNotFound
	}
	if strings.HasSuffix(key, "/") {
		return pim.FolderEntry(strings.TrimSuffix(key, "/")), nil
	}
	return b.move(key, folder)
}

// move puts an item into another folder, under another name if its own is taken there.
func (b *batch) move(key, folder string) (pim.Entry, error) {
	folder = safefile.Folder(folder)
	if at(folder) == path.Dir(key) {
		return b.stat(key)
	}
	if err := b.makeFolder(folder); err != nil {
		return pim.Entry{}, err
	}
	to := path.Join(folder, path.Base(key))
	if _, err := b.r.Lstat(to); err == nil {
		ext := path.Ext(to)
		to = strings.TrimSuffix(to, ext) + "-" + safefile.Random()[:8] + ext
	}
	if err := b.w.Rename(key, to); err != nil {
		return pim.Entry{}, err
	}
	b.sync.Touched(path.Dir(key))
	b.sync.Touched(at(folder))
	return b.stat(to)
}

func (b *batch) Delete(key string, expect pim.Stamp) error {
	folder, isFolder := strings.CutSuffix(key, "/")
	if !isFolder {
		if err := b.as(key, expect); err != nil {
			return err
		}
	}
	err := b.w.Remove(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pim.ErrNotFound
	case err != nil && isFolder:
		return pim.ErrChanged // not empty
	case err != nil:
		return err
	}
	b.sync.Touched(path.Dir(folder))
	return nil
}

func (b *batch) Touched(key string) { b.sync.Touched(path.Dir(strings.TrimSuffix(key, "/"))) }

func (b *batch) Commit() error {
	err := b.sync.Sync()
	return errors.Join(err, b.r.Close())
}
