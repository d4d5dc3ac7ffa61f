package wbxml

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// MaxDepth bounds nesting; SyncML needs about twelve (design.md §10).
const MaxDepth = 32

// Kind is what a Token is.
type Kind int

// The kinds.
const (
	Start Kind = iota + 1
	End
	Text
	Opaque
	EOF
)

// Token is one token. Text shares memory with the document where it can.
type Token struct {
	Kind  Kind
	Space string // of a Start; "" for a name that is in no code page
	Name  string // of a Start or End
	Text  []byte
}

// Error is malformed WBXML, with the place.
type Error struct {
	Offset int
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("malformed WBXML at offset %d: %s", e.Offset, e.Reason)
}

// Reader reads a document token by token. Processing instructions, attributes and extension tokens mean nothing in SyncML
// and are passed over.
type Reader struct {
	in      []byte
	pos     int
	Lang    Language
	charset uint32
	strings []byte
	page    byte
	taken   int // octets from the string table so far
	open    []string
	pending bool // an End for an element without content
}

// NewReader reads the header. fallback is the language of a document whose public id is unknown (some servers of Funambol send 1).
func NewReader(in []byte, fallback Language) (*Reader, error) {
	r := &Reader{in: in, Lang: fallback}
	if err := r.header(); err != nil {
		return nil, err
	}
	return r, nil
}

// Offset is how far the document has been read.
func (r *Reader) Offset() int { return r.pos }

func (r *Reader) fail(format string, args ...any) error {
	return &Error{Offset: r.pos, Reason: fmt.Sprintf(format, args...)}
}

func (r *Reader) byte() (byte, error) {
	if r.pos >= len(r.in) {
		return 0, r.fail("it ends early")
	}
	b := r.in[r.pos]
	r.pos++
	return b, nil
}

// uint reads a multi-byte integer: at most five octets and 32 bits.
func (r *Reader) uint() (uint32, error) {
	var v uint64
	for range 5 {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		v = v<<7 | uint64(b&0x7F)
		if b&0x80 == 0 {
			if v > 1<<32-1 {
				return 0, r.fail("a number is larger than 32 bits")
			}
			return uint32(v), nil
		}
	}
	return 0, r.fail("a number is longer than five octets")
}

