package link

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a watcher whose events and clocks the test makes, in a bubble.
type fake struct {
	events chan event
	hints  chan string
	sleep  atomic.Int64 // nanoseconds that the device has slept
}

// watch runs test with a watcher that knows of one working interface.
func watch(t *testing.T, test func(f *fake)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{events: make(chan event), hints: make(chan string, 100)}
		began := time.Now()
		w := &watcher{events: f.events, hint: func(reason string) { f.hints <- reason }, clock: func() reading {
			return reading{wall: time.Now().Round(0).Add(time.Duration(f.sleep.Load())), ran: time.Since(began)}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); w.run(ctx) }()
		for _, text := range []string{"c2", "a2.1", "ready"} {
			f.events <- read(t, text)
		}
		test(f)
		cancel()
		<-ended
	})
}

// after lets time pass and returns what was told meanwhile.
func (f *fake) after(d time.Duration) (out []string) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
	for len(f.hints) > 0 {
		out = append(out, <-f.hints)
	}
	return out
}

// TestWhatComesTogetherIsOneHint, and it does not wait for the last of it. What goes is told at once.
func TestWhatComesTogetherIsOneHint(t *testing.T) {
	watch(t, func(f *fake) {
		for _, text := range []string{"-c2", "c2", "a2.2", "r2.1"} {
			f.events <- read(t, text)
		}
		if got := f.after(settle - 1); len(got) != 1 || got[0] != Lost {
			t.Errorf("too early: %v", got)
		}
		f.events <- read(t, "a2.3")
		if got := f.after(1); len(got) != 1 || got[0] != Changed {
			t.Errorf("told %v", got)
		}
		if got := f.after(time.Hour); len(got) != 0 {
			t.Errorf("told again: %v", got)
		}
		f.events <- read(t, "a2.4")
		if got := f.after(settle); len(got) != 1 {
			t.Errorf("told %v", got)
		}
	})
}

// TestAQuietNetworkIsQuiet (G3).
func TestAQuietNetworkIsQuiet(t *testing.T) {
	watch(t, func(f *fake) {
		for range 1000 {
			f.events <- read(t, "a2.1") // as routers tell it all day
			if got := f.after(time.Minute); len(got) != 0 {
				t.Fatalf("told %v", got)
			}
		}
	})
}

// TestSleepIsToldAtTheNextBeat.
func TestSleepIsToldAtTheNextBeat(t *testing.T) {
	watch(t, func(f *fake) {
		f.sleep.Store(int64(time.Hour))
		if got := f.after(beat); len(got) != 1 || got[0] != Resumed {
			t.Errorf("told %v", got)
		}
		if got := f.after(time.Hour); len(got) != 0 {
			t.Errorf("told again: %v", got)
		}
	})
}

// TestPollingTellsDifferences.
func TestPollingTellsDifferences(t *testing.T) {
	set := func(texts ...string) map[event]bool {
		out := make(map[event]bool)
		for _, text := range texts {
			out[read(t, text)] = true
		}
		return out
	}
	var j judge
	var former map[event]bool
	for i, tt := range []struct {
		now  map[event]bool
		news bool
	}{
		{set("c2", "a2.1"), false},
		{set("c2", "a2.1"), false},
		{set("a2.1"), false},
		{set("c2", "a2.1"), true},
		{set("c2", "a2.2"), true},
		{set(), false},
		{set("c3", "a3.1"), true},
	} {
		news := false
		for _, e := range difference(former, tt.now) {
			news = j.news(e) == gained || news
		}
		j.news(event{kind: ready})
		if former = tt.now; news != tt.news {
			t.Errorf("look %d: news is %v", i, news)
		}
	}
}

// server is a http.RoundTripper that answers after a time.
type server time.Duration

func (s server) RoundTrip(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(time.Duration(s)):
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("answer"))}, nil
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
}

// TestAChangeGivesUpWhatWaits: what was sent over the former network may wait for ever, but one that is about to be answered is.
func TestAChangeGivesUpWhatWaits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes time.Duration
		cuts  []time.Duration // after the beginning
		ends  time.Duration
		want  error
	}{
		{"no change", time.Minute, nil, time.Minute, nil},
		{"it waits for long", time.Minute, []time.Duration{2 * time.Second}, 2 * time.Second, ErrChanged},
		{"it has just begun and is answered", patience - 1, []time.Duration{patience / 2}, patience - 1, nil},
		{"it has just begun and is not", time.Minute, []time.Duration{patience / 2}, patience, ErrChanged},
		{"the network changes again", time.Minute, []time.Duration{patience / 4, patience / 2}, patience, ErrChanged},
		{"it is over", patience, []time.Duration{2 * patience}, patience, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := NewGuard(server(tt.takes))
				for _, at := range tt.cuts {
					time.AfterFunc(at, g.Cut)
				}
				began := time.Now()
				err := fetch(t, g)
				if took := time.Since(began); !errors.Is(err, tt.want) || took != tt.ends {
					t.Errorf("after %v: %v, want after %v: %v", took, err, tt.ends, tt.want)
				}
				time.Sleep(3 * patience)
				if len(g.flights) != 0 {
					t.Errorf("%d requests are remembered", len(g.flights))
				}
			})
		})
	}
}

func fetch(t *testing.T, g *Guard) error {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server/", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := g.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	return err
}
