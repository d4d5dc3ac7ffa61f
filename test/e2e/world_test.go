// Package e2e runs the real programs against each other: two agents, the server, and Mosquitto.
package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

var bin struct{ agent, server string }

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the programs once, as users get them.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "alwayson-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	bin.agent, bin.server = filepath.Join(dir, "alwayson"), filepath.Join(dir, "alwayson-server")
	for path, pkg := range map[string]string{bin.agent: "agent/cmd/alwayson", bin.server: "ds/cmd/alwayson-server"} {
		cmd := exec.Command("go", "build", "-o", path, "github.com/alwayson-sync/alwayson/"+pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// process is a program that is started again after each kill.
type process struct {
	name string
	args []string
	log  string // what it writes
	cmd  *exec.Cmd
}

func (p *process) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.cmd.Process.Kill() //nolint:errcheck // it may have ended
	p.cmd.Wait()         //nolint:errcheck // it was killed
}

// world is everything that runs.
type world struct {
	t                 *testing.T
	dir               string
	server, mosquitto *process
	devices           []*device
	port, broker      string
	want              map[string]string // what devices and server shall hold
}

// device is an agent process with its folders, and what they should hold.
type device struct {
	*process
	name, dir string
	c         *control.Client
}

func (w *world) all() []*process {
	out := []*process{w.server, w.mosquitto}
	for _, d := range w.devices {
		out = append(out, d.process)
	}
	return out
}

func newWorld(t *testing.T) *world {
	t.Helper()
	if _, err := exec.LookPath("/usr/sbin/mosquitto"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("mosquitto is missing, and CI skips nothing")
		}
		t.Skip("needs Mosquitto: apt install mosquitto")
	}
	w := &world{t: t, dir: t.TempDir(), port: free(t), broker: free(t)}
	w.prepareMosquitto()
	w.admin("user", "add", "ana", "--no-password")
	w.server = &process{name: "server", log: filepath.Join(w.dir, "server.log"), args: []string{bin.server, "run", "--data", filepath.Join(w.dir, "server"),
		"--listen", "127.0.0.1:" + w.port, "--broker", "mqtt://127.0.0.1:" + w.broker}}
	for _, name := range []string{"laptop", "phone"} {
		w.devices = append(w.devices, w.newDevice(name))
	}
	for _, p := range w.all() {
		p.start(t)
	}
	t.Cleanup(w.end)
	return w
}

func (w *world) end() {
	if w.t.Failed() {
		w.explain()
	}
	for _, p := range w.all() {
		p.kill()
	}
	if !w.t.Failed() {
		return
	}
	for _, p := range w.all() {
		log, _ := os.ReadFile(p.log)
		w.t.Logf("%s:\n%s", p.name, log[max(0, len(log)-4000):])
	}
}

// explain tells where everybody stands, for who has to find a fault.
func (w *world) explain() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, d := range w.devices {
		s, err := d.c.Status(ctx)
		s.ServerDevInf = ""
		pending, _ := d.c.Pending(ctx)
		log, _ := d.c.Log(ctx, 6)
		w.t.Logf("%s: %+v, %v\npending %+v\nlog", d.name, s, err, pending)
		for _, x := range log {
			w.t.Logf("  %+v", x)
		}
		w.t.Logf("server: %v", w.serverHolds(ctx, w.want))
		w.t.Logf("holds %v", slices.Sorted(maps.Keys(d.contents(w.t))))
	}
}

// free is a port that nobody uses at the moment.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

func (w *world) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// prepareMosquitto configures it as most sites do. It may lose everything in a kill; nothing depends on it.
func (w *world) prepareMosquitto() {
	conf := w.write("mosquitto.conf", fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\n", w.broker))
	if os.Getuid() == 0 {
		conf = w.write("mosquitto.conf", fmt.Sprintf("user root\nlistener %s 127.0.0.1\nallow_anonymous true\n", w.broker))
	}
	w.mosquitto = &process{name: "mosquitto", log: filepath.Join(w.dir, "mosquitto.log"), args: []string{"/usr/sbin/mosquitto", "-c", conf}}
}

// admin is a command of the administrator; the result is what it writes.
func (w *world) admin(args ...string) string {
	w.t.Helper()
	cmd := exec.Command(bin.server, append([]string{"--data", filepath.Join(w.dir, "server")}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("alwayson-server %v: %v %s", args, err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

var stores = []string{"contacts", "notes", "mail"}

func (w *world) newDevice(name string) *device {
	d := &device{name: name, dir: filepath.Join(w.dir, name)}
	w.write(name+".secret", w.admin("device", "add", name, "--user", "ana")+"\n")
	conf := fmt.Sprintf("device = %q\nstate = %q\nsocket = %q\n[account]\nserver = %q\nuser = \"ana\"\nsecret_file = %q\n"+
		"[push]\nbroker = %q\n[session]\nattempts = 1000\nbackoff = \"50ms\"\nmax_pause = \"500ms\"\n",
		name, name+".state", name+".sock", "http://127.0.0.1:"+w.port+"/ds", name+".secret", "mqtt://127.0.0.1:"+w.broker)
	for _, s := range stores {
		conf += fmt.Sprintf("[[store]]\nname = %q\nkind = %q\ndir = %q\n", s, s, name+"/"+s)
	}
	for _, sub := range []string{"contacts", "notes", "mail/cur", "mail/new", "mail/tmp"} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o700); err != nil {
			w.t.Fatal(err)
		}
	}
	path := w.write(name+".toml", conf)
	d.process = &process{name: name, log: filepath.Join(w.dir, name+".log"), args: []string{bin.agent, "run", "--config", path}}
	d.c = control.Dial(filepath.Join(w.dir, name+".sock"))
	return d
}

// on switches a device on as soon as its agent answers.
func (d *device) on(t *testing.T) {
	t.Helper()
	ask(t, "the agent does not answer", func(ctx context.Context) error {
		_, err := d.c.On(ctx)
		return err
	})
}

// ask asks a process that may just be starting, until it answers.
func ask(t *testing.T, what string, fn func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := fn(ctx)
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// contents is what a device holds, by path.
func (d *device) contents(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, s := range stores {
		err := filepath.WalkDir(filepath.Join(d.dir, s), func(p string, e fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // it was renamed while we looked
			}
			if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
				return err
			}
			body, err := os.ReadFile(p)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			rel, _ := filepath.Rel(d.dir, p)
			out[filepath.ToSlash(rel)] = string(body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
