package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/alwayson-sync/alwayson/dm"
)

// Store keeps the nodes that no object has, and the properties of those that one has. Keys and values are the tree's business; among them are
// secrets of accounts and, while a change is being made, of objects.
type Store interface {
	// Load calls fn for each entry, in any order. An error of fn ends it and is returned.
	Load(fn func(key string, value []byte) error) error
	// Write puts and removes entries, one for each node that changes: as many as a sub-tree has that comes or goes. All of it is durable when
	// Write returns nil, and none of it is done otherwise. Removing what is not there is no error. An error that is a *dm.Error is the status
	// of the command, e.g. 420.
	Write(put map[string][]byte, remove []string) error
}

// Memory is a Store for tests and for trees that live as long as a process.
type Memory map[string][]byte

// Load is Store's.
func (m Memory) Load(fn func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if err := fn(key, m[key]); err != nil {
			return err
		}
	}
	return nil
}

// Write is Store's.
func (m Memory) Write(put map[string][]byte, remove []string) error {
	maps.Copy(m, put)
	for _, key := range remove {
		delete(m, key)
	}
	return nil
}

// record is how a node is kept under its address. Of an object's node it has the properties only.
type record struct {
	Format dm.Format `json:"format,omitempty"`
	Type   string    `json:"type,omitempty"`
	Data   []byte    `json:"data,omitempty"`
	ACL    string    `json:"acl,omitempty"`
	Title  string    `json:"title,omitempty"`
	TStamp int64     `json:"tstamp,omitempty"`
	VerNo  uint16    `json:"verno,omitempty"`
}

// properties is the record of an object's node.
func (o *own) properties() record {
	r := record{Title: o.title, TStamp: o.tstamp, VerNo: o.verno}
	if o.acl != nil {
		r.ACL = o.acl.String()
	}
	return r
}

func (o *own) record() record {
	r := o.properties()
	r.Format, r.Type, r.Data = o.value.Format, o.value.Type, o.value.Data
	return r
}

// own is what a record says of a node.
func (r *record) own() (*own, error) {
	o := &own{value: dm.Value{Format: r.Format, Type: r.Type, Data: r.Data}, title: r.Title, tstamp: r.TStamp, verno: r.VerNo}
	acl, err := ParseACL(r.ACL)
	if !acl.IsZero() {
		o.acl = &acl
	}
	return o, err
}

// batch is what is written at once.
type batch struct {
	put    map[string][]byte
	remove []string
	err    error
}

func (b *batch) set(key string, value any) {
	data, err := json.Marshal(value)
	b.put[key] = data
	b.err = errors.Join(b.err, err)
}

// keep writes what is new of a node, or forgets it. Records that say nothing are not kept.
func (b *batch) keep(p dm.Path, old, new *record) {
	switch {
	case new != nil && !new.isZero():
		b.set(p.String(), new)
	case old != nil:
		b.remove = append(b.remove, p.String())
	}
}

func (r *record) isZero() bool {
	return r.Format == "" && r.ACL == "" && r.Title == "" && r.TStamp == 0 && r.VerNo == 0
}

// load reads what is stored.
func (t *Tree) load() (nodes map[string]*own, err error) {
	nodes = map[string]*own{}
	err = t.store.Load(func(key string, value []byte) error {
		if key == undoKey {
			return json.Unmarshal(value, &t.undo)
		}
		var r record
		if err := json.Unmarshal(value, &r); err != nil {
			return err
		}
		o, err := r.own()
		nodes[key] = o
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot load management tree: %w", err)
	}
	return nodes, nil
}
