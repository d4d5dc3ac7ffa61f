// Package reconcile decides what becomes of a change that meets the other side's state. It is pure: no I/O, no clock,
// no log. The caller carries the decision out.
package reconcile

import "github.com/alwayson-sync/alwayson/ds"

// Op is what a device did to an item.
type Op int

// The operations.
const (
	Add Op = iota + 1
	Replace
	Reflag
	Delete
)

// Incoming is a change from a device as far as the decision needs it.
type Incoming struct {
	Op       Op
	Base     string // version both sides last agreed on as the device says, "" if it does not say
	Version  string // version it has now, "" for Reflag and Delete
	Policy   ds.ConflictPolicy
	Likeness // only for an item that was matched in a first or slow sync
}

// Likeness is what a look into both says of two versions whose common ancestor nobody names any more.
type Likeness int

// The likenesses.
const (
	Akin     Likeness = iota // nothing in one contradicts the other, or nothing better is known
	Newer                    // the server's is what the device once held, and the device has changed it
	Contrary                 // both were changed
)

// Current is the item on the server.
type Current struct {
	Exists  bool
	Deleted bool
	Version string
	Rev     int64
	// Mapped: the device is known to hold revision HeldRev of it (0: some unknown one). Held: that one has the content the item has now.
	Mapped  bool
	HeldRev int64
	Held    bool
	// HeldVersion is that of revision HeldRev, "" if it is unknown.
	HeldVersion string
}

// Action is what the server does.
type Action int

// The actions.
const (
	Create    Action = iota + 1 // store as a new item and map it
	Adopt                       // same content: map the device to the existing item, store nothing
	Update                      // overwrite the existing item, keep the former version
	TakeMine                    // the server's version wins: map, and send it to the device; keep the device's version
	KeepBoth                    // conflict: store the device's version as a new item, send the server's
	SetFlags                    // change flags and folder only
	Remove                      // delete, keep the former version
	SendAgain                   // the deleted item was edited meanwhile: forget the mapping so that it is sent
	Nothing                     // already so
	Unknown                     // there is no such item
)

// Decision is an action and the status that tells the device of it.
type Decision struct {
	Action Action
	Status ds.Status
}

// Decide is the server's decision about one change of a device. Edits win over deletions, equal content is never a conflict,
// and where two edits meet nothing is thrown away (protocol.md C.12).
func Decide(in Incoming, cur Current) Decision {
	switch in.Op {
	case Delete:
		return decideDelete(in, cur)
	case Reflag:
		return decideReflag(cur)
	}
	switch {
	case !cur.Exists:
		return Decision{Create, ds.StatusAdded}
	case in.Version == cur.Version && !cur.Deleted:
		return Decision{Adopt, ds.StatusOK}
	case cur.Deleted && cur.Mapped && (in.Version == cur.Version || in.Version == cur.HeldVersion || in.Version == in.Base):
		return Decision{Nothing, ds.StatusOK} // sent again because the answer was lost, or no edit; the deletion is on its way
	case cur.Deleted:
		return Decision{Update, ds.StatusAdded} // an edit revives what the server deleted
	case !cur.Mapped && in.Base != "" && in.Base == cur.Version:
		return Decision{Update, ds.StatusOK} // it had left the device, which edited it before it knew
	case !cur.Mapped:
		return decideMatch(in, cur)
	case conflicts(in, cur) && in.Base != "" && in.Base == in.Version:
		return Decision{SetFlags, ds.StatusOK} // the device has taken an edit back, and there is another one
	case conflicts(in, cur):
		return decideConflict(in, cur)
	}
	return Decision{Update, ds.StatusOK}
}

// decideConflict is for two edits. One that comes again because the answer was lost is decided already, and loses to what came after it.
func decideConflict(in Incoming, cur Current) Decision {
	again := cur.HeldVersion != "" && in.Version == cur.HeldVersion
	switch {
	case in.Policy == ds.ConflictsServer && again:
		return Decision{Nothing, ds.StatusServerWins}
	case in.Policy == ds.ConflictsServer:
		return Decision{TakeMine, ds.StatusServerWins}
	case again:
		return Decision{Nothing, ds.StatusOK}
	case in.Policy == ds.ConflictsDevice:
		return Decision{Update, ds.StatusClientWins}
	}
	return Decision{KeepBoth, ds.StatusDuplicated}
}

// decideMatch is for an item the device never shared with us although we have one with the same identity: a first or a
// slow sync. There is no common version to compare with; what does not live on goes to the history.
func decideMatch(in Incoming, cur Current) Decision {
	switch in.Likeness {
	case Newer:
		return Decision{Update, ds.StatusOK}
	case Contrary:
		return decideConflict(in, cur)
	}
	return Decision{TakeMine, ds.StatusServerWins}
}

func decideDelete(in Incoming, cur Current) Decision {
	switch {
	case !cur.Exists || !cur.Mapped:
		return Decision{Unknown, ds.StatusNotDeleted}
	case cur.Deleted:
		return Decision{Remove, ds.StatusOK}
	case conflicts(in, cur):
		return Decision{SendAgain, ds.StatusOK}
	}
	return Decision{Remove, ds.StatusOK}
}

func decideReflag(cur Current) Decision {
	if !cur.Exists || cur.Deleted || !cur.Mapped {
		return Decision{Unknown, ds.StatusNotFound} // the device sends the item whole then
	}
	return Decision{SetFlags, ds.StatusOK}
}

// conflicts tells whether somebody else changed the server's item since the device last saw it. What the device itself wrote, or has
// confirmed, is no such change, even if our answer was lost and it names an older base. Else a device that names its base version is
// believed, because our own note of what it holds is behind when its answer was lost.
func conflicts(in Incoming, cur Current) bool {
	if cur.Held {
		return false
	}
	if in.Base != "" {
		return in.Base != cur.Version
	}
	return cur.HeldRev != 0 && cur.HeldRev < cur.Rev
}
