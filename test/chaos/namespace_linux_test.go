package chaos

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// inside says which of the two network namespaces this process is in, if any.
const inside = "ALWAYSON_TEST_NAMESPACE"

// TestARealLinkComesBack takes down a network interface of the kernel between a device and a server, each in a network namespace of its own,
// and notes how long it takes after it is back until both are equal again. Nothing is simulated but the cable.
func TestARealLinkComesBack(t *testing.T) {
	switch os.Getenv(inside) {
	case "device":
		onDevice(t)
		return
	case "server":
		onServer(t)
		return
	}
	out, err := testenv.InNamespace(t, inside+"=device").CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Error(err)
	}
}

const (
	nearAddress = "10.99.0.2"
	farAddress  = "10.99.0.1"
)

// outages are commands on the device that take the network away and give it back, in turn.
var outages = []struct {
	name  string
	stall bool // the server does not answer the exchange that is under way when the network goes
	turn  [][2]string
}{
	{"airplane mode", false, [][2]string{{"link set uplink down", "link set uplink up"}}},
	{"airplane mode in the middle of an exchange", true, [][2]string{{"link set uplink down", "link set uplink up"}}},
	{"another address", false, [][2]string{
		{"addr del 10.99.0.2/24 dev uplink", "addr add 10.99.0.3/24 dev uplink"},
		{"addr del 10.99.0.3/24 dev uplink", "addr add 10.99.0.2/24 dev uplink"}}},
}

// onDevice is the device's process; the server's is its child.
func onDevice(t *testing.T) {
	s := startServer(t)
	w := &world{t: t, dir: t.TempDir(), want: make(map[string]string)}
	state := t.TempDir()
	w.o = agent.Options{StateDir: filepath.Join(state, "state"), Socket: filepath.Join(state, "s"), Server: s.url, DeviceID: "d", User: "ana",
		Secret: s.secret, Version: "test", Stores: []agent.Store{{Name: "contacts", Kind: pim.Contacts, Dir: w.dir}},
		Push: agent.Push{Broker: s.broker, Prefix: "alwayson", User: "d"}}
	w.c = control.Dial(w.o.Socket)
	t.Cleanup(w.c.Close)
	w.start()
	t.Cleanup(w.stop)
	_, err := w.c.On(t.Context())
	w.check(err)
	w.until("connected", func(s control.Status) bool { return s.Push.State == "connected" && quiet(s) })
	for _, o := range outages {
		var times sample
		for i := range 10 {
			turn := o.turn[i%len(o.turn)]
			if o.stall {
				s.stall(w)
			}
			times.add(s.outage(w, turn[0], turn[1]))
		}
		t.Logf("%s: in sync after %s", o.name, &times)
	}
	fmt.Fprintln(s.in, "end")
	w.check(s.cmd.Wait())
}

// stall stops the server and begins an exchange that waits for it.
func (s *server) stall(w *world) {
	w.check(s.cmd.Process.Signal(syscall.SIGSTOP))
	w.edit("n")
	w.until("waiting", func(s control.Status) bool { return s.Running != "" })
}

// outage edits both sides while the network is away, and returns how long they need to be equal when it is back.
func (s *server) outage(w *world, down, up string) time.Duration {
	w.t.Helper()
	ip(w.t, down)
	w.edit("n")
	w.until("retrying", func(s control.Status) bool { return s.Attempts > 0 })
	w.check(s.cmd.Process.Signal(syscall.SIGCONT))
	body := w.body("m")
	s.ask(w.t, "put", body)
	w.want["m.vcf"] = body
	began := time.Now()
	ip(w.t, up)
	w.until("equal", func(now control.Status) bool {
		return quiet(now) && maps.Equal(w.onDevice(), w.want) && s.ask(w.t, "has", w.want["n.vcf"]) == "true"
	})
	return time.Since(began)
}

// server is the server's process, as the device's sees it.
type server struct {
	cmd                 *exec.Cmd
	in                  io.Writer
	out                 *bufio.Scanner
	url, broker, secret string
}

func startServer(t *testing.T) *server {
	s := &server{cmd: testenv.InNamespace(t, inside+"=server")}
	s.cmd.Stderr = os.Stderr
	in, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.in, s.out = in, bufio.NewScanner(out)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.cmd.Process.Kill() }) //nolint:errcheck // it has ended if all went well
	ip(t, "link set lo up", fmt.Sprint("link add uplink type veth peer name far netns ", s.cmd.Process.Pid),
		"addr add "+nearAddress+"/24 dev uplink", "link set uplink up")
	words := strings.Fields(s.ask(t, "begin", ""))
	if len(words) != 3 {
		t.Fatal("the server did not start", words)
	}
	s.url, s.broker, s.secret = words[0], words[1], words[2]
	return s
}

// ask sends one line and returns the answer.
func (s *server) ask(t testing.TB, verb, body string) string {
	t.Helper()
	fmt.Fprintln(s.in, verb, base64.StdEncoding.EncodeToString([]byte(body)))
	for s.out.Scan() {
		if answer, ok := strings.CutPrefix(s.out.Text(), "answer "); ok {
			return answer
		}
	}
	t.Fatal("the server has ended")
	return ""
}

// onServer is the server's process: it does what it is asked.
func onServer(t *testing.T) {
	var h *house
	w := &world{t: t, user: "ana", want: make(map[string]string)}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		verb, text, _ := strings.Cut(lines.Text(), " ")
		body, _ := base64.StdEncoding.DecodeString(text)
		switch verb {
		case "begin":
			ip(t, "link set lo up", "addr add "+farAddress+"/24 dev far", "link set far up")
			h = &house{t: t, o: site.Options{DataDir: t.TempDir(), Listen: farAddress + ":0", BrokerListen: farAddress + ":0"}}
			h.open()
			w.house = h
			w.check(site.PutUser(t.Context(), h.site.Store(), "ana", "", false))
			secret, err := site.Enrol(t.Context(), h.site.Store(), "ana", "d")
			w.check(err)
			fmt.Println("answer", h.site.URL(), h.site.BrokerURL(), secret)
		case "put":
			_, err := h.site.Server().Put(t.Context(), w.contacts(), "m", pim.Item{Type: pim.TypeVCard, Name: "m.vcf", Body: body})
			w.check(err)
			fmt.Println("answer put")
		case "has":
			fmt.Println("answer", w.onServer()["n.vcf"] == string(body))
		case "end":
			h.close()
			return
		}
	}
}

func ip(t testing.TB, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", c, err, out)
		}
	}
}
