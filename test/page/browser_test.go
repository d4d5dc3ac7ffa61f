package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// TestInABrowser: what a user does with the mouse reaches the agent, and what happens elsewhere reaches the page without loading it again.
func TestInABrowser(t *testing.T) {
	w := newWorld(t)
	w.contradict("ana", card("ana", "Ana Berg", "TEL:+49 30 1", "NOTE:met in Rome"), card("ana", "Ana Berg", "TEL:+49 30 2", "NOTE:<b>met</b> in Oslo"))
	b := newTab(t)
	b.size(1100, "light")
	address, err := w.c.Page(t.Context())
	must(t, err)
	b.open(address)
	b.until("let in, without the token", `location.search === "" && document.querySelector("#state").innerText.includes("Needs you")`)
	b.until("live", `document.querySelector("#live").innerText.includes("up to date by itself")`)
	b.picture("overview-light")

	b.click("#off")
	b.until("off", `document.querySelector("#state").innerText.includes("Off") && document.querySelector("[role=status]").innerText.includes("Always-On is off")`)
	w.until("off", func(s control.Status) bool { return !s.AlwaysOn && s.State == "off" })
	b.eval(`window.loaded = "once"`)
	_, err = w.c.On(t.Context()) // by somebody else
	must(t, err)
	b.until("on without loading", `window.loaded === "once" && document.querySelector("#off") && document.querySelector("#state").innerText.includes("Needs you")`)

	w.write("contacts", "ben.vcf", card("ben", "Ben"))
	b.until("a new contact without loading", `window.loaded === "once" && document.querySelector("#storetable tbody td").innerText === "3"`)
	w.items(3)

	before := len(w.log())
	b.click("#sync")
	b.until("synchronized", `window.loaded === undefined && document.querySelector("[role=status]").innerText.includes("Synchronized")`)
	if list := w.log(); len(list) <= before || list[len(list)-1].Cause != "asked by the user" {
		t.Errorf("no exchange was asked for: %+v", list)
	}

	b.open(strings.TrimSuffix(address[:strings.Index(address, "?")], "/") + "/conflicts")
	b.until("both versions", `document.querySelectorAll("mark").length === 4 && document.querySelector(".diff").innerText.includes("<b>met</b> in Oslo")`)
	b.picture("conflicts-light")
	b.click("#other-0")
	b.until("resolved", `document.querySelector("main").innerText.includes("There are no conflicts") && document.querySelector("[role=status]").innerText.includes("resolved")`)
	w.items(2)
	text, err := os.ReadFile(filepath.Join(w.o.Stores[0].Dir, "ana.vcf"))
	if err != nil || !strings.Contains(string(text), "in Oslo") {
		t.Errorf("%s %v", text, err)
	}
}

func (w *world) log() []control.Exchange {
	w.t.Helper()
	list, err := w.c.Log(w.t.Context(), 0)
	w.must(err)
	return list
}
