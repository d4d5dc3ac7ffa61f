// Package auth proves who one end of a device management session is, and checks the other: md5 credentials in the header or an HMAC beside the
// message, with nonces both ways (protocol.md D, H.5).
package auth

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// HMAC is the scheme beside syncml.AuthMD5 (protocol.md D.1).
const HMAC = "syncml:auth-MAC"

// Key is what both ends know of one of them.
type Key struct {
	User       string
	Credential string // B64(H(user:secret)), see syncml.Credential
	Nonce      string // base64 text, "" before the first
}

// CheckScheme refuses schemes that are not known here; "" is md5.
func CheckScheme(scheme string) (string, error) {
	switch scheme {
	case "":
		return syncml.AuthMD5, nil
	case syncml.AuthMD5, HMAC:
		return scheme, nil
	}
	return "", fmt.Errorf("the authentication scheme %q is neither %s nor %s", scheme, syncml.AuthMD5, HMAC)
}

// CheckNames refuses what cannot name somebody in a header.
func CheckNames(names ...string) error {
	for _, n := range names {
		if n == "" || strings.ContainsAny(n, "\"\r\n") {
			return fmt.Errorf("%q cannot name anybody", n)
		}
	}
	return nil
}

// NewNonce makes a nonce of 128 random bits.
func NewNonce() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

// mac is B64(H(credential:nonce:B64(H(body)))).
func (k Key) mac(body []byte) string {
	sum := md5.Sum(body)
	in := append([]byte(k.Credential+":"), RawNonce(k.Nonce)...)
	in = append(in, ":"+base64.StdEncoding.EncodeToString(sum[:])...)
	sum = md5.Sum(in)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// RawNonce is a nonce's octets.
func RawNonce(nonce string) []byte {
	raw, err := base64.StdEncoding.DecodeString(nonce)
	if err != nil {
		return []byte(nonce) // some peers send nonces that are no base64 (protocol.md D.2)
	}
	return raw
}

func equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.TrimSpace(a)), []byte(b)) == 1
}

// Prover shows who this end is.
type Prover struct {
	Key
	Scheme   string
	believed bool // md5: the peer needs no more of it in this session
	shown    bool // the last message had it
	failures int
}

// Show puts what is needed into the header of a message, or nothing if this end does not want to show it yet.
func (p *Prover) Show(h *syncml.Header, want bool) {
	h.Source.Name = p.User
	p.shown = want && !p.believed
	if p.shown && p.Scheme == syncml.AuthMD5 {
		h.Cred = &syncml.Cred{Meta: syncml.Meta{Format: "b64", Type: p.Scheme}, Data: syncml.Digest(p.Credential, p.Nonce)}
	}
}

// Seal makes a packet of a message.
func (p *Prover) Seal(body []byte) packet.Packet {
	out := packet.Packet{Body: body}
	if p.shown && p.Scheme == HMAC {
		out.HMAC = &packet.HMAC{User: p.User, MAC: p.mac(body)}
	}
	return out
}

// ErrRefused is that the peer does not believe this end, with a fresh nonce either.
var ErrRefused = errors.New("the credentials were refused")

// Take reads what the peer says of the last message. again tells that it has to be sent once more with the nonce that came.
func (p *Prover) Take(s *syncml.Status) (again bool, err error) {
	switch s.Code {
	case ds.StatusAuthenticated:
		p.believed = p.Scheme == syncml.AuthMD5
		p.next(s.Chal)
		return false, nil
	case ds.StatusOK:
		p.next(s.Chal)
		return false, nil
	case ds.StatusInvalidCred, ds.StatusCredMissing:
		return true, p.challenged(s)
	}
	return false, fmt.Errorf("the message was answered with %w", s.Code)
}

func (p *Prover) next(chal *syncml.Meta) {
	if chal != nil && chal.NextNonce != "" {
		p.Nonce = chal.NextNonce
	}
}

