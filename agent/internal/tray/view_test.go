package tray

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent/control"
)

var noon = time.Date(2026, 11, 24, 14, 2, 11, 0, time.UTC)

func at(minutes int) *time.Time {
	t := noon.Add(time.Duration(minutes) * time.Minute)
	return &t
}

func status(state string, change func(*control.Status)) Facts {
	s := control.Status{AlwaysOn: true, State: state, Since: *at(-42), Network: "eth0", Verified: at(0), Summary: "a summary",
		Stores: []control.Store{{Name: "mail"}, {Name: "tasks"}}}
	if change != nil {
		change(&s)
	}
	return Facts{Status: s}
}

// TestStates is the table of ux.md 5.3.
func TestStates(t *testing.T) {
	held := status("idle", func(s *control.Status) { s.Stores[0].Held = 120 })
	held.Holds = []control.Hold{{Store: "mail", There: 120}}
	conflict := status("idle", nil)
	conflict.Conflicts = []control.Conflict{{Store: "tasks", Item: "a.ics"}}
	down := status("idle", nil)
	down.Down = *at(-10)
	waits := func(n int) func(*control.Status) { return func(s *control.Status) { s.Stores[0].Pending = n } }
	for name, c := range map[string]struct {
		facts Facts
		state State
		text  string
	}{
		"off":              {status("off", func(s *control.Status) { s.AlwaysOn = false; waits(3)(s) }), Off, "Always-On is off - 3 changes waiting"},
		"just started":     {Facts{}, Checking, "Checking…"},
		"in sync":          {status("idle", nil), InSync, "In sync, verified 14:02"},
		"never verified":   {status("idle", func(s *control.Status) { s.Verified = nil }), Checking, "Checking… - a summary"},
		"something waits":  {status("idle", waits(1)), Checking, "Checking… - a summary"},
		"it differs":       {status("idle", func(s *control.Status) { s.Stores[1].Differ = 2 }), Checking, "Checking… - a summary"},
		"a quiet exchange": {status("syncing", func(s *control.Status) { s.Running = "safety poll" }), Checking, "Checking…"},
		"opening":          {status("opening", func(s *control.Status) { s.Running = "start" }), Checking, "Checking…"},
		"closed by hand":   {status("opening", nil), Checking, "Checking… - a summary"},
		"a new state":      {status("dancing", nil), Checking, "Checking… - a summary"},
		"sending": {status("syncing", func(s *control.Status) {
			s.Running = "local change"
			s.Stores[0].Pending, s.Stores[0].Sent = 3, 2
		}), Syncing, "Sending 2 of 3 · mail"},
		"about to send": {status("syncing", func(s *control.Status) { s.Running = "local change"; waits(1)(s) }), Syncing, "Sending - 1 change waiting"},
		"receiving": {status("opening", func(s *control.Status) {
			s.Running = "start"
			s.Stores[1].Received, s.Stores[1].Total = 310, 1000
		}), Syncing, "Receiving 310 of 1000 · tasks"},
		"retrying":    {status("retrying", func(s *control.Status) { s.Next = at(5); waits(2)(s) }), Offline, "Offline - will retry 14:07. 2 changes waiting"},
		"not allowed": {status("retrying", func(s *control.Status) { s.NotAllowed = true; s.Network = "wwan0" }), Offline, "Network wwan0 is not to be used"},
		"low":         {status("retrying", func(s *control.Status) { s.Withheld = "the battery is at 9 %" }), Offline, "The battery is at 9 %"},
		"lost":        {status("lost", nil), Lost, "Connection lost since 13:20 - reconnects by itself"},
		"portal":      {status("retrying", func(s *control.Status) { s.Portal = true }), Portal, "This network wants you to sign in: open a page in your browser"},
		"held":        {status("held", func(s *control.Status) { s.Problem = control.Credentials }), NeedsYou, "Sign in again"},
		"conflict":    {conflict, NeedsYou, "1 conflict"},
		"deletions":   {held, NeedsYou, "120 deletions held"},
		"unreadable":  {status("idle", func(s *control.Status) { s.Stores[0].Unavailable = "no such folder" }), NeedsYou, "mail cannot be read"},
		"bad items":   {status("idle", func(s *control.Status) { s.Stores[0].Problems = 2 }), NeedsYou, "2 items of mail cannot be synchronized"},
		"paused":      {status("paused", func(s *control.Status) { s.Until = at(238); waits(1)(s) }), Paused, "Paused until 18:00. 1 change waiting"},
		"paused open": {status("paused", nil), Paused, "Paused until you resume"},
		"down":        {down, Down, "Sync service is not running"},
	} {
		v := Look(&c.facts, noon)
		if v.State != c.state || v.Text != c.text {
			t.Errorf("%s: %s, %q, want %s, %q", name, v.State, v.Text, c.state, c.text)
		}
		if v.Menu[0].Text != v.Text {
			t.Errorf("%s: the menu begins with %q", name, v.Menu[0].Text)
		}
	}
}

