package tree

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

// Object is a management object whose nodes live elsewhere, e.g. in the settings of a program. The tree holds what servers say about them
// (ACL, title, counters) and asks the object for the rest. An error that is a *dm.Error is the status of the command that it refuses, any
// other means 500.
type Object interface {
	// Nodes are all nodes below the object's own one as they are now, by address relative to it ("AlwaysOn/Enabled"). Interior nodes on the
	// way to another need not be named. Values that servers may not read belong to it, too: they are needed to take a change back.
	Nodes() (map[string]dm.Value, error)
	// Check refuses a change that makes no sense by itself. It changes nothing and is asked as soon as the command comes.
	Check(Change) error
	// Commit makes changes that belong together, all or none, each node after the one above it: it is where values that do not fit each other are refused. What counts is New:
	// the opposite of changes that were refused, or that were not made because the program died, is committed to take them back, perhaps more
	// than once; to set what is set and to remove what is not there is no error.
	Commit([]Change) error
}

// Change is a node of an object that comes, goes or gets another value. What it points to is the tree's and must not be changed.
type Change struct {
	Path dm.Path   // below the object's own node
	Old  *dm.Value // nil if the node is new
	New  *dm.Value // nil if the node goes
}

// Executor is an Object with nodes that can be executed.
type Executor interface {
	// Exec begins or does what a node stands for: 202 if it goes on afterwards, 200 if it is done.
	Exec(at dm.Path, c Call) (ds.Status, error)
}

// Call is what an Exec hands over.
type Call struct {
	Data       []byte
	Correlator string // to be repeated in the alert that tells the outcome, "" if none is wanted
}

// mount is an object at its place.
type mount struct {
	path   dm.Path
	object Object
}

// mounted finds the object that a node belongs to, and where in it.
func (t *Tree) mounted(p dm.Path) (m *mount, below dm.Path) {
	for i := range t.mounts {
		if rest, ok := p.Below(t.mounts[i].path); ok {
			return &t.mounts[i], rest
		}
	}
	return nil, nil
}

// fixed tells whether an object hangs at or below p, so that the node cannot go.
func (t *Tree) fixed(p dm.Path) bool {
	for _, m := range t.mounts {
		if _, ok := m.path.Below(p); ok {
			return true
		}
	}
	return false
}

// graft builds the nodes of an object as they are now.
func (t *Tree) graft(root *node, m *mount, used map[string]bool) (*node, error) {
	name := m.path.Name()
	top := newNode(name, t.propertied(m.path, dm.Value{Format: dm.FormatNode}, used), root.find(m.path.Parent()).described(name))
	top.own.value.Type = top.desc.DF.DDFName
	nodes, err := m.object.Nodes()
	if err != nil {
		return nil, err
	}
	for uri, v := range nodes {
		p, err := dm.ParsePath(uri)
		if err != nil {
			return nil, err
		}
		top.grow(p, t.propertied(m.path.Child(p...), v, used))
	}
	t.propertyInterior(m.path, top, used)
	top.recount()
	return root.with(m.path, top), nil
}

// propertied is what an object's node has of its own, with the properties that are stored.
func (t *Tree) propertied(p dm.Path, v dm.Value, used map[string]bool) *own {
	key := p.String()
	o := &own{}
	if kept := t.properties[key]; kept != nil {
		copied := *kept
		o = &copied
		used[key] = true
	}
	o.value = v
	return o
}

// propertyInterior gives interior nodes that the object did not name what is stored of them.
func (t *Tree) propertyInterior(p dm.Path, n *node, used map[string]bool) {
	for _, c := range n.children {
		if at := p.Child(c.name); len(c.children) > 0 {
			if t.properties[at.String()] != nil {
				c.own = t.propertied(at, c.own.value, used)
			}
			t.propertyInterior(at, c, used)
		}
	}
}
