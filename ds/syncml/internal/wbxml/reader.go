package wbxml

import (
	"bytes"
	"fmt"
	"strings"
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

func (r *Reader) header() error {
	version, err := r.byte()
	if err != nil {
		return err
	}
	if version > 0x03 {
		return r.fail("version octet %#02x is not WBXML 1.0 to 1.3", version)
	}
	id, err := r.uint()
	if err != nil {
		return err
	}
	index := uint32(0)
	if id == 0 {
		if index, err = r.uint(); err != nil {
			return err
		}
	}
	if version > 0 { // WBXML 1.0 has no charset
		if r.charset, err = r.uint(); err != nil {
			return err
		}
	}
	if r.strings, err = r.bytes("string table"); err != nil {
		return err
	}
	return r.chooseLanguage(id, index)
}

func (r *Reader) chooseLanguage(id, index uint32) error {
	if id != 0 {
		if lang, ok := publicIDs[id]; ok {
			r.Lang = lang
		} else if id != 1 {
			return r.fail("public id %#x is no SyncML", id)
		}
		return nil
	}
	text, err := r.table(index)
	if err != nil {
		return err
	}
	switch name := strings.ToUpper(string(text)); {
	case strings.Contains(name, "DTD SYNCML"), strings.Contains(name, "DTD METINF"):
		r.Lang = SyncML
	case strings.Contains(name, "DTD DEVINF"):
		r.Lang = DevInf
	case strings.Contains(name, "DTD-DM-DDF"):
		r.Lang = DDF
	default:
		return r.fail("public id %q is no SyncML", text)
	}
	return nil
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

// table is the string at an index of the string table. The last one may lack its NUL (older phones).
func (r *Reader) table(index uint32) ([]byte, error) {
	if uint64(index) > uint64(len(r.strings)) {
		return nil, r.fail("string table index %d is out of range", index)
	}
	s := r.strings[index:]
	if end := bytes.IndexByte(s, 0); end >= 0 {
		s = s[:end]
	}
	return s, nil
}

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
	if r.charset == 4 || r.charset != 106 && !utf8.Valid(s) {
		s = latin1(s) // old phones announce nothing, or Latin-1 (protocol.md J.1)
	}
	return r.inside(Token{Kind: Text, Text: s}, err)
}

func latin1(s []byte) []byte {
	out := make([]rune, len(s))
	for i, c := range s {
		out[i] = rune(c)
	}
	return []byte(string(out))
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
		index, err := r.uint()
		if err != nil {
			return t, err
		}
		name, err := r.table(index)
		if err != nil {
			return t, err
		}
		t.Name = string(name)
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
