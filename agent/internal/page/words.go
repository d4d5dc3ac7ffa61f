package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// look is the state as a symbol and a word, and what it means.
type look struct {
	Symbol, Word string
	Class        string // good, busy, quiet, bad
	Means        string // for the data
	Says         string // what happened, if that is not what the agent says
}

// looksOf are the states. The symbols are plain characters: they have the colour of the text, and need no file.
var looksOf = map[string]look{
	"off":       {"○", "Off", "quiet", "What you change here stays on this device, and nothing comes from the server, until you switch Always-On on. Nothing is lost.", ""},
	"in sync":   {"✓", "In sync", "good", "This device and the server hold the same. There is nothing to do.", ""},
	"syncing":   {"⇄", "Syncing", "busy", "Changes are on their way. You can go on working; an interruption loses nothing.", ""},
	"checking":  {"…", "Checking", "busy", "Whether both sides hold the same is not known at the moment. Nothing is lost.", ""},
	"offline":   {"△", "Offline", "quiet", "What you change here is kept and sent as soon as the server can be reached. There is nothing to do.", ""},
	"lost":      {"△", "Connection lost", "quiet", "What you change here is kept. The session is made anew by itself when the server answers again.", ""},
	"paused":    {"‖", "Paused", "quiet", "What you change here is kept and sent when the pause ends.", ""},
	"needs":     {"!", "Needs you", "bad", "Nothing of it is lost, and everything else goes on.", ""},
	"no secret": {"!", "Secret not readable", "bad", "What you change here is kept. It goes on by itself as soon as the secret can be read.", ""},
	"secret":    {"!", "Sign in again", "bad", "What you change here is kept and sent after you have signed in. Nothing is lost.", ""},
}

// tellState does not say that all is well before both sides are known to be equal.
func tellState(s *control.Status, conflicts int) look {
	state := stateOf(s, conflicts)
	l := looksOf[state]
	if state == "needs" { // the agent says "in sync" also if there are conflicts
		l.Says = causes(s, conflicts)[0].Text
	}
	return l
}

func stateOf(s *control.Status, conflicts int) string {
	switch {
	case s.Problem == control.Credentials && unread(s) != "":
		return "no secret"
	case s.Problem == control.Credentials:
		return "secret"
	case !s.AlwaysOn:
		return "off"
	case s.State == "paused":
		return "paused"
	case s.State == "retrying":
		return "offline"
	case s.State == "lost":
		return "lost"
	case len(causes(s, conflicts)) > 0:
		return "needs"
	case s.InSync():
		return "in sync"
	case s.Running != "":
		return "syncing"
	}
	return "checking"
}

// cause is something that needs the user.
type cause struct {
	Text string // what happened, and what it means
	Path string // where he can do something about it
	Do   string // what
}

// causes are those there are, the most urgent first.
func causes(s *control.Status, conflicts int) (out []cause) {
	if why := unread(s); s.Problem == control.Credentials && why != "" {
		out = append(out, cause{"What this device signs in with cannot be read: " + why + ". Nobody has refused it, and your changes wait on this device.", "doctor", "Examine this device"})
	} else if s.Problem == control.Credentials {
		out = append(out, cause{"The server or the broker has refused what this device signs in with. Your changes wait on this device.", "doctor", "Examine this device"})
	}
	for _, look := range []func(*control.Store) *cause{held, unreadable, quarantined} {
		for i := range s.Stores {
			if c := look(&s.Stores[i]); c != nil {
				out = append(out, *c)
			}
		}
	}
	if conflicts > 0 {
		out = append(out, cause{plural(conflicts, "item was", "items were") + " changed on two sides. Both versions are kept.", "conflicts", "Compare and choose"})
	}
	return out
}

// unread is why the secret for the server or for the broker cannot be read now, "" if it can.
func unread(s *control.Status) string {
	if s.NoSecret == "" && s.Push.State == "held" && s.State != "held" {
		return s.Push.Reason
	}
	return s.NoSecret
}

func held(s *control.Store) *cause {
	if s.Held == 0 {
		return nil
	}
	return &cause{plural(s.Held, "deletion of "+s.Name+" is held", "deletions of "+s.Name+" are held, because they are many at once") + ". Nothing is deleted yet.", "waiting", "Look and decide"}
}

func unreadable(s *control.Store) *cause {
	if s.Unavailable == "" {
		return nil
	}
	return &cause{s.Name + " cannot be read: " + s.Unavailable + ". Nothing is deleted for it.", "doctor", "Examine this device"}
}

func quarantined(s *control.Store) *cause {
	if s.Problems == 0 {
		return nil
	}
	return &cause{plural(s.Problems, "item", "items") + " of " + s.Name + " cannot be synchronized. The others are.", "waiting", "See which, and why"}
}

// mark is what a store's state looks like.
type mark struct {
	Class, Symbol, Text string
	Path, Do            string // where to do something about it, "" if there is nothing to do
}

