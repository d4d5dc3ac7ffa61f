package dsserver

import (
	"slices"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const (
	// exchangeIdle is when an exchange that the device does not continue is forgotten (protocol.md G: 5 to 30 min).
	exchangeIdle = 10 * time.Minute
	// ofOneDevice bounds the messages of one device that are worked on or wait for that: it needs one, and another if it thinks that the first was lost.
	// The places are for all.
	ofOneDevice = 4
	// maxStrangers bounds the exchanges in which nobody has proved who he is: anybody can begin some.
	maxStrangers = 1024
)

// rooms are the exchanges that run. A device has one at a time; beside it are those that were begun in its name and not proved yet, so that
// nobody can end another's.
type rooms struct {
	now func() time.Time

	mu        sync.Mutex           // guards all below, and some fields of exchanges
	exchanges map[string]*exchange // of devices that have proved who they are, by device
	strangers []*exchange          // the others, oldest first
	working   map[string]int       // messages by device
	swept     time.Time
}

func newRooms(now func() time.Time) rooms {
	return rooms{now: now, exchanges: make(map[string]*exchange), working: make(map[string]int)}
}

// exchangeOf finds the exchange a message belongs to, and counts the message until leave; not ok if the device has too many of them at once. A new
// SessionID from a device ends its former exchange, once it has proved who it is: the device has given that up (protocol.md C.2).
func (s *rooms) exchangeOf(h *syncml.Header) (x *exchange, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := h.Source.URI
	if s.working[id] >= ofOneDevice {
		return nil, false
	}
	s.working[id]++
	now := s.now()
	s.sweep(now)
	former := s.exchanges[id]
	if x = former; former == nil || former.sessionID != h.SessionID {
		x = s.stranger(h, former)
	}
	x.touched = now
	return x, true
}

// stranger is the exchange of somebody who has not proved yet that he is this device.
func (s *rooms) stranger(h *syncml.Header, former *exchange) *exchange {
	x := newExchange(h)
	for _, other := range s.strangers {
		if other.deviceID == x.deviceID {
			if other.sessionID == x.sessionID {
				return other
			}
			x.challenged = true // that one was refused, e.g. for a stale nonce, and is now tried anew
		}
	}
	if len(s.strangers) == maxStrangers {
		s.strangers = slices.Delete(s.strangers, 0, 1)
	}
	x.former = former
	s.strangers = append(s.strangers, x)
	return x
}

// sweep forgets what nobody goes on with, now and then.
func (s *rooms) sweep(now time.Time) {
	if now.Sub(s.swept) < exchangeIdle/10 && !now.Before(s.swept) {
		return
	}
	s.swept = now
	for id, x := range s.exchanges {
		if now.Sub(x.touched) > exchangeIdle {
			delete(s.exchanges, id)
		}
	}
	s.strangers = slices.DeleteFunc(s.strangers, func(x *exchange) bool { return now.Sub(x.touched) > exchangeIdle })
}

// leave counts a message no more.
func (s *rooms) leave(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.working[x.deviceID]--; s.working[x.deviceID] == 0 {
		delete(s.working, x.deviceID)
	}
}

// enter notes that the device has proved who it is.
func (s *rooms) enter(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	former := s.exchanges[x.deviceID]
	if former == x {
		return
	}
	if former != nil {
		former.former = nil
	}
	s.exchanges[x.deviceID] = x
	s.strangers = slices.DeleteFunc(s.strangers, func(other *exchange) bool { return other.deviceID == x.deviceID })
}

// drop forgets an exchange whose message could not be carried out: nothing of it was acknowledged, so the device starts anew.
func (s *rooms) drop(x *exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.exchanges[x.deviceID] == x {
		delete(s.exchanges, x.deviceID)
	}
	s.strangers = slices.DeleteFunc(s.strangers, func(other *exchange) bool { return other == x })
}

// finish keeps a complete exchange only for the case that its last answer is lost and asked for again.
func (s *rooms) finish(x *exchange) {
	x.release()
	s.mu.Lock()
	defer s.mu.Unlock()
	x.former = nil
}

// formerOf is the exchange that the device gave up for x, nil if there is none.
func (s *rooms) formerOf(x *exchange) *exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return x.former
}
