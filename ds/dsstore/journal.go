package dsstore

import "time"

// EventKind is what happened with a device, or did not.
type EventKind string

// The kinds of events. They are stored: never rename one.
const (
	Notified    EventKind = "notified"
	NotNotified EventKind = "not notified"
	Exchanged   EventKind = "exchange"
	Refused     EventKind = "refused"
	Managed     EventKind = "management" // a session of device management
	Grouped     EventKind = "group"      // the device was put into a group or taken out
)

// Event is what happened with a device, or did not, and why. Equal ones in a row are one that counts.
type Event struct {
	What    EventKind
	Why     string
	Outcome string
	First   time.Time // of those that are counted together
	At      time.Time // of the last
	Times   int
}

// Same tells whether two events say the same, at different times.
func (e Event) Same(other Event) bool {
	return e.What == other.What && e.Why == other.Why && e.Outcome == other.Outcome
}

// KeepEvents is how many events of each device are kept.
const KeepEvents = 100

// Presence is whether a device is connected to the broker, as far as the server was told. The zero Presence is a device of which nothing was
// ever heard.
type Presence struct {
	Online bool
	Since  time.Time
}

// Journal keeps what explains to an administrator why a device is or is not up to date.
type Journal interface {
	// PutEvent notes what happened at e.At. The last KeepEvents of each device are kept.
	PutEvent(device string, e Event) error
	// Events lists those of a device, oldest first.
	Events(device string) ([]Event, error)
	PutPresence(device string, p Presence) error
	Presence(device string) (Presence, error) // the zero Presence if there is none
}
