package email

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds nested elements (design.md §10).
const maxDepth = 32

// reader reads an object element by element. Text is taken from the object itself and not from the XML parser, which makes one line
// feed of each line break.
type reader struct {
	in    []byte // as it came
	d     *xml.Decoder
	open  []string
	start int // where the last token begins
}

// newReader takes an object. Octets that are no UTF-8 stay what they are: messages in eight-bit character sets lie like that in the
// sections of some peers, and the parser gets to see question marks in their place.
func newReader(in []byte) *reader {
	in = funambolEnd(in)
	seen := in
	if !utf8.Valid(in) {
		seen = masked(in)
	}
	d := xml.NewDecoder(bytes.NewReader(seen))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	return &reader{in: in, d: d}
}

func masked(in []byte) []byte {
	out := bytes.Clone(in)
	for i, c := range out {
		if c >= utf8.RuneSelf {
			out[i] = '?'
		}
	}
	return out
}

func (r *reader) fail(format string, args ...any) error {
	return fmt.Errorf("%s (offset %d)", fmt.Sprintf(format, args...), r.d.InputOffset())
}

// next is the next start, end or text.
func (r *reader) next() (xml.Token, error) {
	for {
		r.start = int(r.d.InputOffset())
		t, err := r.d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil, r.fail("it ends early")
		}
		if err != nil {
			return nil, r.fail("malformed XML: %v", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			r.open = append(r.open, t.Name.Local)
			if len(r.open) > maxDepth {
				return nil, r.fail("elements are nested deeper than %d", maxDepth)
			}
			return t, nil
		case xml.EndElement:
			return t, r.close(t.Name.Local)
		case xml.CharData:
			return t, nil
		case xml.Directive:
			return nil, r.fail("document types are refused")
		}
	}
}

func (r *reader) close(name string) error {
	n := len(r.open) - 1
	if n < 0 || r.open[n] != name {
		return r.fail("</%s> closes nothing", name)
	}
	r.open = r.open[:n]
	return nil
}

// root reads the start of the root element.
func (r *reader) root(name string) error {
	for {
		t, err := r.next()
		if err != nil {
			return err
		}
		if s, ok := t.(xml.StartElement); ok {
			if !strings.EqualFold(s.Name.Local, name) {
				return r.fail("its root is %s, not %s", s.Name.Local, name)
			}
			return nil
		}
	}
}

// children calls child for each element in the one that is open, up to its end. child reads the element whole.
func (r *reader) children(child func(xml.StartElement) error) error {
	for {
		t, err := r.next()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if err := child(t); err != nil {
				return err
			}
		}
	}
}

func (r *reader) skip() error {
	return r.children(func(xml.StartElement) error { return r.skip() })
}

// content is the text of the open element up to its end. White space around sections is none of it: Funambol breaks lines there. Elements
// in it are passed over. It may share memory with the object.
func (r *reader) content() ([]byte, error) {
	var c content
	for {
		t, err := r.next()
		if err != nil {
			return nil, err
		}
		switch t.(type) {
		case xml.EndElement:
			return c.bytes(), nil
		case xml.StartElement:
			if err := r.skip(); err != nil {
				return nil, err
			}
		case xml.CharData:
			c.add(r.text())
		}
	}
}

// content is pieces of text.
type content struct {
	all, sections [][]byte
	outside       bool // there is text outside of sections that is no white space
}

func (c *content) add(text []byte, section bool) {
	c.all = append(c.all, text)
	if section {
		c.sections = append(c.sections, text)
	} else if len(bytes.TrimSpace(text)) > 0 {
		c.outside = true
	}
}

func (c *content) bytes() []byte {
	pieces := c.all
	if len(c.sections) > 0 && !c.outside {
		pieces = c.sections
	}
	if len(pieces) == 1 {
		return pieces[0]
	}
	return bytes.Join(pieces, nil)
}

var cdata = []byte("<![CDATA[")

// text is the last token as it stands in the object, without its markup.
func (r *reader) text() (text []byte, section bool) {
	raw := r.in[r.start:r.d.InputOffset()]
	if rest, ok := bytes.CutPrefix(raw, cdata); ok {
		i := bytes.LastIndex(rest, []byte("]]"))
		return rest[:max(i, 0)], true
	}
	return unescape(raw), false
}

// value is content without white space around it.
func (r *reader) value(into *string) error {
	b, err := r.content()
	*into = strings.TrimSpace(text(b))
	return err
}

// text is UTF-8, or else taken for Latin-1 (protocol.md J.1).
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out := make([]rune, len(b))
	for i, c := range b {
		out[i] = rune(c)
	}
	return string(out)
}

// unescape resolves references. The parser has let through those of XML itself only.
func unescape(raw []byte) []byte {
	if bytes.IndexByte(raw, '&') < 0 {
		return raw
	}
	var out []byte
	for len(raw) > 0 {
		before, rest, found := bytes.Cut(raw, []byte("&"))
		out = append(out, before...)
		if !found {
			break
		}
		name, after, _ := bytes.Cut(rest, []byte(";"))
		out = utf8.AppendRune(out, reference(string(name)))
		raw = after
	}
	return out
}

var named = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "apos": '\'', "quot": '"'}

func reference(name string) rune {
	if c, ok := named[name]; ok {
		return c
	}
	base, digits := 10, strings.TrimPrefix(name, "#")
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		base, digits = 16, hex
	}
	n, err := strconv.ParseUint(digits, base, 21)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// funambolEnd mends an object of Funambol's C++ clients: they write the end of the section in emailitem as "]]&gt;", because the object
// itself lies in a section (FunC EmailData.cpp, format). The length stays the same.
func funambolEnd(in []byte) []byte {
	open := bytes.Index(in, cdata)
	if open < 0 || bytes.Contains(in[open:], []byte("]]>")) {
		return in
	}
	end := bytes.LastIndex(in, []byte("]]&gt;"))
	if end < open {
		return in
	}
	out := bytes.Clone(in)
	copy(out[end:], "]]>   ")
	return out
}
