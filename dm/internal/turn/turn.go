// Package turn keeps the messages of a device management session in their order: which one is answered, which one came again, which one does not
// belong here (protocol.md H.1, H.11).
package turn

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// MaxMsgSize is what a message may have at most, in octets, whatever was agreed upon (design.md §10).
const MaxMsgSize = 4 << 20

// Bounds of a session, which its end can do nothing to respect but stop: a whole tree in small messages is far below.
const (
	maxMessages = 20_000
	maxOctets   = 256 << 20 // of the peer
	maxIdle     = 5         // messages one after the other in which nobody said anything (protocol.md C.7)
)

// ErrEndless ends a session that has gone beyond any use.
var ErrEndless = errors.New("the other side does not come to an end")

// Turn counts the messages of one end. The ends speak in turn, so that every message but the first says which one it answers.
type Turn struct {
	SessionID string
	sent      int
	theirs    string            // MsgID of the last message of the peer
	first     [sha256.Size]byte // of the message that began the session, if it was the peer's
	in        [sha256.Size]byte
	out       packet.Packet
	answered  bool
	octets    int
	idle      int
}

// Begun tells whether something was sent.
func (t *Turn) Begun() bool { return t.sent > 0 }

// Next is the MsgID of the message that is sent next.
func (t *Turn) Next() string {
	t.sent++
	return strconv.Itoa(t.sent)
}

// Sent is the MsgID of the message that is being sent or was sent last.
func (t *Turn) Sent() string { return strconv.Itoa(t.sent) }

// Header is that of the message that is sent next.
func (t *Turn) Header(to, from string, maxMsg, maxObj int64) *syncml.Header {
	return &syncml.Header{VerDTD: "1.2", VerProto: "DM/1.2", SessionID: t.SessionID, MsgID: t.Next(), Target: syncml.Location{URI: to},
		Source: syncml.Location{URI: from}, Meta: syncml.Meta{MaxMsgSize: maxMsg, MaxObjSize: maxObj}}
}

// Resent is the former answer if the message that was answered last has come again: that answer was lost, and nothing must be done twice.
func (t *Turn) Resent(in packet.Packet) (out packet.Packet, ok bool) {
	return t.out, t.answered && t.in == sum(in)
}

// Last is what was sent last.
func (t *Turn) Last() packet.Packet { return t.out }

// Keep notes that in was answered with out.
func (t *Turn) Keep(in, out packet.Packet) {
	t.in, t.out, t.answered = sum(in), out, true
	t.octets += len(in.Body)
}

// Exhausted tells whether the session has gone on too long.
func (t *Turn) Exhausted() bool {
	return t.sent > maxMessages || t.octets > maxOctets || t.idle > maxIdle
}

// Progress notes whether the answer to m, or m itself, says anything.
func (t *Turn) Progress(m *syncml.Message, said bool) {
	t.idle++
	if said || !empty(m) {
		t.idle = 0
	}
}

// empty tells whether a message does nothing but ask for the next one.
func empty(m *syncml.Message) bool {
	for _, c := range m.Commands {
		switch c := c.(type) {
		case *syncml.Status:
			if !IsHeaderStatus(c) {
				return false
			}
		case *syncml.Alert:
			if c.Code != dm.AlertNextMessage {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// KeepFirst notes the message that begins the session.
func (t *Turn) KeepFirst(out packet.Packet) { t.out = out }

// sum is of the body alone: a message that came again is the same with and without its HMAC, and what it was answered is no secret of its sender.
func sum(p packet.Packet) [sha256.Size]byte { return sha256.Sum256(p.Body) }

// Read reads a message.
func Read(p packet.Packet) (*syncml.Message, error) {
	if len(p.Body) > MaxMsgSize {
		return nil, fmt.Errorf("a message of %d octets is too long", len(p.Body))
	}
	m, err := syncml.Decode(p.Body, syncml.Sniff(p.Body))
	if err == nil && m.Header.VerProto != "" && !strings.HasPrefix(m.Header.VerProto, "DM/") {
		return nil, fmt.Errorf("the message is one of %s, not of device management", m.Header.VerProto)
	}
	return m, err
}

// Accept refuses a message that is no answer to the last one: it is of another session, is old, or was made up.
func (t *Turn) Accept(m *syncml.Message) error {
	h := &m.Header
	switch s := HeaderStatus(m); {
	case h.SessionID != t.SessionID:
		return fmt.Errorf("the message is of session %q, not of %q", h.SessionID, t.SessionID)
	case s == nil:
		return fmt.Errorf("message %q of session %q answers none", h.MsgID, h.SessionID)
	case s.MsgRef != strconv.Itoa(t.sent):
		return fmt.Errorf("message %q of session %q answers message %q, and the last one was %d", h.MsgID, h.SessionID, s.MsgRef, t.sent)
	case h.MsgID == t.theirs:
		return fmt.Errorf("message %q of session %q came twice with different content", h.MsgID, h.SessionID)
	}
	t.theirs = h.MsgID
	return nil
}

// AcceptFirst takes the message that begins the session.
func (t *Turn) AcceptFirst(m *syncml.Message, p packet.Packet) {
	t.SessionID, t.theirs, t.first = m.Header.SessionID, m.Header.MsgID, sum(p)
}

// IsFirst tells whether p is the message that began the session.
func (t *Turn) IsFirst(p packet.Packet) bool { return t.first == sum(p) }

// HeaderStatus is what a message says of the header of the one that it answers, nil if nothing.
func HeaderStatus(m *syncml.Message) *syncml.Status {
	for _, c := range m.Commands {
		if s, ok := c.(*syncml.Status); ok && IsHeaderStatus(s) {
			return s
		}
	}
	return nil
}

// IsHeaderStatus tells whether a status is that of a header.
func IsHeaderStatus(s *syncml.Status) bool { return s.CmdRef == "0" || s.Cmd == "SyncHdr" }

// Status answers a header.
func Status(h *syncml.Header) *syncml.Status {
	return &syncml.Status{MsgRef: h.MsgID, CmdRef: "0", Cmd: "SyncHdr", TargetRefs: []string{h.Target.URI}, SourceRefs: []string{h.Source.URI}}
}

// StatusOf answers a command as a whole.
func StatusOf(m *syncml.Message, c syncml.Command, code ds.Status) *syncml.Status {
	return &syncml.Status{MsgRef: m.Header.MsgID, CmdRef: c.CommandID(), Cmd: c.CommandName(), Code: code}
}

// Refusals answer every command of a message that comes from who knows whom, with the status of its header (protocol.md D.4).
func Refusals(m *syncml.Message, code ds.Status) []syncml.Command {
	var out []syncml.Command
	for _, c := range m.Commands {
		switch c.(type) {
		case *syncml.Status, *syncml.Results:
		default:
			out = append(out, StatusOf(m, c, code))
		}
	}
	return out
}

// Continues tells whether a package of the peer is complete after this message: it is when the message is its last one, or when it was complete
// and this message only lets the own package go on, whose last message has not been sent.
func Continues(complete, ownFinal, final bool) bool { return final || complete && !ownFinal }
