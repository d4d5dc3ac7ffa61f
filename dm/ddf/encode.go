package ddf

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Marshal writes a document as XML.
func (t *Tree) Marshal() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", " ")
	if err := write(e, t.Node(), ""); err != nil {
		return nil, fmt.Errorf("cannot write tree: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("cannot write tree: %w", err)
	}
	return b.Bytes(), nil
}

func write(e *xml.Encoder, n *syncml.Node, outer string) error {
	start := xml.StartElement{Name: xml.Name{Local: n.Name}}
	if n.Space != outer {
		start.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: n.Space}}
	}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if n.Text != "" {
		if err := e.EncodeToken(xml.CharData(n.Text)); err != nil {
			return err
		}
	}
	for i := range n.Nodes {
		if err := write(e, &n.Nodes[i], n.Space); err != nil {
			return err
		}
	}
	return e.EncodeToken(start.End())
}

// Node is the document as an element that can be embedded in a message.
func (t *Tree) Node() *syncml.Node {
	root := element("MgmtTree")
	add(&root, "VerDTD", t.VerDTD)
	add(&root, "Man", t.Man)
	add(&root, "Mod", t.Mod)
	for _, n := range t.Nodes {
		root.Nodes = append(root.Nodes, n.element())
	}
	return &root
}

func element(name string, children ...syncml.Node) syncml.Node {
	return syncml.Node{Space: Space, Name: name, Nodes: children}
}

func textElement(name, value string) syncml.Node {
	return syncml.Node{Space: Space, Name: name, Text: value}
}

// add adds an element if it has a value.
func add(e *syncml.Node, name, value string) {
	if value != "" {
		e.Nodes = append(e.Nodes, textElement(name, value))
	}
}

// nest adds an element around those of parts that have a name.
func nest(e *syncml.Node, name string, parts ...syncml.Node) {
	outer := element(name)
	for _, p := range parts {
		if p.Name != "" {
			outer.Nodes = append(outer.Nodes, p)
		}
	}
	if len(outer.Nodes) > 0 {
		e.Nodes = append(e.Nodes, outer)
	}
}

func (n *Node) element() syncml.Node {
	e := element("Node", textElement("NodeName", n.Name))
	add(&e, "Path", n.Path)
	if n.DF != nil {
		e.Nodes = append(e.Nodes, n.DF.element())
	}
	if n.RT != nil {
		e.Nodes = append(e.Nodes, n.RT.element())
	}
	for _, c := range n.Nodes {
		e.Nodes = append(e.Nodes, c.element())
	}
	if n.Value != nil {
		e.Nodes = append(e.Nodes, textElement("Value", *n.Value))
	}
	return e
}

func (p *DFProperties) element() syncml.Node {
	e := element("DFProperties", p.access())
	if p.DefaultValue != nil {
		e.Nodes = append(e.Nodes, textElement("DefaultValue", *p.DefaultValue))
	}
	add(&e, "Description", p.Description)
	nest(&e, "DFFormat", element(string(p.Format)))
	nest(&e, "Occurrence", p.Occurrence.element())
	if p.Permanent {
		nest(&e, "Scope", element("Permanent"))
	}
	add(&e, "DFTitle", p.Title)
	e.Nodes = append(e.Nodes, p.typeElement())
	if p.CaseInsensitive {
		nest(&e, "CaseSense", element("CIS"))
	}
	return e
}

func (p *DFProperties) access() syncml.Node {
	e := element("AccessType")
	for i, name := range dm.Commands {
		if p.Access.Has(1 << i) {
			e.Nodes = append(e.Nodes, element(name))
		}
	}
	return e
}

func (p *DFProperties) typeElement() syncml.Node {
	e := element("DFType")
	for _, m := range p.MIME {
		add(&e, "MIME", m)
	}
	add(&e, "DDFName", p.DDFName)
	return e
}

// element is the occurrence's, without a name if nothing is said.
func (o Occurrence) element() syncml.Node {
	if o.N == 0 {
		return element(o.Name)
	}
	return textElement(o.Name, strconv.Itoa(o.N))
}

func (p *RTProperties) element() syncml.Node {
	e := element("RTProperties")
	add(&e, dm.PropACL, p.ACL)
	nest(&e, dm.PropFormat, element(string(p.Format)))
	add(&e, dm.PropName, p.Name)
	add(&e, dm.PropSize, p.Size)
	add(&e, dm.PropTitle, p.Title)
	add(&e, dm.PropTStamp, p.TStamp)
	switch {
	case p.DDFName != "":
		nest(&e, dm.PropType, textElement("DDFName", p.DDFName))
	case p.MIME != "":
		nest(&e, dm.PropType, textElement("MIME", p.MIME))
	}
	add(&e, dm.PropVerNo, p.VerNo)
	return e
}
