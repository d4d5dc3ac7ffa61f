package sim

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// disk is the files of one store: a pim.Store that behaves as vdir and maildir do, and keeps what a crash keeps.
type disk struct {
	kind  pim.Kind
	files map[string]*file // by key
	// folders by path.
	folders map[string]bool
	gone    bool // the folder is not mounted
	// hook comes before each access; its error is that of the access. write: something would change.
	hook func(what string, write bool) error
	// losing comes before the agent overwrites or deletes what is there.
	losing func(key string, body []byte, deletes bool)
	// moving comes after the agent has moved what is there.
	moving func(key, to string)
	tick   func() int64 // of modification times
	free   []uint64     // inodes that can be used again
	next   uint64
	// unsynced takes back what a power cut may take back, oldest first.
	unsynced []func()
}

type file struct {
	item  pim.Item // with Type, Folder, Flags and Body
	stamp pim.Stamp
}

func newDisk(kind pim.Kind) *disk {
	d := &disk{kind: kind, files: map[string]*file{}, folders: map[string]bool{}, hook: func(string, bool) error { return nil }, losing: func(string, []byte, bool) {},
		moving: func(string, string) {}}
	var n int64
	d.tick = func() int64 { n++; return n }
	return d
}

// Kind implements pim.Store, as do the other exported methods here.
func (d *disk) Kind() pim.Kind { return d.kind }

// access comes before everything.
func (d *disk) access(what string, write bool) error {
	if err := d.hook(what, write); err != nil {
		return err
	}
	if d.gone {
		return pim.ErrUnavailable
	}
	return nil
}

func (d *disk) inode() uint64 {
	if n := len(d.free); n > 0 { // file systems use them again at once
		i := d.free[n-1]
		d.free = d.free[:n-1]
		return i
	}
	d.next++
	return d.next
}

func (d *disk) entry(key string) (pim.Entry, bool) {
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return pim.FolderEntry(folder), d.folders[folder]
	}
	f := d.files[key]
	if f == nil {
		return pim.Entry{}, false
	}
	return pim.Entry{Key: key, Type: f.item.Type, Folder: f.item.Folder, Flags: f.item.Flags, Stamp: f.stamp}, true
}

// keys lists everything, folders before what lies in them.
func (d *disk) keys() []string {
	keys := slices.Collect(maps.Keys(d.files))
	for f := range d.folders {
		keys = append(keys, f+"/")
	}
	slices.Sort(keys)
	return keys
}

// Scan lists what is there when it comes to it: users go on meanwhile.
func (d *disk) Scan(ctx context.Context, yield func(pim.Entry, error) error) error {
	if err := d.access("scan", false); err != nil {
		return err
	}
	for _, key := range d.keys() {
		e, ok := d.entry(key)
		if !ok {
			continue
		}
		if err := yield(e, ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) Stat(_ context.Context, keys []string) ([]pim.Entry, error) {
	if err := d.access("stat", false); err != nil {
		return nil, err
	}
	var out []pim.Entry
	for _, key := range keys {
		if e, ok := d.entry(key); ok {
			out = append(out, e)
		}
	}
	return out, nil
}

func (d *disk) Read(_ context.Context, key string) (pim.Item, pim.Entry, error) {
	if err := d.access("read "+key, false); err != nil {
		return pim.Item{}, pim.Entry{}, err
	}
	e, ok := d.entry(key)
	switch {
	case !ok:
		return pim.Item{}, pim.Entry{}, pim.ErrNotFound
	case e.Type == pim.TypeFolder:
		return pim.FolderItem(e.Folder), e, nil
	}
	it := d.files[key].item
	it.Name, it.Body = path.Base(key), slices.Clone(it.Body)
	return it, e, nil
}

func (d *disk) PlanKey(item pim.Item) (string, error) {
	folder := safefile.Folder(item.Folder, "cur", "new", "tmp")
	switch {
	case d.gone:
		return "", pim.ErrUnavailable
	case item.Type == pim.TypeFolder && folder == "":
		return "folder-" + safefile.Random() + "/", nil
	case item.Type == pim.TypeFolder:
		return folder + "/", nil
	}
	name := safefile.Folder(item.Name)
	if name == "" || strings.Contains(name, "/") || strings.HasPrefix(name, ".") {
		name = safefile.Random()
	}
	if key := path.Join(folder, name); d.files[key] == nil {
		return key, nil
	}
	return path.Join(folder, safefile.Random()+"-"+name), nil
}

// put makes or overwrites a file and returns how that is taken back. inode 0 is a new one.
func (d *disk) put(key string, it pim.Item, inode uint64) (undo func()) {
	former := d.files[key]
	if inode == 0 {
		inode = d.inode()
	}
	now := &file{item: it, stamp: pim.Stamp{Size: int64(len(it.Body)), ModTime: d.tick(), Inode: inode}}
	d.files[key] = now
	d.makeFolder(it.Folder)
	return func() {
		switch {
		case d.files[key] != now: // somebody has written over it since
		case former == nil:
			delete(d.files, key)
		default:
			d.files[key] = former
		}
	}
}

func (d *disk) makeFolder(folder string) {
	for f := folder; f != "" && f != "."; f = path.Dir(f) {
		d.folders[f] = true
	}
}

// remove deletes a file and returns how that is taken back.
func (d *disk) remove(key string) (undo func()) {
	former := d.files[key]
	delete(d.files, key)
	d.free = append(d.free, former.stamp.Inode)
	return func() {
		if d.files[key] == nil {
			d.files[key] = former
			d.next++ // its number may have been used again
		}
	}
}

// rename moves a file and returns how that is taken back.
func (d *disk) rename(key, to string) (undo func()) {
	former := d.files[key]
	moved := &file{item: former.item, stamp: former.stamp}
	if moved.item.Folder = path.Dir(to); moved.item.Folder == "." {
		moved.item.Folder = ""
	}
	delete(d.files, key)
	d.files[to] = moved
	d.makeFolder(moved.item.Folder)
	return func() {
		if d.files[to] == moved {
			delete(d.files, to)
			d.files[key] = former
		}
	}
}

// cut is what a power cut does: the last n writes that were not synced are as if they had never been.
func (d *disk) cut(n int) {
	for n = min(n, len(d.unsynced)); n > 0; n-- {
		d.unsynced[len(d.unsynced)-1]()
		d.unsynced = d.unsynced[:len(d.unsynced)-1]
	}
	d.unsynced = nil
}
