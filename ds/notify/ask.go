package notify

import "time"

// ask is a notification that its device has not answered yet. It is guarded by Notifier.mu.
type ask struct {
	at       time.Time // when it was sent last
	times    int       // how often it was sent again
	failed   bool      // it did not get to the broker
	doubtful bool      // the road was interrupted since: it may be lost
}

// The pauses before a notification that may be lost is sent again double, so that a broker that comes and goes does not fill up with them. One
// that did not get to the broker is sent as soon as that is back.
const (
	minRepeat = 2 * time.Second
	maxRepeat = time.Hour
)

func (a *ask) repeatAt() time.Time {
	if a.failed {
		return a.at
	}
	return a.at.Add(min(minRepeat<<min(a.times, 16), maxRepeat))
}

// due tells whether it is to be sent again.
func (a *ask) due(now time.Time) bool { return a.doubtful && !now.Before(a.repeatAt()) }

// toRepeat are the devices whose notification is to be sent again.
func (n *Notifier) toRepeat() (out []string) {
	now := n.o.Now()
	for device, a := range n.asked {
		if a.due(now) {
			out = append(out, device)
		}
	}
	return out
}

// untilRepeat is how long there is nothing to be sent again; not ok if for ever.
func (n *Notifier) untilRepeat() (pause time.Duration, ok bool) {
	now := n.o.Now()
	for _, a := range n.asked {
		if p := max(a.repeatAt().Sub(now), 0); a.doubtful && (!ok || p < pause) {
			pause, ok = p, true
		}
	}
	return pause, ok
}
