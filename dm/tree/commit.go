package tree

import (
	"bytes"
	"fmt"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
)

// undoKey is where the changes of objects are kept while they are being made. Addresses begin with a dot.
const undoKey = "undo"

// undoing are changes of one object that can be taken back.
type undoing struct {
	Object  string // address
	Changes []Change
}

// Commit makes the changes since the last one durable, all or none: on an error the Tx is back where it was then.
//
// Nodes of the tree's own are one write of the store. Where objects change as well, their changes are noted in the store before they are made,
// and the write that finishes the change removes the note; a note that is found later, after a crash, says what to take back.
func (x *Tx) Commit() error {
	if !x.Changed() {
		return nil
	}
	t := x.tree
	changes := diff(nil, x.base, x.root, nil)
	err := t.recover()
	if err == nil {
		err = t.apply(t.plan(changes))
	}
	if err != nil {
		x.Rollback()
		return fmt.Errorf("cannot change the management tree: %w", err)
	}
	for _, c := range changes {
		t.remember(c)
	}
	t.root, x.base, t.stale = x.root, x.root, nil
	x.committed = true
	return nil
}

// plan sorts changes into what the store writes and what objects do.
func (t *Tree) plan(changes []change) (*batch, []undoing) {
	b := &batch{put: map[string][]byte{}, remove: t.stale}
	perObject := make([]undoing, len(t.mounts))
	for _, c := range changes {
		i := t.mountIndex(c.path)
		if i < 0 {
			b.keep(c.path, kept(c.old, (*own).record), kept(c.new, (*own).record))
			continue
		}
		b.keep(c.path, kept(c.old, (*own).properties), kept(c.new, (*own).properties))
		c.path = c.path[len(t.mounts[i].path):]
		perObject[i].Changes = append(perObject[i].Changes, objectChanges([]change{c})...)
	}
	var objects []undoing
	for i, u := range perObject {
		if u.Object = t.mounts[i].path.String(); len(u.Changes) > 0 {
			objects = append(objects, u)
		}
	}
	return b, objects
}

func kept(o *own, form func(*own) record) *record {
	if o == nil {
		return nil
	}
	r := form(o)
	return &r
}

func (t *Tree) mountIndex(p dm.Path) int {
	for i := range t.mounts {
		if _, ok := p.Below(t.mounts[i].path); ok {
			return i
		}
	}
	return -1
}

// remember keeps the properties of an object's node for when its values are read anew.
func (t *Tree) remember(c change) {
	if m, _ := t.mounted(c.path); m == nil {
		return
	}
	delete(t.properties, c.path.String())
	if c.new == nil {
		return
	}
	if r := c.new.properties(); !r.isZero() {
		t.properties[c.path.String()] = c.new
	}
}

// objectChanges are the changes that concern values.
func objectChanges(changes []change) (out []Change) {
	for _, c := range changes {
		o := Change{Path: c.path, Old: valueOf(c.old), New: valueOf(c.new)}
		if o.Old == nil || o.New == nil || !same(*o.Old, *o.New) {
			out = append(out, o)
		}
	}
	return out
}

func valueOf(o *own) *dm.Value {
	if o == nil {
		return nil
	}
	return &o.value
}

func same(a, b dm.Value) bool {
	return a.Format == b.Format && a.Type == b.Type && bytes.Equal(a.Data, b.Data)
}

// apply makes changes.
func (t *Tree) apply(b *batch, objects []undoing) error {
	if b.err != nil {
		return b.err
	}
	if len(objects) == 0 {
		return t.store.Write(b.put, b.remove)
	}
	note := batch{put: map[string][]byte{}}
	note.set(undoKey, objects)
	if note.err != nil {
		return note.err
	}
	if err := t.store.Write(note.put, nil); err != nil {
		return err
	}
	t.undo = objects
	for _, o := range objects {
		if err := t.object(o.Object).Commit(o.Changes); err != nil {
			return t.takeBack(err)
		}
	}
	if err := t.store.Write(b.put, append(b.remove, undoKey)); err != nil {
		return t.takeBack(err)
	}
	t.undo = nil
	return nil
}

// takeBack takes back what objects have done when it cannot be finished.
func (t *Tree) takeBack(cause error) error {
	if err := t.recover(); err != nil {
		return dm.Refuse(ds.StatusRollbackFailed, "%w, and what was changed could not be taken back: %w", cause, err)
	}
	return cause
}

// recover takes back changes that were not finished. It may be done again until it works.
func (t *Tree) recover() error {
	if t.undo == nil {
		return nil
	}
	for i := len(t.undo) - 1; i >= 0; i-- {
		u := t.undo[i]
		object := t.object(u.Object)
		if object == nil {
			continue // a former version of the program had it
		}
		if err := object.Commit(opposite(u.Changes)); err != nil {
			return fmt.Errorf("cannot take back an unfinished change below %s: %w", u.Object, err)
		}
	}
	if err := t.store.Write(nil, []string{undoKey}); err != nil {
		return fmt.Errorf("cannot take back an unfinished change: %w", err)
	}
	t.undo = nil
	return nil
}

func (t *Tree) object(uri string) Object {
	for _, m := range t.mounts {
		if m.path.String() == uri {
			return m.object
		}
	}
	return nil
}

// opposite takes changes back.
func opposite(changes []Change) []Change {
	out := make([]Change, len(changes))
	for i, c := range changes {
		out[i] = Change{Path: c.Path, Old: c.New, New: c.Old}
	}
	return out
}
