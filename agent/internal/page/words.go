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

// look is what a state looks like. The symbols are plain characters: they have the colour of the text, and need no file.
func (v voice) look(state string) look {
	return map[string]look{
		"off":       {"○", v.Text("Off"), "quiet", v.Text("What you change here stays on this device, and nothing comes from the server, until you switch Always-On on. Nothing is lost."), ""},
		"in sync":   {"✓", v.Text("In sync"), "good", v.Text("This device and the server hold the same. There is nothing to do."), ""},
		"syncing":   {"⇄", v.Text("Syncing"), "busy", v.Text("Changes are on their way. You can go on working; an interruption loses nothing."), ""},
		"checking":  {"…", v.Text("Checking"), "busy", v.Text("Whether both sides hold the same is not known at the moment. Nothing is lost."), ""},
		"offline":   {"△", v.Text("Offline"), "quiet", v.Text("What you change here is kept and sent as soon as the server can be reached. There is nothing to do."), ""},
		"lost":      {"△", v.Text("Connection lost"), "quiet", v.Text("What you change here is kept. The session is made anew by itself when the server answers again."), ""},
		"paused":    {"‖", v.Text("Paused"), "quiet", v.Text("What you change here is kept and sent when the pause ends."), ""},
		"needs":     {"!", v.Text("Needs you"), "bad", v.Text("Nothing of it is lost, and everything else goes on."), ""},
		"no secret": {"!", v.Text("Secret not readable"), "bad", v.Text("What you change here is kept. It goes on by itself as soon as the secret can be read."), ""},
		"secret":    {"!", v.Text("Sign in again"), "bad", v.Text("What you change here is kept and sent after you have signed in. Nothing is lost."), ""},
	}[state]
}

// tellState does not say that all is well before both sides are known to be equal.
func (v voice) tellState(s *control.Status, conflicts int) look {
	state := v.stateOf(s, conflicts)
	l := v.look(state)
	if state == "needs" { // the agent says "in sync" also if there are conflicts
		l.Says = v.causes(s, conflicts)[0].Text
	}
	return l
}

