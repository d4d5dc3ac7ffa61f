package ladder_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/ladder"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
)

// world is a device that can be carried into other networks.
type world struct {
	t    *testing.T
	db   kv.Store
	now  time.Time
	here link.Network
	*ladder.Ladder
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, db: new(memkv.Store), now: time.Unix(1_000_000, 0)}
	w.in("eth0", "192.0.2.1", "")
	w.open("best", "second", "third")
	return w
}

// open is also a restart.
func (w *world) open(rungs ...string) {
	w.t.Helper()
	var err error
	w.Ladder, err = ladder.Open(ladder.Options{Rungs: rungs, DB: w.db, Here: func() link.Network { return w.here },
		Now: func() time.Time { return w.now }, Every: 24 * time.Hour})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) in(name, gateway, hardware string) {
	w.here = link.Network{Ways: []link.Interface{{Name: name}}, Gateway: gateway, Hardware: hardware}
}

func (w *world) reached(rung string) {
	w.t.Helper()
	if err := w.Reached(rung); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) order(want ...string) {
	w.t.Helper()
	if got := w.Order(); !slices.Equal(got, want) {
		w.t.Errorf("%v, want %v", got, want)
	}
}

// TestWhatWorkedComesFirst in the network in which it worked, over a restart, until a better way has.
func TestWhatWorkedComesFirst(t *testing.T) {
	w := newWorld(t)
	w.order("best", "second", "third")
	w.reached("third")
	w.order("third", "best", "second")
	w.open("best", "second", "third")
	w.order("third", "best", "second")
	w.in("wlan0", "192.0.2.1", "")
	w.order("best", "second", "third")
	w.reached("second")
	w.in("eth0", "192.0.2.1", "")
	w.order("third", "best", "second")
	w.reached("best") // the third did not work any more
	w.order("best", "second", "third")
	w.in("wlan0", "192.0.2.1", "")
	w.order("second", "best", "third")
	w.open("best", "other") // in the configuration
	w.order("best", "other")
}

// TestABetterWayIsTriedOnceADay, also after the clock was set back.
func TestABetterWayIsTriedOnceADay(t *testing.T) {
	w := newWorld(t)
	w.order("best", "second", "third")
	w.reached("third")
	for range 3 {
		w.now = w.now.Add(23 * time.Hour)
		if w.Due() {
			t.Error("too early")
		}
		w.order("third", "best", "second")
		w.reached("third")
		w.now = w.now.Add(time.Hour)
		if !w.Due() {
			t.Error("not due")
		}
		w.order("best", "second", "third")
		w.reached("third")
		w.order("third", "best", "second")
	}
	w.now = w.now.Add(-time.Hour)
	w.order("best", "second", "third")
}

// TestARouterOfTheSameAddressIsAnotherNetwork, once it is known which one it is.
func TestARouterOfTheSameAddressIsAnotherNetwork(t *testing.T) {
	w := newWorld(t)
	w.order("best", "second", "third")
	w.in("eth0", "192.0.2.1", "02:00:00:00:00:01")
	w.reached("second")
	w.in("eth0", "192.0.2.1", "") // nothing was sent to the router yet
	w.order("second", "best", "third")
	w.in("eth0", "192.0.2.1", "02:00:00:00:00:02")
	w.order("best", "second", "third")
}

// TestAFewNetworksAreRemembered.
func TestAFewNetworksAreRemembered(t *testing.T) {
	w := newWorld(t)
	for i := range 100 {
		w.now = w.now.Add(time.Minute)
		w.in("eth0", strconv.Itoa(i), "")
		w.reached("second")
	}
	w.order("second", "best", "third")
	w.in("eth0", "20", "")
	w.order("best", "second", "third")
}
