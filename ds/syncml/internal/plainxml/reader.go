// Package plainxml is the token level of XML as SyncML uses it: elements, namespaces and text. There are no entities but the five of XML
// itself, and a document type is passed over unless it declares something; nothing is ever fetched. Every document takes time and memory
// in proportion to its length.
package plainxml

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// maxSpaces bounds the namespaces that are declared at one place, since each name looks through them; SyncML has three.
const maxSpaces = 64

// Reader reads a document token by token, as wbxml.Reader does. Carriage returns stay as they are: a parser by the book makes line feeds
// of them, but SyncEvolution writes the lines of its cards and events with them and counts them in Size (traces, large-object-both-xml).
type Reader struct {
	in      []byte
	pos     int
	names   map[string]string // one string for each name and namespace
	open    []element
	spaces  []binding // innermost last
	pending bool      // an End for an element without content
	opaque  bool      // the text that follows is base64 of octets (syncml.ToXML)
}

// element is an element that is open.
type element struct {
	name   string // with its prefix
	local  string
	spaces int // declared outside of it
}

type binding struct{ prefix, uri string }

// NewReader reads UTF-8, or Latin-1 if the text is no UTF-8: phones announce one and send the other (protocol.md J.1).
func NewReader(in []byte) (*Reader, error) {
	r := &Reader{in: bytes.TrimRight(in, "\x00 \t\r\n"), names: make(map[string]string)}
	if bytes.HasPrefix(in, []byte("\xff\xfe")) || bytes.HasPrefix(in, []byte("\xfe\xff")) {
		return nil, r.fail("its charset UTF-16 is neither UTF-8 nor Latin-1")
	}
	if !utf8.Valid(r.in) {
		r.in = latin1(r.in)
	}
	return r, nil
}

