package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// PlanKey implements pim.Store. A message keeps the unique name it has on other devices where it can.
func (s *Store) PlanKey(item pim.Item) (string, error) {
	folder := safeFolder(item.Folder)
	if item.Type == pim.TypeFolder {
		if folder == "" {
			folder = "folder-" + safefile.Random()
		}
		return folder + "/", nil
	}
	t, err := s.open()
	if err != nil {
		return "", err
	}
	defer t.Close()
	unique, _ := splitName(item.Name)
	if !safeUnique(unique) {
		unique = newUnique()
	}
	if _, err := s.file(t, path.Join(folder, unique)); !errors.Is(err, pim.ErrNotFound) {
		if err != nil {
			return "", err
		}
		unique = newUnique()
	}
	return path.Join(folder, unique), nil
}

// newUnique is a name as the Maildir convention wants it, with a random part instead of a host name, which is nobody's business.
func newUnique() string { return fmt.Sprintf("%d.R%s.alwayson", time.Now().Unix(), safefile.Random()) }

// safeUnique tells whether a name from the wire can be one here. It never becomes a path.
func safeUnique(name string) bool {
	if name == "" || len(name) > safefile.MaxName || name[0] == '.' || name[0] == '-' {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("._@+=-,", c) < 0 {
			return false
		}
	}
	return true
}

// safeFolder is the folder path of one that came over the wire. In Maildir++ all of it is one name, so it has to fit in one.
func safeFolder(folder string) string {
	path := safefile.Folder(folder, "cur", "new", "tmp")
	for len(path) > safefile.MaxName {
		path = path[:strings.LastIndex(path, "/")]
	}
	return path
}

// batch implements pim.Batch. The tree is opened for its whole life.
type batch struct {
	s    *Store
	t    *tree
	w    safefile.Root
	sync *safefile.Syncer
	// listed are the folders by directory, kept up to date with what the batch does, so that nothing is listed anew for each write.
	listed map[string]*listing
}

// Update implements pim.Store.
func (s *Store) Update(context.Context) (pim.Batch, error) {
	t, err := s.open()
	if err != nil {
		return nil, err
	}
	w := s.root(t.r)
	return &batch{s: s, t: t, w: w, sync: safefile.NewSyncer(w), listed: make(map[string]*listing)}, nil
}

const filePerm, folderPerm = 0o600, 0o700

// in is the listing of a folder.
func (b *batch) in(folder string) (*listing, error) {
	dir := b.t.dirOf(folder)
	if l := b.listed[dir]; l != nil {
		return l, nil
	}
	l, err := list(b.t.r, dir)
	if err == nil {
		b.listed[dir] = l
	}
	return l, err
}

func (b *batch) Add(key string, item pim.Item) (pim.Entry, error) {
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return pim.FolderEntry(folder), b.makeFolder(folder)
	}
	folder, unique := splitKey(key)
	if err := b.makeFolder(folder); err != nil {
		return pim.Entry{}, err
	}
	l, err := b.in(folder)
	if err != nil {
		return pim.Entry{}, err
	}
	if len(l.messages[unique]) > 0 {
		return pim.Entry{}, pim.ErrExists
	}
	file := path.Join(l.dir, fileName(unique, item.Flags))
	err = safefile.Create(b.w, b.sync, file, item.Body, filePerm)
	if errors.Is(err, fs.ErrExist) {
		return pim.Entry{}, pim.ErrExists
	}
	if err != nil {
		return pim.Entry{}, err
	}
	l.messages[unique] = []string{file}
	return stat(b.t.r, folder, unique, file)
}

// makeFolder makes a folder and those it lies in. cur comes last: a directory without it is no folder yet.
func (b *batch) makeFolder(folder string) error {
	if b.t.has(folder) {
		return nil
	}
	if outer := path.Dir(folder); outer != "." {
		if err := b.makeFolder(outer); err != nil {
			return err
		}
	}
	dir := b.t.dirOf(folder)
	for _, sub := range []string{"tmp", "new", "cur"} {
		if err := b.t.r.MkdirAll(path.Join(dir, sub), folderPerm); err != nil {
			return err
		}
	}
	b.sync.Touched(path.Dir(dir))
	b.sync.Touched(dir)
	b.t.dirs[folder] = dir
	return nil
}

// as finds a message that is still what the caller saw.
func (b *batch) as(key string, expect *pim.Stamp) (l *listing, unique, file string, err error) {
	folder, unique := splitKey(key)
	if !b.t.has(folder) {
		return nil, unique, "", pim.ErrNotFound
	}
	for range 2 { // once more if its flags changed since the listing
		if l, err = b.in(folder); err != nil {
			return nil, unique, "", err
		}
		files := l.messages[unique]
		if len(files) == 0 {
			return l, unique, "", pim.ErrNotFound
		}
		fi, err := b.t.r.Lstat(files[0])
		switch {
		case errors.Is(err, fs.ErrNotExist):
			delete(b.listed, l.dir)
			continue
		case err != nil:
			return l, unique, "", err
		case expect != nil && pim.StampOf(fi) != *expect:
			return l, unique, "", pim.ErrChanged
		}
		return l, unique, files[0], nil
	}
	return l, unique, "", pim.ErrNotFound
}

