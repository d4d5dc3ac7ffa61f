package tray

import (
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

// State is what the icon says (ux.md 5.3).
type State string

// The states.
const (
	Off      State = "off"
	Checking State = "checking" // whether both sides are equal is not known
	InSync   State = "in sync"  // both sides are equal, and nothing waits
	Syncing  State = "syncing"
	Offline  State = "offline"
	Lost     State = "lost"
	Portal   State = "portal" // the network wants the user to sign in
	NeedsYou State = "needs you"
	Paused   State = "paused"
	Down     State = "down" // no agent answers
)

// Facts are all that is known of the agent.
type Facts struct {
	Down      time.Time      // since when no agent answers, zero while one does
	Start     string         // what to type to start one
	Status    control.Status // the last one
	Conflicts []control.Conflict
	Holds     []control.Hold
	Log       []control.Exchange // the last ones, oldest first
	Settings  []control.Setting  // empty if they were not asked for
}

// View is what the user sees.
type View struct {
	State State
	Text  string // the state in words: tooltip, and first line of the menu
	Menu  []Item
}

// Look is what the facts look like at a time.
func Look(f *Facts, now time.Time) View {
	causes := f.causes(now)
	v := View{State: f.state(causes)}
	v.Text = f.text(v.State, causes, now)
	v.Menu = f.menu(v.Text, causes, now)
	return v
}

// state does not say that all is well before both sides are known to be equal.
func (f *Facts) state(causes []Cause) State {
	s := &f.Status
	switch {
	case !f.Down.IsZero():
		return Down
	case s.State == "":
		return Checking // nothing has been heard yet
	case !s.AlwaysOn:
		return Off
	case s.State == "paused":
		return Paused
	case len(causes) > 0:
		return NeedsYou
	case s.InSync():
		return InSync
	}
	return f.working()
}

// working is where a session stands that is not in sync, and needs nobody.
func (f *Facts) working() State {
	s := &f.Status
	if s.Portal {
		return Portal
	}
	switch s.State {
	case "retrying":
		return Offline
	case "lost":
		return Lost
	case "held":
		return NeedsYou
	case "opening", "syncing":
		if p := f.progress(); s.Running != "" && (p.store != "" || f.waiting() > 0) {
			return Syncing
		}
	}
	return Checking
}

func (f *Facts) waiting() (n int) {
	for _, s := range f.Status.Stores {
		n += s.Pending
	}
	return n
}

// progress is how far the running exchange has come.
type progress struct {
	store                           string // in which there is some, "" if there is none
	sent, waiting, received, coming int
}

func (f *Facts) progress() (p progress) {
	for _, s := range f.Status.Stores {
		if s.Sent+s.Received+s.Total == 0 {
			continue
		}
		p.store = s.Name
		p.sent, p.waiting = p.sent+s.Sent, p.waiting+s.Pending
		p.received, p.coming = p.received+s.Received, p.coming+s.Total
	}
	return p
}

func (f *Facts) text(state State, causes []Cause, now time.Time) string {
	s := &f.Status
	switch state {
	case Off:
		return say.Text("Always-On is off") + f.wait(" - ")
	case InSync:
		return say.Text("In sync, verified %s", clock(*s.Verified, now))
	case Syncing:
		return f.syncing()
	case Offline:
		return f.offline(now)
	case Lost:
		return say.Text("Connection lost since %s - reconnects by itself", clock(s.Since, now)) + f.wait(". ")
	case Portal:
		return say.Text("This network wants you to sign in: open a page in your browser") + f.wait(". ")
	case NeedsYou:
		return needs(causes, s)
	case Paused:
		return f.paused(now)
	case Down:
		return say.Text("Sync service is not running")
	}
	return f.checking(s)
}

func (f *Facts) checking(s *control.Status) string {
	switch {
	case s.State == "" || s.Running != "" || s.Summary == "" || s.Summary == "in sync":
		return say.Text("Checking…")
	}
	return say.Text("Checking…") + " - " + say.Sentence(s.Summary)
}

func (f *Facts) syncing() string {
	switch p := f.progress(); {
	case p.waiting > 0:
		return say.Text("Sending %d of %d · %s", p.sent, max(p.waiting, p.sent), p.store)
	case p.coming > 0:
		return say.Text("Receiving %d of %d · %s", p.received, p.coming, p.store)
	case p.store != "":
		return say.Text("Synchronizing · %s", p.store)
	}
	return say.Text("Sending") + f.wait(" - ")
}

func (f *Facts) offline(now time.Time) string {
	s := &f.Status
	text := say.Text("Offline")
	if s.NotAllowed {
		text = say.Text("Network %s is not to be used", s.Network)
	} else if s.Withheld != "" {
		text = sentence(s.Withheld)
	}
	if s.Next != nil {
		text += " - " + say.Text("will retry %s", clock(*s.Next, now))
	}
	return text + f.wait(". ")
}

func (f *Facts) paused(now time.Time) string {
	text := say.Text("Paused until you resume")
	if at := f.Status.Until; at != nil {
		text = say.Text("Paused until %s", clock(*at, now))
	}
	return text + f.wait(". ")
}

// wait tells how many changes wait, after sep, if any do.
func (f *Facts) wait(sep string) string {
	if n := f.waiting(); n > 0 {
		return sep + say.Count(n, "%d change waiting", "%d changes waiting", n)
	}
	return ""
}

func needs(causes []Cause, s *control.Status) string {
	if len(causes) == 0 {
		return say.Sentence(s.Summary)
	}
	titles := []string{}
	for _, c := range causes {
		titles = append(titles, c.Title)
	}
	return strings.Join(titles, ", ")
}

// clock is the time of day, with the date if that is another one.
func clock(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return say.Moment(t)
}
