package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// service is what alwayson service status --json says.
type service struct {
	Installed   bool `json:"installed"`
	Enabled     bool `json:"enabled"`
	Running     bool `json:"running"`
	Current     bool `json:"current"`
	PID         int  `json:"pid"`
	Restarts    int  `json:"restarts"`
	SameVersion bool `json:"same_version"`
	LastCrash   *struct {
		Reason string `json:"reason"`
	} `json:"last_crash"`
	State string `json:"state"`
}

// TestServiceUnderSystemd goes through the life of a service under a real systemd: installed, ready, killed, hung, misconfigured, stopped, removed.
func TestServiceUnderSystemd(t *testing.T) {
	if !testenv.InSystemd(t) {
		return
	}
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.On()
	d.Kill()
	says := func(code int, want string, args ...string) {
		t.Helper()
		out, err := d.Command(append([]string{"service", "--user"}, args...)...)
		if got := exitCode(err); got != code || !strings.Contains(out, want) {
			t.Errorf("alwayson service %s: exit %d, want %d, and it says\n%s\nwant %q", strings.Join(args, " "), got, code, out, want)
		}
	}
	says(3, "not installed", "start")
	says(0, "not installed", "status")
	good := withConfig(t, d, "device = 3")
	says(78, "line 1", "install")
	says(0, "not installed", "status")
	putConfig(t, d, good)

	says(0, "systemctl --user start alwayson", "install")
	says(0, "loginctl enable-linger", "install")
	says(0, "already installed, unchanged", "install")
	unit := filepath.Join(os.Getenv("HOME"), ".config/systemd/user/alwayson.service")
	fast(t, unit)
	if s := state(t, d); !s.Installed || !s.Enabled || s.Running || !s.Current {
		t.Errorf("installed: %+v", s)
	}

	says(0, "started", "start") // it returns when the agent is ready
	if _, err := d.Control.Status(t.Context()); err != nil {
		t.Errorf("it is ready, but: %v", err)
	}
	first := state(t, d)
	if !first.Running || !first.SameVersion || first.Restarts != 0 || first.LastCrash != nil {
		t.Errorf("started: %+v", first)
	}
	second := ends(t, d, first, syscall.SIGKILL)
	if second.Restarts != 1 || second.LastCrash == nil {
		t.Errorf("killed: %+v", second)
	}
	ends(t, d, second, syscall.SIGSTOP) // an agent that does nothing at all any more
	write(t, filepath.Join(d.Dir, "contacts", "ana.vcf"), "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n")
	w.Converges(map[string]string{"contacts/ana.vcf": "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n"})

	putConfig(t, d, "device = 3")
	says(1, "cannot restart", "restart")
	if s := state(t, d); s.Running || s.LastCrash == nil || !strings.Contains(s.LastCrash.Reason, "78") || s.State != "failed (failed)" {
		t.Errorf("exit code 78 is not tried again: %+v %+v", s, s.LastCrash)
	}
	putConfig(t, d, good)
	says(0, "restarted", "restart")
	says(0, "stopped", "stop")
	if s := state(t, d); s.Running || !s.Enabled || s.LastCrash != nil {
		t.Errorf("stopped: %+v", s)
	}
	says(0, "started", "start")
	says(0, "removed", "uninstall")
	says(0, "unchanged", "uninstall")
	if _, err := os.Stat(unit); !errors.Is(err, os.ErrNotExist) {
		t.Error("the unit is still there:", err)
	}
	if _, err := d.Control.Status(t.Context()); err == nil {
		t.Error("the agent still runs")
	}
	d.Start() // what it knows was kept: nothing is doubled
	w.Converges(map[string]string{"contacts/ana.vcf": "BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n"})
}

// fast shortens the times of a unit, as a drop-in of the user does.
func fast(t *testing.T, unit string) {
	t.Helper()
	if err := os.MkdirAll(unit+".d", 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(unit+".d", "fast.conf"), "[Service]\nRestartSec=100ms\nWatchdogSec=2s\nTimeoutAbortSec=1s\n")
	if out, err := exec.Command("systemctl", "--user", "daemon-reload").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// withConfig puts another configuration in place and returns the former.
func withConfig(t *testing.T, d *testenv.Device, text string) string {
	t.Helper()
	good, err := os.ReadFile(d.Config())
	if err != nil {
		t.Fatal(err)
	}
	putConfig(t, d, text)
	return string(good)
}

func putConfig(t *testing.T, d *testenv.Device, text string) {
	t.Helper()
	write(t, d.Config(), text)
}

func state(t *testing.T, d *testenv.Device) (s service) {
	t.Helper()
	cmd := exec.Command(d.Program(), "--config", d.Config(), "service", "status", "--user", "--json")
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return s
}

// ends sends the agent a signal and waits until another one runs.
func ends(t *testing.T, d *testenv.Device, former service, signal syscall.Signal) (now service) {
	t.Helper()
	if err := syscall.Kill(former.PID, signal); err != nil {
		t.Fatal(err)
	}
	testenv.Ask(t, "the agent is not started again after "+signal.String(), func(context.Context) error {
		if now = state(t, d); !now.Running || now.PID == former.PID || !now.SameVersion {
			return fmt.Errorf("%+v", now)
		}
		return nil
	})
	return now
}

// TestServiceManagerHears is what systemd would hear of a real agent: that it is ready, again and again that it lives, and that it stops.
func TestServiceManagerHears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.Kill()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "300000")
	d.Start()
	hear := func() string {
		t.Helper()
		if err := l.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4096)
		n, err := l.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(b[:n]), "\n")
		return first
	}
	heard := map[string]int{}
	for heard["READY=1"] == 0 || heard["WATCHDOG=1"] < 5 {
		heard[hear()]++
	}
	if _, err := d.Control.Status(t.Context()); err != nil {
		t.Errorf("it is ready, but: %v", err)
	}
	if err := syscall.Kill(d.PID(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for heard["STOPPING=1"] == 0 {
		heard[hear()]++
	}
	if heard["READY=1"] != 1 || len(heard) != 3 {
		t.Errorf("systemd hears %v", heard)
	}
}
