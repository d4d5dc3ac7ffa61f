package tray

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// icon is a running tray as a panel sees it.
type icon struct {
	t   *testing.T
	d   *desktop
	cmd *exec.Cmd
	log *log
}

const (
	itemPath = "/StatusNotifierItem"
	menuPath = "/StatusNotifierItem/menu"
	item     = "org.kde.StatusNotifierItem"
	menu     = "com.canonical.dbusmenu"
)

// tray starts the program for the agent of a device.
func (d *desktop) tray(dev *testenv.Device, args ...string) *icon {
	d.t.Helper()
	cmd, log := d.start(testenv.Program("alwayson-tray"), append([]string{"--socket", dev.Socket()}, args...)...)
	return &icon{d.t, d, cmd, log}
}

func (i *icon) object(path dbus.ObjectPath) dbus.BusObject {
	return i.d.bus.Object(fmt.Sprintf("%s-%d-1", item, i.cmd.Process.Pid), path)
}

// says waits until the tooltip says something.
func (i *icon) says(want string) {
	i.t.Helper()
	testenv.Ask(i.t, "the icon says", func(context.Context) error {
		v, err := i.object(itemPath).GetProperty(item + ".ToolTip")
		if err == nil && !strings.Contains(v.String(), want) {
			err = fmt.Errorf("%s, not %q", v, want)
		}
		return err
	})
}

// pixels is the icon as it goes over the bus.
func (i *icon) pixels() string {
	i.t.Helper()
	v, err := i.object(itemPath).GetProperty(item + ".IconPixmap")
	if err != nil {
		i.t.Fatal(err)
	}
	return v.String()
}

// registered waits until a panel has taken the icon.
func (i *icon) registered() {
	i.t.Helper()
	testenv.Ask(i.t, "no panel has the icon", func(context.Context) error {
		v, err := i.d.bus.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").GetProperty("org.kde.StatusNotifierWatcher.RegisteredStatusNotifierItems")
		if err != nil {
			return err
		}
		names, _ := v.Value().([]string)
		if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, itemPath) }) {
			return fmt.Errorf("it has %q", names)
		}
		return nil
	})
}

// entry is a line of the menu with those below it.
type entry struct {
	ID    int32
	Props map[string]dbus.Variant
	Sub   []dbus.Variant
}

func (e *entry) label() string {
	s, _ := e.Props["label"].Value().(string)
	return strings.ReplaceAll(s, "__", "_")
}

func (e *entry) off(prop string) bool {
	v, there := e.Props[prop].Value().(bool)
	return there && !v
}

func (e entry) ticked() bool { return e.Props["toggle-state"].Value() == int32(1) }

// entries are all lines that are shown. The library answers the first question after a start with the upper ones only.
func (i *icon) entries() (out []entry, err error) {
	var revision uint32
	var root entry
	err = i.object(menuPath).Call(menu+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	return visible(&root), err
}

func visible(e *entry) (out []entry) {
	for _, v := range e.Sub {
		var sub entry
		if dbus.Store([]any{v.Value()}, &sub) == nil && !sub.off("visible") {
			out = append(append(out, sub), visible(&sub)...)
		}
	}
	return out
}

// find waits for a line that begins so and that can be clicked, and that holds.
func (i *icon) find(begins string, holds func(entry) bool) (found entry) {
	i.t.Helper()
	testenv.Ask(i.t, "the menu has no "+begins, func(context.Context) error {
		all, err := i.entries()
		lines := []string{}
		for _, e := range all {
			lines = append(lines, e.label())
			if found = e; strings.HasPrefix(e.label(), begins) && holds(e) {
				return err
			}
		}
		return fmt.Errorf("it has %q, %v", lines, err)
	})
	return found
}

func enabled(e entry) bool { return !e.off("enabled") }

// click waits for a line that can be clicked and clicks it as a panel does.
func (i *icon) click(begins string) {
	i.t.Helper()
	if err := i.event(begins, 0).Err; err != nil {
		i.t.Fatal(err)
	}
}

// clickToQuit clicks a line on which the tray ends, perhaps before it could answer, and waits for its end.
func (i *icon) clickToQuit(begins string) {
	i.t.Helper()
	if err := i.event(begins, dbus.FlagNoReplyExpected).Err; err != nil {
		i.t.Fatal(err)
	}
	i.quits()
}

func (i *icon) event(begins string, flags dbus.Flags) *dbus.Call {
	i.t.Helper()
	e := i.find(begins, enabled)
	return i.object(menuPath).Call(menu+".Event", flags, e.ID, "clicked", dbus.MakeVariant(""), uint32(0))
}

// logged waits until the program has written something.
func (i *icon) logged(want string) {
	i.t.Helper()
	testenv.Ask(i.t, "not written: "+want, func(context.Context) error {
		if text := i.log.String(); !strings.Contains(text, want) {
			return errors.New(text)
		}
		return nil
	})
}

// fails waits for the program to end with an error that says so.
func (i *icon) fails(want string) {
	i.t.Helper()
	if err := i.cmd.Wait(); err == nil || !strings.Contains(i.log.String(), want) {
		i.t.Errorf("the tray ended with %v and says %s", err, i.log)
	}
}

// memory is what the program has of it, in KB.
func (i *icon) memory() (kb int) {
	i.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", i.cmd.Process.Pid))
	if err != nil {
		i.t.Fatal(err)
	}
	_, rss, _ := strings.Cut(string(text), "VmRSS:")
	if _, err := fmt.Sscan(rss, &kb); err != nil {
		i.t.Fatal(err)
	}
	return kb
}

// isSmall waits until the tray takes 15 MB of memory at most: what it did just now it gives back when it has nothing to do.
func (i *icon) isSmall() {
	i.t.Helper()
	testenv.Ask(i.t, "the tray takes more than 15 MB of memory", func(context.Context) error {
		if kb := i.memory(); kb > 15<<10 {
			return fmt.Errorf("%d KB", kb)
		}
		return nil
	})
}

// quits waits for the program to end without an error.
func (i *icon) quits() {
	i.t.Helper()
	if err := i.cmd.Wait(); err != nil {
		i.t.Errorf("the tray ended with %v", err)
	}
}

// interrupt is what a session does when it ends.
func (i *icon) interrupt() {
	i.t.Helper()
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		i.t.Fatal(err)
	}
}
