package page

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// has tells what is missing on a page.
func has(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(page, p) {
			t.Errorf("there is no %q on\n%s", p, page)
		}
	}
}

// TestWithoutJavaScript goes through what a user does day by day, with nothing but links and forms.
func TestWithoutJavaScript(t *testing.T) {
	w := newWorld(t)
	g := w.visit()
	has(t, g.last, "In sync", "This device and the server hold the same", "contacts", "calendar", "open since", "arrive at once", "always-on switched on")

	has(t, g.post("/off"), "Always-On is off. What you change here waits", "Switch Always-On on", "nothing comes from the server")
	w.until("off", func(s control.Status) bool { return !s.AlwaysOn })
	w.write("contacts", "ana.vcf", card("ana", "Ana"))
	w.until("one waits", func(s control.Status) bool { return s.Stores[0].Pending == 1 })
	has(t, g.get("/"), "1 change waits", `/waiting">See which</a>`)
	has(t, g.get("/waiting"), "Changes that wait", "ana.vcf", "They are sent with the next exchange", "Every item can be synchronized")
	g.get("/")
	has(t, g.post("/sync"), "Synchronized: contacts: 1 sent")
	has(t, g.post("/on"), "Always-On is on. Changes travel by themselves")
	w.items(1)

	g.get("/")
	has(t, g.post("/pause", "for", "1h"), "Paused until ", "Resume", "sent when the pause ends")
	w.until("paused", func(s control.Status) bool { return s.State == "paused" && s.Until != nil })
	has(t, g.post("/resume"), "The pause is over")
	w.until("on again", idle)
	g.get("/")
	g.post("/pause", "for", "")
	w.until("paused", func(s control.Status) bool { return s.State == "paused" && s.Until == nil })
	g.post("/resume")
	w.until("on again", idle)
	g.get("/")
	has(t, g.post("/overview/compare"), "Compared: 1 item is equal on both sides")
}

// TestNotesAreForPeople: what came of an action is not taken by the page that still stands there and renews itself.
func TestNotesAreForPeople(t *testing.T) {
	w := newWorld(t)
	g := w.visit()
	g.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	g.do(g.form("/off", url.Values{"form": {g.token()}}))
	renewal := g.request("/")
	renewal.Header.Set("Renews", "yes")
	if g.do(renewal); strings.Contains(g.last, "What you change here waits") {
		t.Error("the renewal took the note")
	}
	has(t, g.get("/"), "Always-On is off. What you change here waits")
}

func TestActivity(t *testing.T) {
	w := newWorld(t)
	w.write("contacts", "ana.vcf", card("ana", "Ana"))
	w.items(1)
	g := w.visit()
	has(t, g.get("/activity"), "<td data-label=\"State\">open</td>", "contacts: 1 sent", "local change", "finalized", "destroyed", "terminated", "Why there was no exchange")
	has(t, g.post("/session/close", "back", "activity"), "The session is closed. Always-On stays as it is", "was <strong>closed</strong>", "Open a session")
	w.until("closed", func(s control.Status) bool { return s.Session == nil && s.AlwaysOn })
	has(t, g.post("/session/open", "back", "activity"), "A session is open.", "Close the session")
	w.until("open", func(s control.Status) bool { return s.Session != nil })
}

// TestConflicts: both versions stand side by side, and the one that is chosen stays; the other can be had back.
func TestConflicts(t *testing.T) {
	for keep, want := range map[string]string{"this": "here", "other": "there"} {
		w := newWorld(t)
		w.contradict("ana", card("ana", "Ana", "NOTE:here"), card("ana", "Ana", "NOTE:there"))
		g := w.visit()
		has(t, g.last, "1 item was changed on two sides. Both versions are kept.", "Needs you", "Conflicts (1)")
		page := g.get("/conflicts")
		has(t, page, "differs: </span>NOTE:here</mark></td><td><mark><span class=\"unseen\">differs: </span>NOTE:there", "<td>FN:Ana</td><td>FN:Ana</td>")
		list, err := w.c.Conflicts(t.Context())
		must(t, err)
		has(t, g.post("/conflicts", "back", "conflicts", "item", list[0].Item, "keep", "neither"), "This was not done: Say which version to keep.")
		has(t, g.post("/conflicts", "back", "conflicts", "item", list[0].Item, "keep", keep), "The conflict is resolved", "There are no conflicts")
		w.items(1)
		text, err := os.ReadFile(filepath.Join(w.o.Stores[0].Dir, "ana.vcf"))
		if err != nil || !strings.Contains(string(text), "NOTE:"+want) {
			t.Errorf("%s: %s %v", keep, text, err)
		}
		w.until("the same again", idle)
	}
}

