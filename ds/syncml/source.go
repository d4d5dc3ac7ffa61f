package syncml

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// source is a document as tokens. Both encodings give the same ones, so that there is one decoder for both.
type source interface {
	Next() (wbxml.Token, error)
	Offset() int
}

// xmlSource reads XML. There are no document types and no entities but the five of XML itself.
type xmlSource struct {
	d      *xml.Decoder
	spaces []map[string]string // prefixes, innermost last
	open   []string
	opaque bool // the text that follows is base64 of octets (ToXML)
}

// newXMLSource reads UTF-8, or Latin-1 if the prolog says so or the text is no UTF-8 (protocol.md J.1).
func newXMLSource(in []byte) *xmlSource {
	in = bytes.TrimRight(in, "\x00 \t\r\n")
	if !utf8.Valid(in) {
		in = latin1(in)
	}
	d := xml.NewDecoder(bytes.NewReader(keepCR(in)))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // converted above
	return &xmlSource{d: d}
}

// keepCR writes carriage returns in text as references. XML makes line feeds of the bare ones, but SyncEvolution writes the lines of its
// cards and events with them and counts them in Size (traces, large-object-both-xml).
func keepCR(in []byte) []byte {
	if bytes.IndexByte(in, '\r') < 0 {
		return in
	}
	out := make([]byte, 0, len(in)+len(in)/8)
	for len(in) > 0 {
		var text, markup []byte
		if inside, ok := bytes.CutPrefix(in, cdata); ok {
			text, in = cutAt(inside, []byte("]]>"))
			out = append(out, cdata...)
			out = append(out, bytes.ReplaceAll(text, []byte("\r"), []byte("]]>&#xD;<![CDATA["))...)
			continue
		}
		if in[0] == '<' {
			end := max(bytes.IndexByte(in, '>')+1, 1)
			markup, in = in[:end], in[end:]
			out = append(out, markup...)
			continue
		}
		text, in = cutAt(in, []byte("<"))
		out = append(out, bytes.ReplaceAll(text, []byte("\r"), []byte("&#xD;"))...)
	}
	return out
}

var cdata = []byte("<![CDATA[")

// cutAt cuts before a mark; without one, everything comes before it.
func cutAt(in, mark []byte) (before, rest []byte) {
	i := bytes.Index(in, mark)
	if i < 0 {
		return in, nil
	}
	return in[:i], in[i:]
}

func latin1(in []byte) []byte {
	out := make([]rune, len(in))
	for i, c := range in {
		out[i] = rune(c)
	}
	return []byte(string(out))
}

func (s *xmlSource) Offset() int { return int(s.d.InputOffset()) }

func (s *xmlSource) fail(reason string) error {
	return fmt.Errorf("malformed XML at offset %d: %s", s.Offset(), reason)
}

// Next implements source.
func (s *xmlSource) Next() (wbxml.Token, error) {
	for {
		t, err := s.d.RawToken()
		if errors.Is(err, io.EOF) {
			return wbxml.Token{}, s.fail("it ends early")
		}
		if err != nil {
			return wbxml.Token{}, s.fail(err.Error())
		}
		switch t := t.(type) {
		case xml.StartElement:
			return s.start(t)
		case xml.EndElement:
			return s.end(t)
		case xml.CharData:
			if len(s.open) > 0 {
				return s.text(t)
			}
		}
	}
}

func (s *xmlSource) start(t xml.StartElement) (wbxml.Token, error) {
	if len(s.open) >= wbxml.MaxDepth {
		return wbxml.Token{}, s.fail(fmt.Sprintf("elements are nested deeper than %d", wbxml.MaxDepth))
	}
	s.open = append(s.open, qualified(t.Name))
	s.spaces = append(s.spaces, declared(t.Attr))
	s.opaque = opaque(t.Attr)
	return wbxml.Token{Kind: wbxml.Start, Space: s.resolve(t.Name.Space), Name: t.Name.Local}, nil
}

func opaque(attrs []xml.Attr) bool {
	for _, a := range attrs {
		if a.Name.Local == "opaque" && a.Value == "base64" {
			return true
		}
	}
	return false
}

func (s *xmlSource) text(t []byte) (wbxml.Token, error) {
	if !s.opaque {
		return wbxml.Token{Kind: wbxml.Text, Text: t}, nil
	}
	b, err := base64.StdEncoding.DecodeString(string(t))
	if err != nil {
		return wbxml.Token{}, s.fail("an opaque element holds no base64")
	}
	return wbxml.Token{Kind: wbxml.Opaque, Text: b}, nil
}

func qualified(n xml.Name) string { return n.Space + ":" + n.Local }

func declared(attrs []xml.Attr) map[string]string {
	var m map[string]string
	for _, a := range attrs {
		prefix, ok := a.Name.Local, a.Name.Space == "xmlns"
		if a.Name.Space == "" && a.Name.Local == "xmlns" {
			prefix, ok = "", true
		}
		if ok {
			if m == nil {
				m = make(map[string]string)
			}
			m[prefix] = a.Value
		}
	}
	return m
}

func (s *xmlSource) resolve(prefix string) string {
	for i := len(s.spaces) - 1; i >= 0; i-- {
		if uri, ok := s.spaces[i][prefix]; ok {
			return uri
		}
	}
	return ""
}

func (s *xmlSource) end(t xml.EndElement) (wbxml.Token, error) {
	s.opaque = false
	n := len(s.open) - 1
	if n < 0 || s.open[n] != qualified(t.Name) {
		return wbxml.Token{}, s.fail("</" + t.Name.Local + "> closes nothing")
	}
	s.open, s.spaces = s.open[:n], s.spaces[:n]
	return wbxml.Token{Kind: wbxml.End, Name: t.Name.Local}, nil
}

// Sniff tells the encoding of a document by its first octet: a WBXML version, or anything that may begin XML.
func Sniff(in []byte) Encoding {
	if len(in) > 0 && in[0] <= 0x03 {
		return WBXML
	}
	return XML
}

// newSource opens a document; fallback is the language of WBXML whose public id says nothing.
func newSource(in []byte, enc Encoding, fallback wbxml.Language) (source, error) {
	if enc == XML {
		return newXMLSource(in), nil
	}
	return wbxml.NewReader(in, fallback)
}

// ContentType is the media type of a DS message in e.
func (e Encoding) ContentType() string {
	if e == XML {
		return "application/vnd.syncml+xml"
	}
	return "application/vnd.syncml+wbxml"
}

// String is "XML" or "WBXML".
func (e Encoding) String() string {
	if e == XML {
		return "XML"
	}
	return "WBXML"
}

// ParseContentType tells the encoding of a DS or DM message by its media type; parameters do not matter.
func ParseContentType(ct string) (e Encoding, ok bool) {
	ct, _, _ = strings.Cut(ct, ";")
	switch strings.ToLower(strings.TrimSpace(ct)) {
	case "application/vnd.syncml+xml", "application/vnd.syncml.dm+xml":
		return XML, true
	case "application/vnd.syncml+wbxml", "application/vnd.syncml.dm+wbxml":
		return WBXML, true
	}
	return 0, false
}
