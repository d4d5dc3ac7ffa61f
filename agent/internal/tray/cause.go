package tray

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
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
		body += ". " + say.Text("Type: %s", say.Sentence(c.Type))
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
		out = append(out, Cause{Key: "conflicts", Title: say.Count(n, "%d conflict", "%d conflicts", n), Type: "alwayson conflict list",
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
	return []Cause{{Key: "service", Title: say.Text("Sync service is not running"), Type: f.Start, Solved: say.Text("The sync service is running again"),
		Body: say.Text("Nothing is synchronized since %s; nothing is lost, what changes meanwhile is found at the next start", clock(f.Down, now))}}
}

// secret is what is wrong with what the device signs in with: it was refused, or nobody can read it now.
func secret(s *control.Status) string {
	if s.NoSecret != "" || s.Push.State == "held" && s.State != "held" {
		return say.Text("Secret cannot be read")
	}
	return say.Text("Sign in again")
}

func signIn(s *control.Status) string {
	if s.Advice == "" {
		return "alwayson login"
	}
	return s.Advice
}

func held(h *control.Hold) Cause {
	n := h.Here + h.There
	c := Cause{Key: "hold " + h.Store, Title: say.Count(n, "%d deletion held", "%d deletions held", n), Type: "alwayson hold list",
		Can: []Button{{say.Text("Keep the items"), Click{Keep, h.Store}}}}
	c.Body = say.Text("Many items of %s were deleted at once. None is deleted on the other side until you have decided", h.Store)
	return c
}

func conflicts(list []control.Conflict) string {
	c := &list[len(list)-1]
	body := say.Text("%s of %s was edited on two devices", c.Item, c.Store)
	if len(list) > 1 {
		body = say.Text("Items were edited on two devices, %s of %s the last of them", c.Item, c.Store)
	}
	return body + ". " + say.Text("Both versions are kept")
}

func ofStore(s *control.Store) (out []Cause) {
	if s.Unavailable != "" {
		out = append(out, Cause{Key: "store " + s.Name, Title: say.Text("%s cannot be read", s.Name), Type: "alwayson status",
			Body: say.Text("Nothing is deleted for it, everything else is synchronized") + ". " + sentence(s.Unavailable), Solved: say.Text("%s can be read again", s.Name), Patience: patience})
	}
	if s.Problems > 0 {
		out = append(out, Cause{Key: "items " + s.Name, Title: say.Count(s.Problems, "%d item of %s cannot be synchronized", "%d items of %s cannot be synchronized", s.Problems, s.Name),
			Body: say.Text("Everything else is synchronized, and an item is tried again when it changes"), Type: "alwayson pending", Solved: say.Text("All items of %s can be synchronized", s.Name),
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
	n, at := f.waiting(), clock(since, now)
	return []Cause{{Key: "stale", Title: say.Count(n, "%d change not sent since %s", "%d changes not sent since %s", n, at), Body: sentence(s.Summary),
		Type: "alwayson status", Solved: say.Text("Everything is on the server again")}}
}

// sentence is what the agent says, beginning with a capital.
func sentence(english string) string {
	s := say.Sentence(english)
	_, first := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:first]) + s[first:]
}
