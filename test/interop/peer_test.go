package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// deviceID, user and secret are what SyncEvolution's side is configured with.
const (
	deviceID = "interop-device-1"
	user     = "test"
)

// seServer is SyncEvolution as server: a private D-Bus, its daemon, and its HTTP front end.
type seServer struct {
	*home
	port  string
	procs []*exec.Cmd
}

func newSEServer(t testing.TB, o options) *seServer {
	s := &seServer{home: newHome(t, "srv"), port: freePort(t)}
	s.configureSources("@server", "logdir=")
	props := []string{"--configure", "--template", "SyncEvolution_Client", "deviceId=interop-server", "remoteDeviceId=" + deviceID,
		"RetryDuration=300", "printChanges=0", "dumpData=0", "username=" + user, "password=" + o.secret()}
	if o.serverMaxMsg > 0 {
		props = append(props, fmt.Sprint("maxMsgSize=", o.serverMaxMsg))
	}
	s.mustRun(append(props, "dev@server", "addressbook", "calendar", "todo", "memo")...)
	s.start(o)
	t.Cleanup(s.stop)
	return s
}

// start runs the three programs. They end with this process, whatever happens to it.
func (s *seServer) start(o options) {
	s.t.Helper()
	bus := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address=1")
	bus.Env = s.env
	out, err := bus.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.run(bus)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+strings.TrimSpace(address))

	daemon := exec.Command("/usr/libexec/syncevo-dbus-server", "--duration", "unlimited", "--verbosity", "1", "--stdout", "--no-syslog")
	daemon.Env = s.env
	if o.resumable {
		daemon.Env = append(daemon.Env, "LD_PRELOAD="+filepath.Join(labDir, "resumefix.so"))
	}
	s.log(daemon, "daemon.log")
	s.run(daemon)
	s.await("the daemon", func() bool {
		ask := exec.Command("dbus-send", "--session", "--dest=org.freedesktop.DBus", "--print-reply", "/org/freedesktop/DBus",
			"org.freedesktop.DBus.NameHasOwner", "string:org.syncevolution")
		ask.Env = s.env
		out, _ := ask.CombinedOutput()
		return bytes.Contains(out, []byte("true"))
	})

	// The program of the package binds all addresses; this wrapper binds loopback (peers.md 1).
	wrapper := pimtest.Shared(s.t, "peers", "syncevolution", "bin", "syncevo-http-loopback.py")
	front := exec.Command("/usr/bin/python3", wrapper, "--quiet", "http://127.0.0.1:"+s.port+"/syncevolution")
	front.Env = s.env
	s.log(front, "front.log")
	s.run(front)
	s.await("the front end", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// forget wipes what the server knows of the device: anchors, ids, changes (peers.md 4).
func (s *seServer) forget() {
	s.t.Helper()
	peer := filepath.Join(s.dir, "config", "syncevolution", "server", "peers", "dev")
	for _, pattern := range []string{".internal.ini", "sources/*/.internal.ini", "sources/*/.server.ini", "sources/*/.other.ini"} {
		files, err := filepath.Glob(filepath.Join(peer, pattern))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				s.t.Fatal(err)
			}
		}
	}
}

func (h *home) remove(store, name string) {
	h.t.Helper()
	if err := os.Remove(filepath.Join(h.data(store), name)); err != nil {
		h.t.Fatal(err)
	}
}

func (s *seServer) log(cmd *exec.Cmd, name string) {
	f, err := os.Create(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = f, f
	s.t.Cleanup(func() { f.Close() })
}

func (s *seServer) run(cmd *exec.Cmd) {
	s.t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.procs = append(s.procs, cmd)
}

// await asks until it is so. These programs say nowhere that they are ready.
func (s *seServer) await(what string, ready func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	for !ready() {
		select {
		case <-tick.C:
		case <-deadline.C:
			s.t.Fatalf("%s of SyncEvolution does not come up", what)
		}
	}
}

// stop ends the programs, newest first, with the helpers that they started.
func (s *seServer) stop() {
	for i := len(s.procs) - 1; i >= 0; i-- {
		p := s.procs[i]
		syscall.Kill(-p.Process.Pid, syscall.SIGKILL) //nolint:errcheck // it may have ended
		p.Wait()                                      //nolint:errcheck // it was killed
	}
	if s.t.Failed() {
		for _, name := range []string{"daemon.log", "front.log"} {
			text, _ := os.ReadFile(filepath.Join(s.dir, name))
			s.t.Logf("%s:\n%s", name, text[max(0, len(text)-6000):])
		}
	}
}

// seClient is SyncEvolution's command line.
type seClient struct{ *home }

func newSEClient(t testing.TB, o options, url string) *seClient {
	c := &seClient{newHome(t, "cli")}
	c.configureSources("@default", "deviceId="+deviceID)
	args := []string{"--configure", "--template", "SyncEvolution", "syncURL=" + url, "username=" + user, "password=" + o.clientSecret(),
		"preventSlowSync=0", "printChanges=0", "dumpData=0", "enableRefreshSync=1", "RetryInterval=2s", "RetryDuration=6s"}
	if o.encoding == "XML" {
		args = append(args, "enableWBXML=0")
	}
	if o.basic {
		args = append(args, "clientAuthType=basic")
	}
	if o.clientMaxMsg > 0 {
		args = append(args, fmt.Sprint("maxMsgSize=", o.clientMaxMsg))
	}
	args = append(args, o.clientProps...)
	for _, k := range kinds {
		uri := k
		if k == o.unknownStore {
			uri = "diary"
		}
		args = append(args, sources[k].name+"/uri="+uri)
	}
	c.mustRun(append(args, "labserver", "addressbook", "calendar", "todo", "memo")...)
	return c
}

// seModes are SyncEvolution's words for the sync types.
var seModes = map[string]string{
	"": "two-way", "two-way": "two-way", "slow": "slow", "one-way-from-client": "one-way-from-local", "one-way-from-server": "one-way-from-remote",
	"refresh-from-client": "refresh-from-local", "refresh-from-server": "refresh-from-remote",
}

// row is a line of the table that SyncEvolution prints: what it changed here and there.
var row = regexp.MustCompile(`\|\s+(\w+) \|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|\s+(\d+)\s+\|`)

// sync runs the command line once.
func (c *seClient) sync(ctx context.Context, stores []string, mode string) outcome {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	args := []string{"--sync", seModes[mode], "labserver"}
	for _, k := range stores {
		args = append(args, sources[k].name)
	}
	out, err := c.command(ctx, args...).CombinedOutput()
	o := outcome{text: string(out), err: err}
	for _, m := range row.FindAllStringSubmatch(o.text, -1) {
		for i := 2; i <= 9; i++ {
			var n int
			fmt.Sscan(m[i], &n) //nolint:errcheck // the pattern has digits only
			if i != 5 && i != 9 {
				o.changes += n
			}
		}
	}
	return o
}
