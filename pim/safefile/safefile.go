// Package safefile writes files so that a crash leaves each of them as before or as after, and makes many of them durable at
// once: single writes are atomic, a Syncer pays for the disk once a batch (numbers.md: never one fsync per item).
package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Root is the file operations that writing needs, all below one folder, so that no name leads out of it. *os.Root is one; tests
// give one that fails or stops at the operation they choose.
type Root interface {
	OpenFile(name string, flag int, perm os.FileMode) (*os.File, error)
	Rename(from, to string) error
	Link(from, to string) error
	Remove(name string) error
}

const (
	tempPrefix = ".alwayson-"
	tempSuffix = ".tmp"
)

// IsTemp tells whether a file name is one of ours that is not finished.
func IsTemp(name string) bool {
	return strings.HasPrefix(name, tempPrefix) && strings.HasSuffix(name, tempSuffix)
}

// Create writes a new file; an error that is os.ErrExist if the name is taken. Replace writes over a file or makes a new one.
// Both show the file whole or not at all, and durable only after Syncer.Sync.
func Create(r Root, s *Syncer, name string, body []byte, perm os.FileMode) error {
	return write(r, s, name, body, perm, func(temp string) error {
		if err := r.Link(temp, name); err != nil {
			return err
		}
		return r.Remove(temp)
	})
}

// Replace is described at Create.
func Replace(r Root, s *Syncer, name string, body []byte, perm os.FileMode) error {
	return write(r, s, name, body, perm, func(temp string) error { return r.Rename(temp, name) })
}

// WriteFile replaces one file durably, by its path, and makes its folder, for nobody else to read, if there is none. It pays for the disk by itself: batches
// have a Syncer.
func WriteFile(name string, body []byte, perm os.FileMode) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() //nolint:errcheck // nothing was written by it
	s := NewSyncer(root)
	if err := Replace(root, s, filepath.Base(name), body, perm); err != nil {
		return err
	}
	return s.Sync()
}

func write(r Root, s *Syncer, name string, body []byte, perm os.FileMode, publish func(temp string) error) error {
	temp := path.Join(path.Dir(name), tempPrefix+Random()+tempSuffix)
	err := fill(r, s, temp, body, perm)
	if err == nil {
		err = publish(temp)
	}
	if err != nil {
		r.Remove(temp) //nolint:errcheck // the first error is the one to tell, and leftovers are ignored
		return err
	}
	s.Touched(path.Dir(name))
	return nil
}

func fill(r Root, s *Syncer, temp string, body []byte, perm os.FileMode) error {
	f, err := r.OpenFile(temp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, perm)
	if err != nil {
		return err
	}
	if _, err = f.Write(body); err == nil {
		err = s.beforeRename(f)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// Read reads a file that had this size when it was looked at. Of one that has grown since it is what was there then, as it would be for
// who reads a moment earlier.
func Read(f *os.File, size int64) ([]byte, error) {
	body := make([]byte, size)
	n, err := io.ReadFull(f, body)
	if err == io.EOF || err == io.ErrUnexpectedEOF { // it has shrunk
		err = nil
	}
	return body[:n], err
}

// Syncer makes the writes of a batch durable together. Its zero value is not usable.
type Syncer struct {
	root    Root
	touched map[string]bool // folders
}

// NewSyncer is a Syncer for writes below root.
func NewSyncer(root Root) *Syncer { return &Syncer{root: root, touched: make(map[string]bool)} }

// Touched notes that names in a folder changed.
func (s *Syncer) Touched(folder string) { s.touched[folder] = true }

// open opens a touched folder. Of one that is gone it is the next one above, whose names tell of that.
func (s *Syncer) open(folder string) (*os.File, error) {
	for {
		d, err := s.root.OpenFile(folder, os.O_RDONLY, 0)
		if !errors.Is(err, fs.ErrNotExist) || folder == "." {
			return d, err
		}
		folder = path.Dir(folder)
	}
}

// Sync returns when everything that was written is durable.
func (s *Syncer) Sync() error {
	if len(s.touched) == 0 {
		return nil
	}
	if err := s.syncFolders(); err != nil {
		return fmt.Errorf("cannot make files durable: %w", err)
	}
	clear(s.touched)
	return nil
}
