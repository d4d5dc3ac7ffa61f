package session_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/session"
)

var update = flag.Bool("update", false, "write what the machine does into the transcripts, to be read before it is committed")

// TestTranscripts plays each file of testdata: a line is an event with the seconds at which it comes, what follows
// indented is what the machine must do and the state it must be in. Among them are T1 to T3, T7, L3 to L6, L10, L12 and A8.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { play(t, path) })
	}
}

func play(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := session.DefaultConfig()
	c.Attempts = 3
	m := session.New(session.Record{}, c)
	var got strings.Builder
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") || line == "" {
			got.WriteString(line + "\n")
			continue
		}
		if strings.HasPrefix(line, "  ") {
			continue
		}
		got.WriteString(line + "\n")
		if line == "restart" {
			m = session.New(m.Record, c)
			continue
		}
		now, event := parse(t, line)
		for _, a := range m.Handle(now, event) {
			if s := show(a); s != "" {
				got.WriteString("  " + s + "\n")
			}
		}
		got.WriteString("  = " + strings.TrimSpace(fmt.Sprintf("%s %s", m.State, ending(m))) + "\n")
	}
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(text) {
		t.Errorf("the machine did\n%s", got.String())
	}
}

func ending(m *session.Machine) string {
	if m.ID != "" {
		return m.ID
	}
	return string(m.Ending)
}

var epoch = time.Unix(1_000_000, 0)

func parse(t *testing.T, line string) (time.Time, session.Event) {
	t.Helper()
	var sec int
	var name, arg string
	if n, _ := fmt.Sscan(line, &sec, &name, &arg); n < 2 {
		t.Fatalf("cannot read %q", line)
	}
	results := map[string]session.Result{"ok": session.OK, "unknown": session.Unknown, "nolink": session.NoLink,
		"invalid": session.Invalid, "aged": session.Aged, "failed": session.Failed, "uncertified": session.Uncertified}
	events := map[string]session.Event{"start": session.Start{}, "on": session.SwitchOn{}, "off": session.SwitchOff{}, "resume": session.Resume{}, "linkup": session.LinkUp{},
		"password": session.Credentials{}, "tick": session.Tick{}, "closed": session.Closed{}, "local": session.Wanted{Cause: session.CauseLocal},
		"trigger": session.Wanted{Cause: session.CauseServer}, "manual": session.Wanted{Cause: session.CauseUser, Force: true}, "settings": session.Reconfigure{Reason: "settings"}, "open": session.OpenSession{}, "close": session.CloseSession{}}
	at := epoch.Add(time.Duration(sec) * time.Second)
	if name == "pause" {
		var until time.Time
		if n, err := strconv.Atoi(arg); err == nil {
			until = epoch.Add(time.Duration(n) * time.Second)
		}
		return at, session.Pause{Until: until}
	}
	if slow, ok := map[string]session.Result{"busy": session.Failed, "portal": session.Intercepted}[name]; ok {
		after, err := time.ParseDuration(arg)
		if err != nil {
			t.Fatal(err)
		}
		return at, session.Done{Result: slow, Reason: name, After: after}
	}
	if r, ok := results[name]; ok {
		return at, session.Done{Result: r, Session: arg, Reason: name}
	}
	if events[name] == nil {
		t.Fatalf("unknown event %q", name)
	}
	return at, events[name]
}

func show(a session.Action) string {
	switch a := a.(type) {
	case session.Run:
		if a.Greet {
			return "greet: " + string(a.Cause)
		}
		if a.Open {
			return "open: " + string(a.Cause)
		}
		return strings.TrimSpace("sync " + a.Session + ": " + string(a.Cause))
	case session.Close:
		return "close " + a.Session
	case session.Switch:
		return "switch"
	case session.WakeAt:
		if !a.At.IsZero() {
			return fmt.Sprintf("wake at %.0f", a.At.Sub(epoch).Seconds())
		}
	}
	return ""
}
