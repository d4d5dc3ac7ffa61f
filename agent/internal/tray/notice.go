package tray

import (
	"fmt"
	"time"
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
	switch l := Level(s); l {
	case None, Problems, Changes, All:
		return l, nil
	}
	return "", fmt.Errorf("--notify %q is none of %s, %s, %s, %s", s, None, Problems, Changes, All)
}

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
	state State  // told last
	last  string // exchange told last
}

type entry struct {
	at     time.Time // last heard
	text   string
	solved string
	open   bool // it has not ended since
}

// update is what the user has to be told now.
func (l *ledger) update(f *Facts, v *View, now time.Time) (out []Note) {
	if l.told == nil {
		l.told = map[string]entry{}
	}
	if l.level == None {
		return nil
	}
	out = append(l.ended(f.causes(now)), l.began(f.causes(now), now)...)
	if l.level == Changes || l.level == All {
		out = append(out, l.changed(v, now)...)
	}
	if l.level == All {
		out = append(out, l.exchanged(f)...)
	}
	return out
}

func (l *ledger) began(causes []Cause, now time.Time) (out []Note) {
	for _, c := range causes {
		n, e := c.Note(), l.told[c.Key]
		if e.open && e.text == n.Title || !e.at.IsZero() && now.Sub(e.at) < seldom {
			continue
		}
		l.told[c.Key] = entry{now, n.Title, c.Solved, true}
		out = append(out, n)
	}
	return out
}

// ended withdraws what is solved. Of what solved itself the user is told, for he may have begun to worry.
func (l *ledger) ended(causes []Cause) (out []Note) {
	there := map[string]bool{}
	for _, c := range causes {
		there[c.Key] = true
	}
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
