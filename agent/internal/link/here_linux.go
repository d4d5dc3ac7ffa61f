package link

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// router is the gateway of the default route over an interface, and the address of its network card, "" if that is not known (proc_net(5)).
func router(name string) (gateway, hardware string) {
	a, ok := gateway4(table("/proc/net/route"), name)
	if !ok {
		a, ok = gateway6(table("/proc/net/ipv6_route"), name)
	}
	if !ok {
		return "", ""
	}
	return a.String(), neighbour(table("/proc/net/arp"), name, a)
}

// table is a file of lines of words; what cannot be read is empty.
func table(file string) (rows [][]string) {
	text, _ := os.ReadFile(file) //nolint:gosec // one of those above
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Fields(line))
	}
	return rows
}

// gateway4 reads "eth0 00000000 0101A8C0 …": addresses are in the order of the machine.
func gateway4(rows [][]string, name string) (netip.Addr, bool) {
	for _, r := range rows {
		if len(r) < 3 || r[0] != name || r[1] != "00000000" || r[2] == "00000000" {
			continue
		}
		if b, err := hex.DecodeString(r[2]); err == nil && len(b) == 4 {
			return netip.AddrFromSlice(binary.NativeEndian.AppendUint32(nil, binary.BigEndian.Uint32(b)))
		}
	}
	return netip.Addr{}, false
}

// gateway6 reads "00…00 00 00…00 00 fe80… metric … eth0".
func gateway6(rows [][]string, name string) (netip.Addr, bool) {
	for _, r := range rows {
		if len(r) < 10 || r[9] != name || r[1] != "00" || strings.Trim(r[0], "0") != "" || strings.Trim(r[4], "0") == "" {
			continue
		}
		if b, err := hex.DecodeString(r[4]); err == nil {
			return netip.AddrFromSlice(b)
		}
	}
	return netip.Addr{}, false
}

// neighbour reads "192.168.1.1 0x1 0x2 aa:bb:cc:dd:ee:ff * eth0"; an address of zeros is one that is still asked for.
func neighbour(rows [][]string, name string, a netip.Addr) string {
	for _, r := range rows {
		if len(r) >= 6 && r[5] == name && r[0] == a.String() && strings.Trim(r[3], "0:") != "" {
			return r[3]
		}
	}
	return ""
}

// kindOf reads what the driver says of itself.
func kindOf(name string) Kind {
	dir := filepath.Join("/sys/class/net", filepath.Base(name))
	text, _ := os.ReadFile(filepath.Join(dir, "uevent")) //nolint:gosec // the name is that of an interface
	switch {
	case bytes.Contains(text, []byte("DEVTYPE=wlan")):
		return Wifi
	case bytes.Contains(text, []byte("DEVTYPE=wwan")), strings.HasPrefix(name, "ppp"):
		return Mobile
	}
	return ""
}
