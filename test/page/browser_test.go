package page

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
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

// rooms are all pages.
var rooms = []string{"", "activity", "waiting", "conflicts", "filters", "settings", "history", "messages", "doctor"}

// TestLooks: in no page, in no width and in no colours is anything out of sight, and each can be had as a picture.
func TestLooks(t *testing.T) {
	w := newWorld(t)
	w.busy()
	b := newTab(t)
	address, err := w.c.Page(t.Context())
	must(t, err)
	b.size(1100, "light")
	b.open(address)
	_, err = w.c.Sync(t.Context(), true) // for the messages
	must(t, err)
	base := address[:strings.Index(address, "/?")]
	for _, room := range rooms {
		b.open(base + "/" + room)
		b.eval(`document.querySelector("#all details")?.setAttribute("open", "")`)
		b.fits(cmp.Or(room, "overview"))
	}
}

// fits looks at a page in three ways.
func (b *tab) fits(name string) {
	b.t.Helper()
	for look, c := range map[string]struct {
		width  int
		scheme string
	}{"light": {1100, "light"}, "dark": {1100, "dark"}, "phone": {360, "light"}} {
		b.size(c.width, c.scheme)
		b.until("drawn in "+c.scheme, `innerWidth === `+strconv.Itoa(c.width)+` && matchMedia("(prefers-color-scheme: `+c.scheme+`)").matches`)
		if wide := b.eval(`[...document.querySelectorAll("body *")].filter(e => !e.closest(".unseen, .skip, thead") && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 100)).join("\n")`); wide != "" {
			b.t.Errorf("%s, %s: wider than the window: %v", name, look, wide)
		}
		b.picture(name + "-" + look)
	}
}

// busy leaves something to be seen on every page.
func (w *world) busy() {
	w.t.Helper()
	w.contradict("ana", card("ana", "Ana Berg", "TEL;TYPE=CELL:+49 30 1234567", "EMAIL:ana@berg.example", "NOTE:met in Rome"),
		card("ana", "Ana Berg", "TEL;TYPE=CELL:+49 30 7654321", "EMAIL:ana@berg.example", "NOTE:<b>met</b> in Oslo, and she wants to be called back before Friday"))
	for i := range 40 {
		w.write("calendar", fmt.Sprintf("meeting-%02d.ics", i), fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:m%d\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T0%d0000Z\r\nSUMMARY:Meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", i, i%10))
	}
	w.until("40 meetings", func(s control.Status) bool { return s.Stores[1].Items == 40 && idle(s) })
	_, err := w.c.Off(w.t.Context())
	w.must(err)
	for i := range 30 {
		w.must(os.Remove(filepath.Join(w.o.Stores[1].Dir, fmt.Sprintf("meeting-%02d.ics", i))))
	}
	huge := filepath.Join(w.o.Stores[0].Dir, "portrait-of-the-whole-family-in-the-best-resolution-there-is.vcf")
	w.must(os.WriteFile(huge, nil, 0o600))
	w.must(os.Truncate(huge, 64<<20+1))
	_, err = w.c.On(w.t.Context())
	w.must(err)
	w.until("held", func(s control.Status) bool {
		return s.State == "idle" && s.Running == "" && s.Stores[1].Held == 30 && s.Stores[0].Problems == 1
	})
}

// TestByKeyboard: the first key press leads past the menu, and a button is pressed without a mouse, with the focus to be seen.
func TestByKeyboard(t *testing.T) {
	w := newWorld(t)
	b := newTab(t)
	address, err := w.c.Page(t.Context())
	must(t, err)
	b.open(address)
	b.press("Tab", 9, "")
	b.until("at the skip link", `document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().left >= 0`)
	b.press("Enter", 13, "\r")
	b.until("past the menu", `document.activeElement.id === "main"`)
	b.press("Tab", 9, "")
	b.until("at the first button", `document.activeElement.id === "off" && getComputedStyle(document.activeElement).outlineStyle === "solid"`)
	b.press("Enter", 13, "\r")
	b.until("off", `document.querySelector("[role=status]").innerText.includes("Always-On is off")`)
	w.until("off", func(s control.Status) bool { return !s.AlwaysOn })
}

// TestForWhoDoesNotSee: every control has a name, headings are in order, and there is one main part, for who does not see the page.
func TestForWhoDoesNotSee(t *testing.T) {
	w := newWorld(t)
	w.busy()
	b := newTab(t)
	address, err := w.c.Page(t.Context())
	must(t, err)
	b.open(address)
	base := address[:strings.Index(address, "/?")]
	for _, room := range rooms {
		b.open(base + "/" + room)
		if bad := b.eval(`[
			...[...document.querySelectorAll("input:not([type=hidden]), select")].filter(e => !e.labels.length),
			...[...document.querySelectorAll("button, a, summary")].filter(e => !e.innerText.trim()),
			...[...document.querySelectorAll("table")].filter(e => !e.querySelector("th[scope=col]")),
			...[...document.querySelectorAll(".symbol")].filter(e => e.getAttribute("aria-hidden") !== "true"),
			...[...document.querySelectorAll("h1,h2,h3")].filter((e, i, all) => i && e.tagName[1] > +all[i - 1].tagName[1] + 1),
			...[...document.querySelectorAll("[id]")].filter(e => document.querySelectorAll("#" + CSS.escape(e.id)).length > 1),
		].map(e => e.outerHTML.slice(0, 120)).join("\n")`); bad != "" {
			t.Errorf("%s: %v", room, bad)
		}
		if n := b.eval(`document.querySelectorAll("main").length * 100 + document.querySelectorAll("h1").length * 10 + document.querySelectorAll("nav[aria-label]").length`); n != 111.0 {
			t.Errorf("%s: main, h1, nav: %v", room, n)
		}
	}
}