// bytes reads a length and that many octets.
func (r *Reader) bytes(what string) ([]byte, error) {
	n, err := r.uint()
	if err != nil {
		return nil, err
	}
	if uint64(n) > uint64(len(r.in)-r.pos) {
		return nil, r.fail("%s of %d octets is longer than the document", what, n)
	}
	b := r.in[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b, nil
}

// maxExpansion bounds how often the string table may be used: all that is taken from it is at most so many times as long as the document,
// which else could stand for its own length squared.
const maxExpansion = 32

// table is the string at an index of the string table. The last one may lack its NUL (older phones).
func (r *Reader) table(index uint32) ([]byte, error) {
	if uint64(index) >= uint64(len(r.strings)) {
		return nil, r.fail("string table index %d is outside of a table of %d octets", index, len(r.strings))
	}
	s := r.strings[index:]
	if end := bytes.IndexByte(s, 0); end >= 0 {
		s = s[:end]
	}
	if r.taken += len(s); r.taken > maxExpansion*len(r.in) {
		return nil, r.fail("the strings of the table are used too often")
	}
	return s, nil
}

// literal is a name that has no code.
func (r *Reader) literal() (string, error) {
	index, err := r.uint()
	if err != nil {
		return "", err
	}
	name, err := r.table(index)
	if err == nil && !IsName(name) {
		err = r.fail("%.20q is no name", name[:min(len(name), 20)])
	}
	return string(name), err
}

// IsName tells whether b can be the name of an element, without prefix; what is no ASCII counts as letters.
func IsName(b []byte) bool {
	for i, c := range b {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= utf8.RuneSelf
		if !letter && (i == 0 || c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxName && utf8.Valid(b)
}

// maxName bounds names; those of SyncML have at most 23 letters.
const maxName = 128

func (r *Reader) inline() ([]byte, error) {
	end := bytes.IndexByte(r.in[r.pos:], 0)
	if end < 0 {
		return nil, r.fail("a string has no end")
	}
	s := r.in[r.pos : r.pos+end]
	r.pos += end + 1
	return s, nil
}

// Next returns the next token; EOF after the root element has ended. Octets behind it are ignored.
func (r *Reader) Next() (Token, error) {
	if r.pending {
		r.pending = false
		return r.end()
	}
	for {
		b, err := r.byte()
		if err != nil {
			return Token{}, err
		}
		t, err := r.token(b)
		if err != nil || t.Kind != 0 {
			return t, err
		}
	}
}

func (r *Reader) end() (Token, error) {
	if len(r.open) == 0 {
		return Token{}, r.fail("END without an element")
	}
	name := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	return Token{Kind: End, Name: name}, nil
}

// token reads what b begins; a Token without Kind means that it was passed over.
func (r *Reader) token(b byte) (Token, error) {
	switch {
	case b == tokSwitchPage:
		var err error
		r.page, err = r.byte()
		return Token{}, err
	case b == tokEnd:
		return r.end()
	case b == tokEntity:
		return r.entity()
	case b == tokStrI:
		s, err := r.inline()
		return r.text(s, err)
	case b == tokStrT:
		return r.tableText()
	case b == tokOpaque:
		s, err := r.bytes("opaque data")
		return r.inside(Token{Kind: Opaque, Text: s}, err)
	case b == tokPI:
		return Token{}, r.attributes()
	case b >= tokExtI0 && b <= tokExtI0+2:
		_, err := r.inline()
		return Token{}, err
	case b >= tokExtT0 && b <= tokExtT0+2:
		_, err := r.uint()
		return Token{}, err
	case b >= tokExt0 && b <= tokExt0+2:
		return Token{}, nil
	}
	return r.start(b)
}

func (r *Reader) inside(t Token, err error) (Token, error) {
	if err == nil && len(r.open) == 0 {
		err = r.fail("text outside of the root element")
	}
	return t, err
}

func (r *Reader) text(s []byte, err error) (Token, error) {
	if r.charset == charsetLatin1 || r.charset != charsetUTF8 && !utf8.Valid(s) {
		s = latin1(s) // old phones announce nothing, or Latin-1 (protocol.md J.1)
	}
	return r.inside(Token{Kind: Text, Text: s}, err)
}

// latin1 makes UTF-8 of it.
func latin1(s []byte) []byte {
	out := make([]byte, 0, len(s)+len(s)/4)
	for _, c := range s {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

func (r *Reader) tableText() (Token, error) {
	index, err := r.uint()
	if err != nil {
		return Token{}, err
	}
	s, err := r.table(index)
	return r.text(s, err)
}

func (r *Reader) entity() (Token, error) {
	code, err := r.uint()
	if err == nil && (code > utf8.MaxRune || !utf8.ValidRune(rune(code))) {
		err = r.fail("entity %d is no character", code)
	}
	return r.inside(Token{Kind: Text, Text: []byte(string(rune(code)))}, err)
}

func (r *Reader) start(b byte) (Token, error) {
	t := Token{Kind: Start}
	if b&tagMask == tokLiteral {
		var err error
		if t.Name, err = r.literal(); err != nil {
			return t, err
		}
	} else {
		t.Space, t.Name = r.lookup(b & tagMask)
	}
	if len(r.open) >= MaxDepth {
		return t, r.fail("elements are nested deeper than %d", MaxDepth)
	}
	if b&hasAttributes != 0 {
		if err := r.attributes(); err != nil {
			return t, err
		}
	}
	r.open = append(r.open, t.Name)
	r.pending = b&hasContent == 0
	return t, nil
}

// lookup names a tag. An unknown one gets a name that nobody asks for, so that its reader passes over it.
func (r *Reader) lookup(code byte) (space, name string) {
	for _, p := range languages[r.Lang] {
		if p.number == r.page && int(code) >= firstTag && int(code)-firstTag < len(p.names) && p.names[code-firstTag] != "" {
			return p.space, p.names[code-firstTag]
		}
	}
	return "", fmt.Sprintf(unknownName, r.page, code)
}

const unknownName = "unknown-%d-%02x"

// attributes passes over an attribute list.
func (r *Reader) attributes() error {
	for {
		b, err := r.byte()
		switch {
		case err != nil:
			return err
		case b == tokEnd:
			return nil
		case b == tokStrI || b >= tokExtI0 && b <= tokExtI0+2:
			_, err = r.inline()
		case b == tokOpaque:
			_, err = r.bytes("opaque data")
		case b == tokStrT || b == tokEntity || b == tokLiteral || b >= tokExtT0 && b <= tokExtT0+2:
			_, err = r.uint()
		case b == tokSwitchPage:
			_, err = r.byte()
		}
		if err != nil {
			return err
		}
	}
}

// Depth is how many elements are open.
func (r *Reader) Depth() int { return len(r.open) }
