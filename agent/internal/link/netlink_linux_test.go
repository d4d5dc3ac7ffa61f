package link

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// inside is set for the child that runs in a network namespace of its own.
const inside = "ALWAYSON_TEST_NAMESPACE"

// TestTheKernelTells plays with a network that nobody else sees: this test runs once more in a new namespace.
func TestTheKernelTells(t *testing.T) {
	if os.Getenv(inside) != "" {
		inNamespace(t)
		return
	}
	out, err := testenv.InNamespace(t, inside+"=1").CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Error(err)
	}
}

// step is a command or some of ip(8), and the event after which all that follows from them has been told: "" is a mark behind them.
type step struct {
	name  string
	do    []string
	until string
	news  bool
}

var steps = []step{
	{"the loopback interface gets an address", []string{"addr add 127.0.0.9/8 dev lo"}, "", false},
	{"the cable is pulled out", []string{"link set far down"}, "no carrier", false},
	{"and put in again", []string{"link set far up"}, "carrier", true},
	{"another address", []string{"addr add 198.51.100.2/24 dev uplink"}, "", true},
	{"the same one lives longer", []string{"addr change 198.51.100.2/24 dev uplink valid_lft 1000 preferred_lft 1000"}, "", false},
	{"the default route goes", []string{"route del default"}, "", false},
	{"and leads over another gateway", []string{"route add default via 192.0.2.9"}, "", true},
	{"a network that is no way out", []string{"route add 203.0.113.0/24 via 192.0.2.1"}, "", false},
	{"airplane mode", []string{"link set uplink down"}, "no carrier", false},
	{"and back", []string{"link set uplink up"}, "carrier", true},
	{"the router is found again", []string{"route add default via 192.0.2.9"}, "", true},
	{"the ends of a container's cable", []string{"link add c1 type veth peer name c2", "link set c1 up", "link set c2 up"}, "", false},
	{"IPv6, when it is known to be nobody else's", []string{"addr add 2001:db8::2/64 dev uplink"}, "2001:db8::2/64", true},
}

// TestWhatOthersTellIsLeftOut: messages of the kernel as they come, with the part that makes the difference changed.
func TestWhatOthersTellIsLeftOut(t *testing.T) {
	link := func(family byte, flags uint32) []byte {
		b := make([]byte, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
		binary.NativeEndian.PutUint32(b, uint32(len(b)))
		binary.NativeEndian.PutUint16(b[4:], unix.RTM_NEWLINK)
		b[16] = family
		binary.NativeEndian.PutUint32(b[20:], 2)
		binary.NativeEndian.PutUint32(b[24:], flags)
		return b
	}
	const up = unix.IFF_UP | unix.IFF_RUNNING
	for _, tt := range []struct {
		name    string
		message []byte
		want    []event
	}{
		{"an interface that works", link(unix.AF_UNSPEC, up), []event{{kind: carrier, link: 2}}},
		{"one without a carrier", link(unix.AF_UNSPEC, unix.IFF_UP), []event{{kind: carrier, link: 2, gone: true}}},
		{"a port of a bridge", link(unix.AF_BRIDGE, up), nil},
		{"the loopback interface", link(unix.AF_UNSPEC, up|unix.IFF_LOOPBACK), nil},
		{"one that is too short", link(unix.AF_UNSPEC, up)[:20], nil},
	} {
		got, _ := parse(tt.message)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// inNamespace is the child.
func inNamespace(t *testing.T) {
	ip(t, "link set lo up", "link add uplink type veth peer name far", "link set far up",
		"link set uplink up", "addr add 192.0.2.2/24 dev uplink", "route add default via 192.0.2.1")
	uplink, err := net.InterfaceByName("uplink")
	if err != nil {
		t.Fatal(err)
	}
	n := &namespace{events: make(chan event), uplink: uplink.Index}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); observe(ctx, slog.New(slog.DiscardHandler), n.events) }()
	n.until(t, "ready")
	for i, s := range steps {
		ip(t, s.do...)
		if s.until == "" {
			s.until = fmt.Sprintf("10.255.0.%d/32", i)
			ip(t, "addr add "+s.until+" dev lo")
		}
		if got := n.until(t, s.until); got != s.news {
			t.Errorf("%s: news is %v", s.name, got)
		}
	}
	cancel()
	<-ended
	hinted(t)
}

// namespace is what the kernel tells of it.
type namespace struct {
	events chan event
	uplink int
	judge  judge
}

// until reads events until one that is so described, and returns whether there was news among them.
func (n *namespace) until(t *testing.T, last string) (news bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case e := <-n.events:
			news = n.judge.news(e) == gained || news
			if n.describe(e) == last {
				return news
			}
		case <-deadline:
			t.Fatalf("the kernel did not tell of %s", last)
		}
	}
}

func (n *namespace) describe(e event) string {
	switch {
	case e.kind == ready:
		return "ready"
	case e.kind == carrier && e.link == n.uplink && e.gone:
		return "no carrier"
	case e.kind == carrier && e.link == n.uplink:
		return "carrier"
	case e.kind == address && !e.gone:
		return e.what
	}
	return ""
}

// hinted goes all the way once.
func hinted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hints, ended := make(chan string, 100), make(chan struct{})
	go func() {
		defer close(ended)
		Watch(ctx, slog.New(slog.DiscardHandler), func(reason string) { hints <- reason })
	}()
	again := time.NewTicker(time.Second) // one that comes before the watch stands is no news
	defer again.Stop()
	for i := 1; ; i++ {
		began := time.Now()
		ip(t, fmt.Sprintf("addr add 198.51.100.1%d/24 dev uplink", i))
		select {
		case reason := <-hints:
			t.Logf("%s, told after %v", reason, time.Since(began).Round(time.Millisecond))
			cancel()
			<-ended
			return
		case <-again.C:
			if i > 20 {
				t.Fatal("no hint")
			}
		}
	}
}

func ip(t *testing.T, commands ...string) {
	t.Helper()
	for _, c := range commands {
		if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %v: %s", c, err, out)
		}
	}
}
