package pimtest

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Seed adds the real files of folders of the corpus to a fuzz test, but for those of longest octets and more, which only slow it down.
func Seed(f *testing.F, longest int, folders ...string) {
	f.Helper()
	for _, folder := range folders {
		err := filepath.WalkDir(Shared(f, "corpus", folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			if len(body) < longest {
				f.Add(body)
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
}
