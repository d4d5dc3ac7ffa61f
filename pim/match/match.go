// Package match finds out what an item is by looking into it: the identity that two copies of one item share. It only
// reads; a broken item has no identity and is an item all the same.
package match

import (
	"bytes"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// Identity is what the content of an item says it is.
type Identity struct {
	UID string // UID of a card or calendar object, Message-ID of a mail; "" if there is none
}

// Identify looks into a body of the given content type.
func Identify(typ string, body []byte) Identity {
	switch typ {
	case pim.TypeMessage, "message/x-rfc822":
		return Identity{UID: value(body, "message-id")}
	case pim.TypePlain:
		return Identity{}
	}
	return Identity{UID: value(body, "uid")}
}

// header bounds how far the identity is looked for, so that a photo or an attachment costs nothing.
const header = 64 << 10

// value is the value of the first line "NAME:…" or "NAME;…:…", unfolded.
func value(body []byte, name string) string {
	rest := body[:min(len(body), header)]
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if len(line) <= len(name) || !strings.EqualFold(string(line[:len(name)]), name) {
			continue
		}
		if c := line[len(name)]; c != ':' && c != ';' {
			continue
		}
		_, v, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		return unfold(v, rest)
	}
	return ""
}

// unfold adds the lines that go on with a blank.
func unfold(v, rest []byte) string {
	out := strings.TrimSuffix(string(v), "\r")
	for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
		var line []byte
		line, rest, _ = bytes.Cut(rest[1:], []byte("\n"))
		out += strings.TrimSuffix(string(line), "\r")
	}
	return strings.TrimSpace(out)
}
