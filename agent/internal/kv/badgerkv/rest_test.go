package badgerkv

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/kvtest"
)

func opened(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(s *Store, key, value string) error {
	return s.Update(func(w kv.Writer) error { return w.Set(key, []byte(value)) })
}

// TestContractOfAStoreThatAlwaysRests opens and closes Badger all the time.
func TestContractOfAStoreThatAlwaysRests(t *testing.T) {
	kvtest.Run(t, func(t *testing.T, dir string) kv.Store { return opened(t, Options{Dir: dir, Rest: 1}) })
}

func TestAtRest(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, Options{Dir: dir, Rest: time.Hour})
	defer s.Close()
	if err := set(s, "a", "1"); err != nil {
		t.Fatal(err)
	}
	if err := s.View(func(kv.Reader) error { s.sleep(); return nil }); err != nil || s.db == nil {
		t.Errorf("it was closed while somebody read (%v)", err)
	}
	if s.sleep(); s.db != nil {
		t.Fatal("it does not rest")
	}
	if _, err := Open(Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("another one has it while it rests: %v", err)
	}
	if got := kvtest.All(t, s, ""); got != "a=1 " {
		t.Errorf("then it holds %q", got)
	}
}

// TestSmallWritesBetweenRests: each of them leaves a table behind.
func TestSmallWritesBetweenRests(t *testing.T) {
	s := opened(t, Options{Dir: t.TempDir(), Rest: time.Hour})
	defer s.Close()
	for i := range 30 {
		if err := set(s, fmt.Sprint(i%3), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		s.sleep()
	}
	if got := kvtest.All(t, s, ""); got != "0=27 1=28 2=29 " {
		t.Errorf("it holds %q", got)
	}
	if n := s.db.Levels()[0].NumTables; n > tidyTables+1 {
		t.Errorf("%d tables were left", n)
	}
}

// TestAFullDisk: Badger would wait for room when it is closed, and crash when it is opened.
func TestAFullDisk(t *testing.T) {
	var full atomic.Bool
	s := opened(t, Options{Dir: t.TempDir(), Rest: time.Hour, Room: func() bool { return !full.Load() }})
	defer s.Close()
	if err := set(s, "a", "1"); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	if s.sleep(); s.db == nil {
		t.Fatal("it was closed")
	}
	full.Store(false)
	s.sleep()
	full.Store(true)
	if got := kvtest.All(t, s, ""); got != "a=1 " {
		t.Errorf("it can be read: %q", got)
	}
	if err := set(s, "a", "2"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("it was written: %v", err)
	}
	if s.sleep(); s.db != nil {
		t.Error("what is only read does not rest")
	}
	kvtest.All(t, s, "")
	full.Store(false)
	if err := set(s, "a", "3"); err != nil || kvtest.All(t, s, "") != "a=3 " {
		t.Errorf("when there is room again: %v", err)
	}
}

// TestManyUseItAtOnce while it falls asleep all the time.
func TestManyUseItAtOnce(t *testing.T) {
	s := opened(t, Options{Dir: t.TempDir(), Rest: 1})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range 20 {
				if err := set(s, fmt.Sprintf("%d-%02d", i, n), "x"); err != nil {
					t.Error(err)
				}
				kvtest.All(t, s, fmt.Sprint(i))
			}
		})
	}
	wg.Wait()
	if n := strings.Count(kvtest.All(t, s, ""), "=x"); n != 80 {
		t.Errorf("%d of 80 entries", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := set(s, "a", "1"); !errors.Is(err, ErrClosed) {
		t.Errorf("after it was closed: %v", err)
	}
}

func BenchmarkWake(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, err := Open(Options{Dir: b.TempDir(), Rest: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			for i := 0; i < n; i += 500 {
				err := s.Update(func(w kv.Writer) error {
					for j := range 500 {
						if err := w.Set(fmt.Sprintf("items/contacts/%08d", i+j), make([]byte, 150)); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				b.StopTimer()
				s.sleep()
				b.StartTimer()
				if err := set(s, "a", "1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
