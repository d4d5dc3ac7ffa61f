package watch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

// start watches a folder until the test ends.
func start(t *testing.T, root string) <-chan pim.Hint {
	t.Helper()
	hints := make(chan pim.Hint, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		watch.Dir(ctx, root, func(h pim.Hint) { hints <- h }) //nolint:errcheck // one test removes the folder
	}()
	t.Cleanup(func() { cancel(); <-done })
	if h := next(t, hints); h.Keys != nil {
		t.Errorf("the first hint is %v, want a look at everything", h.Keys)
	}
	return hints
}

func next(t *testing.T, hints <-chan pim.Hint) pim.Hint {
	t.Helper()
	select {
	case h := <-hints:
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("no hint came")
	}
	return pim.Hint{}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnAtomicSaveNamesItsFile(t *testing.T) {
	root := t.TempDir()
	hints := start(t, root)
	write(t, filepath.Join(root, ".a.vcf.swp"))
	if err := os.Rename(filepath.Join(root, ".a.vcf.swp"), filepath.Join(root, "a.vcf")); err != nil {
		t.Fatal(err)
	}
	if h := next(t, hints); !slices.Contains(h.Keys, "a.vcf") || len(h.Keys) != 1 {
		t.Errorf("hint %v", h.Keys)
	}
	if err := os.Rename(filepath.Join(root, "a.vcf"), filepath.Join(root, "b.vcf")); err != nil {
		t.Fatal(err)
	}
	if h := next(t, hints); !slices.Contains(h.Keys, "a.vcf") || !slices.Contains(h.Keys, "b.vcf") {
		t.Errorf("hint of a rename %v", h.Keys)
	}
}

func TestANewFolderIsLookedAtAndWatched(t *testing.T) {
	root := t.TempDir()
	hints := start(t, root)
	sub := filepath.Join(root, "work")
	if err := os.Mkdir(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(sub, "a.vcf")) // may come before the watch on sub
	if h := next(t, hints); h.Keys != nil {
		t.Errorf("hint %v, want a look at everything", h.Keys)
	}
	write(t, filepath.Join(sub, "b.vcf"))
	for {
		if h := next(t, hints); slices.Contains(h.Keys, "work/b.vcf") {
			return
		}
	}
}

func TestManyChangesAreAllNamedOrLookedAt(t *testing.T) {
	root := t.TempDir()
	hints := start(t, root)
	missing := make(map[string]bool)
	for i := range 2000 {
		name := fmt.Sprintf("%04d.vcf", i)
		missing[name] = true
		write(t, filepath.Join(root, name))
	}
	for len(missing) > 0 {
		h := next(t, hints)
		if h.Keys == nil {
			return // too many for names
		}
		for _, k := range h.Keys {
			delete(missing, k)
		}
	}
}

func TestARemovedFolderSaysSo(t *testing.T) {
	root := filepath.Join(t.TempDir(), "store")
	if err := os.Mkdir(root, 0o700); err != nil {
		t.Fatal(err)
	}
	hints := start(t, root)
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if h := next(t, hints); h.Keys != nil {
		t.Errorf("hint %v, want a look at everything", h.Keys)
	}
}
