package cp

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Global tokens of WBXML.
const (
	switchPage   = 0x00
	end          = 0x01
	entity       = 0x02
	inlineString = 0x03
	literal      = 0x04
	tableString  = 0x83
	opaque       = 0xC3

	hasAttributes = 0x80 // of a tag
	hasContent    = 0x40 // likewise
)

// Character sets by their IANA numbers.
const (
	charsetUnknown = 0
	charsetASCII   = 3
	charsetLatin1  = 4
	charsetUTF8    = 106
)

// parseWBXML reads a document in WBXML.
func parseWBXML(in []byte) (*Characteristic, error) {
	r := reader{in: in}
	r.header()
	for r.err == nil && r.pos < len(r.in) {
		r.token()
	}
	switch {
	case r.err == nil && (r.root == nil || len(r.open) > 0):
		r.fail("it ends early")
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w (offset %d)", r.err, r.pos)
	}
	return r.root, nil
}

// reader reads tokens. It remembers the first error, after which everything is 0.
type reader struct {
	builder
	in      []byte
	pos     int
	charset uint32
	strings []byte
	page    int // of attributes
	err     error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

func (r *reader) byte() byte {
	if r.err != nil || r.pos >= len(r.in) {
		r.fail("it ends early")
		return 0
	}
	b := r.in[r.pos]
	r.pos++
	return b
}

// uint reads a multi-byte integer of at most five octets.
func (r *reader) uint() uint32 {
	var v uint64
	for range 5 {
		b := r.byte()
		v = v<<7 | uint64(b&0x7F)
		if b&0x80 == 0 {
			return uint32(min(v, 1<<32-1))
		}
	}
	r.fail("a number is longer than five octets")
	return 0
}

// take takes so many octets.
func (r *reader) take(n uint32) []byte {
	if r.err != nil || uint64(n) > uint64(len(r.in)-r.pos) {
		r.fail("it ends early")
		return nil
	}
	b := r.in[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

func (r *reader) header() {
	if v := r.byte(); v < 1 || v > 3 {
		r.fail("it is neither XML nor WBXML 1.1 to 1.3")
	}
	id := r.uint()
	name := uint32(0)
	if id == 0 {
		name = r.uint()
	}
	r.charset = r.uint()
	switch r.charset {
	case charsetUnknown, charsetASCII, charsetLatin1, charsetUTF8:
	default:
		r.fail("its character set %d is not known", r.charset)
	}
	r.strings = r.take(r.uint())
	if r.err == nil && id != publicID && (id != 0 || r.table(name) != publicName) {
		r.fail("it is a document of another type (public identifier %d)", id)
	}
}

// table is the string at an index of the string table.
func (r *reader) table(index uint32) string {
	if uint64(index) >= uint64(len(r.strings)) {
		r.fail("string %d is beyond the table", index)
		return ""
	}
	text, _, _ := bytes.Cut(r.strings[index:], []byte{0})
	return r.decode(text)
}

func (r *reader) inline() string {
	text, _, ok := bytes.Cut(r.in[r.pos:], []byte{0})
	if !ok {
		r.fail("a string has no end")
		return ""
	}
	r.pos += len(text) + 1
	return r.decode(text)
}

// decode gives a text in UTF-8.
func (r *reader) decode(text []byte) string {
	r.text += len(text)
	switch {
	case r.text > maxText:
		r.fail("its names and values have more than %d octets", maxText)
		return ""
	case r.charset == charsetLatin1:
		out := make([]rune, len(text))
		for i, b := range text {
			out[i] = rune(b)
		}
		return string(out)
	case !utf8.Valid(text):
		r.fail("a string is no UTF-8")
	}
	return string(text)
}

// token reads what may stand between tags.
func (r *reader) token() {
	switch t := r.byte(); t {
	case switchPage:
		r.byte() // the tags of both pages are the same
	case end:
		if len(r.open) == 0 {
			r.fail("an element ends that has not begun")
			return
		}
		r.end()
	case entity:
		r.uint()
	case inlineString:
		r.inline() // there is no text in these documents but white space
	case tableString:
		r.table(r.uint())
	case opaque:
		r.take(r.uint())
	default:
		r.element(t)
	}
}

func (r *reader) element(t byte) {
	id := t &^ (hasAttributes | hasContent)
	name := tags[id]
	if id == literal {
		name = r.table(r.uint())
	}
	var attr map[string]string
	if t&hasAttributes != 0 {
		attr = r.attributes()
	}
	if r.err != nil {
		return
	}
	if r.err = r.start(name, attr); r.err == nil && t&hasContent == 0 {
		r.end()
	}
}

// attributes reads those of an element; unknown ones are passed over.
func (r *reader) attributes() map[string]string {
	out := map[string]string{}
	name := ""
	for r.err == nil {
		switch t := r.byte(); {
		case t == end:
			delete(out, "")
			return out
		case t == switchPage:
			r.switchTo(r.byte())
		case t == literal:
			name = r.table(r.uint())
		case t < 0x80 && t != entity && t != inlineString:
			a := starts[r.page][t]
			name = a.name
			out[name] = a.value
		default:
			out[name] += r.value(t)
			if r.text += len(out[name]); r.text > maxText { // a value of many parts is copied as often
				r.fail("its names and values have more than %d octets", maxText)
			}
		}
	}
	return nil
}

func (r *reader) switchTo(page byte) {
	if int(page) >= len(starts) {
		r.fail("there is no code page %d", page)
		return
	}
	r.page = int(page)
}

// value reads a part of the value of an attribute.
func (r *reader) value(t byte) string {
	switch t {
	case inlineString:
		return r.inline()
	case tableString:
		return r.table(r.uint())
	case opaque:
		return r.decode(r.take(r.uint()))
	case entity:
		var b strings.Builder
		b.WriteRune(rune(r.uint())) // what is no character becomes U+FFFD
		return b.String()
	}
	return values[r.page][t]
}
