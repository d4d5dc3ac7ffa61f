package tray

import (
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// Cause is one thing that needs the user.
type Cause struct {
	Key    string // the same cause has the same
	Title  string // a few words
	Body   string // what happened, and what it means for the data
	Type   string // the command that helps
	Solved string // what to tell who was told, when it has ended by itself; "" if it was the user who ended it
	Can    []Button
	// Patience is how long it may last before the user is told of it, for it may end by itself.
	Patience time.Duration
}

// Button is something that can be done with one click.
type Button struct {
	Label string
	Do    Click
}

// Note is the cause as a notification.
func (c *Cause) Note() Note {
	body := c.Body
	if c.Type != "" {
		body += ". Type: " + c.Type
	}
	return Note{Key: c.Key, Title: c.Title, Body: body, Buttons: c.Can, Urgent: true}
}

const (
	// patience is how long a service may take to start again, a folder to be mounted or a file to be written, before it needs anybody.
	patience = time.Minute
	// stale is how long a change may wait in a device that has a network before that is more than being offline.
	stale = 2 * time.Hour
)

// causes are what needs the user, the most urgent first. That the agent is gone solves nothing of what it said before.
func (f *Facts) causes(now time.Time) []Cause {
	s, out := &f.Status, f.down(now)
	if s.Problem == control.Credentials || s.State == "held" {
		out = append(out, Cause{Key: "credentials", Title: secret(s), Body: sentence(s.Summary), Type: signIn(s)})
	}
	for _, h := range f.Holds {
		out = append(out, held(&h))
	}
	if n := len(f.Conflicts); n > 0 {
		out = append(out, Cause{Key: "conflicts", Title: plural(n, "conflict"), Type: "alwayson conflict list",
			Body: conflicts(f.Conflicts)})
	}
	for _, st := range s.Stores {
		out = append(out, ofStore(&st)...)
	}
	return append(out, f.stale(now)...)
}

func (f *Facts) down(now time.Time) []Cause {
	if f.Down.IsZero() || now.Sub(f.Down) < patience {
		return nil
	}
	return []Cause{{Key: "service", Title: "Sync service is not running", Type: f.Start, Solved: "The sync service is running again",
		Body: "Nothing is synchronized since " + clock(f.Down, now) + "; nothing is lost, what changes meanwhile is found at the next start"}}
}

// secret is what is wrong with what the device signs in with: it was refused, or nobody can read it now.
func secret(s *control.Status) string {
	if s.NoSecret != "" || s.Push.State == "held" && s.State != "held" {
		return "Secret cannot be read"
	}
	return "Sign in again"
}

func signIn(s *control.Status) string {
	if s.Advice == "" {
		return "alwayson login"
	}
	return s.Advice
}

func held(h *control.Hold) Cause {
	n := h.Here + h.There
	c := Cause{Key: "hold " + h.Store, Title: plural(n, "deletion") + " held", Type: "alwayson hold list",
		Can: []Button{{"Keep the items", Click{Keep, h.Store}}}}
	c.Body = "Many items of " + h.Store + " were deleted at once. None is deleted on the other side until you have decided"
	return c
}

func conflicts(list []control.Conflict) string {
	c := &list[len(list)-1]
	body := c.Item + " of " + c.Store + " was edited on two devices"
	if len(list) > 1 {
		body = "Items were edited on two devices, " + c.Item + " of " + c.Store + " the last of them"
	}
	return body + ". Both versions are kept"
}

func ofStore(s *control.Store) (out []Cause) {
	if s.Unavailable != "" {
		out = append(out, Cause{Key: "store " + s.Name, Title: s.Name + " cannot be read", Type: "alwayson status",
			Body: "Nothing is deleted for it, everything else is synchronized. " + sentence(s.Unavailable), Solved: s.Name + " can be read again", Patience: patience})
	}
	if s.Problems > 0 {
		out = append(out, Cause{Key: "items " + s.Name, Title: plural(s.Problems, "item") + " of " + s.Name + " cannot be synchronized",
			Body: "Everything else is synchronized, and an item is tried again when it changes", Type: "alwayson pending", Solved: "All items of " + s.Name + " can be synchronized",
			Patience: patience})
	}
	return out
}

// stale is about changes that have waited for long although there is a network: being offline is no problem, being forgotten is.
func (f *Facts) stale(now time.Time) []Cause {
	s, since := &f.Status, time.Time{}
	if !s.AlwaysOn || s.State == "paused" || s.Network == "" || s.NotAllowed || s.Withheld != "" {
		return nil
	}
	for _, st := range s.Stores {
		if st.Oldest != nil && st.Pending > 0 && (since.IsZero() || st.Oldest.Before(since)) {
			since = *st.Oldest
		}
	}
	if since.IsZero() || now.Sub(since) < stale {
		return nil
	}
	return []Cause{{Key: "stale", Title: plural(f.waiting(), "change") + " not sent since " + clock(since, now), Body: sentence(s.Summary),
		Type: "alwayson status", Solved: "Everything is on the server again"}}
}

// sentence begins with a capital.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
