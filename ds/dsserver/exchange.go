package dsserver

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/form"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// phase is which package of the exchange is under way (protocol.md C.1).
type phase int

const (
	initializing phase = iota // package 1
	receiving                 // package 3
	sending                   // package 4
	mapping                   // package 5
)

// exchange is one DS session between the messages. It lives in memory only: what it achieved is in the store item by
// item, so a server that forgets it costs the device one more exchange and nothing else.
type exchange struct {
	deviceID, sessionID string
	touched             time.Time // guarded by rooms.mu
	former              *exchange // that the device has given up, for the case that it resumes it; guarded by rooms.mu

	busies atomic.Int64 // busy answers

	turn          chan struct{} // full while a message is worked on, which guards all below
	authenticated bool
	challenged    bool // the device has got our nonce in this exchange
	continued     bool // the device has sent a second message
	device        dsstore.Device
	aware         bool   // the device keeps logical sessions
	asked         bool   // for its device information
	logical       string // id of the logical session the exchange belongs to
	cause, joined string // for the journal
	phase         phase
	over          bool
	maxMsg        int64
	msgID         int // of our last message
	stores        []*storeState
	queue         []*syncml.Status // answers that did not fit yet
	sent          map[ref]sentItem // our commands that wait for their Status
	in            *inObject
	out           *outObject

	lastMsgID string
	lastSum   [sha256.Size]byte
	lastReply []byte
}

// ref names a command by message and command id.
type ref struct{ msg, cmd string }

// sentItem is one command of ours.
type sentItem struct {
	store *storeState
	item  dsstore.Item
	luid  string
	op    syncml.Op
	flags bool // flags only
	more  bool // not the last chunk
	leave bool // out of scope
	// better: the device has the newest version, but more or less of it than it shall have.
	better bool
	// variant is what part of the body was sent, see dsstore.Mapping.
	variant string
}

// storeState is one datastore in an exchange.
type storeState struct {
	Datastore
	c        dsstore.Collection
	peer     string // as the device names it
	target   string // as the device addressed it
	alert    ds.Alert
	first    bool // it is a first or slow sync, or goes on with one that was cut off
	known    bool // first, and the device had synchronized before that
	settled  bool // first, and the device was equal with us before that, as its anchors prove
	told     bool // a Sync of the device has come
	denied   bool // something in it was not taken
	refused  bool // its anchors did not match in this message, so the changes that came along with them are refused
	link     dsstore.Link
	opened   bool       // the first Sync has gone out
	cursor   int64      // revision of the last item that was sent
	all      bool       // nothing is left to be sent
	listed   int64      // revision of the collection when that was so
	anything bool       // something was sent
	heldBack int64      // oldest revision that must be sent again, 0 if none
	form     *form.Form // see reply.form
	scope    scope.Scope
	policy   ds.ConflictPolicy
	stale    bool                       // all is looked at, not only what changed
	roll     time.Time                  // when time alone changes what the device shall have, as far as was looked
	again    bool                       // something could not be made so, and the next exchange looks at all again
	own      int64                      // revision of the collection when alone was so last, -1 if it will be so no more
	alone    bool                       // the collection has nothing but what the device has sent in this exchange, see reply.sync
	took     int                        // changes of the device
	gave     int                        // changes that were sent
	buried   map[[32]byte]dsstore.Item  // see reply.buried; nil until somebody asks
	added    map[string]dsstore.Mapping // sent by Add in this exchange, by GUID; without LUID
}

// inObject is an object that comes in chunks.
type inObject struct {
	store *storeState
	op    syncml.Op
	luid  string
	meta  syncml.Meta
	data  bytes.Buffer
}

// outObject is an object that goes out in chunks.
type outObject struct {
	sent    sentItem
	command *syncml.Change // of each chunk
	object  *wire.Object
}

func newExchange(h *syncml.Header) *exchange {
	return &exchange{deviceID: h.Source.URI, sessionID: h.SessionID, turn: make(chan struct{}, 1), sent: make(map[ref]sentItem)}
}

// try takes the turn of an exchange on which nothing is being worked; yield gives it back.
func (x *exchange) try() bool {
	select {
	case x.turn <- struct{}{}:
		return true
	default:
		return false
	}
}

func (x *exchange) yield() { <-x.turn }

// resent returns the former answer if m is the message that was answered last: its answer was lost on the way, and it
// must not be carried out twice.
func (x *exchange) resent(m *syncml.Message, body []byte) []byte {
	if x.lastReply != nil && x.lastMsgID == m.Header.MsgID && x.lastSum == sha256.Sum256(body) {
		return x.lastReply
	}
	return nil
}

func (x *exchange) remember(m *syncml.Message, body, out []byte) {
	x.lastMsgID, x.lastSum, x.lastReply = m.Header.MsgID, sha256.Sum256(body), out
}

// release drops what a complete exchange needs no more. Some clients bring their Maps in a message after the last one (Funambol's, corpus
// horde/testcase_*), so datastores with items that are not mapped yet stay.
func (x *exchange) release() {
	x.stores = slices.DeleteFunc(x.stores, func(st *storeState) bool { return len(st.added) == 0 })
	x.queue, x.sent, x.in, x.out = nil, make(map[ref]sentItem), nil, nil
}

func (x *exchange) nextMsgID() string {
	x.msgID++
	return strconv.Itoa(x.msgID)
}

// store finds an alerted datastore by the URI that a Sync or Map names.
func (x *exchange) store(uri string) *storeState {
	for _, st := range x.stores {
		if st.target == uri || st.URI == uri || "./"+st.URI == uri {
			return st
		}
	}
	if uri == "" && len(x.stores) == 1 {
		return x.stores[0] // some phones leave it out when there is no doubt (protocol.md J.1)
	}
	return nil
}

// refuses tells whether a device shall send anew what it has just sent, in a slow sync. What we have for it comes after that, or it would tell us of that
// as of its own (found by simulation).
func (x *exchange) refuses() bool {
	return slices.ContainsFunc(x.stores, func(st *storeState) bool { return st.refused })
}

func (x *exchange) sentAnything() bool {
	for _, st := range x.stores {
		if st.anything {
			return true
		}
	}
	return false
}