// TestGreenIsProved: whatever the agent says, it is in sync only if it says that of everything.
func TestGreenIsProved(t *testing.T) {
	for _, state := range []string{"", "off", "opening", "idle", "syncing", "retrying", "lost", "held", "paused", "else"} {
		for bits := range 1 << 6 {
			f := status(state, func(s *control.Status) {
				st := &s.Stores[0]
				for i, spoil := range []func(){func() { s.AlwaysOn = false }, func() { s.Verified = nil }, func() { st.Pending = 1 },
					func() { st.Problems = 1 }, func() { st.Differ = 1 }, func() { st.Unavailable = "gone" }} {
					if bits>>i&1 == 1 {
						spoil()
					}
				}
			})
			if green := Look(&f, noon).State == InSync; green != (state == "idle" && bits == 0) {
				t.Errorf("%s, %b: green is %v", state, bits, green)
			}
		}
	}
}

func labels(items []Item) (out []string) {
	for _, it := range items {
		switch {
		case it.Hidden || it.Line:
			continue
		case it.Disabled:
			out = append(out, "("+it.Text+")")
		case it.Checked:
			out = append(out, "✓ "+it.Text)
		default:
			out = append(out, it.Text)
		}
		for _, sub := range labels(it.Sub) {
			out = append(out, "  "+sub)
		}
	}
	return out
}

