//go:build unix && !darwin

package tray

import (
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Desktop is the session of the user on the bus: his notifications, and whether his panel has a place for icons.
type Desktop struct {
	bus     *dbus.Conn
	clicks  chan<- Click
	log     *slog.Logger
	signals chan *dbus.Signal

	mu    sync.Mutex // guards all below
	ids   map[string]uint32
	notes map[uint32]Note
	can   []string // what the notifications can; nil before they were asked
}

const (
	ownName    = "org.alwayson.Tray"
	bellName   = "org.freedesktop.Notifications"
	bellPath   = "/org/freedesktop/Notifications"
	busName    = "org.freedesktop.DBus"
	hostName   = "org.kde.StatusNotifierWatcher"
	ownerEvent = busName + ".NameOwnerChanged"
	calling    = 5 * time.Second
)

// OpenDesktop connects to the session's bus. It starts none: a tray on a bus of its own would be seen by nobody.
func OpenDesktop(clicks chan<- Click, log *slog.Logger) (*Desktop, error) {
	bus, err := dbus.SessionBusPrivateNoAutoStartup()
	if err == nil {
		err = errors.Join(bus.Auth(nil), bus.Hello())
	}
	if err != nil {
		return nil, fmt.Errorf("there is no desktop session here (%w); synchronization goes on without a tray: alwayson status", err)
	}
	d := &Desktop{bus: bus, clicks: clicks, log: log, signals: make(chan *dbus.Signal, 32), ids: map[string]uint32{}, notes: map[uint32]Note{}}
	if err := d.claim(); err != nil {
		return nil, errors.Join(err, bus.Close())
	}
	return d, nil
}

// claim makes this the only tray of the session, and listens.
func (d *Desktop) claim() error {
	reply, err := d.bus.RequestName(ownName, dbus.NameFlagDoNotQueue)
	if err == nil && reply != dbus.RequestNameReplyPrimaryOwner {
		err = errors.New("another tray is running in this session")
	}
	if err != nil {
		return err
	}
	d.bus.Signal(d.signals)
	return errors.Join(
		d.bus.AddMatchSignal(dbus.WithMatchInterface(bellName), dbus.WithMatchObjectPath(bellPath)),
		d.bus.AddMatchSignal(dbus.WithMatchInterface(busName), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, hostName)),
	)
}

// Closed is closed when the session has ended.
func (d *Desktop) Closed() <-chan struct{} { return d.bus.Context().Done() }

// Close ends the connection.
func (d *Desktop) Close() { d.bus.Close() } //nolint:errcheck // it ends anyhow

// Ring implements Bell.
func (d *Desktop) Ring(n Note) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), calling)
	defer cancel()
	var err error
	if n.Gone {
		err = d.withdraw(ctx, n.Key)
	} else {
		err = d.notify(ctx, n)
	}
	if err != nil {
		d.log.Info("no notification", "title", n.Title, "reason", err)
	}
}

func (d *Desktop) call(ctx context.Context, method string, args ...any) *dbus.Call {
	return d.bus.Object(bellName, bellPath).CallWithContext(ctx, bellName+"."+method, 0, args...)
}

func (d *Desktop) withdraw(ctx context.Context, key string) error {
	id, ok := d.ids[key]
	if !ok {
		return nil // the user has closed it
	}
	delete(d.ids, key)
	delete(d.notes, id)
	return d.call(ctx, "CloseNotification", id).Err
}

func (d *Desktop) notify(ctx context.Context, n Note) error {
	if d.can == nil {
		if err := d.call(ctx, "GetCapabilities").Store(&d.can); err != nil {
			return err
		}
	}
	body, buttons := n.Body, []string{}
	if slices.Contains(d.can, "body-markup") {
		body = html.EscapeString(body)
	}
	for i, b := range n.Buttons {
		if slices.Contains(d.can, "actions") {
			buttons = append(buttons, strconv.Itoa(i), b.Label)
		}
	}
	hints := map[string]dbus.Variant{"desktop-entry": dbus.MakeVariant("alwayson-tray"), "urgency": dbus.MakeVariant(byte(1))}
	stay := int32(0)
	if !n.Urgent {
		hints["urgency"], hints["transient"], stay = dbus.MakeVariant(byte(0)), dbus.MakeVariant(true), -1
	}
	var id uint32
	err := d.call(ctx, "Notify", name, d.ids[n.Key], "alwayson", n.Title, body, buttons, hints, stay).Store(&id)
	if err == nil {
		d.ids[n.Key], d.notes[id] = id, n
	}
	return err
}

// Listen passes clicks on, and tells the user if his panel has no place for icons, until ctx ends.
func (d *Desktop) Listen(ctx context.Context) {
	h := host{desktop: d, late: time.NewTimer(settling)}
	defer h.late.Stop()
	h.look()
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.late.C:
			h.missing()
		case s, ok := <-d.signals:
			if !ok {
				return
			}
			d.heard(ctx, s, &h)
		}
	}
}

func (d *Desktop) heard(ctx context.Context, s *dbus.Signal, h *host) {
	var id, why uint32
	var key, former, owner string
	switch {
	case s.Name == ownerEvent && dbus.Store(s.Body, &key, &former, &owner) == nil && key == hostName:
		h.owned(owner != "")
	case s.Name == bellName+".ActionInvoked" && dbus.Store(s.Body, &id, &key) == nil:
		d.pressed(ctx, id, key)
	case s.Name == bellName+".NotificationClosed" && dbus.Store(s.Body, &id, &why) == nil:
		d.forget(id)
	}
}

// pressed carries out what a button stands for.
func (d *Desktop) pressed(ctx context.Context, id uint32, key string) {
	d.mu.Lock()
	n := d.notes[id]
	d.mu.Unlock()
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.Buttons) {
		select {
		case d.clicks <- n.Buttons[i].Do:
		case <-ctx.Done():
		}
	}
}

func (d *Desktop) forget(id uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, ok := d.notes[id]; ok && d.ids[n.Key] == id {
		delete(d.ids, n.Key)
	}
	delete(d.notes, id)
}
