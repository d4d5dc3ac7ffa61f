package tree

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

// Replace gives a leaf another value, or a node another ACL, name or title. It never creates a node. The value that is there already is no
// change (S9).
func (x *Tx) Replace(u dm.URI, v dm.Value) error {
	if u.List != "" {
		return dm.Refuse(ds.StatusNotAllowed, "%s can only be read", u)
	}
	at, err := x.find(u.Path)
	if err != nil {
		return err
	}
	return x.whole(func() error {
		switch u.Prop {
		case "":
			return x.replaceValue(&at, v)
		case dm.PropACL:
			return x.replaceACL(&at, string(v.Data))
		case dm.PropName:
			return x.rename(&at, string(v.Data))
		case dm.PropTitle:
			return x.replaceTitle(&at, string(v.Data))
		case dm.PropFormat, dm.PropSize, dm.PropTStamp, dm.PropType, dm.PropVerNo:
			return dm.Refuse(ds.StatusNotAllowed, "the property %s cannot be replaced", u.Prop)
		}
		return dm.Refuse(ds.StatusUnsupported, "there is no property %.40q", u.Prop)
	})
}

func (x *Tx) replaceValue(at *place, v dm.Value) error {
	old := at.node.own.value
	if err := x.may(dm.Replace, at); err != nil {
		return err
	}
	if old.IsNode() {
		return dm.Refuse(ds.StatusNotAllowed, "%s is an interior node and has no value", at.path)
	}
	if v.Format == "" || v.Format == dm.FormatB64 {
		v.Format = old.Format
	}
	if v.Type == "" {
		v.Type = old.Type
	}
	if v.Data == nil {
		v.Data = []byte{} // defaults are for new nodes
	}
	v, err := conform(v, at.node.desc, at.path)
	switch {
	case err != nil:
		return err
	case v.IsNode():
		return dm.Refuse(ds.StatusNotAllowed, "%s is a leaf and stays one", at.path)
	case same(v, old):
		return nil
	}
	return x.change(at, func(o *own) { o.value = v })
}

// change changes what a node has of its own.
func (x *Tx) change(at *place, change func(*own)) error {
	return x.set(at.path, at.node.owning(at.node.own.changed(x.now, change)))
}

// mayReplaceACL: who may replace a node may take control of those below it, and of an interior node itself, but not of a leaf.
func (x *Tx) mayReplaceACL(at *place) error {
	if at.node.own.value.IsNode() && x.granted(dm.Replace, at.acl, at.path) == nil {
		return nil
	}
	return x.granted(dm.Replace, at.parentACL, at.path)
}

func (x *Tx) replaceACL(at *place, text string) error {
	if err := x.mayReplaceACL(at); err != nil {
		return err
	}
	return x.setACL(at, text)
}

func (x *Tx) setACL(at *place, text string) error {
	acl, err := ParseACL(text)
	switch old := at.node.own.acl; {
	case err != nil:
		return err
	case old == nil && acl.IsZero(), old != nil && old.String() == acl.String():
		return nil
	}
	return x.change(at, func(o *own) { o.acl = &acl })
}

func (x *Tx) replaceTitle(at *place, title string) error {
	if err := x.granted(dm.Replace, at.acl, at.path); err != nil {
		return err
	}
	return x.setTitle(at, title)
}

func (x *Tx) setTitle(at *place, title string) error {
	switch {
	case len(title) > maxTitle:
		return dm.Refuse(ds.StatusTooLarge, "a title of %d octets is longer than %d", len(title), maxTitle)
	case title == at.node.own.title:
		return nil
	}
	return x.change(at, func(o *own) { o.title = title })
}

// rename moves a node with all that is below it to another name beside it.
func (x *Tx) rename(at *place, name string) error {
	to := at.path.Parent().Child(name)
	switch {
	case len(at.path) == 0, at.node.desc.DF.Permanent, x.tree.fixed(at.path):
		return dm.Refuse(ds.StatusNotAllowed, "%s is permanent and keeps its name", at.path)
	case name == at.path.Name():
		return nil
	}
	if err := x.may(dm.Replace, at); err != nil {
		return err
	}
	if err := checkLength(to); err != nil {
		return err
	}
	if x.root.find(to) != nil {
		return dm.Refuse(ds.StatusExists, "%s exists already", to)
	}
	if at.parent.desc.Below(name) != at.node.desc {
		return dm.Refuse(ds.StatusNotAllowed, "%s cannot have the name %q, which means something else", at.path, name)
	}
	moved := *at.node.owning(at.node.own.changed(x.now, func(*own) {}))
	moved.name = name
	if err := x.set(at.path, nil); err != nil {
		return err
	}
	return x.set(to, &moved)
}
