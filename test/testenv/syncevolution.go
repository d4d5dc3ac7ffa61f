package testenv

import (
	"bufio"
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// SyncEvolution is SyncEvolution's server with a private D-Bus: a daemon and an HTTP front end. It ends with the test.
type SyncEvolution struct {
	Port string // of loopback
	URL  string

	t     testing.TB
	env   []string
	dir   string
	procs []*exec.Cmd
}

// StartSyncEvolution runs the server on a port of loopback with its logs in dir. env is that of its home; preload, if it is not "", is a library
// that its daemon loads first.
func StartSyncEvolution(t testing.TB, dir, port, preload string, env []string) *SyncEvolution {
	t.Helper()
	s := &SyncEvolution{Port: port, URL: "http://127.0.0.1:" + port + "/syncevolution", t: t, env: env, dir: dir}
	t.Cleanup(s.stop)
	s.bus()
	daemon := exec.Command("/usr/libexec/syncevo-dbus-server", "--duration", "unlimited", "--verbosity", "1", "--stdout", "--no-syslog")
	if preload != "" {
		daemon.Env = append(daemon.Env, "LD_PRELOAD="+preload)
	}
	s.run("daemon", daemon)
	s.await("daemon", func() bool {
		ask := exec.Command("dbus-send", "--session", "--dest=org.freedesktop.DBus", "--print-reply", "/org/freedesktop/DBus",
			"org.freedesktop.DBus.NameHasOwner", "string:org.syncevolution")
		ask.Env = s.env
		out, _ := ask.CombinedOutput()
		return bytes.Contains(out, []byte("true"))
	})
	// The program of the package binds all addresses; this wrapper binds loopback (peers.md 1).
	wrapper := pimtest.Shared(t, "peers", "syncevolution", "bin", "syncevo-http-loopback.py")
	s.run("front", exec.Command("/usr/bin/python3", wrapper, "--quiet", s.URL))
	s.await("front end", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

// Processes are the ids of the programs: the bus, the daemon, the front end.
func (s *SyncEvolution) Processes() (out []int) {
	for _, p := range s.procs {
		out = append(out, p.Process.Pid)
	}
	return out
}

// bus starts the D-Bus and makes it the one of all that follows.
func (s *SyncEvolution) bus() {
	s.t.Helper()
	bus := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
	out, err := bus.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.run("bus", bus)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+strings.TrimSpace(address))
}

func (s *SyncEvolution) run(name string, cmd *exec.Cmd) {
	s.t.Helper()
	log, err := os.Create(s.log(name))
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	if cmd.Stderr = log; cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Env = append(cmd.Env, s.env...)
	group(cmd)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.procs = append(s.procs, cmd)
}

func (s *SyncEvolution) log(name string) string { return filepath.Join(s.dir, name+".log") }

// await asks until it is so. These programs say nowhere that they are ready.
func (s *SyncEvolution) await(what string, ready func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(time.Minute); !ready(); <-tick.C {
		if time.Now().After(limit) {
			s.t.Fatalf("SyncEvolution's %s does not come up", what)
		}
	}
}

// stop ends the programs, newest first, with the helpers that they started.
func (s *SyncEvolution) stop() {
	for i := len(s.procs) - 1; i >= 0; i-- {
		killGroup(s.procs[i])
		s.procs[i].Wait() //nolint:errcheck // it was killed
	}
	if !s.t.Failed() {
		return
	}
	for _, name := range []string{"daemon", "front"} {
		text, _ := os.ReadFile(s.log(name))
		s.t.Logf("%s:\n%s", name, text[max(0, len(text)-6000):])
	}
}
