// Package chaos takes the network away from a real agent and a real site in every way and at every moment that matters, and gives it back.
package chaos

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/alwayson-sync/alwayson/ds/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The four questions of L9.
type (
	length string
	outage string
	phase  string
	mishap string
)

const (
	transient length = "transient"
	permanent length = "permanent"

	deviceNet  outage = "device network"
	brokerOnly outage = "broker only"
	serverOnly outage = "DS server only"
	both       outage = "both"

	idle        phase = "idle"
	midUpload   phase = "mid-upload"
	midDownload phase = "mid-download"
	midMap      phase = "mid-map"

	nothing        mishap = "nothing else"
	deviceSleeps   mishap = "device sleeps"
	deviceRestarts mishap = "device restarts"
	serverRestarts mishap = "server restarts"
	leaseGone      mishap = "lease gone on the server"
)

// cell is one place of the matrix. Cells with an odd number lose the message itself, the others its answer.
type cell struct {
	n      int
	length length
	outage outage
	phase  phase
	mishap mishap
}

func (c cell) String() string {
	return fmt.Sprintf("%s loss of %s, %s, %s", c.length, c.outage, c.phase, c.mishap)
}

func matrix() (all []cell) {
	for _, l := range []length{transient, permanent} {
		for _, o := range []outage{deviceNet, brokerOnly, serverOnly, both} {
			for _, p := range []phase{idle, midUpload, midDownload, midMap} {
				for _, m := range []mishap{nothing, deviceSleeps, deviceRestarts, serverRestarts, leaseGone} {
					all = append(all, cell{len(all), l, o, p, m})
				}
			}
		}
	}
	return all
}

const (
	message = 3000             // octets of a message, so that an upload and a download are several
	bound   = 30 * time.Second // of every wait; all of them end by events
	abreast = 6                // worlds at a time: they wait most of the time
)

var devices, edits atomic.Int64

// config makes permanent what lasts three attempts, or nothing. Without its broker alone a device makes none that fail.
func (c cell) config() session.Config {
	s := session.Config{Attempts: 1 << 30, GiveUp: time.Hour, Backoff: 20 * time.Millisecond, MaxPause: 100 * time.Millisecond,
		Probe: 50 * time.Millisecond, Poll: time.Hour}
	if c.length == permanent && c.outage != brokerOnly {
		s.Attempts, s.Backoff = 3, 5*time.Millisecond
	}
	return s
}

// TestEveryLossHeals is L9 as a whole, and in each cell L1, L2, L5, L7, L8, L10, L12 and L13.
func TestEveryLossHeals(t *testing.T) {
	cells := make(chan cell)
	var wg sync.WaitGroup
	var times sample
	for range abreast {
		h := newHouse(t, "")
		wg.Go(func() {
			for c := range cells {
				t.Run(c.String(), func(t *testing.T) { times.add(heals(t, c, h)) })
			}
		})
	}
	for _, c := range matrix() {
		cells <- c
	}
	close(cells)
	wg.Wait()
	t.Logf("in sync after the line was back, %s", &times)
}

// heals plays one cell and returns how long it took from the line being back until all was in sync.
func heals(t *testing.T, c cell, h *house) time.Duration {
	w := newWorld(t, h, c.config())
	before, logged := w.until("quiet", quiet), len(w.log())
	w.lose(c)
	w.editBoth(c, 1)
	w.reach(c)
	w.happen(c)
	began := time.Now()
	w.heal(c)
	after := w.settles()
	took := time.Since(began)
	t.Logf("in sync after %v", took.Round(time.Millisecond))
	w.fence()
	w.judge(c, before, after, w.log()[logged:])
	return took
}
