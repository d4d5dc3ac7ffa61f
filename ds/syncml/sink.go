package syncml

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/plainxml"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// sink takes elements and writes them in one of the encodings. It remembers the first error.
type sink interface {
	start(space, name string)
	empty(space, name string)
	end()
	text(s string)
	opaque(b []byte) // octets in WBXML, escaped text in XML
	grow(n int)
	len() int
	mark() any
	reset(mark any)
	bytes() ([]byte, error)
}

type wbxmlSink struct {
	w   *wbxml.Writer
	err error
}

func (s *wbxmlSink) keep(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *wbxmlSink) start(space, name string) { s.keep(s.w.Start(space, name)) }
func (s *wbxmlSink) empty(space, name string) { s.keep(s.w.Empty(space, name)) }
func (s *wbxmlSink) end()                     { s.w.End() }
func (s *wbxmlSink) text(t string)            { s.w.Text(t) }
func (s *wbxmlSink) opaque(b []byte)          { s.w.Opaque(b) }
func (s *wbxmlSink) grow(n int)               { s.w.Grow(n) }
func (s *wbxmlSink) len() int                 { return len(s.w.Bytes()) }
func (s *wbxmlSink) mark() any                { return s.w.Mark() }
func (s *wbxmlSink) reset(m any)              { s.w.Reset(m.(wbxml.Mark)) }
func (s *wbxmlSink) bytes() ([]byte, error)   { return s.w.Bytes(), s.err }

// ErrNotXML is a text with characters that XML cannot hold, where it cannot be written in another way.
var ErrNotXML = errors.New("XML has no such characters")

// xmlSink writes XML as everybody does: a default namespace on the root and on each element that changes it (protocol.md A.4).
type xmlSink struct {
	b     bytes.Buffer
	stack []xmlElement
	err   error
}

type xmlElement struct{ space, name string }

const xmlProlog = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

func newXMLSink() *xmlSink {
	s := &xmlSink{}
	s.b.WriteString(xmlProlog)
	return s
}

func (s *xmlSink) open(space, name string) {
	s.b.WriteByte('<')
	s.b.WriteString(name)
	if n := len(s.stack); n == 0 || s.stack[n-1].space != space {
		s.namespace(space)
	}
}

func (s *xmlSink) namespace(space string) {
	s.b.WriteString(` xmlns="`)
	s.text(space)
	s.b.WriteByte('"')
}

func (s *xmlSink) start(space, name string) {
	s.open(space, name)
	s.b.WriteByte('>')
	s.stack = append(s.stack, xmlElement{space, name})
}

func (s *xmlSink) empty(space, name string) {
	s.open(space, name)
	s.b.WriteString("/>")
}

func (s *xmlSink) end() {
	n := len(s.stack) - 1
	s.b.WriteString("</" + s.stack[n].name + ">")
	s.stack = s.stack[:n]
}

// text escapes what needs it in text or between quotes, carriage returns too: a parser would make line feeds of them.
func (s *xmlSink) text(t string) {
	if s.err == nil && !plainxml.IsText(t) {
		s.err = fmt.Errorf("%w: %.40q", ErrNotXML, t)
	}
	if !strings.ContainsAny(t, "&<>\r\"") {
		s.b.WriteString(t)
		return
	}
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '&':
			s.b.WriteString("&amp;")
		case '<':
			s.b.WriteString("&lt;")
		case '>':
			s.b.WriteString("&gt;")
		case '"':
			s.b.WriteString("&quot;")
		case '\r':
			s.b.WriteString("&#xD;")
		default:
			s.b.WriteByte(t[i])
		}
	}
}

// opaque writes an object as CDATA with its carriage returns, as SyncEvolution writes and reads it: that takes bare text in the middle of a
// chunked object for none, and references to characters for as many as they have letters. plainxml.Reader leaves them alone on the way back.
func (s *xmlSink) opaque(b []byte) {
	s.b.WriteString("<![CDATA[")
	for {
		before, after, found := bytes.Cut(b, []byte("]]>"))
		s.b.Write(before)
		if !found {
			break
		}
		s.b.WriteString("]]]]><![CDATA[>")
		b = after
	}
	s.b.WriteString("]]>")
}

func (s *xmlSink) grow(n int) { s.b.Grow(n) }

func (s *xmlSink) len() int { return s.b.Len() }

type xmlMark struct {
	len   int
	depth int
}

func (s *xmlSink) mark() any { return xmlMark{s.b.Len(), len(s.stack)} }

func (s *xmlSink) reset(m any) {
	mark := m.(xmlMark)
	s.b.Truncate(mark.len)
	s.stack = s.stack[:mark.depth]
}

func (s *xmlSink) bytes() ([]byte, error) { return s.b.Bytes(), s.err }

// XMLText tells whether b comes through XML unchanged: UTF-8 without control characters.
func XMLText(b []byte) bool { return plainxml.IsText(b) }

// XMLRoom is how many octets of text take at most n octets as CDATA and end with a whole character; at least one character.
func XMLRoom(text []byte, n int) int {
	used := 0
	for i := 0; i < len(text); {
		_, size := utf8.DecodeRune(text[i:])
		if used += size; text[i] == '>' {
			used += len("]]><![CDATA[") // at most, where it would end the section
		}
		if used > n && i > 0 {
			return i
		}
		i += size
	}
	return len(text)
}