// tellStore is the state of a store.
func tellStore(s *control.Store) mark {
	switch {
	case s.Unavailable != "":
		return mark{"bad", "!", "Not readable, nothing is deleted", "doctor", "Examine"}
	case s.Held > 0:
		return mark{"bad", "!", plural(s.Held, "deletion", "deletions") + " held", "waiting", "Decide"}
	case s.Differ > 0:
		return mark{"busy", "≠", plural(s.Differ, "item differs", "items differ") + " from the server; the next exchange repairs it", "activity", "See why"}
	case s.Total > 0 && s.Received < s.Total:
		return mark{"busy", "⇄", fmt.Sprintf("Receiving %d of %d", s.Received, s.Total), "", ""}
	case s.Problems > 0:
		return mark{"bad", "!", plural(s.Problems, "item has a problem", "items have problems"), "waiting", "See why"}
	case s.Pending > 0:
		return mark{"busy", "⇄", plural(s.Pending, "change waits", "changes wait"), "waiting", "See which"}
	case s.Polled != "":
		return mark{"quiet", "◷", "Looked at every 30 s: " + s.Polled, "", ""}
	}
	return mark{"good", "✓", "Ok", "", ""}
}

// endings are what the ends of a session mean.
var endings = map[string]string{
	"finalized":  "The session ended in good order, for instance because the device was removed from the server.",
	"closed":     "The session was closed from this device: Always-On was switched off, or somebody closed it.",
	"destroyed":  "The connection was gone for good, its settings changed, or the session’s time ran out. Another session replaces it.",
	"terminated": "The server ended the session, because it did not accept what the device signed in with.",
}

func ending(name string) string { return endings[name] }

// sessions are those of the log, newest first. Only of the last one that ended is it known how.
func sessions(newestFirst []control.Exchange, s *control.Status) (out []passed) {
	index := map[string]int{}
	for _, x := range newestFirst {
		if x.Session == "" {
			continue
		}
		i, ok := index[x.Session]
		if !ok {
			i = len(out)
			index[x.Session] = i
			out = append(out, passed{ID: x.Session, Last: x.At})
		}
		out[i].First = x.At
		out[i].Exchanges++
	}
	for i := range out {
		switch {
		case s.Session != nil && s.Session.ID == out[i].ID:
			out[i].State = "open"
		case s.Ended != nil && i == firstEnded(s):
			out[i].State = s.Ended.Ending
		}
	}
	return out
}

// firstEnded is the place of the session that ended last.
func firstEnded(s *control.Status) int {
	if s.Session != nil {
		return 1
	}
	return 0
}

// outcome is what an exchange came to.
func outcome(x control.Exchange) string {
	var parts []string
	for _, s := range x.Stores {
		if text := moved(s); text != "" {
			parts = append(parts, s.Name+": "+text)
		}
	}
	if x.Error != "" {
		parts = append(parts, "failed: "+x.Error)
	}
	if len(parts) == 0 {
		return "nothing had changed"
	}
	return strings.Join(parts, "; ")
}

func moved(s control.StoreExchange) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{s.Sent, "sent"}, {s.Received, "received"}, {s.Failed, "not synchronized"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprint(p.n, " ", p.what))
		}
	}
	return strings.Join(parts, ", ")
}

func changeText(c *control.Change) string {
	return map[string]string{"server": "from the server", "device": "from this device", "both": "on both sides"}[c.From]
}

// from is where a setting's value comes from.
func from(s control.Setting) string {
	text := map[string]string{"default": "built in", "file": "your configuration file", "system": "the configuration of this machine", "environment": "the environment",
		"user": "set by you", "administrator": "set by your administrator", "fallback": "the last value that worked"}[s.Origin]
	if s.Where != "" {
		text += " (" + s.Where + ")"
	}
	return text
}

// effect is what follows from a change of a setting.
func effect(e string) string {
	return map[string]string{"none": "is in use at once", "open": "opens a session", "sync": "starts a sync", "restart": "breaks the session and makes a new one"}[e]
}

// remedy tells what can be typed, where the page has no button for it.
func remedy(advice string) string {
	for _, known := range []string{"alwayson on", "alwayson resume", "alwayson pending", "alwayson hold list", "alwayson session open"} {
		if advice == known {
			return ""
		}
	}
	return advice
}

// sentence is a text of the agent as a sentence.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.TrimSuffix(upper(s), ".") + "."
}

func upper(s string) string {
	for _, r := range s {
		return strings.ToUpper(string(r)) + s[len(string(r)):]
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

func short(id string) string {
	if len(id) > 8 {
		return id[:8] + "…"
	}
	return id
}

// clock is the time of day, with the date if that is another one.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format("Mon 2 Jan 15:04")
}

func took(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func size(n int64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprint(n, " B")
	case n < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}
