package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// seMissing says what SyncEvolution's pair needs and is not there, "" if nothing.
func seMissing(b *testing.B) string {
	b.Helper()
	for _, program := range []string{"syncevolution", "/usr/bin/syncevo-http-server", "/usr/libexec/syncevo-dbus-server", "dbus-daemon", "dbus-send", "gcc"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + " is not installed"
		}
	}
	if exec.Command("/usr/bin/python3", "-c", "import twisted, dbus, gi, OpenSSL").Run() != nil {
		return "python3-twisted, -dbus, -gi or -openssl is not installed"
	}
	return ""
}

// sePair is SyncEvolution as client and as server with contacts as files, each with a home of its own (peers.md 3 to 5).
type sePair struct {
	b      *testing.B
	dir    string
	server *testenv.SyncEvolution
}

func newSEPair(b *testing.B) *sePair {
	b.Helper()
	p, port := &sePair{b: b, dir: b.TempDir()}, testenv.FreePort(b)
	shim := pimtest.Shared(b, "peers/syncevolution/shim/curlfix.c")
	if out, err := exec.Command("gcc", "-O2", "-shared", "-fPIC", "-o", p.path("curlfix.so"), shim, "-ldl").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	files := func(home string) []string {
		return []string{"addressbook/backend=file", "addressbook/database=file://" + p.path(home, "contacts"), "addressbook/databaseFormat=text/vcard"}
	}
	const device = "bench-device"
	p.configure("srv", append(files("srv"), "--template", "none", "keyring=no", "logdir=", "@server")...)
	p.configure("srv", "--template", "SyncEvolution_Client", "deviceId=bench-server", "remoteDeviceId="+device, "username=test", "password=test",
		"RetryDuration=300", "printChanges=0", "dumpData=0", "dev@server")
	p.configure("cli", append(files("cli"), "--template", "none", "keyring=no", "deviceId="+device, "@default")...)
	p.configure("cli", "--template", "SyncEvolution", "syncURL=http://127.0.0.1:"+port+"/syncevolution", "username=test", "password=test", "preventSlowSync=0", "printChanges=0",
		"dumpData=0", "labserver")
	p.server = testenv.StartSyncEvolution(b, p.dir, port, "", p.env("srv"))
	return p
}

func (p *sePair) path(parts ...string) string {
	return filepath.Join(append([]string{p.dir}, parts...)...)
}

// env is that of one of the homes.
func (p *sePair) env(home string) []string {
	h := p.path(home)
	env := []string{"HOME=" + h, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "XDG_CONFIG_HOME=" + h + "/config", "XDG_CACHE_HOME=" + h + "/cache",
		"XDG_DATA_HOME=" + h + "/share", "XDG_RUNTIME_DIR=" + h + "/run"}
	if home == "srv" {
		return env
	}
	return append(env, "LD_PRELOAD="+p.path("curlfix.so"))
}

func (p *sePair) configure(home string, args ...string) {
	p.b.Helper()
	if err := errors.Join(os.MkdirAll(p.path(home, "run"), 0o700), os.MkdirAll(p.path(home, "contacts"), 0o700)); err != nil {
		p.b.Fatal(err)
	}
	cmd := exec.Command("syncevolution", append(append([]string{"--daemon=no", "--configure"}, args...), "addressbook")...)
	cmd.Env = p.env(home)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.b.Fatalf("syncevolution %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// measureSE runs the command line against the server, with the contacts of measureOurs.
func measureSE(b *testing.B, n int) results {
	b.Helper()
	p := newSEPair(b)
	for i := range n {
		p.put(i, 1)
	}
	out := results{first: p.sync(n, "--sync", "slow"), asked: map[int]cost{}}
	p.sync(0)
	for version, k := range changes {
		for i := range k {
			p.put(i+1, version+2)
		}
		out.asked[k] = p.sync(k)
	}
	return out
}

// put writes a version of a contact. SyncEvolution sees changes by the second, so each version gets a minute of its own.
func (p *sePair) put(i, version int) {
	p.b.Helper()
	path := p.path("cli/contacts", strconv.Itoa(i))
	at := time.Now().Add(time.Duration(version-60) * time.Minute)
	if err := errors.Join(os.WriteFile(path, []byte(card(i, version)), 0o600), os.Chtimes(path, at, at)); err != nil {
		p.b.Fatal(err)
	}
}

// seRow is the line of SyncEvolution's table with what it changed: NEW, MOD, DEL and ERR here and there.
var seRow = regexp.MustCompile(`addressbook \|\s*\d+\s*\|\s*\d+\s*\|\s*\d+\s*\|\s*\d+\s*\|\s*(\d+)\s*\|\s*(\d+)\s*\|`)

// sync runs the client once, which must send so many items, and waits until the server's helper has ended, too.
func (p *sePair) sync(sent int, args ...string) cost {
	p.b.Helper()
	ctx, cancel := context.WithTimeout(p.b.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "syncevolution", append(append([]string{"--daemon=no"}, args...), "labserver", "addressbook")...)
	cmd.Env = p.env("cli")
	before, start := p.used(), time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(start)
	m := seRow.FindSubmatch(out)
	if err != nil || m == nil {
		p.b.Fatalf("%v\n%s", err, out)
	}
	added, _ := strconv.Atoi(string(m[1]))
	modified, _ := strconv.Atoi(string(m[2]))
	if added+modified != sent {
		p.b.Fatalf("SyncEvolution sent %d items, not %d\n%s", added+modified, sent, out)
	}
	p.helperEnds()
	return cost{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), p.used() - before}
}

// used is the processor time of the server's programs and of the helpers that have ended.
func (p *sePair) used() (sum time.Duration) {
	for _, pid := range p.server.Processes() {
		sum += used(p.b, pid) + usedByChildren(p.b, pid)
	}
	return sum
}

// helperEnds waits until the daemon has no child.
func (p *sePair) helperEnds() {
	p.b.Helper()
	daemon := p.server.Processes()[1]
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.Now().Add(time.Minute); ; <-tick.C {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", daemon, daemon))
		if len(bytes.TrimSpace(children)) == 0 {
			return
		}
		if time.Now().After(limit) {
			p.b.Fatal("SyncEvolution's helper does not end")
		}
	}
}

func usedByChildren(b *testing.B, pid int) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatal(err)
	}
	const utime, ticksPerSecond = 11, 100 // fields after the name of the program; USER_HZ
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, _ := strconv.Atoi(f[utime+2])
	system, _ := strconv.Atoi(f[utime+3])
	return time.Duration(user+system) * time.Second / ticksPerSecond
}
