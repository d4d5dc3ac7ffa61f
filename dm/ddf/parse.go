package ddf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Bounds of a document. The largest description in the corpus has 292 nodes in 119 kB.
const (
	maxOctets   = 4 << 20         // as of a message
	maxElements = 1 << 18         // a described node has some ten
	maxDepth    = dm.MaxDepth + 8 // elements: nodes below each other, and what is in the last one
)

// Parse reads a document in XML or WBXML. There are no entities but the predefined ones, and no document type of the document's own.
func Parse(in []byte) (*Tree, error) {
	if len(in) > maxOctets {
		return nil, fmt.Errorf("cannot read tree: its %d octets are more than %d", len(in), maxOctets)
	}
	if syncml.Sniff(in) == syncml.WBXML {
		text, err := syncml.ToXML(in)
		if err != nil {
			return nil, fmt.Errorf("cannot read tree: %w", err)
		}
		in = text
	}
	r := reader{xml: xml.NewDecoder(bytes.NewReader(in))}
	root, err := r.root()
	if err != nil {
		return nil, fmt.Errorf("cannot read tree: %w (offset %d)", err, r.xml.InputOffset())
	}
	return FromNode(root)
}

// reader reads elements of XML.
type reader struct {
	xml      *xml.Decoder
	elements int
}

// root reads the only element of a document.
func (r *reader) root() (*syncml.Node, error) {
	var root *syncml.Node
	for {
		t, err := r.xml.Token()
		if errors.Is(err, io.EOF) && root != nil {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if root, err = r.element(t, 1); err != nil {
				return nil, err
			}
		case xml.Directive:
			if bytes.ContainsAny(t, "[") {
				return nil, errors.New("it has a document type of its own")
			}
		}
	}
}

// element reads what is in an element.
func (r *reader) element(start xml.StartElement, depth int) (*syncml.Node, error) {
	if r.elements++; r.elements > maxElements || depth > maxDepth {
		return nil, fmt.Errorf("it has more than %d elements or is deeper than %d", maxElements, maxDepth)
	}
	n := &syncml.Node{Space: start.Name.Space, Name: start.Name.Local}
	var text strings.Builder
	for {
		t, err := r.xml.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			child, err := r.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			n.Nodes = append(n.Nodes, *child)
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			n.Text = text.String()
			return n, nil
		}
	}
}
