package tree

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

// Delete removes a node with all that is below it. The right to delete the node is enough, whatever ACLs there are below.
func (x *Tx) Delete(u dm.URI) error {
	if err := plain(u); err != nil {
		return err
	}
	at, err := x.find(u.Path)
	if err != nil {
		return err
	}
	return x.remove(&at)
}

func (x *Tx) remove(at *place) error {
	desc := at.node.desc
	switch {
	case len(at.path) == 0, desc.DF.Permanent, x.tree.fixed(at.path):
		return dm.Refuse(ds.StatusNotAllowed, "%s is permanent", at.path)
	case !x.device && at.parent.occurring(desc) <= desc.DF.Occurrence.Least():
		return dm.Refuse(ds.StatusNotAllowed, "%s is the last one, and there must be one", at.path)
	}
	if err := x.may(dm.Delete, at); err != nil {
		return err
	}
	return x.set(at.path, nil)
}

// Copy gives one leaf the value of another, which is created if it is missing.
func (x *Tx) Copy(from, to dm.URI) error {
	if err := plain(from); err != nil {
		return err
	}
	if err := plain(to); err != nil {
		return err
	}
	source, err := x.find(from.Path)
	if err != nil {
		return err
	}
	if source.node.own.value.IsNode() {
		return dm.Refuse(ds.StatusUnsupported, "%s is an interior node, and only leaves are copied", from)
	}
	if err := x.mayCopy(&source); err != nil {
		return err
	}
	return x.whole(func() error { return x.copyTo(to.Path, source.node.own.value) })
}

func (x *Tx) mayCopy(source *place) error {
	if !source.node.desc.DF.Access.Has(dm.Copy) {
		return dm.Refuse(ds.StatusNotAllowed, "%s takes no Copy", source.path)
	}
	return x.may(dm.Get, source)
}

// copyTo overwrites or creates: 403 if what is there cannot take the value for another reason than rights.
func (x *Tx) copyTo(p dm.Path, v dm.Value) error {
	at, err := x.find(p)
	switch {
	case err != nil:
		err = x.create(p, v)
	case at.node.own.value.IsNode():
		return dm.Refuse(ds.StatusForbidden, "%s is an interior node", p)
	default:
		err = x.replaceValue(&at, v)
	}
	if dm.StatusOf(err) == ds.StatusMediaType {
		return dm.Refuse(ds.StatusForbidden, "%w", err)
	}
	return err
}

// Exec hands a call to the object that a node belongs to and gives the status that it answers. What an object does then is its own business:
// it cannot be taken back.
func (x *Tx) Exec(u dm.URI, c Call) (ds.Status, error) {
	if err := plain(u); err != nil {
		return 0, err
	}
	at, err := x.find(u.Path)
	if err != nil {
		return 0, err
	}
	if err := x.may(dm.Exec, &at); err != nil {
		return 0, err
	}
	m, below := x.tree.mounted(u.Path)
	if m != nil {
		if e, ok := m.object.(Executor); ok {
			return e.Exec(below, c)
		}
	}
	return 0, dm.Refuse(ds.StatusUnsupported, "there is nothing to execute at %s", u)
}
