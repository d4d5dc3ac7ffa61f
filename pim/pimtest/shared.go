package pimtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Shared is a path in the folder of real files and recorded messages beside the checkout. Without that folder the test is skipped with a
// line that says so, and fails in CI.
func Shared(t testing.TB, path ...string) string {
	t.Helper()
	shared := filepath.Join(checkout(t), "..", "shared")
	_, err := os.Stat(shared)
	switch {
	case err == nil:
		return filepath.Join(append([]string{shared}, path...)...)
	case os.Getenv("CI") != "":
		t.Fatal("../shared is missing, and CI skips nothing")
	}
	t.Skip("needs ../shared, the folder of real files and recorded messages beside the checkout")
	return ""
}

// checkout is the folder that holds go.mod.
func checkout(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("there is no go.mod above the test", err)
	return ""
}

// Program is the path of a program of a Debian package. A test that lacks it is skipped, or fails in CI.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Need(t, pkg)
	}
	return path
}

// Need skips a test that lacks Debian packages, or fails it in CI.
func Need(t testing.TB, packages string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing, and CI skips nothing", packages)
	}
	t.Skipf("needs apt install %s", packages)
}