func (v voice) stateOf(s *control.Status, conflicts int) string {
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
	case len(v.causes(s, conflicts)) > 0:
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
func (v voice) causes(s *control.Status, conflicts int) (out []cause) {
	if s.Problem == control.Credentials {
		out = append(out, v.credentials(s))
	}
	for _, look := range []func(*control.Store) *cause{v.held, v.unreadable, v.quarantined} {
		for i := range s.Stores {
			if c := look(&s.Stores[i]); c != nil {
				out = append(out, *c)
			}
		}
	}
	if conflicts > 0 {
		out = append(out, cause{v.Count(conflicts, "%d item was changed on two sides. Both versions are kept.", "%d items were changed on two sides. Both versions are kept.", conflicts),
			"conflicts", v.Text("Compare and choose")})
	}
	return out
}

func (v voice) credentials(s *control.Status) cause {
	do := v.Text("Examine this device")
	if why := unread(s); why != "" {
		return cause{v.Text("What this device signs in with cannot be read: %s. Nobody has refused it, and your changes wait on this device.", v.Sentence(why)), "doctor", do}
	}
	return cause{v.Text("The server or the broker has refused what this device signs in with. Your changes wait on this device."), "doctor", do}
}

// unread is why the secret for the server or for the broker cannot be read now, "" if it can.
func unread(s *control.Status) string {
	if s.NoSecret == "" && s.Push.State == "held" && s.State != "held" {
		return s.Push.Reason
	}
	return s.NoSecret
}

func (v voice) held(s *control.Store) *cause {
	if s.Held == 0 {
		return nil
	}
	return &cause{v.Count(s.Held, "%d deletion of %s is held. Nothing is deleted yet.",
		"%d deletions of %s are held, because they are many at once. Nothing is deleted yet.", s.Held, s.Name), "waiting", v.Text("Look and decide")}
}

func (v voice) unreadable(s *control.Store) *cause {
	if s.Unavailable == "" {
		return nil
	}
	return &cause{v.Text("%s cannot be read: %s. Nothing is deleted for it.", s.Name, v.Sentence(s.Unavailable)), "doctor", v.Text("Examine this device")}
}

func (v voice) quarantined(s *control.Store) *cause {
	if s.Problems == 0 {
		return nil
	}
	return &cause{v.Count(s.Problems, "%d item of %s cannot be synchronized. The others are.", "%d items of %s cannot be synchronized. The others are.", s.Problems, s.Name),
		"waiting", v.Text("See which, and why")}
}

// mark is what a store's state looks like.
type mark struct {
	Class, Symbol, Text string
	Path, Do            string // where to do something about it, "" if there is nothing to do
}

// tellStore is the state of a store.
func (v voice) tellStore(s *control.Store) mark {
	switch {
	case s.Unavailable != "":
		return mark{"bad", "!", v.Text("Not readable, nothing is deleted"), "doctor", v.Text("Examine")}
	case s.Held > 0:
		return mark{"bad", "!", v.Count(s.Held, "%d deletion held", "%d deletions held", s.Held), "waiting", v.Text("Decide")}
	case s.Differ > 0:
		return mark{"busy", "≠", v.Count(s.Differ, "%d item differs from the server; the next exchange repairs it",
			"%d items differ from the server; the next exchange repairs it", s.Differ), "activity", v.Text("See why")}
	case s.Total > 0 && s.Received < s.Total:
		return mark{"busy", "⇄", v.Text("Receiving %d of %d", s.Received, s.Total), "", ""}
	case s.Problems > 0:
		return mark{"bad", "!", v.Count(s.Problems, "%d item has a problem", "%d items have problems", s.Problems), "waiting", v.Text("See why")}
	case s.Pending > 0:
		return mark{"busy", "⇄", v.Count(s.Pending, "%d change waits", "%d changes wait", s.Pending), "waiting", v.Text("See which")}
	case s.Polled != "":
		return mark{"quiet", "◷", v.Text("Looked at every 30 s: %s", v.Sentence(s.Polled)), "", ""}
	}
	return mark{"good", "✓", v.Text("Ok"), "", ""}
}

// ending is what an end of a session means.
func (v voice) ending(name string) string {
	return map[string]string{
		"finalized":  v.Text("The session ended in good order, for instance because the device was removed from the server."),
		"closed":     v.Text("The session was closed from this device: Always-On was switched off, or somebody closed it."),
		"destroyed":  v.Text("The connection was gone for good, its settings changed, or the session’s time ran out. Another session replaces it."),
		"terminated": v.Text("The server ended the session, because it did not accept what the device signed in with."),
	}[name]
}

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
func (v voice) outcome(x control.Exchange) string {
	var parts []string
	for _, s := range x.Stores {
		if text := v.moved(s); text != "" {
			parts = append(parts, s.Name+": "+text)
		}
	}
	if x.Error != "" {
		parts = append(parts, v.Text("failed: %s", v.Sentence(x.Error)))
	}
	if len(parts) == 0 {
		return v.Text("nothing had changed")
	}
	return strings.Join(parts, "; ")
}

func (v voice) moved(s control.StoreExchange) string {
	var parts []string
	for _, p := range []struct {
		n    int
		text string
	}{{s.Sent, v.Text("%d sent", s.Sent)}, {s.Received, v.Text("%d received", s.Received)}, {s.Failed, v.Text("%d not synchronized", s.Failed)}} {
		if p.n > 0 {
			parts = append(parts, p.text)
		}
	}
	return strings.Join(parts, ", ")
}

// side is where a change comes from.
func (v voice) side(from string) string {
	return map[string]string{"server": v.Text("from the server"), "device": v.Text("from this device"), "both": v.Text("on both sides")}[from]
}

// from is where a setting's value comes from.
func (v voice) from(s control.Setting) string {
	text := map[string]string{"default": v.Text("built in"), "file": v.Text("your configuration file"), "system": v.Text("the configuration of this machine"),
		"environment": v.Text("the environment"), "user": v.Text("set by you"), "administrator": v.Text("set by your administrator"),
		"fallback": v.Text("the last value that worked")}[s.Origin]
	if s.Where != "" {
		text += " (" + s.Where + ")"
	}
	return text
}

// effect is what follows from a change of a setting.
func (v voice) effect(e string) string {
	return v.Word(map[string]string{"none": "is in use at once", "open": "opens a session", "sync": "starts a sync", "restart": "breaks the session and makes a new one"}[e])
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

func upper(s string) string {
	for _, r := range s {
		return strings.ToUpper(string(r)) + s[len(string(r)):]
	}
	return s
}

func short(id string) string {
	if len(id) > 8 {
		return id[:8] + "…"
	}
	return id
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
