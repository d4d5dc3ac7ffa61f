package link

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// every is how often interfaces are looked at where the system does not tell.
const every = 10 * time.Second

// poll looks at the interfaces from time to time.
func poll(ctx context.Context, events chan<- event) {
	t := time.NewTicker(every)
	defer t.Stop()
	var former map[event]bool
	for {
		now := interfaces()
		for _, e := range difference(former, now) {
			if !send(ctx, events, e) {
				return
			}
		}
		if former == nil && !send(ctx, events, event{kind: ready}) {
			return
		}
		former = now
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// difference is what is gone and what has come, in an order in which it makes sense: addresses after their carriers.
func difference(former, now map[event]bool) (out []event) {
	for e := range former {
		if !now[e] {
			e.gone = true
			out = append(out, e)
		}
	}
	for _, k := range []kind{carrier, address} {
		for e := range now {
			if e.kind == k && !former[e] {
				out = append(out, e)
			}
		}
	}
	return out
}

// interfaces are the carriers and addresses that there are.
func interfaces() map[event]bool {
	out := make(map[event]bool)
	list, _ := net.Interfaces() // none is what there is if it cannot be known
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 {
			continue
		}
		if i.Flags&net.FlagUp != 0 && i.Flags&net.FlagRunning != 0 {
			out[event{kind: carrier, link: i.Index}] = true
		}
		addresses, _ := i.Addrs()
		for _, a := range addresses {
			if p, err := netip.ParsePrefix(a.String()); err == nil && leads(p.Addr()) {
				out[event{kind: address, link: i.Index, what: p.String()}] = true
			}
		}
	}
	return out
}

// leads tells whether an address is good for more than the link itself.
func leads(a netip.Addr) bool { return !a.IsLinkLocalUnicast() && !a.IsLoopback() }
