package tray

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

const (
	bellName = "org.freedesktop.Notifications"
	bellPath = "/org/freedesktop/Notifications"
)

// bell is a desktop's notifications, version 1.2 of their specification.
type bell struct {
	t   *testing.T
	bus *dbus.Conn

	mu     sync.Mutex // guards all below
	last   uint32
	shown  map[uint32]note
	closed []uint32 // by the program
	rung   int
}

type note struct {
	title, body string
	actions     []string
}

// GetCapabilities is called over the bus, as are Notify and CloseNotification.
func (b *bell) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"body", "body-markup", "actions"}, nil
}

// Notify is described at GetCapabilities.
func (b *bell) Notify(_ string, id uint32, _, title, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if id == 0 {
		b.last++
		id = b.last
	}
	b.rung++
	b.shown[id] = note{title, body, actions}
	return id, nil
}

// CloseNotification is described at GetCapabilities.
func (b *bell) CloseNotification(id uint32) *dbus.Error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = append(b.closed, id)
	delete(b.shown, id)
	return nil
}

// bell gives the session notifications.
func (d *desktop) bell() *bell {
	d.t.Helper()
	b := &bell{t: d.t, bus: d.bus, shown: map[uint32]note{}}
	if err := d.bus.Export(b, bellPath, bellName); err != nil {
		d.t.Fatal(err)
	}
	if reply, err := d.bus.RequestName(bellName, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatal(reply, err)
	}
	return b
}

// shows waits for a notification with such a title.
func (b *bell) shows(title string) (id uint32, n note) {
	b.t.Helper()
	testenv.Ask(b.t, "no notification "+title, func(context.Context) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		for id, n = range b.shown {
			if strings.Contains(n.title, title) {
				return nil
			}
		}
		return fmt.Errorf("there are %v", b.shown)
	})
	return id, n
}

// withdraws waits until the program has closed a notification.
func (b *bell) withdraws(id uint32) {
	b.t.Helper()
	testenv.Ask(b.t, "not withdrawn", func(context.Context) error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if _, there := b.shown[id]; there {
			return fmt.Errorf("there are %v", b.shown)
		}
		return nil
	})
}

// press is a click of the user on a button.
func (b *bell) press(id uint32, action string) {
	b.t.Helper()
	if err := b.bus.Emit(bellPath, bellName+".ActionInvoked", id, action); err != nil {
		b.t.Fatal(err)
	}
}

// times is how often the bell has rung.
func (b *bell) times() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung
}

// TestWithoutAPanel: where there is no place for an icon the user is told so once, and of what needs him by notifications with something to press.
func TestWithoutAPanel(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.On()
	desk := newDesktop(t)
	bell := desk.bell()
	tray := desk.tray(d)
	_, n := bell.shows("This desktop shows no tray icons")
	if !strings.Contains(n.body, "alwayson status") {
		t.Errorf("it does not say what to type: %s", n.body)
	}

	const many = 30
	folder := filepath.Join(d.Dir, "contacts")
	for i := range many {
		card := fmt.Sprintf("BEGIN:VCARD\r\nUID:%d\r\nEND:VCARD\r\n", i)
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".vcf")), []byte(card), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	until(t, d, "in sync with all cards", func(s *control.Status) bool { return s.InSync() && s.Stores[0].Items == many })
	if bell.times() != 1 {
		t.Errorf("success is silent, but it rang %d times", bell.times())
	}
	for i := range many {
		if err := os.Remove(filepath.Join(folder, fmt.Sprint(i, ".vcf"))); err != nil {
			t.Fatal(err)
		}
	}
	id, n := bell.shows("deletions held")
	tray.says("deletions held")
	if !strings.Contains(n.body, "alwayson hold list") || len(n.actions) != 2 || n.actions[1] != "Keep the items" {
		t.Errorf("it says %+v", n)
	}
	bell.press(id, n.actions[0])
	until(t, d, "in sync with all cards again", func(s *control.Status) bool { return s.InSync() && s.Stores[0].Items == many })
	bell.withdraws(id)
	tray.says("In sync")

	tray.interrupt()
	tray.quits()
	before := bell.times()
	tray = desk.tray(d)
	tray.says("In sync")
	w.Server.Kill()
	if err := os.WriteFile(filepath.Join(folder, "new.vcf"), []byte("BEGIN:VCARD\r\nUID:new\r\nEND:VCARD\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tray.says("Offline")
	tray.logged("this desktop shows no tray icons") // and not in a notification again
	if bell.times() != before {
		t.Errorf("it rang %d times", bell.times()-before)
	}
	w.Server.Start()
	tray.says("In sync")
}

// TestATrayOfItsOwn: there is one tray in a session, and none without one.
func TestATrayOfItsOwn(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	desk := newDesktop(t)
	desk.bell()
	desk.tray(w.Devices[0]).says("Always-On is off")
	desk.tray(w.Devices[0]).fails("another tray is running in this session")
	desk.env = append(desk.env, "DBUS_SESSION_BUS_ADDRESS=unix:path="+filepath.Join(desk.dir, "nothing"))
	desk.tray(w.Devices[0]).fails("there is no desktop session here")
	desk.tray(w.Devices[0], "--notify", "loudly").fails("none, problems, changes, all")
}
