// Package dmclient is one session of device management as the device speaks it: a message of the server in, the device's next one out. It does no
// I/O but through the tree that it is given, and has no clock (protocol.md H.1, H.5).
package dmclient

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/internal/auth"
	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/dm/internal/gather"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
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
	DefaultMaxObjSize = 1 << 20  // settings are small; certificates and profiles of accounts are the largest
)

// Account is how device and server know each other (protocol.md H.7).
type Account struct {
	ServerID string // under which the tree's ACLs know the server, too
	URI      string // address of the server, "" is its id
	User     string // of the device
	Secret   string
	// ServerSecret is what the server proves itself with. There is no session without.
	ServerSecret string
	ServerUser   string // its name then, "" is its id
	// Scheme is MD5 or HMAC, "" is MD5; the other one is refused. MD5 proves who began to speak, HMAC who says each word: where others might put
	// messages in between, it takes HMAC.
	Scheme string
	Nonces
}

// Nonces are those of both directions, as base64 text, "" before the first. A Session gives new ones, which are to be durable before its answer is
// sent.
type Nonces struct {
	Own          string // came from the server, for the device's next proof
	Server       string // was issued to the server last, for its next proof and its next notification
	FormerServer string // is the one that the server proved itself with last, for a notification if the one issued since was lost
}

// Tree is the tree that the server changes.
type Tree interface {
	Begin(server string, now time.Time) (*tree.Tx, error)
}

// Options are what a session is made of.
type Options struct {
	Account    Account
	Tree       Tree
	DevInfo    dm.DevInfo
	SessionID  string // that of the notification, or else one that the server has not seen lately
	ByServer   bool   // the server has asked for the session
	Encoding   syncml.Encoding
	MaxMsgSize int64      // octets of a message in either direction, as the carrier takes them; 0 is the default
	MaxObjSize int64      // octets of a value that is taken, 0 is the default
	Events     []dm.Event // to be told in the first message
	// Ask shows something to the user or asks something (alerts 1100 to 1104), and returns when there is an answer. If it is nil, there is no
	// user to ask: 406.
	Ask func(*syncml.Alert) (ds.Status, []syncml.Item)
	// Nonce makes the nonces that are issued to the server, as base64 text; nil is 128 random bits.
	Nonce func() string
}

// Errors with which a session ends.
var (
	// ErrRefused is that the server does not take the device's credentials.
	ErrRefused = auth.ErrRefused
	// ErrServer is that the server could not prove who it is. Nothing that it wanted was done.
	ErrServer = errors.New("the server could not prove who it is")
	// ErrAborted is that the server has given up. What was done before remains.
	ErrAborted = errors.New("the server has aborted the session")
)

// Report is what a session has achieved so far.
type Report struct {
	// Changed: the tree is not what it was when the session began, also if the session has failed later.
	Changed bool
	// Executed: something was executed.
	Executed bool
	// Events are the server's answers to events, by id; those without answer are to be told again.
	Events map[string]ds.Status
	Nonces Nonces
}

// Session is one session. It is used by one goroutine.
type Session struct {
	o      Options
	self   auth.Prover
	server auth.Verifier
	turn   turn.Turn
	in     gather.Gatherer
	parcel *parcel // that is coming, nil if none is
	maxMsg int64   // that the server takes

	over     bool
	complete bool             // the server's package is
	final    bool             // our last message was the last one of its package
	queue    []syncml.Command // answers that have not been sent
	out      *fill.Object     // what is being sent in parts
	events   []dm.Event       // that have not been sent
	sent     []dm.Event       // that have
	told     map[ref]string   // their ids
	report   Report
}

// ref names a command of ours.
type ref struct{ msg, cmd string }

// New makes a session. It refuses an account that cannot work.
func New(o Options) (*Session, error) {
	a := &o.Account
	scheme, err := auth.CheckScheme(a.Scheme)
	if err == nil {
		err = check(&o)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot begin a session of device management: %w", err)
	}
	defaults(&o)
	s := &Session{o: o, maxMsg: o.MaxMsgSize, events: o.Events, told: map[ref]string{}}
	s.self = auth.Prover{Scheme: scheme, Key: auth.Key{User: a.User, Credential: syncml.Credential(a.User, a.Secret), Nonce: a.Own}}
	server := auth.Key{User: a.ServerUser, Credential: syncml.Credential(a.ServerUser, a.ServerSecret), Nonce: a.Server}
	s.server = auth.NewVerifier(scheme, server, a.FormerServer, o.Nonce)
	s.turn.SessionID, s.in.Max = o.SessionID, o.MaxObjSize
	s.report = Report{Events: map[string]ds.Status{}, Nonces: a.Nonces}
	return s, nil
}

func check(o *Options) error {
	switch {
	case o.Tree == nil:
		return errors.New("there is no tree")
	case o.Account.ServerSecret == "":
		return errors.New("there is no secret of the server, so that it cannot be told from anybody else")
	case o.SessionID == "":
		return errors.New("there is no session id")
	}
	return auth.CheckNames(o.Account.ServerID, o.Account.User)
}

func defaults(o *Options) {
	o.Account.URI, o.Account.ServerUser = cmp.Or(o.Account.URI, o.Account.ServerID), cmp.Or(o.Account.ServerUser, o.Account.ServerID)
	o.MaxMsgSize, o.MaxObjSize = cmp.Or(o.MaxMsgSize, DefaultMaxMsgSize), cmp.Or(o.MaxObjSize, DefaultMaxObjSize)
	if o.Nonce == nil {
		o.Nonce = auth.NewNonce
	}
}

// Report is what has been achieved so far. The map is the session's.
func (s *Session) Report() Report { return s.report }

// Tell has an event told in the next message. One that comes after the last message is not told: it has no answer in the report.
func (s *Session) Tell(e dm.Event) { s.events = append(s.events, e) }

// Last is the message that was sent last, for who thinks it has been lost. The server knows how to handle one that comes twice.
func (s *Session) Last() packet.Packet { return s.turn.Last() }

// Start is the message that begins the session (package 1).
func (s *Session) Start() (packet.Packet, error) {
	out, err := s.introduce(nil)
	if err != nil {
		s.over = true
		return packet.Packet{}, fmt.Errorf("cannot begin a session of device management: %w", err)
	}
	s.turn.KeepFirst(out)
	return out, nil
}

// Handle takes a message of the server and gives the next one of the device, which is zero if there is nothing to say. done tells that the session
// is over once the answer, if there is one, has been sent.
//
// An error with done is why the session ended before its time. An error without done is about a message that does not belong here: it had no
// effect, and the one that does is still awaited. A message that has come again gets the answer that it got before. in must not be changed
// afterwards.
func (s *Session) Handle(now time.Time, in packet.Packet) (answer packet.Packet, done bool, err error) {
	if out, ok := s.turn.Resent(in); ok {
		return out, s.over, nil
	}
	if s.over {
		return packet.Packet{}, true, nil
	}
	m, err := s.read(in)
	if err != nil {
		return packet.Packet{}, false, fmt.Errorf("cannot take a message of device management: %w", err)
	}
	answer, err = s.take(now, m, in)
	s.turn.Keep(in, answer)
	if err != nil {
		s.over = true
		err = fmt.Errorf("the session of device management ended: %w", err)
	}
	return answer, s.over, err
}

func (s *Session) read(in packet.Packet) (*syncml.Message, error) {
	if s.server.Forged(in) {
		return nil, auth.ErrForged
	}
	m, err := turn.Read(in)
	if err != nil {
		return nil, err
	}
	return m, s.turn.Accept(m)
}
