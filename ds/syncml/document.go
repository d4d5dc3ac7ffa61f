package syncml

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/plainxml"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// node is an element of a document as it stands there, with nothing left out. Text has no children.
type node struct {
	space, name string
	children    []*node
	text        []byte
	opaque      bool // octets that are no text
}

// ToXML shows a WBXML document of the SyncML family (SyncML, MetInf, DevInf, DDF) as XML for people. Nested documents are shown as
// elements, octets that XML cannot hold as base64 in an element with the attribute opaque="base64". ToWBXML takes all of that back.
func ToXML(in []byte) ([]byte, error) {
	root, err := readWBXML(in, 0)
	if err != nil {
		return nil, err
	}
	w := &xmlWriter{version: root.version()}
	w.out.b.WriteString(xmlProlog)
	w.element(root, "", 0)
	return w.out.bytes()
}

// ToWBXML writes an XML document of the SyncML family as WBXML, under the public id that its root and VerDTD ask for.
func ToWBXML(in []byte) ([]byte, error) {
	r, err := plainxml.NewReader(in)
	if err != nil {
		return nil, err
	}
	root, err := readTree(r, 0)
	if err != nil {
		return nil, err
	}
	return encodeTree(root)
}

// maxNested bounds documents in documents; SyncML has one in its Data, and no other has any.
const maxNested = 2

// readWBXML reads a document that lies in level others.
func readWBXML(in []byte, level int) (*node, error) {
	r, err := wbxml.NewReader(in, wbxml.SyncML)
	if err != nil {
		return nil, err
	}
	return readTree(r, level)
}

// readTree reads the root element.
func readTree(s source, level int) (*node, error) {
	for {
		t, err := s.Next()
		if err != nil {
			return nil, err
		}
		if t.Kind == wbxml.Start {
			n := &node{space: t.Space, name: t.Name}
			return n, n.read(s, level)
		}
	}
}

// read reads what is in an element. Chunks of text are one text.
func (n *node) read(s source, level int) error {
	for {
		t, err := s.Next()
		if err != nil {
			return err
		}
		switch t.Kind {
		case wbxml.End:
			return nil
		case wbxml.Start:
			child := &node{space: t.Space, name: t.Name}
			n.children = append(n.children, child)
			if err := child.read(s, level); err != nil {
				return err
			}
		case wbxml.Text:
			n.addText(t.Text)
		case wbxml.Opaque:
			n.addOpaque(t.Text, level)
		}
	}
}

func (n *node) addText(text []byte) {
	if last := len(n.children) - 1; last >= 0 && n.children[last].name == "" && !n.children[last].opaque {
		n.children[last].text = append(n.children[last].text, text...)
		return
	}
	n.children = append(n.children, &node{text: bytes.Clone(text)})
}

// addOpaque takes a nested document for what it is (protocol.md A.5), text as text and the rest as octets.
func (n *node) addOpaque(b []byte, level int) {
	if len(b) > 3 && b[0] <= 0x03 && level < maxNested {
		if nested, err := readWBXML(b, level+1); err == nil {
			n.children = append(n.children, nested)
			return
		}
	}
	if XMLText(b) {
		n.addText(b)
		return
	}
	n.children = append(n.children, &node{text: bytes.Clone(b), opaque: true})
}

// version is what VerDTD of a message or of device information says, "1.2" if it says nothing.
func (n *node) version() string {
	for _, c := range n.children {
		switch {
		case c.name == "VerDTD" && len(c.children) == 1:
			return strings.TrimSpace(string(c.children[0].text))
		case c.name == "SyncHdr":
			return c.version()
		}
	}
	return "1.2"
}

// isBlank tells whether n is white space between elements.
func (n *node) isBlank() bool { return n.name == "" && !n.opaque && len(bytes.TrimSpace(n.text)) == 0 }

// hasElements tells whether n holds elements, so that white space in it is only for the eye.
func (n *node) hasElements() bool {
	for _, c := range n.children {
		if c.name != "" {
			return true
		}
	}
	return false
}

// xmlWriter writes a tree as indented XML.
type xmlWriter struct {
	out     xmlSink
	version string // of the message
	devInf  string // of the device information that is being written
}

func (w *xmlWriter) namespace(space string) string {
	if space == sp {
		return "SYNCML:SYNCML" + w.version
	}
	return space
}

