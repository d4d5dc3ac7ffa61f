// Package kvtest is the contract that every kv.Store passes.
package kvtest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
)

// Run checks a kind of store. open opens the same one again in one test.
func Run(t *testing.T, open func(t *testing.T, dir string) kv.Store) {
	t.Run("what was written is there after opening again", func(t *testing.T) {
		dir := t.TempDir()
		s := open(t, dir)
		must(t, s.Update(func(w kv.Writer) error { return errors.Join(w.Set("a", []byte("1")), w.Set("b", nil)) }))
		must(t, s.Update(func(w kv.Writer) error { return errors.Join(w.Delete("b"), w.Delete("never")) }))
		must(t, s.Close())
		s = open(t, dir)
		defer s.Close()
		if got := All(t, s, ""); got != "a=1 " {
			t.Errorf("it holds %q", got)
		}
	})
	t.Run("an update that fails changes nothing", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer s.Close()
		no := errors.New("no")
		err := s.Update(func(w kv.Writer) error { return errors.Join(w.Set("a", []byte("1")), no) })
		if !errors.Is(err, no) || All(t, s, "") != "" {
			t.Errorf("error %v, it holds %q", err, All(t, s, ""))
		}
	})
	t.Run("an update reads what it wrote", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer s.Close()
		must(t, s.Update(func(w kv.Writer) error {
			must(t, w.Set("a", []byte("1")))
			v, err := w.Get("a")
			if string(v) != "1" {
				t.Errorf("read %q", v)
			}
			return err
		}))
		err := s.View(func(r kv.Reader) error { _, err := r.Get("b"); return err })
		if !errors.Is(err, kv.ErrNotFound) {
			t.Errorf("a missing key: %v", err)
		}
	})
	t.Run("a scan is in order and keeps to its prefix", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer s.Close()
		must(t, s.Update(func(w kv.Writer) error {
			return errors.Join(w.Set("x/2", []byte("b")), w.Set("y", []byte("c")), w.Set("x/1", []byte("a")))
		}))
		if got := All(t, s, "x/"); got != "x/1=a x/2=b " {
			t.Errorf("scanned %q", got)
		}
	})
	t.Run("as much as promised fits", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer s.Close()
		big := strings.Repeat("deep/", 800)
		done := 0
		must(t, kv.InPieces(s, 300, func(w kv.Writer, i int) error {
			done = i
			return errors.Join(w.Set(fmt.Sprint(i, big), []byte(big)), w.Set(fmt.Sprint("x", i, big), []byte(big)), w.Delete(fmt.Sprint("y", i, big)))
		}))
		if done != 299 {
			t.Errorf("ended at %d", done)
		}
	})
	t.Run("as many writes as promised fit", func(t *testing.T) {
		s := open(t, t.TempDir())
		defer s.Close()
		value := []byte(strings.Repeat("v", 250))
		must(t, s.Update(func(w kv.Writer) error {
			for i := range kv.MaxWrites {
				if err := w.Set(fmt.Sprintf("some/long/prefix/%08d", i), value); err != nil {
					return err
				}
			}
			return nil
		}))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// All is everything under a prefix as text.
func All(t testing.TB, s kv.Store, prefix string) string {
	t.Helper()
	var b strings.Builder
	err := s.View(func(r kv.Reader) error {
		return r.Scan(prefix, func(k string, v []byte) error {
			fmt.Fprintf(&b, "%s=%s ", k, v)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
