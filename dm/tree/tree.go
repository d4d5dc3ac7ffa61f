// Package tree is the management tree of a device: what servers may do to its nodes and what comes of it, all or nothing (protocol.md H.3, H.4).
// It performs no I/O but through Store and Object, and has no clock.
package tree

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/ds"
)

// Bounds of a tree.
const (
	maxNodes = 20_000  // twice what it is measured with; a server shall not fill the device
	maxValue = 1 << 20 // octets of a value; certificates are the largest ones
	maxTitle = 255     // octets (protocol.md H.4)
)

// Tree is a management tree. It is used by one goroutine, and by one Tx at a time.
type Tree struct {
	store      Store
	mounts     []mount
	root       *node           // nodes of objects are in it as they were last seen
	properties map[string]*own // of nodes of objects, by address
	stale      []string        // stored properties of nodes that their object has no more
	undo       []undoing       // changes of objects that have to be taken back first
}

// Open loads the tree that the schema describes. Objects are at the addresses that they are given under: those are described, and the nodes above
// them are permanent. If the last change was interrupted halfway, it is taken back.
func Open(schema *ddf.Schema, store Store, objects map[string]Object) (*Tree, error) {
	t := &Tree{store: store, properties: map[string]*own{}}
	t.root = newNode(".", &own{value: initial(schema.Root())}, schema.Root())
	t.root.permanent()
	for _, uri := range slices.Sorted(maps.Keys(objects)) {
		if err := t.mount(schema, uri, objects[uri]); err != nil {
			return nil, err
		}
	}
	stored, err := t.load()
	if err != nil {
		return nil, err
	}
	for key, o := range stored {
		if err := t.place(key, o); err != nil {
			return nil, err
		}
	}
	t.root.permanent()
	if err := t.recover(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Tree) mount(schema *ddf.Schema, uri string, o Object) error {
	p, err := dm.ParsePath(uri)
	if err != nil {
		return err
	}
	if schema.Find(p) == nil || len(p) == 0 || t.root.find(p.Parent()) == nil {
		return fmt.Errorf("cannot open management tree: there is no place for an object at %s", p)
	}
	if m, _ := t.mounted(p); m != nil {
		return fmt.Errorf("cannot open management tree: %s is inside another object", p)
	}
	t.mounts = append(t.mounts, mount{p, o})
	return nil
}

// place puts what is stored under an address where it belongs.
func (t *Tree) place(key string, o *own) error {
	p, err := dm.ParsePath(key)
	if err != nil {
		return fmt.Errorf("cannot load management tree: %w", err)
	}
	if m, _ := t.mounted(p); m != nil {
		t.properties[key] = o
		return nil
	}
	t.root.grow(p, o)
	return nil
}

// Begin starts work on the tree for a server whose commands have come, at a time that becomes the time stamp of what changes.
func (t *Tree) Begin(server string, now time.Time) (*Tx, error) {
	if err := t.recover(); err != nil {
		return nil, err
	}
	root, used := t.root, map[string]bool{}
	for i := range t.mounts {
		m := &t.mounts[i]
		grafted, err := t.graft(root, m, used)
		if err != nil {
			return nil, fmt.Errorf("cannot read the nodes below %s: %w", m.path, err)
		}
		root = grafted
	}
	for key := range t.properties {
		if !used[key] { // else a new node of that name would inherit from the old one
			delete(t.properties, key)
			t.stale = append(t.stale, key)
		}
	}
	t.root = root
	return &Tx{tree: t, server: server, now: now, base: root, root: root}, nil
}

// changed is a copy of o after a change.
func (o *own) changed(now time.Time, change func(*own)) *own {
	copied := *o
	copied.tstamp = now.Unix()
	copied.verno++ // wraps, as it should
	change(&copied)
	return &copied
}

// full refuses more nodes than a tree may have.
func (n *node) full() error {
	if n.count > maxNodes {
		return dm.Refuse(ds.StatusFull, "the management tree would have more than %d nodes", maxNodes)
	}
	return nil
}
