package mail

import (
	"bytes"
	"strings"
)

// maxValue bounds how much of one header field is looked at; no field that means anything is longer.
const maxValue = 64 << 10

// header is the fields of a message or part as places in it.
type header struct {
	of     []byte
	fields []field
}

// field is one header field; its value is of[from:to] with the line breaks in it.
type field struct {
	name     string // lower case, "" for a line that is no field
	from, to int
}

// head takes the header of a message or part, and tells where its body begins. A line that is no field ("From " of mbox, garbage) is
// passed over; without an empty line all is header.
func head(b []byte) (h header, body int) {
	h.of = b
	for i := 0; i < len(b); {
		next := lineEnd(b, i)
		end := i + len(bytes.TrimRight(b[i:next], "\r\n"))
		switch {
		case end == i:
			return h, next
		case b[i] != ' ' && b[i] != '\t':
			h.add(i, end)
		case len(h.fields) > 0:
			h.fields[len(h.fields)-1].to = end
		}
		i = next
	}
	return h, len(b)
}

// lineEnd is where the line with b[i] in it ends, after its line feed.
func lineEnd(b []byte, i int) int {
	if n := bytes.IndexByte(b[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(b)
}

func (h *header) add(from, to int) {
	name, _, ok := bytes.Cut(h.of[from:to], []byte(":"))
	value := from + len(name) + 1
	name = bytes.TrimRight(name, " \t")
	if !ok || len(name) == 0 || bytes.ContainsAny(name, " \t") {
		h.fields = append(h.fields, field{"", from, to})
		return
	}
	h.fields = append(h.fields, field{strings.ToLower(string(name)), value, to})
}

// get is the first value of a name, unfolded; "" if there is none.
func (h *header) get(name string) string {
	for _, f := range h.fields {
		if f.name == name {
			return h.value(f)
		}
	}
	return ""
}

// maxSame bounds how many fields of one name are looked at. RFC 5322 has one To and one Cc.
const maxSame = 16

// all are the values of a name, unfolded, up to maxSame.
func (h *header) all(name string) []string {
	var out []string
	for _, f := range h.fields {
		if f.name == name && len(out) < maxSame {
			out = append(out, h.value(f))
		}
	}
	return out
}

var unfolder = strings.NewReplacer("\r", "", "\n", "")

func (h *header) value(f field) string {
	raw := h.of[f.from:min(f.to, f.from+maxValue)]
	return strings.TrimSpace(unfolder.Replace(string(raw)))
}

// newline is how the lines of a message end, as its first one does.
func newline(msg []byte) string {
	if end := lineEnd(msg, 0); end >= 2 && msg[end-1] == '\n' && msg[end-2] == '\r' {
		return "\r\n"
	}
	return "\n"
}
