package sim

import (
	"bytes"
	"context"
	"errors"
	"path"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// batch implements pim.Batch on a disk. Each of its steps that a crash can come between asks the hook.
type batch struct{ *disk }

func (d *disk) Update(context.Context) (pim.Batch, error) {
	if d.gone {
		return nil, pim.ErrUnavailable
	}
	return batch{d}, nil
}

func (b batch) did(undo func()) { b.unsynced = append(b.unsynced, undo) }

func (b batch) Add(key string, item pim.Item) (pim.Entry, error) {
	if err := b.access("add "+key, true); err != nil {
		return pim.Entry{}, err
	}
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		b.makeFolder(folder)
		return pim.FolderEntry(folder), nil
	}
	if b.files[key] != nil {
		return pim.Entry{}, pim.ErrExists
	}
	if item.Folder = path.Dir(key); item.Folder == "." {
		item.Folder = ""
	}
	item.Name = ""
	b.did(b.put(key, item, 0))
	e, _ := b.entry(key)
	return e, nil
}

// as checks that an item is still what the caller saw.
func (b batch) as(key string, expect pim.Stamp) error {
	f := b.files[key]
	switch {
	case f == nil:
		return pim.ErrNotFound
	case f.stamp != expect:
		return pim.ErrChanged
	}
	return nil
}

func (b batch) Replace(key string, expect pim.Stamp, item pim.Item) (pim.Entry, error) {
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return pim.FolderEntry(folder), nil
	}
	if err := b.access("replace "+key, true); err != nil {
		return pim.Entry{}, err
	}
	if err := b.as(key, expect); err != nil {
		return pim.Entry{}, err
	}
	if b.kind == pim.Mail { // its name first, as maildir does
		e, err := b.Reflag(key, item.Flags, item.Folder)
		if err != nil {
			return e, err
		}
		if err := b.access("write "+e.Key, true); err != nil {
			return pim.Entry{}, err
		}
		return b.overwrite(e.Key, expect, item)
	}
	e, err := b.overwrite(key, expect, item)
	if err != nil {
		return e, err
	}
	moved, err := b.Reflag(e.Key, item.Flags, item.Folder)
	if errors.Is(err, pim.ErrNotFound) { // it was written, and somebody was quicker: what he did to it shows, as vdir does
		e.Folder = safefile.Folder(item.Folder, "cur", "new", "tmp")
		return e, nil
	}
	if moved.Stamp = e.Stamp; err != nil { // an edit since then must show
		return pim.Entry{}, err
	}
	return moved, nil
}

// overwrite looks again whether the item is what the caller saw: the moment in which an edit is lost is not simulated.
func (b batch) overwrite(key string, expect pim.Stamp, item pim.Item) (pim.Entry, error) {
	if err := b.as(key, expect); err != nil {
		return pim.Entry{}, err
	}
	now := b.files[key].item
	if !bytes.Equal(now.Body, item.Body) {
		b.losing(key, now.Body, false)
	}
	now.Body = item.Body
	b.did(b.put(key, now, 0))
	e, _ := b.entry(key)
	return e, nil
}

func (b batch) Reflag(key string, flags pim.Flags, folder string) (pim.Entry, error) {
	if f, ok := strings.CutSuffix(key, "/"); ok {
		e, ok := b.entry(key)
		if !ok {
			return pim.FolderEntry(f), pim.ErrNotFound
		}
		return e, nil
	}
	if err := b.access("reflag "+key, true); err != nil {
		return pim.Entry{}, err
	}
	f := b.files[key]
	if f == nil {
		return pim.Entry{}, pim.ErrNotFound
	}
	if b.kind == pim.Mail && f.item.Flags != flags {
		b.did(b.setFlags(key, flags))
	}
	folder = safefile.Folder(folder, "cur", "new", "tmp")
	if folder != f.item.Folder {
		to := path.Join(folder, path.Base(key))
		if b.files[to] != nil {
			to = path.Join(folder, safefile.Random()+"-"+path.Base(key))
		}
		b.did(b.rename(key, to))
		b.moving(key, to)
		key = to
	}
	e, _ := b.entry(key)
	return e, nil
}

// setFlags changes the flags of a file, which touches neither its bytes nor its stamp, and returns how that is taken back.
func (d *disk) setFlags(key string, flags pim.Flags) (undo func()) {
	former := d.files[key]
	now := &file{item: former.item, stamp: former.stamp}
	now.item.Flags = flags
	d.files[key] = now
	return func() {
		if d.files[key] == now {
			d.files[key] = former
		}
	}
}

func (b batch) Delete(key string, expect pim.Stamp) error {
	if err := b.access("delete "+key, true); err != nil {
		return err
	}
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return b.deleteFolder(folder)
	}
	if err := b.as(key, expect); err != nil {
		return err
	}
	b.losing(key, b.files[key].item.Body, true)
	b.did(b.remove(key))
	return nil
}

func (d *disk) deleteFolder(folder string) error {
	if !d.folders[folder] {
		return pim.ErrNotFound
	}
	for _, key := range d.keys() {
		if strings.HasPrefix(key, folder+"/") && key != folder+"/" {
			return pim.ErrChanged
		}
	}
	delete(d.folders, folder)
	return nil
}

// Touched has nothing to note: Commit writes the whole disk out.
func (b batch) Touched(string) {}

func (b batch) Commit() error {
	if err := b.access("commit", true); err != nil {
		return err
	}
	b.unsynced = nil
	return nil
}
