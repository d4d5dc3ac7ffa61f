package chaos

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/mqtt/broker"
	"github.com/alwayson-sync/alwayson/mqtt/pahoclient"
)

// spy reads everything that goes through a broker.
type spy struct {
	connected chan struct{}
	presence  chan string

	mu       sync.Mutex
	notified int // guarded by mu
}

func newSpy(t *testing.T, url string) *spy {
	s := &spy{connected: make(chan struct{}, 100), presence: make(chan string, 100)}
	c, err := pahoclient.New(mqtt.Config{Broker: url, ClientID: "spy", MinPause: time.Millisecond, MaxPause: 10 * time.Millisecond,
		Credentials: func() (string, string) { return "spy", "" }, Topics: []string{"alwayson/+/notify", "alwayson/+/presence"},
		Received: s.received, Connected: func(bool) { s.connected <- struct{}{} }, Lost: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-s.connected
	return s
}

func (s *spy) received(m mqtt.Message) {
	if strings.HasSuffix(m.Topic, "/presence") {
		s.presence <- string(m.Payload)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notified++
}

func (s *spy) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.notified
}

// until waits for a presence.
func (s *spy) until(t *testing.T, want string) {
	t.Helper()
	deadline := time.After(bound)
	for {
		select {
		case got := <-s.presence:
			if got == want {
				return
			}
		case <-deadline:
			t.Fatalf("the device is not %s", want)
		}
	}
}

// TestNothingPilesUpForADeviceThatIsAway is L11: that a device is gone shows on the broker at once, and however much changes meanwhile, there
// is one notification for it. That the server gives the session up when the lease has run out is TestALeaseRunsOut of ds/dsserver.
func TestNothingPilesUpForADeviceThatIsAway(t *testing.T) {
	b, err := broker.Start(broker.Options{StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	s := newSpy(t, b.URL())
	w := newWorld(t, newHouse(t, b.URL()), session.DefaultConfig())
	s.until(t, "online")
	w.cut(both)
	s.until(t, "offline")
	before := s.count()
	for range 100 {
		w.serve("c0")
	}
	w.serve("m1")
	w.cut("")
	w.hint("the network has changed")
	w.settles()
	s.until(t, "online")
	w.fence()
	now := w.until("pushed", func(s control.Status) bool { return s.Push.State == "connected" && quiet(s) })
	w.serve("m2") // the device hears of it behind all that went before
	w.until("woken", func(s control.Status) bool {
		return quiet(s) && s.Push.LastTrigger != nil && (now.Push.LastTrigger == nil || s.Push.LastTrigger.After(*now.Push.LastTrigger))
	})
	w.settles()
	if n := s.count() - before; n < 1 || n > 5 {
		t.Errorf("%d notifications for 102 changes", n)
	}
}
