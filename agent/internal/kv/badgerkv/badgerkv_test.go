package badgerkv_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/badgerkv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/kvtest"
)

func open(t *testing.T, dir string) kv.Store {
	t.Helper()
	s, err := badgerkv.Open(badgerkv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) { kvtest.Run(t, open) }

func TestASecondOpenIsRefused(t *testing.T) {
	dir := t.TempDir()
	defer open(t, dir).Close()
	if _, err := badgerkv.Open(badgerkv.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v", err)
	}
}

// writerDir makes the test binary a process that writes until it is killed.
const writerDir = "BADGERKV_WRITER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		write(dir)
	}
	os.Exit(m.Run())
}

// write says a number when it is durable.
func write(dir string) {
	s, err := badgerkv.Open(badgerkv.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		err := s.Update(func(w kv.Writer) error {
			return w.Set(fmt.Sprintf("%08d", i), []byte("x"))
		})
		if err != nil {
			os.Exit(1)
		}
		fmt.Println(i)
	}
}

func TestWhatWasAcknowledgedSurvivesKill(t *testing.T) {
	for round := range 5 {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), writerDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked := 0
		for lines := bufio.NewScanner(out); acked < 100+37*round && lines.Scan(); acked++ {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait() //nolint:errcheck // it was killed
		s := open(t, dir)
		if n := strings.Count(kvtest.All(t, s, ""), "=x"); n < acked {
			t.Errorf("%d of %d acknowledged writes are left", n, acked)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestALogThatWasNeverBegun is what a kill leaves between the creation of a log and its first octet.
func TestALogThatWasNeverBegun(t *testing.T) {
	dir := t.TempDir()
	s, err := badgerkv.Open(badgerkv.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(func(w kv.Writer) error { return w.Set("k", []byte("v")) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "00099.mem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = badgerkv.Open(badgerkv.Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(func(r kv.Reader) error {
		v, err := r.Get("k")
		if string(v) != "v" {
			t.Errorf("got %q", v)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
