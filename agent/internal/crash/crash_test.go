package crash_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/crash"
)

// TestMain is also the program that crashes.
func TestMain(m *testing.M) {
	dir := os.Getenv("CRASH_IN")
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := crash.Record(dir); err != nil {
		panic(err)
	}
	if why := os.Getenv("CRASH_FOR"); why != "" {
		panic(why)
	}
}

func run(t *testing.T, dir, why string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "CRASH_IN="+dir, "CRASH_FOR="+why)
	var exit *exec.ExitError
	if err := cmd.Run(); (why != "") != errors.As(err, &exit) {
		t.Fatal(err)
	}
}

// TestTheReasonOutlivesTheProgram, also when it runs in order after that, and only its owner may read it.
func TestTheReasonOutlivesTheProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	want := func(reason string) {
		t.Helper()
		c, err := crash.Last(dir)
		if err != nil || (c == nil) != (reason == "") || c != nil && c.Reason != reason {
			t.Fatalf("%+v %v, want %q", c, err, reason)
		}
	}
	want("")
	run(t, dir, "")
	want("")
	run(t, dir, "the first one")
	want("panic: the first one")
	run(t, dir, "")
	want("panic: the first one")
	run(t, dir, "the second one")
	want("panic: the second one")
	c, err := crash.Last(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.File)
	if err != nil || !strings.Contains(string(text), "crash_test.go") {
		t.Errorf("where it happened is not there: %s %v", text, err)
	}
	if fi, err := os.Stat(c.File); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", fi, err)
	}
	run(t, dir, strings.Repeat("ä", 1000))
	if c, err := crash.Last(dir); err != nil || len(c.Reason) > 210 {
		t.Errorf("%+v %v", c, err)
	}
}
