// Package ladder decides by which of its addresses a broker is tried first: by the one that worked in the network in which the device is. It is
// remembered for each network, also over restarts.
package ladder

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
)

// Options of a Ladder. All must be set.
type Options struct {
	// Rungs are the addresses, the best one first.
	Rungs []string
	DB    kv.Store
	Here  func() link.Network
	Now   func() time.Time
	// Every is how often the better ones are tried in a network in which they did not work.
	Every time.Duration
}

// Ladder may be used from any goroutine.
type Ladder struct {
	o Options

	mu    sync.Mutex
	known []place // guarded by mu
	// all tells that the attempt under way begins with the best one; guarded by mu.
	all bool
}

// place is a network in which the best address did not work.
type place struct {
	Network link.Network
	Rung    string    // that did
	Looked  time.Time // when the better ones were tried last
}

const (
	placesKey = "broker-ways"
	// places is how many are remembered; the one that was looked at longest ago goes first.
	places = 50
)

// Open reads what is remembered.
func Open(o Options) (*Ladder, error) {
	l := &Ladder{o: o}
	if err := kv.LoadJSON(o.DB, placesKey, &l.known); err != nil {
		return nil, fmt.Errorf("cannot read by which way the broker was reached: %w", err)
	}
	return l, nil
}

// Order is in which order the addresses are to be tried now.
func (l *Ladder) Order() []string {
	here := l.o.Here()
	l.mu.Lock()
	defer l.mu.Unlock()
	order := slices.Clone(l.o.Rungs)
	i := l.findLocked(here)
	if l.all = i < 0 || l.dueLocked(i); l.all {
		return order
	}
	first := l.known[i].Rung
	return append([]string{first}, slices.DeleteFunc(order, func(s string) bool { return s == first })...)
}

// Due tells whether the better addresses have not been tried for long in this network, although they are not in use.
func (l *Ladder) Due() bool {
	here := l.o.Here()
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.findLocked(here)
	return i >= 0 && l.dueLocked(i)
}

// Reached remembers the address that worked in this network.
func (l *Ladder) Reached(rung string) error {
	here := l.o.Here()
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.findLocked(here)
	now := place{Network: here, Rung: rung, Looked: l.o.Now()}
	if i >= 0 {
		former := l.known[i]
		if former.Rung == rung && !l.all {
			now.Looked = former.Looked
		}
		if now.Looked.Equal(former.Looked) && former.Rung == rung && former.Network.Hardware == here.Hardware {
			return nil
		}
		l.known = slices.Delete(l.known, i, i+1)
	}
	if rung != l.o.Rungs[0] {
		l.known = append(l.known, now)
	} else if i < 0 {
		return nil
	}
	l.forgetLocked()
	return kv.SaveJSON(l.o.DB, placesKey, l.known)
}

func (l *Ladder) forgetLocked() {
	slices.SortFunc(l.known, func(a, b place) int { return b.Looked.Compare(a.Looked) })
	l.known = l.known[:min(len(l.known), places)]
}

// findLocked is the place in a network, of which an address is remembered that there still is; -1 if there is none.
func (l *Ladder) findLocked(here link.Network) int {
	return slices.IndexFunc(l.known, func(p place) bool { return p.Network.Same(here) && slices.Contains(l.o.Rungs, p.Rung) })
}

// dueLocked holds also of a clock that was set back.
func (l *Ladder) dueLocked(i int) bool {
	since := l.o.Now().Sub(l.known[i].Looked)
	return since < 0 || since >= l.o.Every
}
