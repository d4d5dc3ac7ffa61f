// Package watch turns file system events below a folder into hints that a store may have changed. Events are never the truth:
// they are lost when a folder is made and filled at once, and when there are too many; a hint without keys says "look at all".
package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/alwayson-sync/alwayson/pim"
)

const (
	// quiet ends a burst; the first event of a burst waits longest at most. Together with an exchange they stay below what a
	// person notices (numbers: 80 ms from a save to the other device).
	quiet   = 20 * time.Millisecond
	longest = 100 * time.Millisecond
	// manyKeys is when a look at everything is cheaper than one at each.
	manyKeys = 256
)

// Dir watches root and the folders in it until ctx ends, and calls hint, which must not block, when the watch stands and after each burst. An error means
// that nothing is watched (any more): the caller looks by itself from time to time and tries again.
func Dir(ctx context.Context, root string, hint func(pim.Hint)) error {
	return Tree(ctx, root, hidden, hint)
}

// hidden are temporary files of editors, and what they and other programs hide.
func hidden(rel string) bool {
	name := path.Base(rel)
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".tmp")
}

// Tree is Dir for a tree with other rules: what ignore says of a slash-separated path below root is neither watched nor told.
func Tree(ctx context.Context, root string, ignore func(rel string) bool, hint func(pim.Hint)) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return limited(root, "fs.inotify.max_user_instances", err)
	}
	defer w.Close()
	d := &dir{root: root, w: w, hint: hint, ignore: ignore, keys: make(map[string]bool)}
	if err := d.add(root); err != nil {
		return limited(root, watches, err)
	}
	d.all, d.first = true, time.Now() // what happened before the watch stood
	d.flush()
	return d.run(ctx)
}

// dir is one watched tree. It is used from one goroutine.
type dir struct {
	root   string
	w      *fsnotify.Watcher
	ignore func(rel string) bool
	hint   func(pim.Hint)
	keys   map[string]bool
	all    bool
	first  time.Time
}

// add watches a folder and those in it.
func (d *dir) add(folder string) error {
	return filepath.WalkDir(folder, func(at string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != d.root:
			return nil // gone again
		case err != nil:
			return err
		case !e.IsDir():
			return nil
		case at != d.root && d.ignore(d.rel(at)):
			return filepath.SkipDir
		}
		return d.w.Add(at)
	})
}

func (d *dir) run(ctx context.Context) error {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.w.Errors:
			d.all = true // too many events at once, or worse: look at everything
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				d.flush()
				return fmt.Errorf("cannot watch %s any more: %w", d.root, err)
			}
			d.arm(timer)
		case ev := <-d.w.Events:
			changed, err := d.take(ev)
			if err != nil {
				return err
			}
			if changed {
				d.arm(timer)
			}
		case <-timer.C:
			d.flush()
		}
	}
}

// arm lets the burst go on for a quiet moment more, within its bound.
func (d *dir) arm(timer *time.Timer) {
	now := time.Now()
	if d.first.IsZero() {
		d.first = now
	}
	timer.Reset(min(quiet, max(0, longest-now.Sub(d.first))))
}

// take notes an event; false if it means nothing.
func (d *dir) take(ev fsnotify.Event) (bool, error) {
	switch {
	case ev.Name == d.root && ev.Has(fsnotify.Remove|fsnotify.Rename):
		d.all = true
		d.flush()
		return false, fmt.Errorf("cannot watch %s any more: it was removed or renamed", d.root)
	case ev.Op == fsnotify.Chmod || d.ignore(d.rel(ev.Name)):
		return false, nil
	case ev.Has(fsnotify.Create):
		is, err := d.folder(ev.Name)
		if d.all = d.all || is; is || err != nil { // files may have come before the watch
			return true, err
		}
	}
	key := d.rel(ev.Name)
	d.keys[key] = true
	if ev.Has(fsnotify.Remove | fsnotify.Rename) {
		d.keys[key+"/"] = true // nobody knows any more whether it was a folder
	}
	return true, nil
}

// rel is a path below root, slash-separated.
func (d *dir) rel(path string) string {
	rel, err := filepath.Rel(d.root, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(rel)
}

// folder watches what was made if it is a folder.
func (d *dir) folder(path string) (is bool, err error) {
	before := len(d.w.WatchList())
	switch err := d.add(path); {
	case errors.Is(err, syscall.ENOSPC):
		d.all = true
		d.flush()
		return true, limited(d.root, watches, err)
	case err != nil:
		return true, nil // it cannot be watched: look at everything now, and at the next poll
	}
	return len(d.w.WatchList()) > before, nil
}

// flush ends the burst.
func (d *dir) flush() {
	if !d.all && len(d.keys) == 0 {
		return
	}
	h := pim.Hint{At: d.first}
	if !d.all && len(d.keys) <= manyKeys {
		h.Keys = make([]string, 0, len(d.keys))
		for k := range d.keys {
			h.Keys = append(h.Keys, k)
		}
	}
	d.all, d.first = false, time.Time{}
	clear(d.keys)
	d.hint(h)
}
