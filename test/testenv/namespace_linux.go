package testenv

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// InNamespace is this test once more, with env besides, in a network namespace of its own that ip(8) can change. Who is not root becomes so in
// a user namespace, where the kernel lets him.
func InNamespace(t testing.TB, env ...string) *exec.Cmd {
	t.Helper()
	pimtest.Program(t, "ip", "iproute2")
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}
