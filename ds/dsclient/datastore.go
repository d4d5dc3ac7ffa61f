package dsclient

import (
	"context"
	"iter"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/pim"
)

// Op is what happened to an item.
type Op int

// The operations on items.
const (
	Add Op = iota + 1
	Replace
	// Reflag changes flags and folder of an item whose body the other side has: the body does not travel.
	Reflag
	Delete
)

// Change is one change of an item, on its way to the server or from it.
type Change struct {
	Op   Op
	LUID string // the device's id of the item; "" in an Add from the server
	GUID string // the server's id of the item; only in changes from the server, and always in an Add
	Item pim.Item
	// Base is the ds.Version of the body both sides last agreed on, "" if there is none or it is unknown. The
	// server needs it to tell a conflict from an answer that was lost on the way (Replace, Reflag, Delete). In a Reflag from the server it is the
	// version that the server believes to be here; 412 tells it that it is not, and it sends the item whole.
	Base string
	// Keep is what an item here becomes that a Replace from the server is about, nil if just Item: the server is none of ours and cannot keep
	// all of an item, so what it lacks is taken from the one that is here.
	Keep func(here pim.Item) []byte
	// Soft: a Delete for this device only; the item stays on the server (out of the filter, or no room).
	Soft bool
	// Approved: a Delete that was held because there were many, and that the user has looked at.
	Approved bool
	// Token is the sender's own note of the version that is sent. It comes back in Ack.
	Token any
}

// Ack is the server's answer to one Change that the client sent.
type Ack struct {
	Change Change
	Status ds.Status
	Text   string // diagnostic text of the server, if any
}

// Result is what became of one Change that the server sent.
type Result struct {
	// LUID is the id under which the item is kept now, for the Map.
	LUID   string
	Status ds.Status
	Text   string
}

// MapEntry binds a server's GUID to a device's LUID.
type MapEntry struct{ GUID, LUID string }

// AnchorState is what a device remembers of the anchors of one datastore. An exchange that was cut off between the two
// sides' savings leaves one side a step ahead, so each side accepts both values that the other presented last
// (design.md §4: an interrupted exchange never forces a slow sync).
type AnchorState struct {
	Local, LocalNext   string // ours: of the last complete exchange, and of the one under way
	Remote, RemoteNext string // the server's Last and Next as it presented them last
	// Running is the sync type of an exchange that was begun and is not complete, 0 if there is none. Plain: the server keeps no logical
	// sessions, so that such an exchange has to be resumed by name.
	Running ds.Alert `json:",omitempty"`
	Plain   bool     `json:",omitempty"`
	Partial bool     `json:",omitempty"` // it was cut off when a part of an object had come
	// Slow: the next sync shall be a slow one.
	Slow bool `json:",omitempty"`
	// Ceiling is later than all anchors that were ever presented, "" if none was.
	Ceiling string `json:",omitempty"`
}

// Datastore is one local store as an exchange sees it. All methods that take or record something are durable when they
// return nil. They are called from one goroutine at a time.
type Datastore interface {
	// Local and Remote name the datastore on the device and on the server.
	Local() string
	Remote() string
	Kind() pim.Kind

	Anchors() (AnchorState, error)
	SetAnchors(AnchorState) error

	// Count is how many changes Changes will yield, as far as is known without reading them.
	Count(all bool) (int, error)
	// Changes yields what the server has not confirmed yet, or with Op Add every item if all is set (slow sync, refresh
	// from client), after the deletions that Restart has left. Bodies are read one at a time. Each item has a durable LUID before it is yielded. A yielded error
	// ends the exchange; problems of single items are recorded inside and passed over.
	Changes(ctx context.Context, all bool) iter.Seq2[Change, error]
	// Acknowledge records the server's answers.
	Acknowledge(ctx context.Context, acks []Ack) error

	// Apply carries out changes from the server, durably, and returns one Result for each in the same order. An item
	// with unsent local edits is left alone and answered 409: its edit goes out first (F10).
	// An error means that nothing may be acknowledged.
	Apply(ctx context.Context, changes []Change) ([]Result, error)

	// PendingMaps are entries whose Map command the server has not confirmed. They go first in the next exchange.
	PendingMaps() ([]MapEntry, error)
	MapsConfirmed(entries []MapEntry) error

	// Restart prepares a slow sync (201) or a refresh from the device (203): what was confirmed before counts no more, LUIDs stay. deletions tells whether the server takes deletions in
	// it; else those that it has not got are forgotten, and the items come back. If it does, pending Maps stay.
	Restart(ctx context.Context, deletions bool) error
	// Refresh prepares a refresh from the server (205): all local items whose GUIDs do not come are removed by FinishRefresh.
	Refresh(ctx context.Context) error
	FinishRefresh(ctx context.Context) error
}
