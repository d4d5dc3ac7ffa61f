// Package pimtest is the contract that every pim.Store passes.
package pimtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
)

// Run checks a kind of store. open makes an empty one.
func Run(t *testing.T, open func(t *testing.T) pim.Store) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s pim.Store)
	}{
		{"bytes come back as they were", bytesComeBack},
		{"a listing names what is there", listing},
		{"an edit by somebody else is not overwritten", editsAreSafe},
		{"a taken key is refused", takenKey},
		{"folders", folders},
		{"names from the wire stay inside", hostileNames},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func put(t *testing.T, s pim.Store, item pim.Item) pim.Entry {
	t.Helper()
	key, err := s.PlanKey(item)
	if err != nil {
		t.Fatal(err)
	}
	return update(t, s, func(b pim.Batch) (pim.Entry, error) { return b.Add(key, item) })
}

func update(t *testing.T, s pim.Store, fn func(pim.Batch) (pim.Entry, error)) pim.Entry {
	t.Helper()
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e, err := fn(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	return e
}

// List is all entries of a store; the test fails on any error.
func List(t testing.TB, s pim.Store) []pim.Entry {
	t.Helper()
	var out []pim.Entry
	err := s.Scan(context.Background(), func(e pim.Entry, err error) error {
		out = append(out, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func item(s pim.Store, name string, body []byte) pim.Item {
	return pim.Item{Type: s.Kind().ContentType(), Name: name, Body: body}
}

func bytesComeBack(t *testing.T, s pim.Store) {
	for i, body := range [][]byte{{}, []byte("a\rb\nc\r\n"), {0, 1, 2, 0xFF, 0xFE}, []byte("BEGIN:VCARD"), bytes.Repeat([]byte("x\x00"), 1<<20)} {
		e := put(t, s, item(s, fmt.Sprint("n", i), body))
		it, again, err := s.Read(t.Context(), e.Key)
		if err != nil || !bytes.Equal(it.Body, body) {
			t.Errorf("%.20q came back as %.20q, %v", body, it.Body, err)
		}
		if again != e {
			t.Errorf("read at %+v, written at %+v", again, e)
		}
	}
}

func listing(t *testing.T, s pim.Store) {
	if got := List(t, s); len(got) != 0 {
		t.Fatalf("a new store lists %v", got)
	}
	a, b := put(t, s, item(s, "a", []byte("1"))), put(t, s, item(s, "b", []byte("22")))
	got := map[string]pim.Entry{}
	for _, e := range List(t, s) {
		got[e.Key] = e
	}
	if len(got) != 2 || got[a.Key] != a || got[b.Key] != b {
		t.Errorf("listed %v, want %v and %v", got, a, b)
	}
	some, err := s.Stat(t.Context(), []string{a.Key, "nothing.vcf"})
	if err != nil || len(some) != 1 || some[0] != a {
		t.Errorf("stat: %v, %v", some, err)
	}
	update(t, s, func(u pim.Batch) (pim.Entry, error) { return a, u.Delete(a.Key, a.Stamp) })
	if _, _, err := s.Read(t.Context(), a.Key); !errors.Is(err, pim.ErrNotFound) {
		t.Errorf("a deleted item: %v", err)
	}
}

func editsAreSafe(t *testing.T, s pim.Store) {
	old := put(t, s, item(s, "a", []byte("1")))
	now := update(t, s, func(b pim.Batch) (pim.Entry, error) {
		return b.Replace(old.Key, old.Stamp, item(s, "a", []byte("222")))
	})
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Replace(now.Key, old.Stamp, item(s, "a", []byte("3"))); !errors.Is(err, pim.ErrChanged) {
		t.Errorf("replace: %v", err)
	}
	if err := b.Delete(now.Key, old.Stamp); !errors.Is(err, pim.ErrChanged) {
		t.Errorf("delete: %v", err)
	}
	if err := b.Commit(); err != nil {
		t.Error(err)
	}
	if it, _, err := s.Read(t.Context(), now.Key); err != nil || string(it.Body) != "222" {
		t.Errorf("now %q, %v", it.Body, err)
	}
}

func takenKey(t *testing.T, s pim.Store) {
	a := put(t, s, item(s, "a", []byte("1")))
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Add(a.Key, item(s, "a", []byte("2"))); !errors.Is(err, pim.ErrExists) {
		t.Errorf("add: %v", err)
	}
	if err := b.Commit(); err != nil {
		t.Error(err)
	}
	if other := put(t, s, item(s, "a", []byte("2"))); other.Key == a.Key {
		t.Error("the planned key was taken")
	}
}

func folders(t *testing.T, s pim.Store) {
	it := item(s, "a", []byte("1"))
	it.Folder = "work/old"
	e := put(t, s, it)
	if e.Folder != "work/old" {
		t.Errorf("it lies in %q", e.Folder)
	}
	var names []string
	for _, e := range List(t, s) {
		names = append(names, e.Type+" "+e.Folder)
	}
	want := pim.TypeFolder + " work," + pim.TypeFolder + " work/old," + it.Type + " work/old"
	if got := strings.Join(names, ","); got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
	moved := update(t, s, func(b pim.Batch) (pim.Entry, error) { return b.Reflag(e.Key, "", "home") })
	if moved.Folder != "home" {
		t.Errorf("moved to %q", moved.Folder)
	}
	update(t, s, func(b pim.Batch) (pim.Entry, error) { return e, b.Delete("work/old/", pim.Stamp{}) })
	b, err := s.Update(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete("home/", pim.Stamp{}); !errors.Is(err, pim.ErrChanged) {
		t.Errorf("a folder that is not empty: %v", err)
	}
	for _, err := range []error{b.Delete(moved.Key, moved.Stamp), b.Delete("home/", pim.Stamp{})} {
		if err != nil {
			t.Error(err)
		}
	}
	b.Touched("home/")
	b.Touched(moved.Key)
	if err := b.Commit(); err != nil {
		t.Errorf("a folder was deleted with what lay in it: %v", err)
	}
}

func hostileNames(t *testing.T, s pim.Store) {
	for _, name := range []string{"../../x", "/etc/passwd", "a\x00b", strings.Repeat("long", 100), "CON", "ünï", ".hidden", "a/../b", "x:y", "-rf"} {
		it := item(s, name, []byte(name))
		it.Folder = name
		e := put(t, s, it)
		if strings.Contains(e.Key, "..") || strings.HasPrefix(e.Key, "/") || strings.Contains(e.Key, "\x00") {
			t.Errorf("%q became key %q", name, e.Key)
		}
		if got, _, err := s.Read(t.Context(), e.Key); err != nil || string(got.Body) != name {
			t.Errorf("%q: %v", name, err)
		}
	}
}
