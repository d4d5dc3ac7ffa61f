package main

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const inside = "ALWAYSON_TEST_EMPTY_ROOT"

// TestTimeZonesAreCarriedAlong: this test runs once more where there are no files at all.
func TestTimeZonesAreCarriedAlong(t *testing.T) {
	if os.Getenv(inside) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), inside+"="+t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	if err := syscall.Chroot(os.Getenv(inside)); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Lisbon")
	if err != nil {
		t.Fatal(err)
	}
	if name, _ := time.Date(2026, 7, 1, 0, 0, 0, 0, zone).Zone(); name != "WEST" {
		t.Error(name)
	}
}
