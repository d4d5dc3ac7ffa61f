package tree

import (
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

// Tx is work on a tree for one server. Commands change what the Tx sees; a command that fails changes nothing. Commit makes the changes since
// the last Commit durable, Rollback drops them. Refusals are of type *dm.Error.
type Tx struct {
	tree       *Tree
	server     string
	device     bool // the device itself is at work, which ACLs and access types do not concern
	now        time.Time
	base, root *node // as committed, and with the changes
	committed  bool
}

// place is a node with what decides about commands to it.
type place struct {
	path      dm.Path
	node      *node
	parent    *node
	acl       ACL // in force here, inherited or not
	parentACL ACL
}

// find finds a node: 404 if there is none.
func (x *Tx) find(p dm.Path) (place, error) {
	at := place{path: p, node: x.root, parent: x.root, acl: rootACL}
	at.inherit()
	at.parentACL = at.acl
	for _, name := range p {
		i, found := at.node.search(name)
		if !found {
			return place{}, dm.Refuse(ds.StatusNotFound, "there is no %s", p)
		}
		at.parent, at.node, at.parentACL = at.node, at.node.children[i], at.acl
		at.inherit()
	}
	return at, nil
}

// inherit lets a node's own ACL take the place of the one above.
func (at *place) inherit() {
	if a := at.node.own.acl; a != nil && !a.IsZero() {
		at.acl = *a
	}
}

// may refuses a command to an existing node: 405 by its description, 425 by its ACL.
func (x *Tx) may(command dm.Access, at *place) error {
	switch {
	case x.device:
		return nil
	case !at.node.desc.DF.Access.Has(command):
		return dm.Refuse(ds.StatusNotAllowed, "%s takes no %s", at.path, command)
	}
	return x.granted(command, at.acl, at.path)
}

// granted refuses what an ACL does not grant.
func (x *Tx) granted(command dm.Access, acl ACL, p dm.Path) error {
	if !x.device && !acl.Allows(command, x.server) {
		return dm.Refuse(ds.StatusPermission, "%q may give no %s to %s", x.server, command, p)
	}
	return nil
}

// whole makes a command all or nothing.
func (x *Tx) whole(command func() error) error {
	before := x.root
	err := command()
	if err != nil {
		x.root = before
	}
	return err
}

// set puts a node at a path, or removes it if n is nil, after asking the object that it belongs to.
func (x *Tx) set(p dm.Path, n *node) error {
	next := x.root.with(p, n)
	if err := next.full(); err != nil {
		return err
	}
	if m, below := x.tree.mounted(p); m != nil {
		for _, c := range objectChanges(diff(below, x.root.find(p), n, nil)) {
			if err := m.object.Check(c); err != nil {
				return err
			}
		}
	}
	x.root = next
	return nil
}

// Rollback drops what was changed since the last Commit.
func (x *Tx) Rollback() { x.root = x.base }

// Committed tells whether a Commit has changed the tree.
func (x *Tx) Committed() bool { return x.committed }

// Changed tells whether something was changed since the last Commit.
func (x *Tx) Changed() bool { return x.root != x.base }
