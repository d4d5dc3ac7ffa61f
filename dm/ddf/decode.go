package ddf

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// FromNode reads a MgmtTree element that is embedded in a message. Namespaces do not matter: peers write them in many ways or not at all
// (protocol.md J.1). Unknown elements are passed over.
func FromNode(root *syncml.Node) (*Tree, error) {
	if root.Name != "MgmtTree" {
		return nil, fmt.Errorf("cannot read tree: its root is %.40q, not MgmtTree", root.Name)
	}
	t := &Tree{}
	d := decoder{}
	for i := range root.Nodes {
		switch e := &root.Nodes[i]; e.Name {
		case "VerDTD":
			t.VerDTD = trimmed(e)
		case "Man":
			t.Man = trimmed(e)
		case "Mod":
			t.Mod = trimmed(e)
		case "Node":
			t.Nodes = append(t.Nodes, d.node(e, 1))
		}
	}
	if d.err != nil {
		return nil, fmt.Errorf("cannot read tree: %w", d.err)
	}
	return t, nil
}

// decoder takes elements apart. It remembers the first error.
type decoder struct{ err error }

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

func trimmed(e *syncml.Node) string { return strings.TrimSpace(e.Text) }

func (d *decoder) node(e *syncml.Node, depth int) *Node {
	n := &Node{}
	if depth > dm.MaxDepth {
		d.fail("it is deeper than %d nodes", dm.MaxDepth)
		return n
	}
	named := false
	for i := range e.Nodes {
		c := &e.Nodes[i]
		if c.Name == "NodeName" {
			named, n.Name = true, trimmed(c)
		}
		d.part(n, c, depth)
	}
	if !named {
		d.fail("a node has no NodeName")
	}
	if n.Value != nil && len(n.Nodes) > 0 {
		d.fail("node %q has a value and nodes", n.Name)
	}
	return n
}

func (d *decoder) part(n *Node, e *syncml.Node, depth int) {
	switch e.Name {
	case "Path":
		n.Path = trimmed(e)
	case "DFProperties":
		n.DF = d.described(e)
	case "RTProperties":
		n.RT = d.runtime(e)
	case "Value", "Data": // Data in the trees of the AOSP client
		text := e.Text
		n.Value = &text
	case "Node":
		n.Nodes = append(n.Nodes, d.node(e, depth+1))
	}
}

func (d *decoder) described(e *syncml.Node) *DFProperties {
	p := &DFProperties{}
	for i := range e.Nodes {
		switch c := &e.Nodes[i]; c.Name {
		case "AccessType":
			p.Access = d.access(c)
		case "DefaultValue":
			text := c.Text
			p.DefaultValue = &text
		case "Description":
			p.Description = trimmed(c)
		case "DFFormat":
			p.Format = d.format(c)
		case "Occurrence":
			p.Occurrence = d.occurrence(c)
		case "Scope":
			p.Permanent = only(c).Name == "Permanent"
		case "DFTitle":
			p.Title = trimmed(c)
		case "DFType":
			p.types(c)
		case "CaseSense":
			p.CaseInsensitive = only(c).Name == "CIS"
		}
	}
	return p
}

// only is the first element in e, for those whose value is the name of an element.
func only(e *syncml.Node) *syncml.Node {
	if len(e.Nodes) == 0 {
		return &syncml.Node{}
	}
	return &e.Nodes[0]
}

func (d *decoder) access(e *syncml.Node) (a dm.Access) {
	for i := range e.Nodes {
		command, ok := dm.ParseCommand(e.Nodes[i].Name)
		if !ok {
			d.fail("%.40q is no command", e.Nodes[i].Name)
		}
		a |= command
	}
	return a
}

func (d *decoder) format(e *syncml.Node) dm.Format {
	f := dm.Format(only(e).Name)
	if f != "" && !f.Known() {
		d.fail("%.40q is no format", f)
	}
	return f
}

func (p *DFProperties) types(e *syncml.Node) {
	for i := range e.Nodes {
		switch c := &e.Nodes[i]; c.Name {
		case "MIME":
			p.MIME = append(p.MIME, trimmed(c))
		case "DDFName":
			p.DDFName = trimmed(c)
		}
	}
}

func (d *decoder) occurrence(e *syncml.Node) Occurrence {
	c := only(e)
	o := Occurrence{Name: c.Name}
	switch o {
	case One, ZeroOrOne, ZeroOrMore, OneOrMore:
		return o
	}
	n, err := strconv.Atoi(trimmed(c))
	if o.Name != "ZeroOrN" && o.Name != "OneOrN" || err != nil || n < 1 {
		d.fail("%.40q is no occurrence", c.Name+trimmed(c))
	}
	o.N = n
	return o
}

func (d *decoder) runtime(e *syncml.Node) *RTProperties {
	p := &RTProperties{}
	for i := range e.Nodes {
		switch c := &e.Nodes[i]; c.Name {
		case dm.PropFormat:
			p.Format = d.format(c)
		case dm.PropType:
			p.typed(c)
		default:
			if into := p.text(c.Name); into != nil {
				*into = trimmed(c)
			}
		}
	}
	return p
}

// typed takes the type, which some write without the element around it.
func (p *RTProperties) typed(e *syncml.Node) {
	switch c := only(e); c.Name {
	case "DDFName":
		p.DDFName = trimmed(c)
	case "MIME":
		p.MIME = trimmed(c)
	default:
		p.MIME = trimmed(e)
	}
}

// text is where a property that is text belongs.
func (p *RTProperties) text(name string) *string {
	return map[string]*string{
		dm.PropACL: &p.ACL, dm.PropName: &p.Name, dm.PropSize: &p.Size, dm.PropTitle: &p.Title, dm.PropTStamp: &p.TStamp, dm.PropVerNo: &p.VerNo,
	}[name]
}
