// Package dmserver is one session of device management as the server speaks it: a message of the device in, the server's next one out, and what has
// become of the work that it was given. It does no I/O and has no clock (protocol.md H.1, H.5).
package dmserver

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/internal/auth"
	"github.com/alwayson-sync/alwayson/dm/internal/gather"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// The authentication schemes of an Account (protocol.md D.1).
const (
	MD5  = syncml.AuthMD5
	HMAC = auth.HMAC
)

// Limits if Options say nothing else.
const (
	DefaultMaxMsgSize = 64 << 10 // half of what brokers are asked to carry (design.md §6)
	DefaultMaxObjSize = 4 << 20  // a whole tree of a device
)

// silentMaxMsgSize is what a device is sent that does not say what it takes.
const silentMaxMsgSize = 16 << 10

// Account is how server and device know each other (protocol.md H.7).
type Account struct {
	ServerID string
	Secret   string // the server proves itself with it
	User     string // of the device
	// Credential is the device's: syncml.Credential of user and secret.
	Credential string
	// Scheme is MD5 or HMAC, "" is MD5; the other one is refused. MD5 proves who began to speak, HMAC who says each word: where others might put
	// messages in between, it takes HMAC.
	Scheme string
	Nonces
}

// Nonces are those of both directions, as base64 text, "" before the first. A Session gives new ones, which are to be durable before its answer is
// sent.
type Nonces struct {
	Own    string // came from the device, for the server's next proof and its next notification
	Device string // was issued to the device last
}

// Options are what a session is made of.
type Options struct {
	Account    Account
	DeviceID   string // of the device that may speak, "" is any that knows the account's secret
	Work       []Work
	MaxMsgSize int64 // octets of a message in either direction, as the carrier takes them; 0 is the default
	MaxObjSize int64 // octets of a value that is taken, 0 is the default
	// Nonce makes the nonces that are issued to the device, as base64 text; nil is 128 random bits.
	Nonce func() string
}

// Errors of Handle.
var (
	// ErrRefused is that the device does not take the server's credentials: it has done nothing.
	ErrRefused = auth.ErrRefused
	// ErrDevice is that the device could not prove who it is.
	ErrDevice = errors.New("the device could not prove who it is")
	// ErrAborted is that the device has given up. What it has answered before remains.
	ErrAborted = errors.New("the device has aborted the session")
	// ErrAnew is that the device has begun another session, since it has forgotten this one or been woken again: a new Session with the work that
	// has no outcome yet takes the message.
	ErrAnew = errors.New("the device begins a new session")
	// ErrForged is that a message has no proof of the device, in a session in which it has proved who it is: somebody else has sent it, or the device, which
	// has lost the nonce. A Session of its own can find out, beside this one.
	ErrForged = auth.ErrForged
)

// Report is what a session has achieved so far.
type Report struct {
	SessionID string
	// Known: the device has proved who it is. What follows is empty before.
	Known    bool
	ByServer bool // the device has answered a notification
	DevInfo  dm.DevInfo
	Events   []dm.Event
	Outcomes []Outcome
	Nonces   Nonces
}

// Session is one session. It is used by one goroutine.
type Session struct {
	o        Options
	self     auth.Prover
	device   auth.Verifier
	turn     turn.Turn
	in       gather.Gatherer
	encoding syncml.Encoding // of the device's messages, and so of the answers
	deviceID string
	maxMsg   int64 // that the device takes
	maxObj   int64

	failed    bool
	complete  bool             // the device's package is
	final     bool             // our last message was the last one of its package
	answers   []syncml.Command // that have not been sent
	queue     []*task
	postponed bool             // the first of queue had no room in the last message
	sent      map[string]*task // waiting for an answer, by CmdID in the last message
	order     []*task          // those of sent in their order, without members
	carried   map[ref]*task    // members of groups that went out in several messages
	out       sending          // what is being sent in parts, nil if nothing is
	report    Report
}

