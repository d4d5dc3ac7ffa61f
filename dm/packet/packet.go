// Package packet is a message of device management as its carrier brings it: the body, and beside it the HMAC where the ends prove with one who
// they are (protocol.md D.3, H.11).
package packet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Packet is one message. What a packet points to is not changed any more.
type Packet struct {
	Body []byte
	HMAC *HMAC // nil if there is none
}

// HMAC is what the header x-syncml-hmac says.
type HMAC struct {
	User string // without quotation marks and line ends
	MAC  string // base64
}

// IsZero tells whether p is no packet.
func (p Packet) IsZero() bool { return p.Body == nil }

// head begins a packet with an HMAC where the carrier has no headers: no body begins so.
const head = "x-syncml-hmac:"

// Marshal writes a packet for a carrier without headers, like MQTT 3.1.1: the body as it is or, if there is an HMAC, its header as a line, an empty
// line, and the body.
func (p Packet) Marshal() []byte {
	if p.HMAC == nil {
		return p.Body
	}
	return append([]byte(head+" "+p.HMAC.String()+"\r\n\r\n"), p.Body...)
}

// Parse reads what Marshal writes. The packet shares memory with b.
func Parse(b []byte) (Packet, error) {
	if !bytes.HasPrefix(b, []byte(head)) {
		return Packet{Body: b}, nil
	}
	line, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return Packet{}, errors.New("cannot read packet: its header has no end")
	}
	h, err := ParseHMAC(string(line[len(head):]))
	if err != nil {
		return Packet{}, fmt.Errorf("cannot read packet: %w", err)
	}
	return Packet{Body: body, HMAC: h}, nil
}

// String is the value of the header.
func (h *HMAC) String() string {
	return fmt.Sprintf(`algorithm=MD5, username="%s", mac=%s`, h.User, h.MAC)
}

// ParseHMAC reads the value of the header. The order does not matter, and MD5 is the default and only algorithm.
func ParseHMAC(value string) (*HMAC, error) {
	h := &HMAC{}
	for value = strings.TrimSpace(value); value != ""; {
		name, rest, ok := strings.Cut(value, "=")
		if !ok {
			return nil, errors.New("a parameter of the HMAC has no value")
		}
		var v string
		if v, value, ok = parameter(rest); !ok {
			return nil, errors.New("the quotation marks of the HMAC do not match")
		}
		if err := h.set(strings.TrimSpace(name), v); err != nil {
			return nil, err
		}
	}
	if h.MAC == "" {
		return nil, errors.New("the HMAC has no mac")
	}
	return h, nil
}

// parameter cuts off the value of one, quoted or not.
func parameter(s string) (v, rest string, ok bool) {
	s = strings.TrimSpace(s)
	if quoted, found := strings.CutPrefix(s, `"`); found {
		if v, rest, ok = strings.Cut(quoted, `"`); !ok {
			return "", "", false
		}
		_, rest, _ = strings.Cut(rest, ",")
	} else {
		v, rest, _ = strings.Cut(s, ",")
	}
	return strings.TrimSpace(v), strings.TrimSpace(rest), true
}

func (h *HMAC) set(name, value string) error {
	switch strings.ToLower(name) {
	case "algorithm":
		if !strings.EqualFold(value, "MD5") {
			return fmt.Errorf("the algorithm %q of the HMAC is unknown", value)
		}
	case "username":
		if strings.Contains(value, `"`) {
			return errors.New("the user of the HMAC has a quotation mark")
		}
		h.User = value
	case "mac":
		h.MAC = value
	}
	return nil
}
