// Package testenv is the world as a struct: the real programs, built as users get them, running against each other in temporary
// folders on loopback.
package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// Main builds the programs once for all tests of a package, and further ones that it names by their folder, runs the tests, and returns the exit code.
func Main(m *testing.M, further ...string) int {
	dir, err := os.MkdirTemp("", "alwayson-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("LC_ALL", "C"); err != nil { // tests read what programs say in English, whoever runs them
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	bin = dir
	args := []string{"build", "-o", dir + string(os.PathSeparator)}
	for _, folder := range append([]string{"agent/cmd/alwayson", "ds/cmd/alwayson-server"}, further...) {
		args = append(args, "github.com/alwayson-sync/alwayson/"+folder)
	}
	cmd := exec.Command("go", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// bin is where the programs are.
var bin string

// Program is the path of a program that Main has built.
func Program(name string) string { return filepath.Join(bin, name) }

// Options of a World.
type Options struct {
	Stores    []string // of each device: names that are kinds, too
	Devices   []string
	Mosquitto bool // else the server runs its own broker
}

// World is everything that runs.
type World struct {
	t         testing.TB
	o         Options
	Dir       string
	Server    *Process
	Mosquitto *Process // nil if the server runs its own broker
	Devices   []*Device
	Want      map[string]string // what devices and server shall hold, for who looks for a fault
	port      string
	broker    string
}

// Process is a program that can be killed and started again.
type Process struct {
	t    testing.TB
	name string
	args []string
	log  string // what it writes
	cmd  *exec.Cmd
}

// Device is an agent process with its folders.
type Device struct {
	*Process
	Name, Dir string
	Control   *control.Client
	w         *World
}

// New starts a world that ends with the test. Devices are off.
func New(t testing.TB, o Options) *World {
	t.Helper()
	w := &World{t: t, o: o, Dir: t.TempDir(), port: FreePort(t), broker: FreePort(t)}
	args := []string{filepath.Join(bin, "alwayson-server"), "run", "--data", filepath.Join(w.Dir, "server"), "--listen", "127.0.0.1:" + w.port}
	if o.Mosquitto {
		w.Mosquitto = w.mosquitto()
		args = append(args, "--broker", "mqtt://127.0.0.1:"+w.broker)
	} else {
		args = append(args, "--broker-listen", "127.0.0.1:"+w.broker)
	}
	w.Admin("user", "add", "ana", "--no-password")
	w.Server = w.process("server", args...)
	for _, name := range o.Devices {
		w.Devices = append(w.Devices, w.device(name))
	}
	for _, p := range w.Processes() {
		p.Start()
	}
	t.Cleanup(w.end)
	return w
}

// Processes are all that run.
func (w *World) Processes() []*Process {
	out := []*Process{w.Server}
	if w.Mosquitto != nil {
		out = append(out, w.Mosquitto)
	}
	for _, d := range w.Devices {
		out = append(out, d.Process)
	}
	return out
}

func (w *World) process(name string, args ...string) *Process {
	return &Process{t: w.t, name: name, args: args, log: filepath.Join(w.Dir, name+".log")}
}

// Start starts it.
func (p *Process) Start() {
	p.t.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close()
	p.cmd = exec.Command(p.args[0], p.args[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// Kill is kill -9.
func (p *Process) Kill() {
	p.cmd.Process.Kill() //nolint:errcheck // it may have ended
	p.cmd.Wait()         //nolint:errcheck // it was killed
}

// PID is that of the running process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

func (w *World) end() {
	if w.t.Failed() {
		w.explain()
	}
	for _, p := range w.Processes() {
		p.Kill()
		if w.t.Failed() {
			log, _ := os.ReadFile(p.log)
			w.t.Logf("%s:\n%s", p.name, log[max(0, len(log)-4000):])
		}
	}
}

// explain tells where everybody stands, for who has to find a fault.
func (w *World) explain() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	w.t.Logf("server: %v", w.ServerHolds(ctx, w.Want))
	for _, d := range w.Devices {
		s, err := d.Control.Status(ctx)
		s.ServerDevInf = ""
		pending, _ := d.Control.Pending(ctx)
		log, _ := d.Control.Log(ctx, 6)
		w.t.Logf("%s: %+v, %v\npending %+v\nlog", d.Name, s, err, pending)
		for _, x := range log {
			w.t.Logf("  %+v", x)
		}
		if got := d.Contents(); len(got) < 1000 {
			w.t.Logf("holds %v", slices.Sorted(maps.Keys(got)))
		}
	}
}

// given are the ports that FreePort has handed out.
var given sync.Map

// FreePort is a port of five digits that nobody uses at the moment, and that no connection gets by chance: systems give those above 32767.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(10000 + rand.IntN(32768-10000))
		if _, again := given.LoadOrStore(port, true); again {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

func (w *World) write(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.Dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// mosquitto is configured as most sites do. It may lose everything in a kill; nothing depends on it.
func (w *World) mosquitto() *Process {
	w.t.Helper()
	pimtest.Program(w.t, "/usr/sbin/mosquitto", "mosquitto")
	conf := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\n", w.broker)
	if os.Getuid() == 0 {
		conf += "user root\n"
	}
	return w.process("mosquitto", "/usr/sbin/mosquitto", "-c", w.write("mosquitto.conf", conf))
}

// Address is that of the server, as people say it.
func (w *World) Address() string { return "http://127.0.0.1:" + w.port }

// Broker is the address of the broker.
func (w *World) Broker() string { return "mqtt://127.0.0.1:" + w.broker }

// Admin is a command of the administrator; the result is what it writes.
func (w *World) Admin(args ...string) string {
	w.t.Helper()
	cmd := exec.Command(filepath.Join(bin, "alwayson-server"), append([]string{"--data", filepath.Join(w.Dir, "server")}, args...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("alwayson-server %v: %v %s", args, err, errs.String())
	}
	return strings.TrimSpace(string(out))
}

func (w *World) device(name string) *Device {
	w.t.Helper()
	w.write(name+".secret", w.Admin("device", "add", name, "--user", "ana")+"\n")
	conf := fmt.Sprintf("device = %q\nstate = %q\nsocket = %q\n[account]\nserver = %q\nuser = \"ana\"\nsecret_file = %q\n"+
		"[push]\nbroker = %q\n[session]\nattempts = 1000\nbackoff = \"50ms\"\nmax_pause = \"500ms\"\n",
		name, name+".state", name+".sock", "http://127.0.0.1:"+w.port+"/ds", name+".secret", "mqtt://127.0.0.1:"+w.broker)
	d := &Device{Name: name, Dir: filepath.Join(w.Dir, name), w: w, Control: control.Dial(filepath.Join(w.Dir, name+".sock"))}
	for _, s := range w.o.Stores {
		conf += fmt.Sprintf("[[store]]\nname = %q\nkind = %q\ndir = %q\n", s, s, name+"/"+s)
		subs := []string{s}
		if s == "mail" {
			subs = []string{"mail/cur", "mail/new", "mail/tmp"}
		}
		for _, sub := range subs {
			if err := os.MkdirAll(filepath.Join(d.Dir, sub), 0o700); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	d.Process = w.process(name, d.Program(), "run", "--config", w.write(name+".toml", conf))
	return d
}

// Command runs the command line against the device's agent and returns what it writes.
func (d *Device) Command(args ...string) (string, error) {
	cmd := exec.Command(d.Program(), append([]string{"--config", d.Config()}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Program is the agent's program, Config its configuration file.
func (d *Device) Program() string { return filepath.Join(bin, "alwayson") }

// SecretFile holds the secret of the device, as a line.
func (d *Device) SecretFile() string { return filepath.Join(d.w.Dir, d.Name+".secret") }

// Secret is that line.
func (d *Device) Secret() string {
	d.w.t.Helper()
	line, err := os.ReadFile(d.SecretFile())
	if err != nil {
		d.w.t.Fatal(err)
	}
	return string(line)
}

// Socket is where its agent listens.
func (d *Device) Socket() string { return filepath.Join(d.w.Dir, d.Name+".sock") }

// Config is described at Program.
func (d *Device) Config() string { return filepath.Join(d.w.Dir, d.Name+".toml") }

// On switches the device on as soon as its agent answers.
func (d *Device) On() {
	d.t.Helper()
	Ask(d.t, "the agent does not answer", func(ctx context.Context) error {
		_, err := d.Control.On(ctx)
		return err
	})
}

// Ask asks a process that may just be starting, until it answers without an error.
func Ask(t testing.TB, what string, fn func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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

// Contents is what the device holds, by path.
func (d *Device) Contents() map[string]string {
	d.t.Helper()
	out := make(map[string]string)
	for _, s := range d.w.o.Stores {
		err := filepath.WalkDir(filepath.Join(d.Dir, s), func(p string, e fs.DirEntry, err error) error {
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
			rel, _ := filepath.Rel(d.Dir, p)
			out[filepath.ToSlash(rel)] = string(body)
			return err
		})
		if err != nil {
			d.t.Fatal(err)
		}
	}
	return out
}

// Converges waits until all devices and the server hold exactly want, and know that they are in sync.
func (w *World) Converges(want map[string]string) {
	w.t.Helper()
	w.Want = want
	Ask(w.t, "not equal", func(ctx context.Context) error {
		for _, d := range w.Devices {
			if got := d.Contents(); !maps.Equal(got, want) {
				return fmt.Errorf("%s: %s", d.Name, Difference(got, want))
			}
			if s, err := d.Control.Status(ctx); err != nil || !s.InSync() {
				return fmt.Errorf("%s is not in sync: %s %v", d.Name, s.Summary, err)
			}
		}
		return w.ServerHolds(ctx, want)
	})
}

// Difference names the first items in which got is not want.
func Difference(got, want map[string]string) string {
	var out []string
	for name, body := range want {
		if g, ok := got[name]; !ok {
			out = append(out, name+" is missing")
		} else if g != body {
			out = append(out, name+" is another version")
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			out = append(out, name+" is too much")
		}
	}
	return strings.Join(out[:min(len(out), 5)], ", ")
}

// ServerHolds is nil if the server's database holds exactly want. Mail is expected unread.
func (w *World) ServerHolds(ctx context.Context, want map[string]string) error {
	store, err := site.OpenStore(ctx, filepath.Join(w.Dir, "server"))
	if err != nil {
		return err
	}
	defer store.Close()
	got := make(map[string]string)
	err = store.View(ctx, func(tx dsstore.Tx) error {
		for _, s := range w.o.Stores {
			folder := s
			if s == "mail" {
				folder = "mail/new"
			}
			err := dsstore.Each(tx, dsstore.Collection{User: "ana", Store: s}, func(it dsstore.Item, body []byte) error {
				got[folder+"/"+it.Name] += string(body) // a double shows
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && !maps.Equal(got, want) {
		err = errors.New(Difference(got, want))
	}
	return err
}
