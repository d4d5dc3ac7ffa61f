package sif

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// node is one element.
type node struct {
	name string
	kind string // attribute TYPE, which photos have
	text string // lines end with \n
	subs []node
}

// maxDepth bounds how deep elements lie in each other: Timezone, DayLight, DSTStart in an appointment are four. maxNodes bounds what a
// hostile item costs; a contact has some hundred.
const (
	maxDepth = 16
	maxNodes = 1 << 14
)

// read takes an item apart. Document types are refused, entities other than those of XML stay as they stand.
func read(body []byte) (root node, ok bool) {
	r := reader{d: xml.NewDecoder(strings.NewReader(readable(body)))}
	r.d.Strict = false
	r.d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil } // it is UTF-8 by now
	var top node
	err := r.element(&top, 0)
	if !errors.Is(err, io.EOF) || len(top.subs) != 1 {
		return node{}, false
	}
	return top.subs[0], true
}

// readable is the item in UTF-8 and without characters that XML forbids. What is no UTF-8 is taken for Windows-1252 (protocol.md J.1).
func readable(body []byte) string {
	s := string(bytes.TrimPrefix(body, []byte("\uFEFF")))
	if !utf8.ValidString(s) {
		s, _ = charmap.Windows1252.NewDecoder().String(s)
	}
	return strings.Map(allowed, s)
}

// allowed drops what stands in no XML document (XML 1.0, 2.2).
func allowed(c rune) rune {
	if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xFFFE || c == 0xFFFF {
		return -1
	}
	return c
}

type reader struct {
	d     *xml.Decoder
	nodes int
}

var errStructure = errors.New("this is no item")

// element reads what lies in an element up to its end, or to io.EOF at depth 0.
func (r *reader) element(n *node, depth int) error {
	var text strings.Builder
	for {
		t, err := r.d.RawToken()
		if err != nil {
			if depth > 0 && errors.Is(err, io.EOF) {
				return errStructure
			}
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			sub := node{name: t.Name.Local, kind: kindOf(t)}
			if r.nodes++; r.nodes > maxNodes || depth == maxDepth {
				return errStructure
			}
			if err := r.element(&sub, depth+1); err != nil {
				return err
			}
			n.subs = append(n.subs, sub)
		case xml.EndElement:
			if depth == 0 || t.Name.Local != n.name {
				return errStructure
			}
			n.text = newlines.Replace(text.String())
			return nil
		case xml.CharData:
			text.Write(t)
		case xml.Directive:
			return errStructure
		}
	}
}

var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func kindOf(t xml.StartElement) string {
	for _, a := range t.Attr {
		if strings.EqualFold(a.Name.Local, "TYPE") {
			return a.Value
		}
	}
	return ""
}

// blank tells whether an element says nothing.
func (n *node) blank() bool {
	for i := range n.subs {
		if !n.subs[i].blank() {
			return false
		}
	}
	return len(n.subs) > 0 || strings.TrimSpace(n.text) == ""
}

// put adds an element. The clients leave alone what is not named, so an empty text is what empties a field there.
func (n *node) put(name, text string) {
	text = strings.TrimSpace(newlines.Replace(strings.Map(allowed, text)))
	n.subs = append(n.subs, node{name: name, text: text})
}

// get is the text of the first element of a name.
func (n *node) get(name string) string {
	for i := range n.subs {
		if n.subs[i].name == name {
			return n.subs[i].text
		}
	}
	return ""
}

// write puts an item together.
func write(root *node) []byte {
	var out bytes.Buffer
	out.WriteString(xml.Header)
	root.write(&out)
	return out.Bytes()
}

// escaper knows the three references that the clients know (vocl, WinItem parse). They want lines to end as on Windows.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r\n", "\r\n", "\n", "\r\n")

func (n *node) write(out *bytes.Buffer) {
	out.WriteString("<" + n.name)
	if n.kind != "" {
		out.WriteString(` TYPE="` + strings.ReplaceAll(escaper.Replace(n.kind), `"`, "&quot;") + `"`)
	}
	out.WriteString(">")
	n.inner(out)
	out.WriteString("</" + n.name + ">")
}

func (n *node) inner(out *bytes.Buffer) {
	for i := range n.subs {
		n.subs[i].write(out)
	}
	if len(n.subs) == 0 {
		out.WriteString(escaper.Replace(strings.Map(allowed, n.text)))
	}
}

// markup is what stands in an element.
func (n *node) markup() string {
	var out bytes.Buffer
	n.inner(&out)
	return out.String()
}
