package page

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// TestFromTheCommandLine: the real program opens the page, which shows its settings and runs its doctor.
func TestFromTheCommandLine(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	d.On()
	out, err := d.Command("page")
	if err != nil || !strings.HasPrefix(out, "http://127.0.0.1:") || strings.Count(out, "\n") != 1 {
		t.Fatal(out, err)
	}
	g := visit(t, strings.TrimSpace(out))
	var second control.PageURL
	if out, err = d.Command("page", "--json"); err != nil || json.Unmarshal([]byte(out), &second) != nil || !strings.HasPrefix(second.URL, g.base+"/?token=") {
		t.Error(out, err)
	}
	has(t, g.get("/settings"), "session.poll", "built in", "your configuration file", "A change ")
	has(t, g.post("/settings", "back", "settings", "key", "session.poll", "value", "7m"), "session.poll is changed; the change is in use at once.", "set by you", "Take back")
	has(t, g.post("/settings", "back", "settings", "key", "session.poll", "value", "never"), "This was not done: Nothing is changed")
	has(t, g.post("/settings", "back", "settings", "key", "session.poll", "reset", "yes"), "session.poll is changed")
	if strings.Contains(g.last, "7m") {
		t.Error("it is not taken back")
	}
	w.Admin("settings", "set", "--user", "ana", "locked=log.level")
	testenv.Ask(t, "nothing is locked", func(context.Context) error {
		if !strings.Contains(g.get("/settings"), "Locked by your administrator") {
			return errors.New("it can be changed")
		}
		return nil
	})
	has(t, g.post("/settings", "back", "settings", "key", "log.level", "value", "debug"), "This was not done", "locked by the administrator")

	has(t, g.get("/doctor"), "Examine this device", "It changes nothing")
	has(t, g.post("/doctor"), "<b>configuration</b>", "<b>server</b>", `<span class="word">ok</span>`)

	b := newTab(t)
	out, err = d.Command("page")
	must(t, err)
	b.size(1100, "light")
	b.open(strings.TrimSpace(out))
	b.open(g.base + "/settings")
	b.eval(`document.querySelector("details").setAttribute("open", "")`)
	b.fits("settings-of-a-user")
	b.open(g.base + "/doctor")
	b.click("#examine")
	b.until("examined", `document.querySelectorAll(".findings li").length > 5`)
	b.fits("doctor-of-a-user")

	b = newTabIn(t, "de")
	out, err = d.Command("page")
	must(t, err)
	b.open(strings.TrimSpace(out))
	b.open(g.base + "/settings")
	b.eval(`document.querySelector("details").setAttribute("open", "")`)
	b.until("in German", `["Adresse des Servers.", "Ihre Konfigurationsdatei (", "Neuer Wert", "Von Ihrer Administration gesperrt"].every(s => document.querySelector("main").innerText.includes(s))`)
	b.fits("settings-of-a-german")
	b.open(g.base + "/doctor")
	b.click("#examine")
	b.until("examined", `document.querySelectorAll(".findings li").length > 5 && document.querySelector("main").innerText.includes("Konfiguration in Ordnung: ")`)
	b.fits("doctor-of-a-german")
}