func TestMenu(t *testing.T) {
	busy := status("idle", func(s *control.Status) { s.Problem = control.Credentials; s.Advice = "alwayson login --push" })
	busy.Conflicts = []control.Conflict{{Item: "a.ics"}, {Item: "b.ics"}}
	for i := range 12 {
		busy.Log = append(busy.Log, control.Exchange{At: *at(i), Stores: []control.StoreExchange{{Name: "mail", Sent: i, Received: 1}}})
	}
	busy.Log = append(busy.Log, control.Exchange{At: *at(13)}, control.Exchange{At: *at(14), Error: strings.Repeat("long ", 50)})
	paused := status("paused", nil)
	down := Facts{Down: *at(-1), Start: "alwayson service start", Status: busy.Status}
	slow := status("idle", func(s *control.Status) {
		s.Stores[0].Polled, s.Stores[1].Polled = "the limit of inotify is reached", "the limit of inotify is reached"
	})
	locked := status("idle", func(s *control.Status) {
		s.Problem, s.NoSecret, s.Advice = control.Credentials, "the keyring is locked", "unlock it"
	})
	unpushed := status("idle", func(s *control.Status) {
		s.Problem, s.Push.State, s.Advice = control.Credentials, "held", "unlock it"
	})
	for name, c := range map[string]struct {
		facts Facts
		want  []string
	}{
		"nothing known": {Facts{}, []string{"(Checking…)", "(Always-On)", "(Sync now)", "(Pause)", "  For 1 hour", "  Until tomorrow", "  Until I resume",
			"(Recent activity)", "  (Nothing has changed yet)", "(Open status page)", "Quit tray (sync continues)"}},
		"busy": {busy, []string{"(Sign in again, 2 conflicts)", "✓ Always-On", "Sync now", "Pause", "  For 1 hour", "  Until tomorrow", "  Until I resume",
			"Needs attention (2)", "  Sign in again: alwayson login --push", "  2 conflicts: alwayson conflict list",
			"Recent activity", "  (14:16  long long long long long long long long long long long long…)", "  (14:13  mail → 11 ← 1)", "  (14:12  mail → 10 ← 1)",
			"  (14:11  mail → 9 ← 1)", "  (14:10  mail → 8 ← 1)", "  (14:09  mail → 7 ← 1)", "  (14:08  mail → 6 ← 1)", "  (14:07  mail → 5 ← 1)",
			"  (14:06  mail → 4 ← 1)", "  (14:05  mail → 3 ← 1)", "Open status page", "Quit tray (sync continues)"}},
		"polled": {slow, []string{"(In sync, verified 14:02)", "(mail, tasks looked at every 30 s: the limit of inotify is reached)", "✓ Always-On", "Sync now",
			"Pause", "  For 1 hour", "  Until tomorrow", "  Until I resume", "(Recent activity)", "  (Nothing has changed yet)", "Open status page", "Quit tray (sync continues)"}},
		"no secret": {locked, []string{"(Secret cannot be read)", "✓ Always-On", "Sync now", "Pause", "  For 1 hour", "  Until tomorrow", "  Until I resume",
			"Needs attention (1)", "  Secret cannot be read: unlock it", "(Recent activity)", "  (Nothing has changed yet)", "Open status page", "Quit tray (sync continues)"}},
		"no secret for the broker": {unpushed, []string{"(Secret cannot be read)", "✓ Always-On", "Sync now", "Pause", "  For 1 hour", "  Until tomorrow", "  Until I resume",
			"Needs attention (1)", "  Secret cannot be read: unlock it", "(Recent activity)", "  (Nothing has changed yet)", "Open status page", "Quit tray (sync continues)"}},
		"paused": {paused, []string{"(Paused until you resume)", "✓ Always-On", "Sync now", "Resume", "(Recent activity)", "  (Nothing has changed yet)",
			"Open status page", "Quit tray (sync continues)"}},
		"down": {down, []string{"(Sync service is not running)", "(Always-On)", "(Sync now)", "(Pause)", "  For 1 hour", "  Until tomorrow", "  Until I resume",
			"Needs attention (2)", "  Sync service is not running: alwayson service start", "  Sign in again: alwayson login --push", "(Recent activity)", "  (Nothing has changed yet)",
			"(Open status page)", "Quit tray (sync continues)"}},
	} {
		if diff := cmp.Diff(c.want, labels(Look(&c.facts, noon).Menu)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestHowToStart: of a service that is there, the service manager takes care.
func TestHowToStart(t *testing.T) {
	for answer, want := range map[string]string{`{"installed":true}`: "alwayson service start", `{"installed":false}`: "alwayson run", "": "alwayson run"} {
		if got := startOf([]byte(answer)); got != want {
			t.Errorf("%q: %s", answer, got)
		}
	}
}

// TestTheMenuHasAlwaysTheSameLines: a panel keeps them, and changes only what they say.
func TestTheMenuHasAlwaysTheSameLines(t *testing.T) {
	many := status("idle", func(s *control.Status) { s.Stores = make([]control.Store, 40) })
	for i := range many.Status.Stores {
		many.Status.Stores[i].Problems = 1
	}
	empty, full := Look(&Facts{}, noon).Menu, Look(&many, noon).Menu
	for i := range full {
		if len(full) != len(empty) || len(full[i].Sub) != len(empty[i].Sub) || full[i].Line != empty[i].Line {
			t.Errorf("line %d: %+v, %+v", i, full[i], empty[i])
		}
	}
}

func TestPauses(t *testing.T) {
	if got := endOf(PauseHour, noon); got != noon.Add(time.Hour) {
		t.Error(got)
	}
	if got := endOf(PauseToday, noon); got != time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) {
		t.Error(got)
	}
	if !endOf(PauseOpen, noon).IsZero() {
		t.Error("a pause until the user resumes has an end")
	}
}
