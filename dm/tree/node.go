package tree

import (
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
)

// node is a node with what is below it. It is never changed once it is part of a tree: a change makes new nodes from the changed one up to the
// root and shares all others, so that a state of the tree is its root, and going back is keeping the old one.
type node struct {
	name     string
	own      *own
	desc     *ddf.Node
	children []*node // by name
	count    int     // of nodes: itself and those below
}

// own is what a node has of its own.
type own struct {
	value  dm.Value
	acl    *ACL // nil is inherited
	title  string
	tstamp int64 // of the last change, seconds since 1970; 0 if there was none
	verno  uint16
}

func newNode(name string, o *own, desc *ddf.Node) *node {
	return &node{name: name, own: o, desc: desc, count: 1}
}

// retired describes nodes from a former description.
var retired = &ddf.Node{DF: &ddf.DFProperties{Access: dm.Get | dm.Delete}}

// described finds the description of a node below n that exists, whatever the description says today.
func (n *node) described(name string) *ddf.Node {
	if d := n.desc.Below(name); d != nil {
		return d
	}
	return retired
}

func (n *node) search(name string) (i int, found bool) {
	return slices.BinarySearchFunc(n.children, name, func(c *node, name string) int { return strings.Compare(c.name, name) })
}

// find is the node at a path below n, nil if there is none.
func (n *node) find(p dm.Path) *node {
	for _, name := range p {
		i, found := n.search(name)
		if !found {
			return nil
		}
		n = n.children[i]
	}
	return n
}

// with is n with another node at a path below it, or with none there if c is nil. The nodes on the way exist.
func (n *node) with(p dm.Path, c *node) *node {
	if len(p) == 0 {
		return c
	}
	i, found := n.search(p[0])
	copied := *n
	if len(p) > 1 {
		c = n.children[i].with(p[1:], c)
	}
	switch {
	case !found && c == nil:
		return n
	case !found:
		copied.children = slices.Insert(slices.Clip(n.children), i, c)
	case c == nil:
		copied.children = slices.Delete(slices.Clone(n.children), i, i+1)
	default:
		copied.children = slices.Clone(n.children)
		copied.children[i] = c
	}
	copied.count = n.count
	if found {
		copied.count -= n.children[i].count
	}
	if c != nil {
		copied.count += c.count
	}
	return &copied
}

// owning is n with other things of its own.
func (n *node) owning(o *own) *node {
	copied := *n
	copied.own = o
	return &copied
}

// grow adds a node while a tree is being built and is nobody else's yet. Nodes on the way are interior ones.
func (n *node) grow(p dm.Path, o *own) {
	if len(p) == 0 {
		n.own = o
		return
	}
	i, found := n.search(p[0])
	if !found {
		desc := n.described(p[0])
		interior := &own{value: dm.Value{Format: dm.FormatNode, Type: desc.DF.DDFName}}
		n.children = slices.Insert(n.children, i, newNode(p[0], interior, desc))
	}
	n.children[i].grow(p[1:], o)
}

// recount counts the nodes of a tree that has been built.
func (n *node) recount() int {
	n.count = 1
	for _, c := range n.children {
		n.count += c.recount()
	}
	return n.count
}

// permanent adds the nodes that a description says are always there, with their default values.
func (n *node) permanent() {
	for _, d := range n.desc.Nodes {
		if d.DF.Permanent && d.Name != "" && n.find(dm.Path{d.Name}) == nil {
			n.grow(dm.Path{d.Name}, &own{value: initial(d)})
		}
	}
	n.count = 1
	for _, c := range n.children {
		c.permanent()
		n.count += c.count
	}
}

// initial is the value that a node has by its description.
func initial(d *ddf.Node) dm.Value {
	v := dm.Value{Format: d.DF.Format, Type: d.DF.DDFName}
	if v.Format == "" {
		v.Format = dm.FormatNode
	}
	if !v.IsNode() && len(d.DF.MIME) > 0 {
		v.Type = d.DF.MIME[0]
	}
	if d.DF.DefaultValue != nil && !v.IsNode() {
		v.Data = []byte(*d.DF.DefaultValue)
	}
	return v
}

// change is a node that is new, gone or has other things of its own; old or new is nil then.
type change struct {
	path     dm.Path
	old, new *own
}

// diff finds the changes between two states. Nodes that both share are passed over, with all that is below them.
func diff(p dm.Path, old, new *node, changes []change) []change {
	if old == new {
		return changes
	}
	if a, b := ownOf(old), ownOf(new); a != b {
		changes = append(changes, change{p, a, b})
	}
	a, b := childrenOf(old), childrenOf(new)
	for len(a) > 0 || len(b) > 0 {
		var x, y *node
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].name < b[0].name:
			x, a = a[0], a[1:]
			changes = diff(p.Child(x.name), x, nil, changes)
		case len(a) == 0 || b[0].name < a[0].name:
			y, b = b[0], b[1:]
			changes = diff(p.Child(y.name), nil, y, changes)
		default:
			x, y, a, b = a[0], b[0], a[1:], b[1:]
			if x != y {
				changes = diff(p.Child(x.name), x, y, changes)
			}
		}
	}
	return changes
}

func ownOf(n *node) *own {
	if n == nil {
		return nil
	}
	return n.own
}

func childrenOf(n *node) []*node {
	if n == nil {
		return nil
	}
	return n.children
}
