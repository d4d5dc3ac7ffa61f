// Package san is the notification by which a server wakes a device (package 0, server alerted notification): some bytes with a digest,
// for data synchronization and for device management. It builds and reads them, and sends nothing.
package san

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// Version is the field by which a receiver tells the two kinds apart (protocol.md F.1).
type Version uint16

// The versions.
const (
	DM Version = 11
	DS Version = 12
)

// UIMode says how the user takes part.
type UIMode byte

// The modes.
const (
	Unspecified UIMode = iota
	Background
	Informative
	Interaction
)

// Sync asks for the synchronization of one datastore.
type Sync struct {
	Type        int    // 206 to 210
	ContentType uint32 // WSP code, 24 bits, 0 if not specified
	URI         string // of the datastore on the server, at most 255 octets
}

// Notification is a package 0 without its digest. No Syncs means: everything.
type Notification struct {
	Version   Version
	UI        UIMode
	ByServer  bool   // the server asks, not the user
	SessionID uint16 // of the session that shall follow; 0 leaves it to the device
	ServerID  string // at most 255 octets
	Syncs     []Sync // DS only, at most 15
	Vendor    []byte
}

const digestSize = md5.Size

// header is digest, version and bits, session id, length of the server id.
const header = digestSize + 5 + 2 + 1

// Key is what both sides know: the server's password on the device, and a nonce that the device gave it.
type Key struct {
	Password string
	Nonce    []byte
}

// Build writes n with its digest.
func (n *Notification) Build(k Key) ([]byte, error) {
	b, err := n.trigger()
	if err != nil {
		return nil, err
	}
	d := digest(n.ServerID, k, b)
	return append(d[:], b...), nil
}

// trigger is everything but the digest.
func (n *Notification) trigger() ([]byte, error) {
	if len(n.ServerID) > 255 || len(n.Syncs) > 15 {
		return nil, errors.New("cannot build notification: a server id has at most 255 octets, and 15 datastores fit")
	}
	b := []byte{byte(n.Version >> 2), byte(n.Version&3)<<6 | byte(n.UI&3)<<4, 0, 0, 0}
	if n.ByServer {
		b[1] |= 1 << 3
	}
	b = binary.BigEndian.AppendUint16(b, n.SessionID)
	b = append(append(b, byte(len(n.ServerID))), n.ServerID...)
	if n.Version == DS {
		b = append(b, byte(len(n.Syncs))<<4)
		for _, s := range n.Syncs {
			if s.Type < firstType || s.Type > lastType || len(s.URI) > 255 {
				return nil, fmt.Errorf("cannot build notification: sync type %d of %q", s.Type, s.URI)
			}
			b = append(b, byte(s.Type-200)<<4, byte(s.ContentType>>16), byte(s.ContentType>>8), byte(s.ContentType), byte(len(s.URI)))
			b = append(b, s.URI...)
		}
	}
	return append(b, n.Vendor...), nil
}

// digest is H(B64(H(server-id:password)):nonce:B64(H(trigger))) (protocol.md F.2).
func digest(serverID string, k Key, trigger []byte) [digestSize]byte {
	who := md5.Sum([]byte(serverID + ":" + k.Password))
	what := md5.Sum(trigger)
	b64 := base64.StdEncoding
	in := append([]byte(b64.EncodeToString(who[:])), ':')
	in = append(append(in, k.Nonce...), ':')
	return md5.Sum(append(in, b64.EncodeToString(what[:])...))
}

// Verify tells whether the digest of a notification was made with k. A receiver drops silently what is not.
func Verify(b []byte, serverID string, k Key) bool {
	if len(b) < header {
		return false
	}
	d := digest(serverID, k, b[digestSize:])
	return subtle.ConstantTimeCompare(d[:], b[:digestSize]) == 1
}

// Parse reads a notification. It does not look at the digest: who sent it is in the result, and Verify needs to know that.
func Parse(b []byte) (*Notification, error) {
	if len(b) < header {
		return nil, fmt.Errorf("cannot read notification: %d octets are too few", len(b))
	}
	body := b[digestSize:]
	n := &Notification{Version: Version(body[0])<<2 | Version(body[1]>>6), UI: UIMode(body[1] >> 4 & 3), ByServer: body[1]>>3&1 == 1,
		SessionID: binary.BigEndian.Uint16(body[5:])}
	if n.Version != DS && n.Version != DM {
		return nil, fmt.Errorf("cannot read notification: version %d is neither DS nor DM", n.Version)
	}
	r := reader{rest: body[7:]}
	n.ServerID = r.text()
	if n.Version == DS {
		n.Syncs = r.syncs()
	}
	switch {
	case r.short:
		return nil, errors.New("cannot read notification: it ends early")
	case r.unknown > 0 && len(n.Syncs) == 0: // would mean everything
		return nil, errors.New("cannot read notification: it has no sync type that is known")
	}
	if len(r.rest) > 0 {
		n.Vendor = r.rest
	}
	return n, nil
}

type reader struct {
	rest    []byte
	short   bool // it ended early
	unknown int  // sync types that nobody knows, passed over as S60 does (protocol.md F.1)
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.short, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// text is a string with its length before it.
func (r *reader) text() string { return string(r.take(int(r.take(1)[0]))) }

func (r *reader) syncs() (out []Sync) {
	for range r.take(1)[0] >> 4 {
		h := r.take(4)
		s := Sync{Type: 200 + int(h[0]>>4), ContentType: uint32(h[1])<<16 | uint32(h[2])<<8 | uint32(h[3])}
		s.URI = r.text()
		if r.short {
			return nil
		}
		if s.Type < firstType || s.Type > lastType {
			r.unknown++
			continue
		}
		out = append(out, s)
	}
	return out
}
