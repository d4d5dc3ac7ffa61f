package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// fieldPartial is the header field that marks a partial message. Reduce puts it first, behind the "From " line of mbox if there is one.
const fieldPartial = "X-Alwayson-Partial"

// Marker is what a partial message says of the whole one it was made of.
type Marker struct {
	Policy Policy
	Size   int64  // octets of the whole message
	ID     string // of the whole message, as ID has it
	// Unchanged is whether the partial message is to the octet as it was made. If not, somebody edited it, and what is left out of it is
	// not meant to be deleted.
	Unchanged bool
}

// ID is how a marker names the body of a whole message. It is the same as ds.Version: 128 bits of its SHA-256.
func ID(msg []byte) string { return id(msg) }

func id(pieces ...[]byte) string {
	sum := sha256.New()
	for _, p := range pieces {
		sum.Write(p)
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16])
}

// Of tells whether the partial message was made of whole.
func (m Marker) Of(whole []byte) bool { return m.Size == int64(len(whole)) && m.ID == ID(whole) }

// SameMessage tells whether partial was made of whole and nobody edited it: it says nothing that whole does not say, and must not replace it.
func SameMessage(partial, whole []byte) bool {
	m, ok := Partial(partial)
	return ok && m.Unchanged && m.Of(whole)
}

// Partial recognises a partial message by its header. The marker is found wherever it stands in the header, because another program that
// puts a field before it must not make a whole message of it. Anybody can write such a field: believe it only if Of holds for the
// message that it would be a part of.
func Partial(msg []byte) (Marker, bool) {
	h, _ := head(msg)
	for _, f := range h.fields {
		if f.name == strings.ToLower(fieldPartial) {
			m, sum, ok := parseMarker(h.value(f))
			line := bytes.LastIndexByte(msg[:f.from], '\n') + 1
			m.Unchanged = ok && sum == id(msg[:line], msg[lineEnd(msg, line):])
			return m, ok
		}
	}
	return Marker{}, false
}

// mark puts the marker into a partial message.
func (m Marker) mark(msg []byte, nl string) []byte {
	at := 0
	if bytes.HasPrefix(msg, []byte("From ")) {
		at = lineEnd(msg, 0)
	}
	return slices.Insert(msg, at, []byte(m.line(id(msg), nl))...)
}

func (m Marker) line(sum, nl string) string {
	return fieldPartial + ": " + m.Policy.String() + "; size=" + strconv.FormatInt(m.Size, 10) + "; id=" + m.ID + "; sum=" + sum + nl
}

func parseMarker(v string) (m Marker, sum string, ok bool) {
	policy, fields, _ := strings.Cut(v, ";")
	p, err := ParsePolicy(policy)
	if err != nil {
		p = Policy{Body: Headers} // of a later program: all that matters is that it is partial
	}
	m.Policy = p
	for f := range strings.SplitSeq(fields, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(f), "=")
		if blank := strings.IndexAny(value, " \t"); blank >= 0 {
			value = value[:blank] // a folded line behind it is none of ours
		}
		switch {
		case key == "size" && !ok:
			m.Size, err = strconv.ParseInt(value, 10, 64)
			ok = err == nil && m.Size >= 0
		case key == "id" && m.ID == "":
			m.ID = value
		case key == "sum" && sum == "":
			sum = value
		}
	}
	return m, sum, ok && m.ID != ""
}
