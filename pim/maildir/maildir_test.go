package maildir

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

func newStore(t testing.TB) *Store {
	t.Helper()
	dir := t.TempDir()
	if err := Create(dir); err != nil {
		t.Fatal(err)
	}
	return New(dir)
}

func TestContract(t *testing.T) {
	pimtest.Run(t, func(t *testing.T) pim.Store { return newStore(t) })
}

// TestContractWithPlainFolders runs it on a tree as Dovecot with LAYOUT=fs and mbsync keep it.
func TestContractWithPlainFolders(t *testing.T) {
	pimtest.Run(t, func(t *testing.T) pim.Store {
		s := newStore(t)
		if err := Create(filepath.Join(s.dir, "zz")); err != nil {
			t.Fatal(err)
		}
		return &hiding{Store: s, folder: "zz"}
	})
}

// TestContractWithAnInbox runs it on a tree that is no Maildir itself, as mbsync and OfflineIMAP make them: the messages of no folder lie in INBOX.
func TestContractWithAnInbox(t *testing.T) {
	pimtest.Run(t, func(t *testing.T) pim.Store {
		dir := t.TempDir()
		if err := Create(filepath.Join(dir, "INBOX")); err != nil {
			t.Fatal(err)
		}
		return New(dir)
	})
}

// TestAnInboxIsNoFolder: what lies in INBOX is in no folder, on all devices, and folders lie beside it.
func TestAnInboxIsNoFolder(t *testing.T) {
	s := New(t.TempDir())
	for _, name := range []string{"INBOX", "Work"} {
		if err := Create(filepath.Join(s.dir, name)); err != nil {
			t.Fatal(err)
		}
		s.put(t, name+"/cur/m"+name+":2,S", "Subject: x\n\n")
	}
	got := map[string]string{}
	err := s.Scan(t.Context(), func(e pim.Entry, err error) error { got[e.Key] = e.Folder; return err })
	want := map[string]string{"mINBOX": "", "Work/": "Work", "Work/mWork": "Work"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	if keys := s.keys([]string{"INBOX/cur/mINBOX:2,S"}); !slices.Equal(keys, []string{"mINBOX"}) {
		t.Errorf("a change there is one of %v", keys)
	}
}

// hiding leaves out the folder that only marks the layout.
type hiding struct {
	*Store
	folder string
}

func (h *hiding) Scan(ctx context.Context, yield func(pim.Entry, error) error) error {
	return h.Store.Scan(ctx, func(e pim.Entry, err error) error {
		if e.Folder == h.folder {
			return nil
		}
		return yield(e, err)
	})
}

func (s *Store) put(t testing.TB, file, body string) {
	t.Helper()
	path := filepath.Join(s.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *Store) rename(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
		t.Fatal(err)
	}
}

// files lists all files of the tree.
func (s *Store) files(t testing.TB) (out []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(s.dir, path)
			out = append(out, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func one(t testing.TB, s pim.Store) pim.Entry {
	t.Helper()
	all := pimtest.List(t, s)
	if len(all) != 1 {
		t.Fatalf("listed %v, want one message", all)
	}
	return all[0]
}

// TestTheKeyStays when a mail program looks at a message and marks it, and so does the stamp: its bytes are the same.
func TestTheKeyStays(t *testing.T) {
	s := newStore(t)
	s.put(t, "new/1.M2P3.host", "x")
	before := one(t, s)
	if before.Key != "1.M2P3.host" || before.Flags != "" {
		t.Errorf("%+v", before)
	}
	s.rename(t, "new/1.M2P3.host", "cur/1.M2P3.host:2,SR")
	after := one(t, s)
	if after.Key != before.Key || after.Flags != "RS" || after.Stamp != before.Stamp {
		t.Errorf("%+v became %+v", before, after)
	}
	got, err := s.Stat(t.Context(), []string{"1.M2P3.host"})
	if err != nil || len(got) != 1 || got[0] != after {
		t.Errorf("stat %v, %v", got, err)
	}
	s.rename(t, "cur/1.M2P3.host:2,SR", "cur/1.M2P3.host:2,F")
	if it, e, err := s.Read(t.Context(), before.Key); err != nil || it.Flags != "F" || e.Flags != "F" || string(it.Body) != "x" || it.Name != "1.M2P3.host" {
		t.Errorf("%+v, %v", it, err)
	}
}

func write(t testing.TB, s *Store, do func(pim.Batch) error) {
	t.Helper()
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := do(b); err != nil {
		t.Error(err)
	}
	if err := b.Commit(); err != nil {
		t.Error(err)
	}
}

// TestWhereMessagesLie: unread ones in new, where programs announce them; read ones in cur; a changed mark is a rename.
func TestWhereMessagesLie(t *testing.T) {
	s := newStore(t)
	write(t, s, func(b pim.Batch) error {
		_, err1 := b.Add("a", pim.Item{Body: []byte("1")})
		_, err2 := b.Add("b", pim.Item{Flags: "FS", Body: []byte("2")})
		_, err3 := b.Reflag("b", "", "")
		_, err4 := b.Add("Sent/c", pim.Item{Flags: "S", Body: []byte("3")})
		e, err5 := b.Reflag("a", "S", "Sent/2024")
		if e.Key != "Sent/2024/a" || e.Folder != "Sent/2024" {
			t.Errorf("moved to %+v", e)
		}
		return errors.Join(err1, err2, err3, err4, err5)
	})
	want := []string{".Sent/cur/c:2,S", ".Sent.2024/cur/a:2,S", "cur/b:2,"}
	if got := s.files(t); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestFolderNamesComeBack, whoever wrote them.
func TestFolderNamesComeBack(t *testing.T) {
	s := newStore(t)
	for _, dir := range []string{".Archive", ".Archive.2024", ".100%", ".a%2Eb", ".Entw&APw-rfe"} {
		s.put(t, dir+"/cur/m:2,S", dir)
		s.put(t, dir+"/new/.keep", "")
	}
	s.put(t, ".notamaildir/readme", "")
	var got []string
	for _, e := range pimtest.List(t, s) {
		if e.Type == pim.TypeFolder {
			got = append(got, e.Folder)
			continue
		}
		if it, _, err := s.Read(t.Context(), e.Key); err != nil || len(it.Body) == 0 {
			t.Errorf("%s: %v", e.Key, err)
		}
	}
	if want := []string{"100%", "Archive", "Archive/2024", "Entw&APw-rfe", "a.b"}; !slices.Equal(got, want) {
		t.Errorf("folders %q, want %q", got, want)
	}
	for _, folder := range []string{"a.b/c", "100%2E", "x%25", "ünï/ö"} {
		if back := decodeFolder(encodeFolder(folder)); back != folder {
			t.Errorf("%q is written %q and read %q", folder, encodeFolder(folder), back)
		}
	}
}

// TestDoublesAreReported: a mail program that crashed left two files of one message; none of them is lost.
func TestDoublesAreReported(t *testing.T) {
	s := newStore(t)
	s.put(t, "cur/1:2,S", "x")
	s.put(t, "cur/1:2,RS", "x")
	s.put(t, "new/1", "x")
	var keys, bad []string
	err := s.Scan(t.Context(), func(e pim.Entry, err error) error {
		if err != nil {
			bad = append(bad, e.Key)
		} else {
			keys = append(keys, e.Key+" "+string(e.Flags))
		}
		return nil
	})
	slices.Sort(bad)
	if err != nil || !slices.Equal(keys, []string{"1 RS"}) || !slices.Equal(bad, []string{"cur/1:2,S", "new/1"}) {
		t.Errorf("%v, problems %v, %v", keys, bad, err)
	}
}

func TestWhatIsNoMaildirIsNeverEmpty(t *testing.T) {
	s := newStore(t)
	if err := os.Remove(filepath.Join(s.dir, "cur")); err != nil {
		t.Fatal(err)
	}
	err := s.Scan(t.Context(), func(pim.Entry, error) error { return nil })
	if !errors.Is(err, pim.ErrUnavailable) {
		t.Errorf("scan: %v", err)
	}
	if _, _, err := s.Read(t.Context(), "a"); !errors.Is(err, pim.ErrUnavailable) {
		t.Errorf("read: %v", err)
	}
}

// TestRealMessages stores every message of the corpus and reads it back.
func TestRealMessages(t *testing.T) {
	corpus := pimtest.Shared(t, "corpus", "email")
	s := newStore(t)
	want := make(map[string][]byte)
	write(t, s, func(b pim.Batch) error {
		return filepath.WalkDir(corpus, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			key, err := s.PlanKey(pim.Item{Name: fmt.Sprintf("%d.eml", len(want)), Body: body})
			if err != nil {
				return err
			}
			want[key] = body
			_, err = b.Add(key, pim.Item{Type: pim.TypeMessage, Body: body})
			return err
		})
	})
	if len(want) < 100 {
		t.Errorf("only %d messages", len(want))
	}
	for _, e := range pimtest.List(t, s) {
		it, _, err := s.Read(t.Context(), e.Key)
		if err != nil || !bytes.Equal(it.Body, want[e.Key]) {
			t.Errorf("%s: %v", e.Key, err)
		}
	}
}

// TestWhatMailProgramsDoIsNoticed: delivery, a mark, a move, a deletion, a new folder that is filled at once.
func TestWhatMailProgramsDoIsNoticed(t *testing.T) {
	s := newStore(t)
	hints := make(chan pim.Hint, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Watch(ctx, func(h pim.Hint) { hints <- h }) }()
	defer func() { cancel(); <-ended }()
	next := func() pim.Hint {
		t.Helper()
		select {
		case h := <-hints:
			return h
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was noticed")
		}
		return pim.Hint{}
	}
	next() // the beginning: look at all
	named := func(what string, want ...string) {
		t.Helper()
		seen := make(map[string]bool)
		for {
			for _, k := range next().Keys {
				seen[k] = true
			}
			all := true
			for _, w := range want {
				all = all && seen[w]
			}
			if all {
				return
			}
		}
	}
	s.put(t, "tmp/1.host", "x")
	s.rename(t, "tmp/1.host", "new/1.host")
	named("delivery by rename", "1.host")
	s.put(t, "tmp/2.host", "x")
	if err := os.Link(filepath.Join(s.dir, "tmp/2.host"), filepath.Join(s.dir, "new/2.host")); err != nil {
		t.Fatal(err)
	}
	named("delivery by link", "2.host")
	s.rename(t, "new/1.host", "cur/1.host:2,S")
	named("a mark", "1.host")
	if err := Create(filepath.Join(s.dir, ".Sent")); err != nil {
		t.Fatal(err)
	}
	s.put(t, ".Sent/cur/3.host:2,S", "x")
	for next().Keys != nil {
	}
	s.rename(t, "cur/1.host:2,S", ".Sent/cur/1.host:2,S")
	for seen := false; !seen; {
		h := next()
		seen = h.Keys == nil || slices.Contains(h.Keys, "Sent/1.host")
	}
	if err := os.Remove(filepath.Join(s.dir, "new/2.host")); err != nil {
		t.Fatal(err)
	}
	named("a deletion", "2.host")
}

// broken fails, or stops for ever as a crash does, at the n-th operation.
type broken struct {
	safefile.Root
	left *int
}

var errDisk = errors.New("disk failed")

func (b broken) fail() error {
	*b.left--
	if *b.left < 0 {
		return errDisk
	}
	return nil
}

func (b broken) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	if err := b.fail(); err != nil {
		return nil, err
	}
	return b.Root.OpenFile(name, flag, perm)
}

func (b broken) Rename(from, to string) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Root.Rename(from, to)
}

func (b broken) Link(from, to string) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Root.Link(from, to)
}

