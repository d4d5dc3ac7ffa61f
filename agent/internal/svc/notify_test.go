package svc

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// ear is where systemd would listen.
func ear(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	return l
}

func hear(t *testing.T, l *net.UnixConn, want string) {
	t.Helper()
	b := make([]byte, 4096)
	if err := l.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	n, err := l.Read(b)
	if got := string(b[:n]); err != nil || len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("systemd hears %q, %v; want %q", got, err, want)
	}
}

// TestNotifier tells systemd everything once, and feeds its dog no more often than it needs.
func TestNotifier(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // it has no systemd
	}
	l := ear(t)
	t.Setenv("WATCHDOG_USEC", "3600000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	n := NewNotifier()
	if n.Pulse() != 20*time.Minute {
		t.Error(n.Pulse())
	}
	n.Ready()
	for range 1000 {
		n.Alive()
	}
	n.Stopping()
	for _, want := range []string{"READY=1\n", "WATCHDOG=1", "STOPPING=1\n"} {
		hear(t, l, want)
	}
}

// TestNobodyListens: without systemd, or with a dog of another process, nothing happens.
func TestNobodyListens(t *testing.T) {
	t.Setenv("WATCHDOG_USEC", "3600000000")
	t.Setenv("NOTIFY_SOCKET", "")
	n := NewNotifier()
	n.Ready()
	n.Alive()
	if n.Pulse() != 0 || n.conn != nil {
		t.Error("somebody is told")
	}
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nothing"))
	if n := NewNotifier(); n.conn != nil || n.Pulse() != 0 {
		t.Error("a socket that is not there")
	}
	if runtime.GOOS == "windows" {
		return
	}
	ear(t)
	t.Setenv("WATCHDOG_PID", "1")
	if n := NewNotifier(); n.conn == nil || n.Pulse() != 0 {
		t.Error("the dog of another process")
	}
}
