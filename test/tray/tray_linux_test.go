// Package tray tests the tray as a user has it: the real program on a real panel, against a real agent and server.
package tray

import (
	"context"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m, "agent/cmd/alwayson-tray")) }

// The colours of two states, as the panel has to show them.
var (
	green = color.NRGBA{0x1f, 0x93, 0x43, 0xff} // in sync
	red   = color.NRGBA{0xe0, 0x3c, 0x31, 0xff} // needs the user
)

// until waits for a status of the agent.
func until(t *testing.T, d *testenv.Device, what string, holds func(*control.Status) bool) {
	t.Helper()
	testenv.Ask(t, "the agent is not "+what, func(ctx context.Context) error {
		s, err := d.Control.Status(ctx)
		if err == nil && !holds(&s) {
			err = fmt.Errorf("it is %s: %s", s.State, s.Summary)
		}
		return err
	})
}

// shows waits until the panel shows a colour, or does not.
func shows(d *desktop, what string, c color.NRGBA, want bool) {
	d.t.Helper()
	testenv.Ask(d.t, "on the screen", func(context.Context) error {
		if n := dots(d.shot(), c); n >= 15 != want {
			return fmt.Errorf("there are %d dots of the colour of %s", n, what)
		}
		return nil
	})
	d.keep(what)
}

// TestOnAPanel goes through the menu on a real panel: what it asks for is what the agent does, and icon and tooltip tell it.
func TestOnAPanel(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	desk := newDesktop(t)
	desk.panel(false)
	bell := desk.bell()
	opened := desk.browser()
	tray := desk.tray(d)
	tray.registered()
	tray.says("Always-On is off")
	off := tray.pixels()

	tray.click("Always-On")
	until(t, d, "in sync", (*control.Status).InSync)
	tray.says("In sync, verified ")
	tray.find("Always-On", entry.ticked)
	shows(desk, "in sync", green, true)
	if tray.pixels() == off {
		t.Error("the icon did not change")
	}

	card := filepath.Join(d.Dir, "contacts", "ana.vcf")
	if err := os.WriteFile(card, []byte("BEGIN:VCARD\r\nUID:1\r\nEND:VCARD\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(t, d, "in sync with a card", func(s *control.Status) bool { return s.InSync() && s.Stores[0].Items == 1 })
	tray.click("Sync now")
	tray.find("", func(e entry) bool { return len(e.label()) > 5 && e.label()[5:] == "  contacts → 1" })

	tray.click("Open status page")
	testenv.Ask(t, "no page is opened", func(ctx context.Context) error {
		url, err := os.ReadFile(opened)
		if err == nil && !strings.HasPrefix(string(url), "http://127.0.0.1:") {
			err = fmt.Errorf("what is opened is %q", url)
		}
		return err
	})

	tray.click("For 1 hour")
	until(t, d, "paused", func(s *control.Status) bool { return s.State == "paused" && s.Until != nil })
	tray.says("Paused until ")
	shows(desk, "paused", green, false)
	tray.click("Resume")
	tray.says("In sync")

	away := filepath.Join(d.Dir, "away")
	if err := os.Rename(filepath.Dir(card), away); err != nil {
		t.Fatal(err)
	}
	tray.says("contacts cannot be read")
	shows(desk, "needs you", red, true)
	if n := bell.times(); n != 0 {
		t.Errorf("it may end by itself, and the bell rang %d times", n)
	}
	tray.click("contacts cannot be read: alwayson status") // below Needs attention (1)
	id, n := bell.shows("contacts cannot be read")
	if !strings.Contains(n.body, "Nothing is deleted for it") {
		t.Errorf("it does not say what it means: %s", n.body)
	}
	if err := os.Rename(away, filepath.Dir(card)); err != nil {
		t.Fatal(err)
	}
	tray.click("Sync now")
	tray.says("In sync")
	if again, _ := bell.shows("contacts can be read again"); again != id {
		t.Error("the end of a problem does not take the place of the problem")
	}

	tray.click("Always-On")
	until(t, d, "off", func(s *control.Status) bool { return !s.AlwaysOn })
	tray.says("Always-On is off")
	if tray.pixels() != off {
		t.Error("the icon of off is another one than before")
	}
	tray.isSmall()
	tray.clickToQuit("Quit tray")
	until(t, d, "there", func(*control.Status) bool { return true })
}

// TestTheAgentRestarts: the tray outlives it, says so meanwhile, and is there again by itself. It starts without an agent, too.
func TestTheAgentRestarts(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.On()
	desk := newDesktop(t)
	desk.panel(true)
	desk.bell()
	d.Kill()
	tray := desk.tray(d)
	tray.registered()
	tray.says("Sync service is not running")
	d.Start()
	tray.says("In sync")
	shows(desk, "in sync", green, true)
	d.Kill()
	tray.says("Sync service is not running")
	shows(desk, "not running", green, false)
	tray.find("Always-On", func(e entry) bool { return !enabled(e) && !e.ticked() })
	d.Start()
	tray.says("In sync")
	tray.interrupt()
	tray.quits()
}

// TestInGerman is the tray of a user who speaks German, on a panel that draws his letters.
func TestInGerman(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	desk := newDesktop(t)
	desk.panel(false)
	bell := desk.bell()
	desk.env = append(desk.env, "LC_ALL=de_DE.UTF-8")
	tray := desk.tray(d)
	tray.registered()
	tray.says("Always-On ist aus")
	tray.click("Always-On")
	tray.says("Abgeglichen, geprüft ")
	tray.click("1 Stunde")
	tray.says("Angehalten bis ")
	tray.click("Fortsetzen")
	tray.says("Abgeglichen, geprüft ")
	if err := os.RemoveAll(filepath.Join(d.Dir, "contacts")); err != nil {
		t.Fatal(err)
	}
	tray.says("contacts ist nicht lesbar")
	tray.click("contacts ist nicht lesbar: alwayson status")
	if _, n := bell.shows("contacts ist nicht lesbar"); !strings.Contains(n.body, "Die Sammlung ist nicht da") || !strings.Contains(n.body, "Geben Sie ein: alwayson status") {
		t.Errorf("it says %+v", n)
	}
	shows(desk, "needs you, in German", red, true)
	tray.isSmall() // with a catalog, too
	tray.clickToQuit("Symbol beenden")
}
