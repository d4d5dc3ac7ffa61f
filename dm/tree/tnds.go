package tree

import (
	"bytes"
	"encoding/base64"
	"slices"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// serialize writes a node and what the server may read below it.
func (x *Tx) serialize(at *place, props []string) *ddf.Node {
	n := &ddf.Node{Name: at.path.Name(), RT: &ddf.RTProperties{}}
	for _, name := range props {
		at.node.writeProperty(n, name)
	}
	for _, c := range x.readable(at) {
		n.Nodes = append(n.Nodes, x.serialize(&c, props))
	}
	return n
}

func (n *node) writeProperty(into *ddf.Node, name string) {
	rt, v := into.RT, n.own.value
	text, _ := n.property(name)
	switch name {
	case dm.PropACL:
		rt.ACL = text
	case dm.PropFormat:
		rt.Format = n.writtenFormat()
	case dm.PropName:
		rt.Name = text
	case dm.PropSize:
		rt.Size = text
	case dm.PropTitle:
		rt.Title = text
	case dm.PropTStamp:
		rt.TStamp = text
	case dm.PropType:
		if v.IsNode() {
			rt.DDFName = text
		} else {
			rt.MIME = text
		}
	case dm.PropVerNo:
		rt.VerNo = text
	case propValue:
		into.Value = n.writtenValue()
	}
}

// writtenFormat is how a value stands in XML: what is no text as base64 (protocol.md H.4).
func (n *node) writtenFormat() dm.Format {
	v := n.own.value
	if v.Format == dm.FormatBin || !syncml.XMLText(v.Data) {
		return dm.FormatB64
	}
	return v.Format
}

func (n *node) writtenValue() *string {
	v := n.own.value
	text := string(v.Data)
	switch {
	case v.IsNode():
		return nil
	case n.writtenFormat() == dm.FormatB64:
		text = base64.StdEncoding.EncodeToString(v.Data)
	}
	return &text
}

// AddTree creates the sub-tree that a document holds, all of it or none.
func (x *Tx) AddTree(u dm.URI, doc *ddf.Tree) error {
	return x.eachTop(u, doc, func(p dm.Path, n *ddf.Node) error {
		if x.root.find(p) != nil {
			return dm.Refuse(ds.StatusExists, "%s exists already", p)
		}
		return x.merge(p, n, false)
	})
}

// ReplaceTree makes a sub-tree equal to the one that a document holds, all of it or none: nodes that the document does not have are deleted,
// except permanent ones, which keep what is below them.
func (x *Tx) ReplaceTree(u dm.URI, doc *ddf.Tree) error {
	return x.eachTop(u, doc, func(p dm.Path, n *ddf.Node) error {
		if _, err := x.find(p); err != nil && n.Path == "" { // one with a Path goes on where another one ended
			return err
		}
		return x.merge(p, n, true)
	})
}

// provide puts a topmost node of a document into the tree, for the device itself.
func (x *Tx) provide(n *ddf.Node) error {
	parent, err := topParent(nil, n)
	switch {
	case err != nil:
		return err
	case n.Name == "." && len(parent) == 0:
		return x.whole(func() error { return x.merge(nil, n, false) })
	}
	return x.whole(func() error { return x.merge(parent.Child(n.Name), n, false) })
}

// eachTop finds the places of a document's topmost nodes.
func (x *Tx) eachTop(u dm.URI, doc *ddf.Tree, do func(dm.Path, *ddf.Node) error) error {
	if err := plain(u); err != nil {
		return err
	}
	if len(doc.Nodes) == 0 {
		return dm.Refuse(ds.StatusBadRequest, "a sub-tree for %s has no node", u)
	}
	return x.whole(func() error {
		for _, n := range doc.Nodes {
			p, err := top(u.Path, n)
			if err == nil {
				err = do(p, n)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// top is where a topmost node goes: below the target, at its Path. One without a name, or with the name of the target, is the target itself, so
// that what a Get gave can be put back.
func top(target dm.Path, n *ddf.Node) (dm.Path, error) {
	if n.Path == "" && (n.Name == "" || n.Name == target.Name()) {
		return target, nil
	}
	parent, err := topParent(target, n)
	return parent.Child(n.Name), err
}

func topParent(target dm.Path, n *ddf.Node) (dm.Path, error) {
	if n.Path == "" {
		return target, nil
	}
	below, err := dm.ParsePath(n.Path)
	return target.Child(below...), err
}

// merge puts a node and those below it into the tree. With sweep, those that the document does not have are deleted.
func (x *Tx) merge(p dm.Path, n *ddf.Node, sweep bool) error {
	created, err := x.mergeValue(p, n)
	if err != nil {
		return err
	}
	for _, c := range n.Nodes {
		if err := x.merge(p.Child(c.Name), c, sweep); err != nil {
			return err
		}
	}
	if sweep {
		if err := x.sweep(p, n); err != nil {
			return err
		}
	}
	// Last, because the new ACL may take rights that were needed so far.
	return x.mergeProperties(p, n, created)
}

func (x *Tx) mergeValue(p dm.Path, n *ddf.Node) (created bool, err error) {
	v, err := read(p, n)
	if err != nil {
		return false, err
	}
	at, err := x.find(p)
	switch {
	case err != nil:
		return true, x.create(p, v)
	case n.Value != nil && bytes.Equal(v.Data, at.node.own.value.Data) && !at.node.own.value.IsNode():
		return false, nil // permanent nodes that take no Replace are in documents, too
	case n.Value != nil:
		return false, x.replaceValue(&at, v)
	case len(n.Nodes) > 0 && !at.node.own.value.IsNode():
		return false, dm.Refuse(ds.StatusNotAllowed, "%s is a leaf and has no nodes below it", p)
	}
	return false, nil
}

// read is the value of a node in a document.
func read(p dm.Path, n *ddf.Node) (dm.Value, error) {
	v := dm.Value{}
	if n.RT != nil {
		v.Format, v.Type = n.RT.Format, n.RT.Type()
	}
	switch {
	case len(n.Nodes) > 0 && v.Format == "":
		v.Format = dm.FormatNode
	case n.Value != nil && v.Format == dm.FormatB64:
		data, err := base64.StdEncoding.DecodeString(*n.Value)
		if err != nil {
			return v, dm.Refuse(ds.StatusBadRequest, "the value of %s is no base64: %v", p, err)
		}
		v.Data = data
	case n.Value != nil:
		v.Data = []byte(*n.Value)
	}
	return v, nil
}

// mergeProperties takes over the ACL and the title. Who has created a node in this command needs no more right for that.
func (x *Tx) mergeProperties(p dm.Path, n *ddf.Node, created bool) error {
	if n.RT == nil || n.RT.ACL == "" && n.RT.Title == "" {
		return nil
	}
	if n.RT.ACL != "" {
		if err := x.mergeProperty(p, created, n.RT.ACL, x.setACL, x.replaceACL); err != nil {
			return err
		}
	}
	if n.RT.Title != "" {
		return x.mergeProperty(p, created, n.RT.Title, x.setTitle, x.replaceTitle)
	}
	return nil
}

func (x *Tx) mergeProperty(p dm.Path, created bool, text string, set, replace func(*place, string) error) error {
	at, err := x.find(p)
	switch {
	case err != nil:
		return err
	case created:
		return set(&at, text)
	}
	return replace(&at, text)
}

// sweep deletes the nodes below one that the document does not have.
func (x *Tx) sweep(p dm.Path, n *ddf.Node) error {
	for _, c := range x.root.find(p).children {
		if c.desc.DF.Permanent || slices.ContainsFunc(n.Nodes, func(d *ddf.Node) bool { return d.Name == c.name }) {
			continue
		}
		if err := x.Delete(dm.URI{Path: p.Child(c.name)}); err != nil {
			return err
		}
	}
	return nil
}