// New makes a session, to which a device's message of any session may come first. It refuses an account that cannot work, and work that makes no
// sense.
func New(o Options) (*Session, error) {
	a := &o.Account
	scheme, err := auth.CheckScheme(a.Scheme)
	switch {
	case err != nil:
	case a.Secret == "" || a.Credential == "":
		err = errors.New("the account lacks the secret of the server or the credential of the device")
	default:
		err = auth.CheckNames(a.ServerID, a.User)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot begin a session of device management: %w", err)
	}
	defaults(&o)
	s := &Session{o: o, maxMsg: min(silentMaxMsgSize, o.MaxMsgSize), sent: map[string]*task{}, carried: map[ref]*task{}}
	s.self = auth.Prover{Scheme: scheme, Key: auth.Key{User: a.ServerID, Credential: syncml.Credential(a.ServerID, a.Secret), Nonce: a.Own}}
	s.device = auth.NewVerifier(scheme, auth.Key{User: a.User, Credential: a.Credential, Nonce: a.Device}, "", o.Nonce)
	s.in.Max = o.MaxObjSize
	s.report.Nonces = a.Nonces
	return s, s.Add(o.Work...)
}

func defaults(o *Options) {
	o.MaxMsgSize, o.MaxObjSize = cmp.Or(o.MaxMsgSize, DefaultMaxMsgSize), cmp.Or(o.MaxObjSize, DefaultMaxObjSize)
	if o.Nonce == nil {
		o.Nonce = auth.NewNonce
	}
}

// Report is what has been achieved so far. Its slices are the session's.
func (s *Session) Report() Report { return s.report }

// Last is the message that was sent last, for who thinks it has been lost. The device knows how to handle one that comes twice.
func (s *Session) Last() packet.Packet { return s.turn.Last() }

// Handle takes a message of the device and gives the next one of the server, which is zero if there is nothing to say. done tells that nothing more
// is awaited once the answer has been sent; the session can still answer a device that did not get it, or that has something to say after all.
//
// An error with done is why the session ended before its time. An error without done is about a message that does not belong here: it had no
// effect, and the one that does is still awaited; ErrAnew is among them. A message that has come again gets the answer that it got before. in must
// not be changed afterwards.
func (s *Session) Handle(in packet.Packet) (answer packet.Packet, done bool, err error) {
	if out, ok := s.turn.Resent(in); ok {
		return out, s.failed || s.idle(), nil
	}
	if s.failed {
		return packet.Packet{}, true, nil
	}
	m, err := s.read(in)
	if err != nil {
		return packet.Packet{}, false, fmt.Errorf("cannot take a message of device management: %w", err)
	}
	answer, err = s.take(m, in)
	s.turn.Keep(in, answer)
	if err != nil {
		s.failed = true
		return answer, true, fmt.Errorf("the session of device management ended: %w", err)
	}
	return answer, s.idle(), nil
}

// idle tells whether nothing more is awaited.
func (s *Session) idle() bool {
	return s.device.Trusted() && s.complete && s.final && len(s.queue) == 0 && len(s.sent) == 0 && s.out == nil
}

func (s *Session) read(in packet.Packet) (*syncml.Message, error) {
	if s.device.Forged(in) {
		return nil, auth.ErrForged
	}
	m, err := turn.Read(in)
	if err != nil {
		return nil, err
	}
	if id := m.Header.Source.URI; s.o.DeviceID != "" && id != s.o.DeviceID {
		return nil, fmt.Errorf("the message is of device %q, not of %q", id, s.o.DeviceID)
	}
	switch first := turn.HeaderStatus(m) == nil; {
	case !first && !s.turn.Begun():
		return nil, fmt.Errorf("message %q of session %q answers one that is not known", m.Header.MsgID, m.Header.SessionID)
	case !first:
		return m, s.turn.Accept(m)
	case s.turn.Begun() && s.turn.IsFirst(in):
		return nil, fmt.Errorf("the first message of session %q came again when it was answered long ago", m.Header.SessionID)
	case s.turn.Begun():
		return nil, ErrAnew
	}
	s.turn.AcceptFirst(m, in)
	s.encoding, s.deviceID, s.report.SessionID = syncml.Sniff(in.Body), m.Header.Source.URI, m.Header.SessionID
	return m, nil
}

// Notification is a package 0 that asks the device for a session (protocol.md F). The same one may be sent again until the device has answered.
// sessionID is not 0, and one that the device has not seen lately.
func Notification(a Account, sessionID uint16, ui san.UIMode) ([]byte, error) {
	n := san.Notification{Version: san.DM, UI: ui, ByServer: true, SessionID: sessionID, ServerID: a.ServerID}
	return n.Build(san.Key{Password: a.Secret, Nonce: auth.RawNonce(a.Own)})
}
