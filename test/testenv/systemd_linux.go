package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// withSystemd marks a test that runs where a systemd of its own may.
const withSystemd = "ALWAYSON_TEST_SYSTEMD"

// apart puts a command into a control group of its own first: a systemd takes every process of its group for one of its own.
const apart = `echo $$ >"$0/cgroup.procs" && exec unshare --mount --cgroup --pid --fork --kill-child --mount-proc "$@"`

// InSystemd runs a test with a systemd --user of its own, in namespaces that end with it, as root or by sudo. It returns whether this process is the one
// in which to go on: HOME is an empty folder then, and systemctl --user works.
func InSystemd(t testing.TB) bool {
	t.Helper()
	pimtest.Program(t, "systemctl", "systemd")
	if os.Getenv(withSystemd) != "" {
		startSystemd(t)
		return true
	}
	group := filepath.Join(cgroups(t), fmt.Sprintf("alwayson-test-%d", os.Getpid()))
	sudo(t, "mkdir", group)
	t.Cleanup(func() { sudo(t, "find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";") })
	out, err := asRoot(withSystemd+"=1", "sh", "-c", apart, group, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v").CombinedOutput()
	if t.Logf("%s", out); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Error("in its namespaces:", err)
	}
	return false
}

// asRoot runs a command with one more variable in its environment.
func asRoot(variable string, args ...string) *exec.Cmd {
	args = append([]string{"env", variable}, args...)
	if os.Getuid() != 0 {
		args = append([]string{"sudo", "-n", "-E"}, args...)
	}
	return exec.Command(args[0], args[1:]...)
}

func sudo(t testing.TB, args ...string) {
	t.Helper()
	if out, err := asRoot("LC_ALL=C", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v %s", args, err, out)
	}
}

// cgroups is the folder of this process's group in the second hierarchy, alone or beside the first.
func cgroups(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	_, path, _ := strings.Cut(string(text), "0::")
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var fs unix.Statfs_t
		if unix.Statfs(root, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC {
			return filepath.Join(root, strings.TrimSpace(path))
		}
	}
	t.Fatal("this kernel has no control groups of the second kind")
	return ""
}

// startSystemd makes it believe that the machine was started by systemd, as it refuses to serve a user otherwise.
func startSystemd(t testing.TB) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(unix.Mount("tmpfs", "/run", "tmpfs", 0, ""))
	must(unix.Unmount("/sys/fs/cgroup", unix.MNT_DETACH))
	must(unix.Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, ""))
	runtime := "/run/user/0"
	must(os.MkdirAll(runtime, 0o700))
	must(os.MkdirAll("/run/systemd/system", 0o755))
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	cmd := exec.Command("/lib/systemd/systemd", "--user", "--log-target=console")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	must(cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill() //nolint:errcheck // it may have ended
		cmd.Wait()         //nolint:errcheck // it was killed
		if t.Failed() {
			t.Logf("systemd: %s", log.String())
		}
	})
	Ask(t, "systemd does not start", func(context.Context) error {
		out, _ := exec.Command("systemctl", "--user", "is-system-running").CombinedOutput()
		if s := strings.TrimSpace(string(out)); s != "running" && s != "degraded" {
			return errors.New(s)
		}
		return nil
	})
}
