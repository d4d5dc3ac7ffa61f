package ddf

import (
	"fmt"
	"slices"

	"github.com/alwayson-sync/alwayson/dm"
)

// Schema is what is described of a whole management tree.
type Schema struct{ root *Node }

// NewSchema is a schema of nothing but the root, which may be read.
func NewSchema() *Schema {
	return &Schema{root: &Node{Name: ".", DF: &DFProperties{Access: dm.Get, Format: dm.FormatNode, Permanent: true}}}
}

// Add takes a description of the nodes below the one at parent; what topmost nodes say in Path is below that. A topmost node "." is the one at
// parent itself. The document is the schema's from then on.
func (s *Schema) Add(parent dm.Path, doc *Tree) error {
	for _, n := range doc.Nodes {
		if err := n.described(parent); err != nil {
			return err
		}
		if err := s.add(parent, n); err != nil {
			return err
		}
	}
	return nil
}

// described checks that nothing lacks a description.
func (n *Node) described(parent dm.Path) error {
	path := parent.Child(n.Name)
	if n.DF == nil {
		return fmt.Errorf("cannot use description: %s has no DFProperties", path)
	}
	if n.DF.Format != "" && n.DF.Format != dm.FormatNode && len(n.Nodes) > 0 {
		return fmt.Errorf("cannot use description: %s has format %s and nodes below it", path, n.DF.Format)
	}
	for _, c := range n.Nodes {
		if err := c.described(path); err != nil {
			return err
		}
	}
	return nil
}

func (s *Schema) add(parent dm.Path, n *Node) error {
	if n.Path != "" {
		below, err := dm.ParsePath(n.Path)
		if err != nil {
			return fmt.Errorf("cannot use description: %w", err)
		}
		parent = parent.Child(below...)
	}
	at, err := s.fixed(parent)
	if err != nil {
		return err
	}
	if n.Name == "." {
		at.DF = n.DF
		return s.Add(parent, &Tree{Nodes: n.Nodes})
	}
	if at.child(n.Name) != nil {
		return fmt.Errorf("cannot use description: %s is described already", parent.Child(n.Name))
	}
	at.Nodes = append(at.Nodes, n)
	return nil
}

// fixed finds a node by the names of the description.
func (s *Schema) fixed(p dm.Path) (*Node, error) {
	n := s.root
	for _, name := range p {
		if n = n.child(name); n == nil {
			return nil, fmt.Errorf("cannot use description: %s is not described", p)
		}
	}
	return n, nil
}

func (n *Node) child(name string) *Node {
	for _, c := range n.Nodes {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// anything describes nodes where nobody says more, as below Ext.
var anything = &Node{DF: &DFProperties{Access: dm.Add | dm.Copy | dm.Delete | dm.Get | dm.Replace}}

// Root describes the root.
func (s *Schema) Root() *Node { return s.root }

// Find is the description of the node at p, nil if there may be none.
func (s *Schema) Find(p dm.Path) *Node {
	n := s.root
	for _, name := range p {
		if n = n.Below(name); n == nil {
			return nil
		}
	}
	return n
}

// Below describes the node of this name below a described one: the one that is named so or else the un-named one. Where nodes may be added
// and none is described, they may be anything. It is nil if there may be none.
func (n *Node) Below(name string) *Node {
	if c := n.child(name); c != nil {
		return c
	}
	switch {
	case n.child("") != nil:
		return n.child("")
	case len(n.Nodes) == 0 && n.DF.Access.Has(dm.Add) && n.Interior():
		return anything
	}
	return nil
}

// Interior tells whether a described node may have others below it.
func (n *Node) Interior() bool { return n.DF.Format == "" || n.DF.Format == dm.FormatNode }

// TakesType tells whether values of a leaf may have a media type; "" and, where nothing is said, any will do.
func (p *DFProperties) TakesType(mime string) bool {
	return mime == "" || len(p.MIME) == 0 || slices.Contains(p.MIME, mime)
}
