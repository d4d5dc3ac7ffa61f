package link

import (
	"maps"
	"time"
)

// kind is what an event is about.
type kind int

const (
	carrier kind = iota // an interface is up and has a carrier
	address             // of an interface
	route               // a default route
	ready               // everything that was there at the start has been told
	unsure              // events were lost; what is there is told again
)

// event is what the system tells of the network. gone is that it is so no more.
type event struct {
	kind kind
	link int    // index of the interface, 0 for a route that has several
	what string // address or route, as text
	gone bool
}

// judge decides what is worth a hint. It is pure: no I/O, no clock.
type judge struct {
	known   bool // what was there at the start is
	network picture
	last    reading
}

// reading is what the two clocks say: the one of the wall, and how long this program has run, which counts no sleep.
type reading struct {
	wall time.Time // without monotonic part
	ran  time.Duration
}

func (j *judge) start(now reading) { j.last = now }

// news is what an event means for who uses the network.
type news int

const (
	none   news = iota
	gained      // there may be a way out that was not there before
	lost        // a way out that there was is gone
)

// news takes an event and tells what it means. What is there at the start is no news.
func (j *judge) news(e event) news {
	if e.kind == ready {
		j.known = true
		return none
	}
	if n := j.network.take(e); j.known {
		return n
	}
	return none
}

// asleep is how far the wall clock must run ahead to count as sleep: connections outlive less, and timers are late by as much only.
const asleep = 10 * time.Second

// slept compares the clocks, which it is asked to do at each beat. Where the clock of the program goes on in sleep, the beat itself is late.
// A clock that is set forward looks the same, and does no harm.
func (j *judge) slept(now reading) bool {
	wall, ran := now.wall.Sub(j.last.wall), min(now.ran-j.last.ran, beat)
	j.last = now
	return wall-ran > asleep
}

// picture is what is known of the network. The zero picture is empty.
type picture struct {
	up   map[int]bool // interfaces with a carrier
	ways map[way]bool
}

// way is an address or a default route.
type way struct {
	link int
	kind kind
	what string
}

// take notes an event and tells whether it opens or closes a way: a carrier where there are addresses, or an address or a default route where
// there is a carrier. Only those count: the bare ends of containers come and go.
func (p *picture) take(e event) news {
	if p.up == nil || e.kind == unsure {
		p.up, p.ways = make(map[int]bool), make(map[way]bool)
	}
	switch e.kind {
	case unsure:
		return gained
	case carrier:
		return p.carrier(e)
	}
	w := way{e.link, e.kind, e.what}
	n := change(p.ways[w], !e.gone, p.up[e.link] || e.link == 0)
	if p.ways[w] = true; e.gone {
		delete(p.ways, w)
	}
	return n
}

func (p *picture) carrier(e event) news {
	n := change(p.up[e.link], !e.gone, p.hasWay(e.link))
	if p.up[e.link] = true; e.gone {
		delete(p.up, e.link)
		// Linux does not tell of the IPv4 routes that go with an interface.
		maps.DeleteFunc(p.ways, func(w way, _ bool) bool { return w.link == e.link && w.kind == route })
	}
	return n
}

// change is what one half of a way, which was there or not and is now, means; rest is whether the other half is there.
func change(was, is, rest bool) news {
	switch {
	case !rest || was == is:
		return none
	case is:
		return gained
	}
	return lost
}

func (p *picture) hasWay(link int) bool {
	for w := range p.ways {
		if w.link == link {
			return true
		}
	}
	return false
}
