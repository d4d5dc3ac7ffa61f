package link

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestWhatIsNews plays events. A word is one: c carrier, a address, r default route, ? events were lost, each with its interface and, behind a
// dot, which of several; - is gone; a following ! is that it must be known as a gain, and ~ as a loss.
func TestWhatIsNews(t *testing.T) {
	for _, tt := range []struct{ name, events string }{
		{"what is there at the start is none", "c2 a2.1 r2.1 ready c2 a2.1 r2.1"},
		{"a cable is put back in", "c2 a2.1 r2.1 ready -c2~ c2!"},
		{"the interface goes down with its routes, of which the kernel does not tell", "c2 a2.1 r2.1 ready -c2~ -a2.1 c2 a2.1! r2.1!"},
		{"another network over the same interface", "c2 a2.1 r2.1 ready -a2.1~ -r2.1~ a2.2! r2.2!"},
		{"a second address", "c2 a2.1 ready a2.2!"},
		{"the router tells its prefix again and again", "c2 a2.1 ready a2.1 a2.1 c2 c2"},
		{"another gateway", "c2 a2.1 r2.1 ready r2.2! -r2.1~"},
		{"an address without a carrier waits for it", "ready a2.1 r2.1 c2!"},
		{"the end of a container's cable has no address", "c2 a2.1 ready c7 -c7 c8"},
		{"a virtual private network comes up", "c2 a2.1 r2.1 ready c9 a9.1! r9.1!"},
		{"what goes, half by half", "c2 a2.1 r2.1 c3 a3.1 ready -r2.1~ -a2.1~ -c2 -a2.1"},
		{"a route over several interfaces", "c2 a2.1 ready r0.1!"},
		{"events were lost", "c2 a2.1 ready ?! c2 a2.1!"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var j judge
			for word := range strings.FieldsSeq(tt.events) {
				text := strings.TrimRight(word, "!~")
				want := map[string]news{"": none, "!": gained, "~": lost}[word[len(text):]]
				if got := j.news(read(t, text)); got != want {
					t.Errorf("%s: news is %d, not %d", word, got, want)
				}
			}
		})
	}
}

func read(t *testing.T, text string) (e event) {
	t.Helper()
	text, e.gone = strings.CutPrefix(text, "-")
	switch text {
	case "ready":
		return event{kind: ready}
	case "?":
		return event{kind: unsure}
	}
	e.kind = map[byte]kind{'c': carrier, 'a': address, 'r': route}[text[0]]
	index, what, _ := strings.Cut(text[1:], ".")
	e.what = what
	var err error
	if e.link, err = strconv.Atoi(index); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestSleepShowsInTheClocks: what each clock says since the last beat, and whether the device has slept.
func TestSleepShowsInTheClocks(t *testing.T) {
	for _, tt := range []struct {
		name      string
		wall, ran time.Duration
		slept     bool
	}{
		{"a beat", beat, beat, false},
		{"a busy machine", beat + 3*time.Second, beat + 3*time.Second, false},
		{"time is corrected", beat + 2*time.Second, beat, false},
		{"a night, and the program's clock stood", 8 * time.Hour, 2 * time.Second, true},
		{"a night, and the program's clock went on", 8 * time.Hour, 8 * time.Hour, true},
		{"twenty seconds", 20 * time.Second, beat, true},
		{"the clock is set back", -time.Hour, beat, false},
		{"the clock is set forward", time.Hour, beat, true}, // cannot be told apart
	} {
		var j judge
		at := reading{wall: time.Unix(1_000_000, 0), ran: time.Minute}
		j.start(at)
		now := reading{wall: at.wall.Add(tt.wall), ran: at.ran + tt.ran}
		if got := j.slept(now); got != tt.slept {
			t.Errorf("%s: slept is %v", tt.name, got)
		}
		if j.slept(reading{wall: now.wall.Add(beat), ran: now.ran + beat}) {
			t.Errorf("%s: it is told twice", tt.name)
		}
	}
}