func (b broken) Remove(name string) error {
	if err := b.fail(); err != nil {
		return err
	}
	return b.Root.Remove(name)
}

// TestACrashAtEachOperation leaves each message as before or as after, never half and never twice.
func TestACrashAtEachOperation(t *testing.T) {
	for n := 0; ; n++ {
		s := newStore(t)
		write(t, s, func(b pim.Batch) error {
			_, err := b.Add("m", pim.Item{Body: []byte("before")})
			return err
		})
		left := n
		s.root = func(r *os.Root) safefile.Root { return broken{r, &left} }
		old := one(t, s)
		b, err := s.Update(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Replace("m", old.Stamp, pim.Item{Flags: "S", Body: []byte("after, and longer")})
		_, err2 := b.Add("n", pim.Item{Flags: "S", Body: []byte("new")})
		err3 := b.Commit()
		for _, e := range pimtest.List(t, s) {
			it, _, err := s.Read(t.Context(), e.Key)
			if body := string(it.Body); err != nil || !slices.Contains([]string{"before", "after, and longer", "new"}, body) {
				t.Errorf("stopped at %d: %s holds %q, %v", n, e.Key, body, err)
			}
		}
		for _, f := range s.files(t) {
			if strings.Count(strings.Join(s.files(t), " "), "/m") != 1 {
				t.Fatalf("stopped at %d: %s", n, f)
			}
		}
		if errors.Join(err, err2, err3) == nil {
			return
		}
	}
}
