package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// observe tells what the kernel tells, by rtnetlink; without it, e.g. in a sandbox, it polls.
func observe(ctx context.Context, log *slog.Logger, events chan<- event) {
	if err := netlink(ctx, events); err != nil && ctx.Err() == nil {
		log.Warn("the network is polled", "reason", err)
		poll(ctx, events)
	}
}

// groups are what is listened to (rtnetlink(7)).
const groups = 1<<(unix.RTNLGRP_LINK-1) | 1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1) |
	1<<(unix.RTNLGRP_IPV4_ROUTE-1) | 1<<(unix.RTNLGRP_IPV6_ROUTE-1)

// netlink listens until ctx ends. It listens first and then asks what there is, so that nothing falls in between.
func netlink(ctx context.Context, events chan<- event) error {
	f, err := subscribe()
	if err != nil {
		return err
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Unix(1, 0)) })() //nolint:errcheck // it only wakes the reader
	if err := tellAll(ctx, events); err != nil {
		return err
	}
	if !send(ctx, events, event{kind: ready}) {
		return nil
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := f.Read(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, unix.ENOBUFS): // more happened than the kernel kept
			send(ctx, events, event{kind: unsure})
			err = tellAll(ctx, events)
		case err == nil:
			err = tell(ctx, events, buf[:n])
		}
		if err != nil {
			return fmt.Errorf("cannot listen to rtnetlink: %w", err)
		}
	}
}

func subscribe() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("cannot open rtnetlink: %w", err)
	}
	f := os.NewFile(uintptr(fd), "rtnetlink") // non-blocking: the runtime's poller waits for it
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot listen to rtnetlink: %w", err), f.Close())
	}
	return f, nil
}

// tellAll tells what there is.
func tellAll(ctx context.Context, events chan<- event) error {
	for _, what := range []int{unix.RTM_GETLINK, unix.RTM_GETADDR, unix.RTM_GETROUTE} {
		list, err := syscall.NetlinkRIB(what, unix.AF_UNSPEC)
		if err != nil {
			return fmt.Errorf("cannot ask rtnetlink: %w", err)
		}
		if err := tell(ctx, events, list); err != nil {
			return err
		}
	}
	return nil
}

func tell(ctx context.Context, events chan<- event, messages []byte) error {
	list, err := parse(messages)
	for _, e := range list {
		if !send(ctx, events, e) {
			return nil
		}
	}
	return err
}

// parse reads messages of the kernel and leaves out what does not matter.
func parse(b []byte) (out []event, err error) {
	messages, err := syscall.ParseNetlinkMessage(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read message of rtnetlink: %w", err)
	}
	for _, m := range messages {
		var e event
		var ok bool
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			e, ok = parseLink(m.Data)
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			e, ok = parseAddress(&m)
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			e, ok = parseRoute(&m)
		}
		switch m.Header.Type {
		case unix.RTM_DELLINK, unix.RTM_DELADDR, unix.RTM_DELROUTE:
			e.gone = true
		}
		if ok {
			out = append(out, e)
		}
	}
	return out, nil
}

// parseLink reads struct ifinfomsg. Bridges tell of their ports in messages that look alike.
func parseLink(b []byte) (event, bool) {
	if len(b) < unix.SizeofIfInfomsg || b[0] != unix.AF_UNSPEC {
		return event{}, false
	}
	flags := binary.NativeEndian.Uint32(b[8:])
	const works = unix.IFF_UP | unix.IFF_RUNNING
	return event{kind: carrier, link: int(int32(binary.NativeEndian.Uint32(b[4:]))), gone: flags&works != works}, flags&unix.IFF_LOOPBACK == 0
}

// parseAddress reads struct ifaddrmsg. An address that is still being probed cannot be used; it is told again when it can.
func parseAddress(m *syscall.NetlinkMessage) (event, bool) {
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return event{}, false
	}
	b := m.Data
	length, flags, index := int(b[1]), b[2], binary.NativeEndian.Uint32(b[4:])
	a, ok := ownAddress(attributes)
	e := event{kind: address, link: int(index), what: netip.PrefixFrom(a, length).String()}
	return e, ok && flags&unix.IFA_F_TENTATIVE == 0 && leads(a)
}

// ownAddress is IFA_LOCAL where there is one: on point-to-point links IFA_ADDRESS is the other end.
func ownAddress(attributes []syscall.NetlinkRouteAttr) (a netip.Addr, ok bool) {
	for _, at := range attributes {
		if at.Attr.Type == unix.IFA_LOCAL || at.Attr.Type == unix.IFA_ADDRESS && !ok {
			a, ok = netip.AddrFromSlice(at.Value)
		}
	}
	return a, ok
}

// parseRoute reads struct rtmsg of default routes that lead somewhere.
func parseRoute(m *syscall.NetlinkMessage) (event, bool) {
	attributes, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return event{}, false
	}
	b := m.Data
	e := event{kind: route, what: fmt.Sprint(b[0], b[4])} // family, table
	for _, at := range attributes {
		switch {
		case at.Attr.Type == unix.RTA_OIF && len(at.Value) == 4:
			e.link = int(binary.NativeEndian.Uint32(at.Value))
		case at.Attr.Type == unix.RTA_GATEWAY || at.Attr.Type == unix.RTA_PRIORITY || at.Attr.Type == unix.RTA_TABLE:
			e.what += fmt.Sprintf(" %d:%x", at.Attr.Type, at.Value)
		}
	}
	length, typ, flags := b[1], b[7], binary.NativeEndian.Uint32(b[8:])
	return e, length == 0 && typ == unix.RTN_UNICAST && flags&unix.RTM_F_CLONED == 0
}
