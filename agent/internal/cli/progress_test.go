package cli

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
)

func TestProgressLine(t *testing.T) {
	s := control.Status{Running: "asked by the user", Stores: []control.Store{{Name: "contacts"}, {Name: "mail", Received: 100, Total: 500}, {Name: "notes", Sent: 20}}}
	if got, want := progressLine(&s, 10*time.Second), "mail 100/500, notes 20/20; 12 a second, 33s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := progressLine(&control.Status{Stores: s.Stores}, time.Second); got != "" {
		t.Errorf("nothing runs, and it says %q", got)
	}
}

func TestTimesAsPeopleTypeThem(t *testing.T) {
	for _, s := range []string{"2026-11-24 18:00", "2026-11-24", "18:00", "2h", "3d", "2w", "2026-11-24T18:00:00Z"} {
		if at, err := parseTime(s); err != nil || at.Year() < 2020 {
			t.Errorf("%q: %v %v", s, at, err)
		}
	}
	for _, s := range []string{"", "yesterday", "3x", "-2h", "d"} {
		if at, err := parseTime(s); err == nil {
			t.Errorf("%q is %v", s, at)
		}
	}
}
