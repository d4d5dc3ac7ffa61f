package tree

import (
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
)

// Provision puts what a document holds into the tree: values from the factory, accounts that the user has set up, ACLs. It is the device itself
// that does so, so that neither ACLs nor access types count. What is there already gets the document's values; nothing is removed.
func (t *Tree) Provision(doc *ddf.Tree, now time.Time) error {
	return t.itself(now, func(x *Tx) error {
		for _, n := range doc.Nodes {
			if err := x.provide(n); err != nil {
				return fmt.Errorf("cannot provision management tree: %w", err)
			}
		}
		return nil
	})
}

// Remove removes a node with all that is below it, for the device itself: an account that the user gives up. Permanent nodes stay: 405.
func (t *Tree) Remove(p dm.Path, now time.Time) error {
	return t.itself(now, func(x *Tx) error { return x.Delete(dm.URI{Path: p}) })
}

// Value is what a node holds, of an interior one the names below it, for the device itself: it reads secrets, too. Nodes of objects are as they
// were when a Tx was begun last. Data is the tree's and must not be changed. ok is false if there is no such node.
func (t *Tree) Value(p dm.Path) (v dm.Value, ok bool) {
	n := t.root.find(p)
	if n == nil {
		return dm.Value{}, false
	}
	return n.value(), true
}

// Forget removes a server from all ACLs. What only it was allowed to do at the root everybody may do then (protocol.md H.4).
func (t *Tree) Forget(server string, now time.Time) error {
	return t.itself(now, func(x *Tx) error {
		x.root = x.root.without(server, now)
		if o := x.root.own; o != x.base.own {
			acl := o.acl.orEverybody(x.base.own.acl)
			copied := *o
			copied.acl = &acl
			x.root = x.root.owning(&copied)
		}
		return nil
	})
}

// itself is work of the device on its own tree.
func (t *Tree) itself(now time.Time, do func(*Tx) error) error {
	x, err := t.Begin("", now)
	if err != nil {
		return err
	}
	x.device = true
	if err := do(x); err != nil {
		return err
	}
	return x.Commit()
}

// without is n with a server removed from all ACLs.
func (n *node) without(server string, now time.Time) *node {
	out := n
	if n.own.acl != nil {
		if acl := n.own.acl.Without(server); acl.String() != n.own.acl.String() {
			out = n.owning(n.own.changed(now, func(o *own) { o.acl = &acl }))
		}
	}
	for i, c := range n.children {
		if rest := c.without(server, now); rest != c {
			out = out.with(dm.Path{out.children[i].name}, rest)
		}
	}
	return out
}
