package maildir

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
)

// listing is the messages of one folder at one moment.
type listing struct {
	dir      string
	messages map[string][]string // files by unique name, the one that counts first
	at       time.Time
	cur, new time.Time // when names in them changed last
}

// settled is how old a change of a folder must be for its time to tell it from the next one: file systems stamp with the kernel's tick.
const settled = 20 * time.Millisecond

// list reads cur and new of a folder.
func list(r *os.Root, dir string) (*listing, error) {
	l := &listing{dir: dir, messages: make(map[string][]string), at: time.Now()}
	var err error
	if l.cur, l.new, err = changed(r, dir); err != nil {
		return nil, err
	}
	for _, sub := range []string{"cur", "new"} {
		if err := l.read(r, path.Join(dir, sub)); err != nil {
			return nil, err
		}
	}
	for _, files := range l.messages {
		if len(files) > 1 {
			prefer(files)
		}
	}
	return l, nil
}

func changed(r *os.Root, dir string) (cur, fresh time.Time, err error) {
	for sub, at := range map[string]*time.Time{"cur": &cur, "new": &fresh} {
		fi, err := r.Stat(path.Join(dir, sub))
		if err != nil {
			return cur, fresh, err
		}
		*at = fi.ModTime()
	}
	return cur, fresh, nil
}

// fresh tells whether no name has changed since.
func (l *listing) fresh(r *os.Root) bool {
	cur, fresh, err := changed(r, l.dir)
	return err == nil && cur.Equal(l.cur) && fresh.Equal(l.new) && l.at.Sub(cur) > settled && l.at.Sub(fresh) > settled
}

func (l *listing) read(r *os.Root, dir string) error {
	d, err := r.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	for {
		entries, err := d.ReadDir(512)
		for _, e := range entries {
			if name := e.Name(); e.Type().IsRegular() && !strings.HasPrefix(name, ".") {
				unique, _ := splitName(name)
				l.messages[unique] = append(l.messages[unique], path.Join(dir, name))
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// prefer puts the file that counts first: what a reader has seen before what is new, then the one with more flags.
func prefer(files []string) {
	sort.Slice(files, func(i, j int) bool {
		a, b := path.Base(path.Dir(files[i])), path.Base(path.Dir(files[j]))
		if a != b {
			return a == "cur"
		}
		if len(files[i]) != len(files[j]) {
			return len(files[i]) > len(files[j])
		}
		return files[i] < files[j]
	})
}

// separator stands before the info of a file name; Windows has no colon in names.
func separator() string {
	if runtime.GOOS == "windows" {
		return ";"
	}
	return ":"
}

// splitName takes a file name apart: unique name and flags.
func splitName(name string) (unique string, flags pim.Flags) {
	unique, info, _ := strings.Cut(name, separator())
	if letters, ok := strings.CutPrefix(info, "2,"); ok {
		flags = pim.NewFlags(letters)
	}
	return unique, flags
}

// fileName is the place of a message below its folder. One without flags that nobody has looked at is new, so that mail programs
// announce it.
func fileName(unique string, flags pim.Flags) string {
	if flags == "" {
		return "new/" + unique
	}
	return curName(unique, flags)
}

func curName(unique string, flags pim.Flags) string {
	return "cur/" + unique + separator() + "2," + string(flags)
}

// layout says which directory a folder lies in.
type layout struct {
	plain bool              // sub-folders are plain directories, else Maildir++
	dirs  map[string]string // folder → directory, of what is there
}

// inboxes are what programs call the folder of messages that lie in no other, if the tree itself is no Maildir: mbsync, OfflineIMAP, Evolution.
var inboxes = []string{"INBOX", "Inbox", "inbox"}

// inboxOf is the directory of the messages that lie in no folder; not ok if there is none.
func inboxOf(r *os.Root) (dir string, ok bool) {
	if isMaildir(r, ".") {
		return ".", true
	}
	for _, name := range inboxes {
		if isMaildir(r, name) {
			return name, true
		}
	}
	return "", false
}

// readLayout looks for sub-folders. A tree without any is taken for Maildir++, the older and more common way.
func readLayout(r *os.Root, inbox string) (layout, error) {
	l := layout{plain: inbox != ".", dirs: map[string]string{"": inbox}}
	entries, err := fs.ReadDir(r.FS(), ".")
	if err != nil {
		return l, err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case !e.IsDir() || name == "cur" || name == "new" || name == "tmp":
		case strings.HasPrefix(name, "."):
			if isMaildir(r, name) {
				l.dirs[decodeFolder(name)] = name
			}
		default:
			l.walk(r, name)
		}
	}
	return l, nil
}

// walk finds folders that are plain directories.
func (l *layout) walk(r *os.Root, dir string) {
	if !isMaildir(r, dir) {
		return
	}
	l.plain = true
	if l.dirs[""] != dir {
		l.dirs[dir] = dir
	}
	entries, err := fs.ReadDir(r.FS(), dir)
	if err != nil {
		return // its messages are not listed, which shows as an error there
	}
	for _, e := range entries {
		if name := e.Name(); e.IsDir() && name != "cur" && name != "new" && name != "tmp" && !strings.HasPrefix(name, ".") {
			l.walk(r, dir+"/"+name)
		}
	}
}

func isMaildir(r *os.Root, dir string) bool {
	fi, err := r.Stat(path.Join(dir, "cur"))
	return err == nil && fi.IsDir()
}

// folders lists all folders, outer ones first.
func (l *layout) folders() []string {
	out := make([]string, 0, len(l.dirs))
	for f := range l.dirs {
		out = append(out, f)
	}
	sort.Strings(out)
	return out
}

func (l *layout) has(folder string) bool { _, ok := l.dirs[folder]; return ok }

// dirOf is the directory of a folder that is there, or where it will be.
func (l *layout) dirOf(folder string) string {
	if d, ok := l.dirs[folder]; ok {
		return d
	}
	if l.plain {
		return folder
	}
	return encodeFolder(folder)
}

// folderOf is the folder that lies in a directory.
func (l *layout) folderOf(dir string) (string, bool) {
	if dir == "" {
		dir = "."
	}
	for f, d := range l.dirs {
		if d == dir {
			return f, true
		}
	}
	return "", false
}

// Maildir++ separates levels by dots. A dot in a name is written %2E, and a per cent sign that would be misread %25.
var encoder = strings.NewReplacer("%2E", "%252E", "%25", "%2525", ".", "%2E", "/", ".")

func encodeFolder(folder string) string { return "." + encoder.Replace(folder) }

var decoder = strings.NewReplacer("%2E", ".", "%25", "%", ".", "/")

func decodeFolder(dir string) string { return decoder.Replace(strings.TrimPrefix(dir, ".")) }