func latin1(in []byte) []byte {
	out := make([]byte, 0, len(in)+len(in)/4)
	for _, c := range in {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// Offset is how far the document has been read.
func (r *Reader) Offset() int { return r.pos }

func (r *Reader) fail(format string, args ...any) error {
	return fmt.Errorf("malformed XML at offset %d: %s", r.pos, fmt.Sprintf(format, args...))
}

// Next returns the next token. Text is one token for each run without markup; it shares memory with the document where it can.
func (r *Reader) Next() (wbxml.Token, error) {
	if r.pending {
		r.pending = false
		return r.pop(), nil
	}
	for r.pos < len(r.in) {
		t, err := r.token()
		if err != nil || t.Kind != 0 {
			return t, err
		}
	}
	return wbxml.Token{}, r.fail("it ends early")
}

// token reads what comes next; a Token without Kind means that it was passed over.
func (r *Reader) token() (wbxml.Token, error) {
	switch {
	case r.in[r.pos] != '<':
		return r.text()
	case r.skip("</"):
		return r.end()
	case r.skip("<![CDATA["):
		text, err := r.until("]]>", "CDATA section")
		return r.inside(text, err)
	case r.skip("<!--"):
		_, err := r.until("-->", "comment")
		return wbxml.Token{}, err
	case r.skip("<?"):
		return wbxml.Token{}, r.instruction()
	case r.skip("<!"):
		return wbxml.Token{}, r.docType()
	}
	r.pos++
	return r.start()
}

// skip passes over what the document begins with, if it does.
func (r *Reader) skip(what string) bool {
	if !bytes.HasPrefix(r.in[r.pos:], []byte(what)) {
		return false
	}
	r.pos += len(what)
	return true
}

// until reads up to a mark and passes over the mark.
func (r *Reader) until(mark, what string) ([]byte, error) {
	n := bytes.Index(r.in[r.pos:], []byte(mark))
	if n < 0 {
		return nil, r.fail("a %s has no end", what)
	}
	text := r.in[r.pos : r.pos+n]
	r.pos += n + len(mark)
	return text, nil
}

// instruction passes over a processing instruction; the first one may name a charset.
func (r *Reader) instruction() error {
	first := r.pos == len("<?")
	text, err := r.until("?>", "processing instruction")
	if err != nil || !first {
		return err
	}
	_, rest, ok := bytes.Cut(text, []byte("encoding"))
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if !ok || len(rest) == 0 {
		return nil
	}
	name, _, _ := bytes.Cut(rest[1:], rest[:1])
	switch strings.ToLower(string(name)) {
	case "utf-8", "utf8", "us-ascii", "iso-8859-1", "latin1":
		return nil
	}
	return r.fail("its charset %q is neither UTF-8 nor Latin-1", name)
}

// docType passes over a document type that only names a DTD, as old peers write it.
func (r *Reader) docType() error {
	if !r.skip("DOCTYPE") || len(r.open) > 0 {
		return r.fail("a declaration has no place here")
	}
	for {
		n := bytes.IndexAny(r.in[r.pos:], `[<>"'`)
		if n < 0 {
			return r.fail("a document type has no end")
		}
		r.pos += n + 1
		switch c := r.in[r.pos-1]; c {
		case '>':
			return nil
		case '[', '<':
			return r.fail("a document type with declarations (entities, elements) is not read")
		default:
			if _, err := r.until(string(c), "quoted value"); err != nil {
				return err
			}
		}
	}
}

func (r *Reader) start() (wbxml.Token, error) {
	if len(r.open) >= wbxml.MaxDepth {
		return wbxml.Token{}, r.fail("elements are nested deeper than %d", wbxml.MaxDepth)
	}
	e := element{spaces: len(r.spaces)}
	var err error
	if e.name, err = r.name(); err != nil {
		return wbxml.Token{}, err
	}
	r.opaque = false
	if err := r.attributes(); err != nil {
		return wbxml.Token{}, err
	}
	prefix, local, ok := strings.Cut(e.name, ":")
	if !ok {
		prefix, local = "", e.name
	}
	e.local = local
	r.open = append(r.open, e)
	return wbxml.Token{Kind: wbxml.Start, Space: r.resolve(prefix), Name: local}, nil
}

// resolve is the namespace of a prefix.
func (r *Reader) resolve(prefix string) string {
	for i := len(r.spaces) - 1; i >= 0; i-- {
		if r.spaces[i].prefix == prefix {
			return r.spaces[i].uri
		}
	}
	return ""
}

func (r *Reader) end() (wbxml.Token, error) {
	name, err := r.name()
	if err != nil {
		return wbxml.Token{}, err
	}
	if n := len(r.open); n == 0 || r.open[n-1].name != name {
		return wbxml.Token{}, r.fail("</%s> closes nothing", name)
	}
	r.blanks()
	if !r.skip(">") {
		return wbxml.Token{}, r.fail("</%s has no end", name)
	}
	return r.pop(), nil
}

// pop closes the innermost element.
func (r *Reader) pop() wbxml.Token {
	n := len(r.open) - 1
	e := r.open[n]
	r.open, r.spaces, r.opaque = r.open[:n], r.spaces[:e.spaces], false
	return wbxml.Token{Kind: wbxml.End, Name: e.local}
}

// inside makes a token of text in an element; outside of the root it means nothing.
func (r *Reader) inside(text []byte, err error) (wbxml.Token, error) {
	switch {
	case err != nil || len(r.open) == 0:
		return wbxml.Token{}, err
	case !IsText(text):
		return wbxml.Token{}, r.fail("a character before it is none of XML")
	case !r.opaque:
		return wbxml.Token{Kind: wbxml.Text, Text: text}, nil
	}
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return wbxml.Token{}, r.fail("an opaque element holds no base64")
	}
	return wbxml.Token{Kind: wbxml.Opaque, Text: b}, nil
}

func (r *Reader) text() (wbxml.Token, error) {
	n := bytes.IndexByte(r.in[r.pos:], '<')
	if n < 0 {
		n = len(r.in) - r.pos
	}
	raw := r.in[r.pos : r.pos+n]
	r.pos += n
	if len(r.open) == 0 {
		return wbxml.Token{}, nil
	}
	text, err := r.unescape(raw)
	return r.inside(text, err)
}
