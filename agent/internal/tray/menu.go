package tray

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// Verb is what a click asks for.
type Verb string

// The verbs.
const (
	Nothing    Verb = ""
	Switch     Verb = "switch" // Always-On
	SyncNow    Verb = "sync"
	PauseHour  Verb = "pause an hour"
	PauseToday Verb = "pause today"
	PauseOpen  Verb = "pause"
	Resume     Verb = "resume"
	Explain    Verb = "explain" // a cause
	Keep       Verb = "keep"    // what is held of a store
	ShowPage   Verb = "page"
	Quit       Verb = "quit"
)

// Click is a wish of the user.
type Click struct {
	Do   Verb
	With string
}

// Item is one line of the menu. The lines are always the same ones in the same order; those that make no sense at the moment are hidden.
type Item struct {
	Text      string
	Do        Click
	Checkable bool
	Checked   bool
	Disabled  bool
	Hidden    bool
	Line      bool // separates; nothing else applies
	Sub       []Item
}

// room is how many lines a list has.
const room = 10

func (f *Facts) menu(text string, causes []Cause, now time.Time) []Item {
	s := &f.Status
	gone := !f.Down.IsZero() || s.State == ""
	quiet, polled := s.State == "paused", f.polled()
	return []Item{
		{Text: text, Disabled: true},
		{Text: polled, Disabled: true, Hidden: polled == ""},
		{Text: "Always-On", Do: Click{Do: Switch}, Checkable: true, Checked: s.AlwaysOn && !gone, Disabled: gone},
		{Text: say.Text("Sync now"), Do: Click{Do: SyncNow}, Disabled: gone},
		{Text: say.Text("Resume"), Do: Click{Do: Resume}, Disabled: gone, Hidden: !quiet},
		{Text: say.Text("Pause"), Disabled: gone || !s.AlwaysOn, Hidden: quiet, Sub: []Item{
			{Text: say.Text("For 1 hour"), Do: Click{Do: PauseHour}}, {Text: say.Text("Until tomorrow"), Do: Click{Do: PauseToday}}, {Text: say.Text("Until I resume"), Do: Click{Do: PauseOpen}}}},
		{Line: true},
		{Text: say.Text("Needs attention (%d)", len(causes)), Hidden: len(causes) == 0, Sub: attention(causes)},
		{Text: say.Text("Recent activity"), Disabled: len(f.Log) == 0, Sub: f.activity(now)},
		{Text: say.Text("Open status page"), Do: Click{Do: ShowPage}, Disabled: gone},
		{Line: true},
		{Text: say.Text("Quit tray (sync continues)"), Do: Click{Do: Quit}},
	}
}

// polled names the stores whose changes are not seen at once, and why.
func (f *Facts) polled() string {
	var names []string
	why := ""
	for _, s := range f.Status.Stores {
		if s.Polled != "" {
			names, why = append(names, s.Name), s.Polled
		}
	}
	if len(names) == 0 {
		return ""
	}
	return say.Text("%s looked at every 30 s: %s", strings.Join(names, ", "), short(say.Sentence(why)))
}

func attention(causes []Cause) []Item {
	out := fill(room)
	for i, c := range causes[:min(len(causes), room)] {
		out[i] = Item{Text: c.Title + ": " + say.Sentence(c.Type), Do: Click{Explain, c.Key}}
	}
	return out
}

// fill is a list without anything in it.
func fill(n int) []Item { return slices.Repeat([]Item{{Hidden: true}}, n) }

// activity is the last exchanges that changed something or failed, newest first.
func (f *Facts) activity(now time.Time) []Item {
	out, n := fill(room), 0
	for _, x := range slices.Backward(f.Log) {
		if text := happened(&x); text != "" && n < room {
			out[n] = Item{Text: clock(x.At, now) + "  " + text, Disabled: true}
			n++
		}
	}
	if n == 0 {
		out[0] = Item{Text: say.Text("Nothing has changed yet"), Disabled: true}
	}
	return out
}

// happened is what an exchange came to, "" if to nothing.
func happened(x *control.Exchange) string {
	var parts []string
	for _, s := range x.Stores {
		if text := moved(&s); text != "" {
			parts = append(parts, s.Name+" "+text)
		}
	}
	if x.Error != "" {
		parts = append(parts, short(say.Sentence(x.Error)))
	}
	return strings.Join(parts, ", ")
}

func moved(s *control.StoreExchange) string {
	text := ""
	for _, p := range []struct {
		n    int
		sign string
	}{{s.Sent, "→"}, {s.Received, "←"}, {s.Failed, "✗"}} {
		if p.n > 0 {
			text += fmt.Sprintf(" %s %d", p.sign, p.n)
		}
	}
	return strings.TrimSpace(text)
}

// short is as much of a text as a menu can bear.
func short(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// endOf is when a pause ends that a click asks for; zero is when the user resumes.
func endOf(v Verb, now time.Time) time.Time {
	return map[Verb]time.Time{
		PauseHour:  now.Add(time.Hour),
		PauseToday: time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()),
	}[v]
}