// name is that of the document's version: DevInf 1.2 gave an element another name.
func (w *xmlWriter) name(n *node) string {
	if n.name == "MaxSize" && n.space == di && w.devInf != "1.2" {
		return "Size"
	}
	return n.name
}

func (w *xmlWriter) element(n *node, outer string, depth int) {
	if n.name == "DevInf" {
		w.devInf = n.version()
	}
	out, name := &w.out.b, w.name(n)
	indent(out, depth)
	out.WriteString("<" + name)
	if n.space != outer && n.space != "" {
		w.out.namespace(w.namespace(n.space))
	}
	switch {
	case len(n.children) == 0:
		out.WriteString("/>\n")
		return
	case n.hasElements():
		out.WriteString(">\n")
		w.children(n, depth+1)
		indent(out, depth)
	default:
		w.text(n.children)
	}
	out.WriteString("</" + name + ">\n")
}

func (w *xmlWriter) children(n *node, depth int) {
	for _, c := range n.children {
		switch {
		case c.name != "":
			w.element(c, n.space, depth)
		case !c.isBlank():
			indent(&w.out.b, depth)
			w.out.text(string(c.text))
			w.out.b.WriteByte('\n')
		}
	}
}

// text writes the end of a start tag and the text. If any of it is octets, all of it is base64.
func (w *xmlWriter) text(parts []*node) {
	var all []byte
	opaque := false
	for _, p := range parts {
		all = append(all, p.text...)
		opaque = opaque || p.opaque
	}
	if opaque || !XMLText(all) {
		w.out.b.WriteString(` opaque="base64">` + base64.StdEncoding.EncodeToString(all))
		return
	}
	w.out.b.WriteByte('>')
	w.out.text(string(all))
}

func indent(b *bytes.Buffer, depth int) {
	for range depth {
		b.WriteString("  ")
	}
}

// encodeTree writes a tree as a WBXML document of its own.
func encodeTree(root *node) ([]byte, error) {
	lang, ok := map[string]wbxml.Language{"SyncML": wbxml.SyncML, "MetInf": wbxml.SyncML, "DevInf": wbxml.DevInf, "MgmtTree": wbxml.DDF}[root.name]
	if !ok {
		return nil, fmt.Errorf("cannot write <%s> as WBXML: only SyncML, MetInf, DevInf and MgmtTree documents have codes here", root.name)
	}
	w := &treeWriter{w: wbxml.NewWriter(lang, root.version()), lang: lang}
	if err := w.element(root, ""); err != nil {
		return nil, err
	}
	return w.w.Bytes(), nil
}

type treeWriter struct {
	w    *wbxml.Writer
	lang wbxml.Language
}

// space finds the code page of an element. Peers write namespaces in many ways or not at all (protocol.md J.1).
func (w *treeWriter) space(n *node, outer string) string {
	named := ""
	switch s := strings.ToLower(n.space); {
	case strings.Contains(s, "metinf"):
		named = mi
	case strings.Contains(s, "devinf"):
		named = di
	case strings.Contains(s, "dmddf"):
		named = wbxml.SpaceDDF
	case strings.HasPrefix(s, "syncml:syncml"):
		named = sp
	}
	for _, space := range []string{named, outer, sp, mi, di, wbxml.SpaceDDF} {
		if w.w.Knows(space, n.name) {
			return space
		}
	}
	return named
}

func (w *treeWriter) element(n *node, outer string) error {
	space := w.space(n, outer)
	if len(n.children) == 0 {
		return w.w.Empty(space, n.name)
	}
	if err := w.w.Start(space, n.name); err != nil {
		return err
	}
	blanks := n.hasElements()
	for _, c := range n.children {
		if blanks && c.isBlank() {
			continue
		}
		if err := w.child(c, space); err != nil {
			return err
		}
	}
	w.w.End()
	return nil
}

// child writes text, an element, or in a message a whole document of another family, which travels as octets (protocol.md A.5).
func (w *treeWriter) child(c *node, space string) error {
	switch {
	case c.opaque:
		w.w.Opaque(c.text)
	case c.name == "":
		w.w.Text(string(c.text))
	case w.lang == wbxml.SyncML && (c.name == "DevInf" || c.name == "MgmtTree"):
		nested, err := encodeTree(c)
		if err != nil {
			return err
		}
		w.w.Opaque(nested)
	default:
		return w.element(c, space)
	}
	return nil
}
