package link

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Network is where the device is, as far as the system tells without privileges.
type Network struct {
	// Ways are the interfaces over which the default routes lead; without a default route, those that have an address.
	Ways []Interface
	// Others are further interfaces of the device, whether they are in use or not.
	Others []Interface `json:"-"`
	// Gateway is the address of the router of the first of them, Hardware that of its network card. Hardware is "" until something was sent to
	// the router; where the system does not tell, Gateway is the network's own prefix.
	Gateway, Hardware string
	// Metered is that somebody has said so; see IsMetered.
	Metered bool `json:"-"`
}

// Interface is one over which data leaves.
type Interface struct {
	Name string
	Kind Kind
}

// Kind is what an interface is, "" if that is not known.
type Kind string

// The kinds that are told apart.
const (
	Wifi   Kind = "wifi"
	Mobile Kind = "mobile"
)

func (n Network) String() string {
	names := make([]string, len(n.Ways))
	for i, w := range n.Ways {
		names[i] = w.Name
	}
	return strings.Join(names, " and ")
}

// Same tells whether other is the same network, as far as both are known.
func (n Network) Same(other Network) bool {
	return n.String() == other.String() && n.Gateway == other.Gateway && (n.Hardware == other.Hardware || n.Hardware == "" || other.Hardware == "")
}

// elsewhere are addresses that no network has (RFC 5737, RFC 3849): the way to them is the default route. Nothing is sent.
var elsewhere = []string{"192.0.2.1:9", "[2001:db8::1]:9"}

// Here tells where the device is now. Without any network it is the zero Network.
func Here() (n Network) {
	list, _ := net.Interfaces() // none is what there is if it cannot be known
	for _, to := range elsewhere {
		if i, prefix, ok := towards(list, to); ok {
			n.add(i, prefix)
		}
	}
	routed := len(n.Ways) > 0
	for _, i := range list {
		p, ok := ownPrefix(i)
		switch {
		case i.Flags&net.FlagLoopback != 0 || n.has(i.Name):
		case !routed && ok && i.Flags&net.FlagUp != 0:
			n.add(i, p)
		default:
			n.Others = append(n.Others, Interface{Name: i.Name, Kind: kindOf(i.Name)})
		}
	}
	return n
}

func (n *Network) has(name string) bool {
	return slices.ContainsFunc(n.Ways, func(w Interface) bool { return w.Name == name })
}

func (n *Network) add(i net.Interface, prefix netip.Prefix) {
	if n.has(i.Name) {
		return
	}
	if len(n.Ways) == 0 {
		n.Gateway, n.Hardware = router(i.Name)
		if n.Gateway == "" {
			n.Gateway = prefix.Masked().String()
		}
	}
	n.Ways = append(n.Ways, Interface{Name: i.Name, Kind: kindOf(i.Name)})
}

// towards is the interface from which an address would be reached.
func towards(list []net.Interface, address string) (net.Interface, netip.Prefix, bool) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return net.Interface{}, netip.Prefix{}, false
	}
	defer conn.Close() //nolint:errcheck // nothing was sent
	from, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return net.Interface{}, netip.Prefix{}, false
	}
	for _, i := range list {
		for _, p := range prefixes(i) {
			if p.Addr() == from.Addr().WithZone("") {
				return i, p, i.Flags&net.FlagLoopback == 0
			}
		}
	}
	return net.Interface{}, netip.Prefix{}, false
}

func prefixes(i net.Interface) (out []netip.Prefix) {
	addresses, _ := i.Addrs()
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p)
		}
	}
	return out
}

func ownPrefix(i net.Interface) (netip.Prefix, bool) {
	for _, p := range prefixes(i) {
		if leads(p.Addr()) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}
