package link

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestWhereTheDeviceIs plays with a network that nobody else sees: this test runs once more in a new namespace.
func TestWhereTheDeviceIs(t *testing.T) {
	if os.Getenv(inside) == "" {
		out, err := testenv.InNamespace(t, inside+"=1").CombinedOutput()
		if t.Logf("%s", out); err != nil {
			t.Error(err)
		}
		return
	}
	ip(t, "link set lo up")
	if n := Here(); len(n.Ways) != 0 || n.Gateway != "" {
		t.Errorf("without a network: %+v", n)
	}
	for _, c := range []struct {
		name     string
		do       []string
		ways     string
		gateway  string
		hardware string
	}{
		{"addresses, and no default route", []string{"link add uplink type veth peer name far", "link set far up", "link set uplink up", "addr add 198.51.100.2/24 dev uplink"},
			"uplink", "198.51.100.0/24", ""},
		{"a router", []string{"route add default via 198.51.100.1 metric 100"}, "uplink", "198.51.100.1", ""},
		{"that was spoken to", []string{"neigh add 198.51.100.1 lladdr 02:00:00:00:00:01 dev uplink"}, "uplink", "198.51.100.1", "02:00:00:00:00:01"},
		{"a better one elsewhere", []string{"link add second type veth peer name away", "link set away up", "link set second up", "addr add 203.0.113.2/24 dev second",
			"route add default via 203.0.113.1 metric 50"}, "second", "203.0.113.1", ""},
		{"IPv6 over the first", []string{"addr add 2001:db8:1::2/64 dev uplink nodad", "route add default via 2001:db8:1::1 dev uplink"}, "second and uplink", "203.0.113.1", ""},
		{"and nothing else", []string{"route del default via 203.0.113.1", "route del default via 198.51.100.1"}, "uplink", "2001:db8:1::1", ""},
	} {
		ip(t, c.do...)
		n := Here()
		if n.String() != c.ways || n.Gateway != c.gateway || n.Hardware != c.hardware {
			t.Errorf("%s: %+v", c.name, n)
		}
		if len(n.Ways)+len(n.Others) < strings.Count(c.ways, " ")+1 {
			t.Errorf("%s: %+v", c.name, n)
		}
	}
}

// TestTablesOfTheKernel as they are on a device, and with what does not belong there.
func TestTablesOfTheKernel(t *testing.T) {
	rows := func(text string) (out [][]string) {
		for line := range strings.Lines(text) {
			out = append(out, strings.Fields(line))
		}
		return out
	}
	six := rows("00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n" +
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200 lo\n\nshort\n")
	if a, ok := gateway6(six, "eth0"); !ok || a != netip.MustParseAddr("fe80::1") {
		t.Error(a, ok)
	}
	if a, ok := gateway6(six, "lo"); ok {
		t.Error(a)
	}
	if a, ok := gateway4(rows("Iface Destination Gateway\neth0 00000000 zz\neth0 00000000\neth0 00000000 01\n"), "eth0"); ok {
		t.Error(a)
	}
	arp := rows("IP address HW type Flags HW address Mask Device\n192.0.2.1 0x1 0x0 00:00:00:00:00:00 * eth0\n192.0.2.1 0x1 0x2 02:00:00:00:00:09 * wlan0\n")
	if h := neighbour(arp, "eth0", netip.MustParseAddr("192.0.2.1")); h != "" {
		t.Error(h)
	}
	if h := neighbour(arp, "wlan0", netip.MustParseAddr("192.0.2.1")); h != "02:00:00:00:00:09" {
		t.Error(h)
	}
}