// TestHeldDeletions: nothing is deleted for somebody who has not said that he has looked.
func TestHeldDeletions(t *testing.T) {
	w := newWorld(t)
	remove := func(keep int) {
		t.Helper()
		_, err := w.c.Off(t.Context())
		must(t, err)
		for i := keep; i < 40; i++ {
			must(t, os.Remove(filepath.Join(w.o.Stores[0].Dir, fmt.Sprintf("p%02d.vcf", i))))
		}
		_, err = w.c.On(t.Context())
		must(t, err)
		w.until("held", func(s control.Status) bool {
			return s.State == "idle" && s.Running == "" && s.Stores[0].Held == 40-keep
		})
	}
	for i := range 40 {
		w.write("contacts", fmt.Sprintf("p%02d.vcf", i), card(fmt.Sprint("u", i), fmt.Sprint("Person ", i)))
	}
	w.items(40)
	remove(5)
	g := w.visit()
	has(t, g.last, "35 deletions of contacts are held", "Look and decide")
	has(t, g.get("/waiting"), "35 items were deleted on this device; the server still has them", "Keep the items on both sides")
	if strings.Contains(g.last, "They are sent with the next exchange") {
		t.Error("what is held is said to be sent")
	}
	has(t, g.post("/holds", "back", "waiting", "store", "contacts", "decision", "approve"), "This was not done: Tick the box first")
	has(t, g.post("/holds", "back", "waiting", "store", "contacts"), "This was not done: Say whether the items are kept or deleted")
	has(t, g.post("/holds", "back", "waiting", "store", "contacts", "decision", "keep"), "The items of contacts are kept on both sides")
	w.items(40)
	remove(5)
	g.get("/waiting")
	has(t, g.post("/holds", "back", "waiting", "store", "contacts", "decision", "approve", "sure", "yes"), "The deletions of contacts happen on both sides now")
	w.items(5)
}

// TestABadItem is named with what is wrong with it.
func TestABadItem(t *testing.T) {
	w := newWorld(t)
	huge := filepath.Join(w.o.Stores[0].Dir, "new")
	must(t, os.WriteFile(huge, nil, 0o600))
	must(t, os.Truncate(huge, 64<<20+1))
	must(t, os.Rename(huge, huge+"-huge.vcf"))
	w.until("a problem", func(s control.Status) bool { return s.Stores[0].Problems == 1 && s.Running == "" })
	g := w.visit()
	has(t, g.last, "1 item of contacts cannot be synchronized. The others are.", "See which, and why", "1 item has a problem")
	has(t, g.get("/waiting"), "new-huge.vcf", "Each is tried again when it changes", "Nothing waits.")
}

func TestFilters(t *testing.T) {
	w := newWorld(t)
	for _, n := range []string{"ana", "ben", "cem"} {
		w.write("contacts", n+".vcf", card(n, n))
	}
	w.items(3)
	g := w.visit()
	has(t, g.get("/filters"), "Keeps everything", "Filter of contacts", "Filter of calendar", "How to write one")
	has(t, g.post("/filters/preview", "store", "contacts", "filter", "name:ana"), "0 items would come, 0 would come again in another form, and 2 would leave this device and stay on the server", `value="name:ana"`)
	has(t, g.post("/filters/preview", "store", "contacts", "filter", "nonsense:ana"), "nonsense", "Nothing is changed.")
	w.items(3)
	has(t, g.post("/filters", "back", "filters", "store", "contacts", "filter", "name:ana"), "The filter of contacts is changed", "<code>name:ana</code>")
	w.items(1)
	has(t, g.post("/filters", "back", "filters", "store", "contacts", "filter", "("), "This was not done")
	has(t, g.post("/filters", "back", "filters", "store", "contacts", "filter", ""), "Keeps everything")
	w.items(3)
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.put("ana", card("ana", "Before"))
	w.items(1)
	file := filepath.Join(w.o.Stores[0].Dir, "ana.vcf")
	is := func(name string) {
		t.Helper()
		w.until(name, func(s control.Status) bool {
			text, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(text), "FN:"+name) && idle(s)
		})
	}
	g := w.visit()
	has(t, g.get("/history"), "No item was overwritten or deleted by the server.")
	w.put("ana", card("ana", "After"))
	is("After")
	has(t, g.get("/history"), "ana.vcf", "overwritten by the server", "Undo what the server changed last")
	has(t, g.post("/history/undo", "back", "history"), "1 item is as before (ana.vcf), and on the way to the server")
	is("Before")
	list, err := w.c.History(t.Context(), "")
	must(t, err)
	has(t, g.post("/history/restore", "back", "history"), "This was not done: Say which version")
	has(t, g.post("/history/restore", "back", "history", "id", list[len(list)-1].ID), "1 item is as before")
	has(t, g.post("/history/restore", "back", "history", "id", "none"), "This was not done")
}

// TestMessages: they can be read while the page is open, without what nobody may read, and none are kept before.
func TestMessages(t *testing.T) {
	w := newWorld(t)
	w.write("contacts", "cem.vcf", card("cem", "Cem Early"))
	w.items(1)
	g := w.visit()
	if strings.Contains(g.get("/messages"), "Cem Early") { // other exchanges may come at any time, as after a connection
		t.Error("a message was kept before the page was open")
	}
	w.write("contacts", "ana.vcf", card("ana", "Ana Berg", "NOTE:"+strings.Repeat("long ", 200)))
	w.items(2)
	has(t, g.post("/sync", "back", "messages"), "&lt;SyncHdr&gt;", "&lt;Cred&gt;", "&lt;Data&gt;(left out)&lt;/Data&gt;", "→ sent", "← received", "FN:Ana Berg", "octets)")
	if strings.Contains(g.last, strings.Repeat("long ", 100)) {
		t.Error("an item is shown whole")
	}
}

// TestLookingChangesNothing: no page leads to an exchange by being looked at, also while something is held and waits.
func TestLookingChangesNothing(t *testing.T) {
	w := newWorld(t)
	w.busy()
	g := w.visit()
	before := len(w.log())
	for range 3 {
		for _, room := range rooms {
			g.get("/" + room)
		}
	}
	_, err := w.c.Sync(t.Context(), true)
	must(t, err)
	for _, x := range w.log()[before:] {
		if x.Cause != "asked by the user" {
			t.Errorf("there was an exchange: %+v", x)
		}
	}
}
