package tray

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// Level is of what the user wants notifications.
type Level string

// The levels. Each has what the one before it has.
const (
	None     Level = "none"
	Problems Level = "problems" // what needs him, and the end of what he was told about
	Changes  Level = "changes"  // where the agent stands
	All      Level = "all"      // each exchange that changed something
)

// ParseLevel reads the name of a level.
func ParseLevel(s string) (Level, error) {
	if slices.Contains(levels, Level(s)) {
		return Level(s), nil
	}
	return "", fmt.Errorf("--notify %q is none of %s, %s, %s, %s", s, None, Problems, Changes, All)
}

var levels = []Level{None, Problems, Changes, All}

// has tells whether it has what another one has.
func (l Level) has(other Level) bool { return slices.Index(levels, l) >= slices.Index(levels, other) }

// Note is a notification. One with the same key takes the place of the former one.
type Note struct {
	Key, Title, Body string
	Buttons          []Button
	Urgent           bool // stays until it is answered; others go by themselves
	Gone             bool // the one with this key is to be withdrawn
}

// seldom is how often a cause may make itself heard.
const seldom = time.Hour

// ledger is what the user has been told. It decides what he is told next, and knows no clock.
type ledger struct {
	level Level
	told  map[string]entry
	since map[string]time.Time // since when a cause is there
	state State                // told last
	last  string               // exchange told last
	set   time.Time            // when the administrator set something last; zero before the settings were seen
}

type entry struct {
	at     time.Time // last heard
	text   string
	solved string
	open   bool // it has not ended since
}

func newLedger(l Level) *ledger {
	return &ledger{level: l, told: map[string]entry{}, since: map[string]time.Time{}}
}

// update is what the user has to be told now.
func (l *ledger) update(f *Facts, v *View, now time.Time) (out []Note) {
	causes := f.causes(now)
	out = l.ended(causes)
	if l.level.has(Problems) {
		out = append(out, l.began(causes, now)...)
	}
	if l.level.has(Changes) {
		out = append(append(out, l.changed(v, now)...), l.administered(f.Settings)...)
	}
	if l.level.has(All) {
		out = append(out, l.exchanged(f)...)
	}
	return out
}

func (l *ledger) began(causes []Cause, now time.Time) (out []Note) {
	for _, c := range causes {
		e := l.told[c.Key]
		if _, there := l.since[c.Key]; !there {
			l.since[c.Key] = now
		}
		if now.Sub(l.since[c.Key]) < c.Patience || e.open && e.text == c.Title || !e.at.IsZero() && now.Sub(e.at) < seldom {
			continue
		}
		out = append(out, l.tell(&c, now))
	}
	return out
}

// tell is how the user is told of a cause, and remembers that he is.
func (l *ledger) tell(c *Cause, now time.Time) Note {
	l.told[c.Key] = entry{now, c.Title, c.Solved, true}
	return c.Note()
}

// ended withdraws what is solved. Of what solved itself the user is told, for he may have begun to worry.
func (l *ledger) ended(causes []Cause) (out []Note) {
	there := map[string]bool{}
	for _, c := range causes {
		there[c.Key] = true
	}
	maps.DeleteFunc(l.since, func(key string, _ time.Time) bool { return !there[key] })
	for key, e := range l.told {
		if !e.open || there[key] {
			continue
		}
		e.open = false
		l.told[key] = e
		out = append(out, Note{Key: key, Title: e.solved, Gone: e.solved == ""})
	}
	return out
}

// changed tells where the agent stands. What it does at the moment, and that it is offline for a while, is not worth a word.
func (l *ledger) changed(v *View, now time.Time) []Note {
	former := l.state
	switch v.State {
	case Off, InSync, Lost, Portal, Paused:
	default:
		return nil
	}
	key := "state " + string(v.State)
	if l.state = v.State; former == "" || former == v.State || now.Sub(l.told[key].at) < seldom {
		return nil
	}
	l.told[key] = entry{at: now}
	return []Note{{Key: "state", Title: v.Text}}
}

func (l *ledger) exchanged(f *Facts) []Note {
	if len(f.Log) == 0 {
		return nil
	}
	x := &f.Log[len(f.Log)-1]
	former, id := l.last, x.At.String()
	text := happened(x)
	if l.last = id; former == "" || former == id || text == "" {
		return nil
	}
	return []Note{{Key: "exchange", Title: text}}
}

// administered is what the administrator has set since the settings were looked at last.
func (l *ledger) administered(list []control.Setting) []Note {
	former, changed := l.set, []string{}
	for _, s := range list {
		if s.Origin != "administrator" || s.Set == nil || !s.Set.After(former) {
			continue
		}
		changed = append(changed, s.Key+" = "+s.Value)
		if s.Set.After(l.set) {
			l.set = *s.Set
		}
	}
	if len(list) > 0 && l.set.IsZero() {
		l.set = time.Unix(0, 0)
	}
	if former.IsZero() || len(changed) == 0 {
		return nil
	}
	return []Note{{Key: "administrator", Body: strings.Join(changed, ", ") + ". " + say.Text("In use now"),
		Title: say.Count(len(changed), "Your administrator changed %d setting", "Your administrator changed %d settings", len(changed))}}
}
