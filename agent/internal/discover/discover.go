// Package discover finds the folders in which other programs of this device keep contacts, calendars, tasks and mail: where they are usually, and where
// the configurations of khal, khard, todoman, vdirsyncer, mbsync and notmuch say that they are. It only reads.
package discover

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// Found is a folder that looks as if it could be synchronized.
type Found struct {
	Kind  pim.Kind
	Dir   string // absolute
	Items int    // files that look like items; at most enough
	Parts int    // folders in it that have some: address books, calendars, mailboxes
	From  string // what named it: "usual place", or a configuration
}

// enough bounds the count: somebody waits for it.
const enough = 1_000_000

// Home is where a person's files lie.
type Home struct {
	Dir    string // the person's folder
	Config string // where programs keep their configuration
	Data   string // and their data
}

// HomeOf is that of whoever runs this program.
func HomeOf() (Home, error) {
	dir, err := os.UserHomeDir()
	if err != nil {
		return Home{}, err
	}
	return Home{
		Dir:    dir,
		Config: cmp.Or(os.Getenv("XDG_CONFIG_HOME"), filepath.Join(dir, ".config")),
		Data:   cmp.Or(os.Getenv("XDG_DATA_HOME"), filepath.Join(dir, ".local", "share")),
	}, nil
}

// usual are the places where people have such folders, below their own.
var usual = []struct {
	kind pim.Kind
	dirs []string
}{
	{pim.Mail, []string{"Mail", "Maildir", ".mail", ".maildir", "mail"}},
	{pim.Contacts, []string{".contacts", "Contacts", ".local/share/contacts", ".local/share/vdirsyncer/contacts"}},
	{pim.Calendar, []string{".calendars", ".calendar", "Calendars", ".local/share/calendars", ".local/share/khal/calendars", ".local/share/vdirsyncer/calendars"}},
	{pim.Tasks, []string{".tasks", "Tasks", ".local/share/tasks"}},
	{pim.Notes, []string{".notes", "Notes"}},
}

// Find lists what is there, the best of each kind first: what a configuration names, then what has most items. Folders within others that are found are
// not listed.
func Find(home Home) (out []Found) {
	for _, p := range home.configured() {
		out = add(out, p)
	}
	for _, u := range usual {
		for _, dir := range u.dirs {
			out = add(out, place{u.kind, filepath.Join(home.Dir, dir), "usual place"})
		}
	}
	slices.SortStableFunc(out, func(a, b Found) int {
		return cmp.Or(cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(named(b), named(a)), cmp.Compare(b.Items, a.Items))
	})
	return out
}

// place is a folder that may be one.
type place struct {
	kind pim.Kind
	dir  string
	from string
}

func order(k pim.Kind) int {
	return slices.Index([]pim.Kind{pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes, pim.Mail}, k)
}

func named(f Found) int {
	if f.From == "usual place" {
		return 0
	}
	return 1
}

// add looks at a place, and adds it if there is something of its kind.
func add(list []Found, p place) []Found {
	dir, err := filepath.EvalSymlinks(p.dir)
	if err != nil {
		return list
	}
	for _, f := range list {
		if f.Kind == p.kind && within(dir, f.Dir) {
			return list
		}
	}
	f := Found{Kind: p.kind, Dir: dir, From: p.from}
	if f.count(); f.Items == 0 {
		return list
	}
	list = slices.DeleteFunc(list, func(other Found) bool { return other.Kind == p.kind && within(other.Dir, dir) })
	return append(list, f)
}

func within(dir, other string) bool {
	return dir == other || strings.HasPrefix(dir, other+string(filepath.Separator))
}

// count counts the items of a folder and of those in it.
func (f *Found) count() {
	dirs := 0
	filepath.WalkDir(f.Dir, func(path string, d os.DirEntry, err error) error { //nolint:errcheck // what cannot be read has no items for us
		switch {
		case err != nil:
			return filepath.SkipDir
		case d.IsDir() && path != f.Dir && f.skips(d.Name()):
			return filepath.SkipDir
		case d.IsDir() && f.Kind == pim.Mail && isMaildir(path), d.IsDir() && f.Kind != pim.Mail:
			dirs++
			n := f.itemsIn(path)
			if f.Items += n; n > 0 {
				f.Parts++
			}
		}
		if f.Items > enough || dirs > 10_000 {
			return filepath.SkipAll
		}
		return nil
	})
}

// skips leaves out what is no collection. Maildir++ has its folders behind dots.
func (f *Found) skips(name string) bool {
	if f.Kind == pim.Mail {
		return name == "cur" || name == "new" || name == "tmp" || name == ".notmuch" || name == ".git"
	}
	return strings.HasPrefix(name, ".")
}

func isMaildir(dir string) bool {
	for _, name := range []string{"cur", "new", "tmp"} {
		if fi, err := os.Stat(filepath.Join(dir, name)); err != nil || !fi.IsDir() {
			return false
		}
	}
	return true
}

func (f *Found) itemsIn(dir string) (n int) {
	if f.Kind == pim.Mail {
		return files(filepath.Join(dir, "cur")) + files(filepath.Join(dir, "new"))
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range list {
		if e.Type().IsRegular() && vdir.IsItem(f.Kind, e.Name()) && f.holds(filepath.Join(dir, e.Name())) {
			n++
		}
	}
	return n
}

// components are what a file of a kind has in it. Those of calendars and tasks look alike from outside.
var components = map[pim.Kind]string{pim.Calendar: "BEGIN:VEVENT", pim.Tasks: "BEGIN:VTODO"}

func (f *Found) holds(path string) bool {
	want := components[f.Kind]
	if want == "" {
		return true
	}
	text, err := os.ReadFile(path)
	return err == nil && strings.Contains(string(text), want)
}

func files(dir string) (n int) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, e := range list {
		if e.Type().IsRegular() {
			n++
		}
	}
	return n
}
