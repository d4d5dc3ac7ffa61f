package vdir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

func TestContract(t *testing.T) {
	pimtest.Run(t, func(t *testing.T) pim.Store { return New(t.TempDir(), pim.Contacts) })
}

func TestAMissingFolderIsNeverEmpty(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "unmounted"), pim.Contacts)
	err := s.Scan(t.Context(), func(pim.Entry, error) error { return errors.New("it listed something") })
	if !errors.Is(err, pim.ErrUnavailable) {
		t.Errorf("scan: %v", err)
	}
	if _, err := s.Stat(t.Context(), []string{"a.vcf"}); !errors.Is(err, pim.ErrUnavailable) {
		t.Errorf("stat: %v", err)
	}
}

func TestOtherFilesAreNoItems(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".hidden.vcf", "a.vcf~", ".goutputstream-1.vcf", "#a.vcf#", "b.txt", ".alwayson-1.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := pimtest.List(t, New(dir, pim.Contacts)); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
}

func TestLinksLeadNowhere(t *testing.T) {
	dir, secret := t.TempDir(), filepath.Join(t.TempDir(), "secret.vcf")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, filepath.Join(dir, "a.vcf")); err != nil {
		t.Fatal(err)
	}
	s := New(dir, pim.Contacts)
	if got := pimtest.List(t, s); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
	if it, _, err := s.Read(t.Context(), "a.vcf"); err == nil {
		t.Errorf("read %q", it.Body)
	}
}

// faulty stops at one operation: it fails, or, like a crash, it and all that follow do.
type faulty struct {
	safefile.Root
	n     int // operations to go
	crash bool
}

var errFault = errors.New("fault")

func (f *faulty) step() error {
	f.n--
	if f.n == 0 || f.crash && f.n < 0 {
		return errFault
	}
	return nil
}

func (f *faulty) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	if err := f.step(); err != nil {
		return nil, err
	}
	return f.Root.OpenFile(name, flag, perm)
}

func (f *faulty) Rename(from, to string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Root.Rename(from, to)
}

func (f *faulty) Link(from, to string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Root.Link(from, to)
}

func (f *faulty) Remove(name string) error {
	if err := f.step(); err != nil {
		return err
	}
	return f.Root.Remove(name)
}

// TestAFaultLeavesEachItemAsBeforeOrAsAfter lets each operation of a batch fail in turn, alone and as a crash.
func TestAFaultLeavesEachItemAsBeforeOrAsAfter(t *testing.T) {
	for _, crash := range []bool{false, true} {
		for n := 1; n <= 12; n++ {
			t.Run(fmt.Sprintf("operation %d, crash %v", n, crash), func(t *testing.T) { fault(t, n, crash) })
		}
	}
}

func fault(t *testing.T, n int, crash bool) {
	s := New(t.TempDir(), pim.Contacts)
	whole := func(r *os.Root) safefile.Root { return r }
	kept, gone := add(t, s, "kept.vcf", "old"), add(t, s, "gone.vcf", "old")
	s.root = func(r *os.Root) safefile.Root { return &faulty{Root: r, n: n, crash: crash} }
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, e1 := b.Add("new.vcf", pim.Item{Body: []byte("new")})
	_, e2 := b.Replace(kept.Key, kept.Stamp, pim.Item{Body: []byte("new")})
	e3 := b.Delete(gone.Key, gone.Stamp)
	e4 := b.Commit()
	if e := errors.Join(e1, e2, e3, e4); e != nil && !errors.Is(e, errFault) {
		t.Errorf("an error that nobody injected: %v", e)
	}
	s.root = whole
	check := func(key string, failed error, before, after string) {
		it, _, err := s.Read(t.Context(), key)
		got := string(it.Body)
		if err != nil {
			got = ""
		}
		if got != before && got != after || failed == nil && got != after {
			t.Errorf("%s holds %q after error %v", key, got, failed)
		}
	}
	check("new.vcf", e1, "", "new")
	check("kept.vcf", e2, "old", "new")
	check("gone.vcf", e3, "old", "")
}

func add(t *testing.T, s *Store, key, body string) pim.Entry {
	t.Helper()
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := b.Add(key, pim.Item{Body: []byte(body)})
	if err := errors.Join(err, b.Commit()); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestCorpusComesBackToTheByte stores every real card and calendar, broken ones included.
func TestCorpusComesBackToTheByte(t *testing.T) {
	dir := pimtest.Shared(t, "corpus")
	for folder, kind := range map[string]pim.Kind{"vcard": pim.Contacts, "icalendar": pim.Calendar} {
		s := New(t.TempDir(), kind)
		b, err := s.Update(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := map[string][]byte{}
		err = filepath.WalkDir(filepath.Join(dir, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			item := pim.Item{Name: strings.TrimPrefix(path, dir), Body: body}
			key, err := s.PlanKey(item)
			if err != nil {
				return err
			}
			_, err = b.Add(key, item)
			want[key] = body
			return err
		})
		if err := errors.Join(err, b.Commit()); err != nil {
			t.Fatal(err)
		}
		for key, body := range want {
			if it, _, err := s.Read(t.Context(), key); err != nil || !bytes.Equal(it.Body, body) {
				t.Errorf("%s came back changed, %v", key, err)
			}
		}
		t.Logf("%d files of %s", len(want), folder)
	}
}
