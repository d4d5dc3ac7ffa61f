package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

//go:embed data
var samples embed.FS

// kinds are the stores of a device (G4).
var kinds = []pim.Kind{pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes, pim.Mail}

// seed copies the sample items to a device: read mail, unread mail, and one file an item for everything else.
func seed(dir string) (n int, err error) {
	err = fs.WalkDir(samples, "data", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := samples.ReadFile(name)
		if err != nil {
			return err
		}
		n++
		return write(dir, strings.TrimPrefix(place(name), "data/"), string(body))
	})
	return n, err
}

// place is where a sample lies on a device.
func place(name string) string {
	dir, file := path.Split(name)
	switch {
	case path.Base(dir) != string(pim.Mail):
		return name
	case strings.Contains(file, "M1"):
		return dir + "cur/" + file + readMark
	}
	return dir + "new/" + file
}

// readMark is the info of a message that was read.
const readMark = ":2,S"

func write(dir, name, body string) error {
	return os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(body), 0o600)
}

// sample is the text of a sample item with something replaced in it.
func sample(name, former, now string) string {
	body, err := samples.ReadFile("data/" + name)
	if err != nil || !strings.Contains(string(body), former) {
		panic(fmt.Sprintf("the sample %s does not hold %q", name, former)) // it is part of this program
	}
	return strings.Replace(string(body), former, now, 1)
}

// contents is what a device holds, by path.
func contents(dir string) map[string]string {
	out := make(map[string]string)
	for _, kind := range kinds {
		filepath.WalkDir(filepath.Join(dir, string(kind)), func(p string, e fs.DirEntry, err error) error { //nolint:errcheck // what cannot be read is not equal
			if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") || filepath.Base(filepath.Dir(p)) == "tmp" {
				return nil
			}
			if body, err := os.ReadFile(p); err == nil {
				rel, _ := filepath.Rel(dir, p)
				out[filepath.ToSlash(rel)] = string(body)
			}
			return nil
		})
	}
	return out
}
