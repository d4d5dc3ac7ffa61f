package tree

import (
	"time"

	"github.com/alwayson-sync/alwayson/dm"
)

// Entry is a node as the device's own user may see it.
type Entry struct {
	Path  dm.Path
	Value dm.Value // without data if Secret
	// Secret tells that servers may set the value and not read it.
	Secret bool
	ACL    string // of its own, "" if that above it holds
}

// Entries are all nodes, each after the one above it, for the device itself: ACLs do not count.
func (t *Tree) Entries(now time.Time) (out []Entry, err error) {
	err = t.itself(now, func(x *Tx) error {
		x.root.entries(nil, func(e Entry) { out = append(out, e) })
		out[0].ACL = rootACL.String()
		if a := x.root.own.acl; a != nil {
			out[0].ACL = a.String()
		}
		return nil
	})
	return out, err
}

func (n *node) entries(at dm.Path, found func(Entry)) {
	e := Entry{Path: at, Value: n.own.value, ACL: n.own.properties().ACL}
	if !e.Value.IsNode() && n.desc.DF.Access&(dm.Get|dm.Exec) == 0 {
		e.Secret, e.Value.Data = true, nil
	}
	found(e)
	for _, c := range n.children {
		c.entries(at.Child(c.name), found)
	}
}
