package watch_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

const few = "ALWAYSON_TEST_FEW_WATCHES"

// TestTheLimitOfTheSystemIsNamed: this test runs once more as a user whom the kernel lets watch two folders.
func TestTheLimitOfTheSystemIsNamed(t *testing.T) {
	if os.Getenv(few) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), few+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := os.WriteFile("/proc/sys/user/max_inotify_watches", []byte("2"), 0); err != nil {
		t.Fatal(err)
	}
	root, hints, ended := t.TempDir(), make(chan pim.Hint, 100), make(chan error, 1)
	watched := func() { ended <- watch.Dir(t.Context(), root, func(h pim.Hint) { hints <- h }) }
	folder := func(n int) {
		if err := os.Mkdir(filepath.Join(root, strconv.Itoa(n)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	const remedy = "sudo sysctl fs.inotify.max_user_watches="
	go watched()
	next(t, hints)
	folder(1)
	next(t, hints)
	folder(2) // one too many, while it is watched
	if h := next(t, hints); h.Keys != nil {
		t.Errorf("hint %v, want a look at everything", h.Keys)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), remedy) {
		t.Errorf("a new folder: %v", err)
	}
	watched() // and from the start
	if err := <-ended; err == nil || !strings.Contains(err.Error(), remedy) {
		t.Errorf("at the start: %v", err)
	}
}
