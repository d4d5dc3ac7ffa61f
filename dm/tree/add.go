package tree

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/ds"
)

// Add creates a node. Interior nodes on the way to it are created as well; the refusal of one says which. Data that is nil means the
// description's default.
func (x *Tx) Add(u dm.URI, v dm.Value) error {
	if err := plain(u); err != nil {
		return err
	}
	return x.whole(func() error { return x.create(u.Path, v) })
}

// plain refuses commands to properties and lists.
func plain(u dm.URI) error {
	if u.Prop != "" || u.List != "" {
		return dm.Refuse(ds.StatusNotAllowed, "%s can only be read or replaced", u)
	}
	return nil
}

// create creates a node with those above it that are missing.
func (x *Tx) create(p dm.Path, v dm.Value) error {
	if x.root.find(p) != nil {
		return dm.Refuse(ds.StatusExists, "%s exists already", p)
	}
	if err := checkLength(p); err != nil {
		return err
	}
	if err := x.createParents(p.Parent()); err != nil {
		return err
	}
	return x.createHere(p, v)
}

// checkLength refuses addresses that no command could name.
func checkLength(p dm.Path) error {
	if len(p) > dm.MaxDepth || len(p.String()) > dm.MaxTotLen {
		return dm.Refuse(ds.StatusURITooLong, "%.60s is deeper than %d levels or longer than %d octets", p, dm.MaxDepth, dm.MaxTotLen)
	}
	return dm.CheckName(p.Name())
}

func (x *Tx) createParents(p dm.Path) error {
	if x.root.find(p) != nil {
		return nil
	}
	if err := x.createParents(p.Parent()); err != nil {
		return err
	}
	if err := x.createHere(p, dm.Value{Format: dm.FormatNode}); err != nil {
		return dm.Refuse(dm.StatusOf(err), "%w", err).At(p)
	}
	return nil
}

// createHere creates a node below one that exists.
func (x *Tx) createHere(p dm.Path, v dm.Value) error {
	above, err := x.find(p.Parent())
	if err != nil {
		return err
	}
	desc := above.node.desc.Below(p.Name())
	if err := x.mayCreate(p, &above, desc); err != nil {
		return err
	}
	if v, err = conform(v, desc, p); err != nil {
		return err
	}
	o := &own{value: v, tstamp: x.now.Unix()}
	if !x.device && v.IsNode() && !above.acl.Allows(dm.Replace, x.server) {
		acl := ownerACL(x.server)
		o.acl = &acl
	}
	n := newNode(p.Name(), o, desc)
	n.permanent()
	return x.set(p, n)
}

// mayCreate refuses a node that is not described or not granted, and one too many.
func (x *Tx) mayCreate(p dm.Path, above *place, desc *ddf.Node) error {
	switch {
	case !above.node.own.value.IsNode():
		return dm.Refuse(ds.StatusNotAllowed, "%s is a leaf and has no nodes below it", above.path)
	case desc == nil:
		return dm.Refuse(ds.StatusNotAllowed, "there can be no %s", p)
	case x.device:
		return nil
	case !desc.DF.Access.Has(dm.Add) || desc.DF.Permanent:
		return dm.Refuse(ds.StatusNotAllowed, "%s takes no Add", p)
	case desc.DF.Occurrence.Most() > 0 && above.node.occurring(desc) >= desc.DF.Occurrence.Most():
		return dm.Refuse(ds.StatusNotAllowed, "there can be no more nodes like %s", p)
	}
	return x.granted(dm.Add, above.acl, above.path)
}

// occurring counts the nodes below n that have the same description.
func (n *node) occurring(desc *ddf.Node) (count int) {
	for _, c := range n.children {
		if c.desc == desc {
			count++
		}
	}
	return count
}

// conform gives a value what it does not say itself, by the description, and refuses one that contradicts it.
func conform(v dm.Value, desc *ddf.Node, p dm.Path) (dm.Value, error) {
	switch {
	case v.Format != "" && v.Format != dm.FormatB64:
	case desc.DF.Format != "" || len(desc.Nodes) > 0:
		v.Format = initial(desc).Format
	case v.Format == dm.FormatB64:
		v.Format = dm.FormatBin
	default:
		v.Format = dm.FormatChr
	}
	if !v.Format.Known() || desc.DF.Format != "" && v.Format != desc.DF.Format {
		return v, dm.Refuse(ds.StatusMediaType, "%s cannot have format %.20q", p, v.Format)
	}
	if v.IsNode() {
		return conformNode(v, desc, p)
	}
	return conformLeaf(v, desc, p)
}

func conformNode(v dm.Value, desc *ddf.Node, p dm.Path) (dm.Value, error) {
	if v.Type == "" || v.Type == dm.TypeText { // AOSP's servers give interior nodes a media type
		v.Type = desc.DF.DDFName
	}
	if len(v.Data) > 0 || desc.DF.DDFName != "" && v.Type != desc.DF.DDFName {
		return v, dm.Refuse(ds.StatusMediaType, "%s is an interior node of type %q, which has no value", p, desc.DF.DDFName)
	}
	v.Data = nil
	return v, nil
}

func conformLeaf(v dm.Value, desc *ddf.Node, p dm.Path) (dm.Value, error) {
	if v.Data == nil {
		v.Data = initial(desc).Data
	}
	if len(v.Data) > maxValue {
		return v, dm.Refuse(ds.StatusTooLarge, "%d octets for %s are more than %d", len(v.Data), p, maxValue)
	}
	if !desc.DF.TakesType(v.Type) {
		return v, dm.Refuse(ds.StatusMediaType, "%s has no values of type %.60q", p, v.Type)
	}
	if v.Type == dm.TypeText {
		v.Type = ""
	}
	if v.Data == nil {
		return v, nil // it has no value yet
	}
	return v, v.Format.Check(v.Data)
}
