package tray

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent/control"
)

// day feeds a ledger with facts, each at its minute, and returns what the user was told.
type day struct {
	book *ledger
	said []string
}

func (d *day) hear(minute int, f Facts) {
	now := *at(minute)
	v := Look(&f, now)
	for _, n := range d.book.update(&f, &v, now) {
		what := n.Title
		if n.Gone {
			what = "withdrawn " + n.Key
		}
		d.said = append(d.said, fmt.Sprintf("%d %s", minute, what))
	}
}

func (d *day) is(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(d.said)
	slices.Sort(want)
	if diff := cmp.Diff(want, d.said); diff != "" {
		t.Error(diff)
	}
}

func conflictFacts(n int) Facts {
	f := status("idle", nil)
	f.Conflicts = make([]control.Conflict, n)
	return f
}

// TestOnceAnHour: a cause is told once, changes what it says at most once an hour, and is withdrawn when the user has solved it.
func TestOnceAnHour(t *testing.T) {
	d := day{book: newLedger(Problems)}
	d.hear(0, conflictFacts(1))
	d.hear(1, conflictFacts(1))
	d.hear(2, conflictFacts(2))
	d.hear(61, conflictFacts(2))
	d.hear(200, conflictFacts(2))
	d.hear(201, conflictFacts(0))
	d.hear(202, conflictFacts(0))
	d.is(t, "0 1 conflict", "61 2 conflicts", "201 withdrawn conflicts")
}

// TestACauseThatComesAndGoes is told again after an hour only, and then if it is there.
func TestACauseThatComesAndGoes(t *testing.T) {
	d := day{book: newLedger(Problems)}
	for minute := range 62 {
		d.hear(minute, conflictFacts((minute+1)%2))
	}
	d.is(t, "0 1 conflict", "1 withdrawn conflicts", "60 1 conflict", "61 withdrawn conflicts")
}

// TestADayOfAFlappingNetwork is a day without a word (pain 26).
func TestADayOfAFlappingNetwork(t *testing.T) {
	d := day{book: newLedger(Problems)}
	waits := func(s *control.Status) { s.Network, s.Stores[0].Pending, s.Stores[0].Oldest = "", 1, at(0) }
	for minute := 0; minute < 24*60; minute += 3 {
		d.hear(minute, status("retrying", waits))
		d.hear(minute+1, status("lost", waits))
		d.hear(minute+2, status("idle", nil))
	}
	d.is(t)
}

// TestAServerThatIsAwayForLong is told at the threshold, and at the end (pain 1).
func TestAServerThatIsAwayForLong(t *testing.T) {
	d := day{book: newLedger(Problems)}
	for minute := range 150 {
		d.hear(minute, status("lost", func(s *control.Status) { s.Stores[0].Pending, s.Stores[0].Oldest = 1, at(0) }))
	}
	d.hear(150, status("idle", nil))
	d.is(t, "120 1 change not sent since 14:02", "150 Everything is on the server again")
}

// TestAServiceThatStops is told after a minute, if nobody has started it again.
func TestAServiceThatStops(t *testing.T) {
	d := day{book: newLedger(Problems)}
	down := status("idle", nil)
	d.hear(0, down)
	down.Down = noon.Add(time.Minute)
	d.hear(1, down)
	d.hear(2, down)
	d.hear(3, status("idle", nil))
	down.Down = noon.Add(100 * time.Minute)
	d.hear(100, down)
	d.hear(101, status("idle", nil))
	d.is(t, "2 Sync service is not running", "3 The sync service is running again")
}

func TestLevels(t *testing.T) {
	for level, want := range map[Level][]string{
		None:     nil,
		Problems: {"6 1 conflict", "7 withdrawn conflicts"},
		Changes:  {"6 1 conflict", "7 withdrawn conflicts", "2 Always-On is off", "3 In sync, verified 14:02", "5 Connection lost since 13:20 - reconnects by itself"},
		All: {"6 1 conflict", "7 withdrawn conflicts", "2 Always-On is off", "3 In sync, verified 14:02", "5 Connection lost since 13:20 - reconnects by itself",
			"8 mail → 1 ← 2"},
	} {
		d := day{book: newLedger(level)}
		log := []control.Exchange{{At: *at(0), Stores: []control.StoreExchange{{Name: "mail", Sent: 7}}}}
		quiet := func() Facts { f := status("idle", nil); f.Log = log; return f }
		d.hear(0, quiet())
		d.hear(1, status("syncing", func(s *control.Status) { s.Running = "safety poll" }))
		d.hear(2, status("off", func(s *control.Status) { s.AlwaysOn = false }))
		d.hear(3, quiet())
		d.hear(4, status("retrying", nil))
		d.hear(5, status("lost", nil))
		d.hear(6, conflictFacts(1))
		d.hear(7, quiet())
		log = append(log, control.Exchange{At: *at(8), Stores: []control.StoreExchange{{Name: "mail", Sent: 1, Received: 2}}})
		d.hear(8, quiet())
		d.is(t, want...)
	}
	if _, err := ParseLevel("some"); err == nil {
		t.Error("some is no level")
	}
}

// TestAStoreThatIsAwayForAMoment is no news: a folder may be mounted late.
func TestAStoreThatIsAwayForAMoment(t *testing.T) {
	away := func(s *control.Status) { s.Stores[1].Unavailable = "no such folder" }
	d := day{book: newLedger(Problems)}
	d.hear(0, status("idle", away))
	d.hear(1, status("idle", nil))
	d.hear(2, status("idle", away))
	d.hear(3, status("idle", away))
	d.hear(4, status("idle", away))
	d.hear(5, status("idle", nil))
	d.is(t, "3 tasks cannot be read", "5 tasks can be read again")
}

// TestTheAdministrator is told of when he changes something, not of what he had changed before.
func TestTheAdministrator(t *testing.T) {
	setting := func(key, origin string, minute int) control.Setting {
		return control.Setting{Key: key, Value: "v", Origin: origin, Set: at(minute)}
	}
	d := day{book: newLedger(Changes)}
	f := status("idle", nil)
	for minute, more := range [][]control.Setting{nil, {{Key: "plain"}}, {setting("poll", "administrator", 2)}, nil, {setting("poll", "user", 4)},
		{setting("a", "administrator", 5), setting("b", "administrator", 5)}} {
		f.Settings = append(f.Settings, more...)
		d.hear(minute, f)
	}
	d.is(t, "2 Your administrator changed 1 setting", "5 Your administrator changed 2 settings")
}

// TestWhatTheUserAskedFor is withdrawn, too, whatever he wants to be told by itself.
func TestWhatTheUserAskedFor(t *testing.T) {
	d := day{book: newLedger(None)}
	f := conflictFacts(1)
	d.hear(0, f)
	for _, c := range f.causes(noon) {
		d.said = append(d.said, "asked for "+d.book.tell(&c, noon).Title)
	}
	d.hear(1, f)
	d.hear(2, conflictFacts(0))
	d.is(t, "asked for 1 conflict", "2 withdrawn conflicts")
}

// TestAnAgentThatIsGone has solved nothing: what was told stays.
func TestAnAgentThatIsGone(t *testing.T) {
	d := day{book: newLedger(Problems)}
	away := status("idle", func(s *control.Status) { s.Stores[0].Unavailable = "no such folder" })
	d.hear(0, away)
	d.hear(1, away)
	away.Down = noon.Add(2 * time.Minute)
	d.hear(2, away)
	d.hear(3, away)
	d.hear(4, status("idle", nil))
	d.is(t, "1 mail cannot be read", "3 Sync service is not running", "4 The sync service is running again", "4 mail can be read again")
}