func (b *batch) Replace(key string, expect pim.Stamp, item pim.Item) (pim.Entry, error) {
	if strings.HasSuffix(key, "/") {
		return pim.FolderEntry(strings.TrimSuffix(key, "/")), nil // a folder has no content of its own
	}
	if _, _, _, err := b.as(key, &expect); err != nil {
		return pim.Entry{}, err
	}
	e, err := b.Reflag(key, item.Flags, item.Folder) // first, so that there never are two files of one message
	if err != nil {
		return pim.Entry{}, err
	}
	_, unique, file, err := b.as(e.Key, nil)
	if err != nil {
		return pim.Entry{}, err
	}
	if err := safefile.Replace(b.w, b.sync, file, item.Body, filePerm); err != nil {
		return pim.Entry{}, err
	}
	now, err := stat(b.t.r, e.Folder, unique, file)
	if errors.Is(err, fs.ErrNotExist) { // it was written, and somebody was quicker: what he did to it shows
		e.Stamp = pim.Stamp{}
		return e, nil
	}
	return now, err
}

func (b *batch) Reflag(key string, flags pim.Flags, folder string) (pim.Entry, error) {
	if f, ok := strings.CutSuffix(key, "/"); ok {
		if !b.t.has(f) {
			return pim.Entry{}, pim.ErrNotFound
		}
		return pim.FolderEntry(f), nil
	}
	from, unique, file, err := b.as(key, nil)
	if err != nil {
		return pim.Entry{}, err
	}
	folder = safeFolder(folder)
	if err := b.makeFolder(folder); err != nil {
		return pim.Entry{}, err
	}
	to, err := b.in(folder)
	if err != nil {
		return pim.Entry{}, err
	}
	name := unique
	if to != from && len(to.messages[unique]) > 0 {
		name = newUnique()
	}
	target := path.Join(to.dir, place(file, name, flags))
	if err := b.rename(file, target); err != nil {
		return pim.Entry{}, err
	}
	delete(from.messages, unique)
	to.messages[name] = []string{target}
	return stat(b.t.r, folder, name, target)
}

// place is the name for flags. A message that was looked at once stays in cur.
func place(file, unique string, flags pim.Flags) string {
	if path.Base(path.Dir(file)) == "new" {
		return fileName(unique, flags)
	}
	return curName(unique, flags)
}

func (b *batch) rename(from, to string) error {
	if from == to {
		return nil
	}
	if err := b.w.Rename(from, to); err != nil {
		return err
	}
	b.sync.Touched(path.Dir(from))
	b.sync.Touched(path.Dir(to))
	return nil
}

func (b *batch) Delete(key string, expect pim.Stamp) error {
	if folder, ok := strings.CutSuffix(key, "/"); ok {
		return b.deleteFolder(folder)
	}
	l, unique, file, err := b.as(key, &expect)
	if err != nil {
		return err
	}
	if err := b.w.Remove(file); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return pim.ErrNotFound
		}
		return err
	}
	delete(l.messages, unique)
	b.sync.Touched(path.Dir(file))
	return nil
}

// deleteFolder removes a folder without messages and sub-folders. cur goes first: half of a folder is none.
func (b *batch) deleteFolder(folder string) error {
	if !b.t.has(folder) {
		return pim.ErrNotFound
	}
	l, err := list(b.t.r, b.t.dirOf(folder))
	if err != nil {
		return err
	}
	for f := range b.t.dirs {
		if len(l.messages) > 0 || strings.HasPrefix(f, folder+"/") {
			return pim.ErrChanged
		}
	}
	for _, name := range []string{"cur", "new", "tmp", "maildirfolder", ""} {
		err := b.w.Remove(path.Join(l.dir, name))
		switch {
		case err == nil || errors.Is(err, fs.ErrNotExist):
		case name == "":
			continue // files of another program: without cur it is no folder any more
		case name == "cur":
			return pim.ErrChanged
		}
	}
	delete(b.t.dirs, folder)
	delete(b.listed, l.dir)
	b.sync.Touched(path.Dir(l.dir))
	return nil
}

// Touched leaves it open whether the message was a new one, and names both places.
func (b *batch) Touched(key string) {
	name, isFolder := strings.CutSuffix(key, "/")
	if isFolder {
		b.sync.Touched(path.Dir(b.t.dirOf(name)))
		return
	}
	folder, _ := splitKey(key)
	for _, sub := range []string{"cur", "new"} {
		b.sync.Touched(path.Join(b.t.dirOf(folder), sub))
	}
}

func (b *batch) Commit() error {
	err := b.sync.Sync()
	b.t.Close()
	return err
}