func (p *Prover) challenged(s *syncml.Status) error {
	if p.shown {
		p.failures++
	}
	switch {
	case p.failures > 1 || s.Chal == nil:
		return fmt.Errorf("%w: %w", ErrRefused, s.Code)
	case s.Chal.Type != p.Scheme:
		return fmt.Errorf("the peer wants to be shown %q and this end has %q", s.Chal.Type, p.Scheme)
	}
	p.believed, p.Nonce = false, s.Chal.NextNonce
	return nil
}

// NewVerifier checks a peer, to which the key's nonce was issued. former is the one that it has proved itself with last.
func NewVerifier(scheme string, k Key, former string, issue func() string) Verifier {
	return Verifier{Scheme: scheme, Key: k, Former: former, Issue: issue, unused: k.Nonce != "" && k.Nonce != former}
}

// Verifier checks who the peer is.
type Verifier struct {
	Key // its Nonce is the one that was issued last
	// Former is the nonce that the peer has proved itself with: the one issued since may not have reached it.
	Former string
	Scheme string
	Issue  func() string // makes a nonce

	trusted  bool
	unused   bool // nothing was proved with Nonce yet
	told     bool // md5: that the peer is trusted
	missing  int
	failures int
	refusal  ds.Status // of the last message
}

// Trusted tells whether the peer has proved who it is.
func (v *Verifier) Trusted() bool { return v.trusted }

// Refusal is the status of commands in a message that was not to be trusted.
func (v *Verifier) Refusal() ds.Status { return v.refusal }

// GivenUp tells that the peer has been challenged and could not prove it nevertheless.
func (v *Verifier) GivenUp() bool { return !v.trusted && (v.failures > 1 || v.missing > 1) }

// Forged tells that somebody else has put a message into the session of a peer that has proved who it is, and shows a proof with each message. It
// changes nothing.
func (v *Verifier) Forged(p packet.Packet) bool {
	if !v.trusted || v.Scheme != HMAC {
		return false
	}
	_, right := v.hmac(p)
	return !right
}

// ErrForged is what Forged tells.
var ErrForged = errors.New("somebody else has put a message into the session")

// Check checks a message. With md5 one proof counts for the whole session, with HMAC each message needs its own.
func (v *Verifier) Check(h *syncml.Header, p packet.Packet) bool {
	if v.trusted && v.Scheme == syncml.AuthMD5 {
		return true
	}
	shown, right := v.md5(h)
	if v.Scheme == HMAC {
		shown, right = v.hmac(p)
	}
	v.trusted = right
	switch {
	case right:
		v.Former, v.unused, v.failures, v.missing = v.Nonce, false, 0, 0
	case shown:
		v.failures++
		v.refusal = ds.StatusInvalidCred
	default:
		v.missing++
		v.refusal = ds.StatusCredMissing
	}
	return right
}

func (v *Verifier) md5(h *syncml.Header) (shown, right bool) {
	if h.Cred == nil {
		return false, false
	}
	named := h.Source.Name == "" || h.Source.Name == v.User
	return true, h.Cred.Meta.Type == syncml.AuthMD5 && named && h.Cred.MatchesMD5(v.Credential, v.Nonce)
}

func (v *Verifier) hmac(p packet.Packet) (shown, right bool) {
	if p.HMAC == nil {
		return false, false
	}
	return true, p.HMAC.User == v.User && equal(p.HMAC.MAC, v.mac(p.Body))
}

// Answer completes the status of the peer's header.
func (v *Verifier) Answer(s *syncml.Status) {
	switch {
	case !v.trusted:
		s.Code = v.refusal
		if !v.GivenUp() {
			s.Chal = v.challenge()
		}
	case v.Scheme == HMAC:
		s.Code, s.Chal = ds.StatusOK, v.challenge()
	case !v.told:
		v.told = true
		s.Code, s.Chal = ds.StatusAuthenticated, v.challenge()
	default:
		s.Code = ds.StatusOK
	}
}

// challenge issues a nonce. One that nothing was proved with remains: whoever cannot show it may have got it nevertheless, and two nonces are all
// that a notification is tried with.
func (v *Verifier) challenge() *syncml.Meta {
	if !v.unused {
		v.Nonce, v.unused = v.Issue(), true
	}
	return &syncml.Meta{Type: v.Scheme, Format: "b64", NextNonce: v.Nonce}
}
