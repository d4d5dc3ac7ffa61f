package execute

import (
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// items are those of a command with its Meta as their default. A command without any has one that names nothing, so that it is refused.
func items(c *syncml.Change) []*syncml.Item {
	if len(c.Items) == 0 {
		return []*syncml.Item{{}}
	}
	out := make([]*syncml.Item, len(c.Items))
	for i, it := range c.Items {
		out[i] = withDefaults(it, &c.Meta)
	}
	return out
}

func withDefaults(it syncml.Item, meta *syncml.Meta) *syncml.Item {
	if it.Meta.Format == "" {
		it.Meta.Format = meta.Format
	}
	if it.Meta.Type == "" {
		it.Meta.Type = meta.Type
	}
	return &it
}

// target is the node that an item names. Servers name it in Target; a Source alone is what devices send (protocol.md H.1).
func target(it *syncml.Item) (dm.URI, error) {
	if it.Target == nil || it.Target.URI == "" {
		return dm.URI{}, dm.Refuse(ds.StatusBadRequest, "an item has no target")
	}
	return dm.ParseURI(it.Target.URI)
}

// change carries out an item of a command that changes the tree, without committing it.
func (e *executor) change(op syncml.Op, it *syncml.Item) error {
	u, err := target(it)
	if err != nil {
		return err
	}
	switch op {
	case syncml.OpAdd, syncml.OpReplace:
		return e.put(op, u, it)
	case syncml.OpDelete:
		return e.x.Delete(u)
	case syncml.OpCopy:
		return e.copy(u, it)
	}
	return dm.Refuse(ds.StatusUnsupported, "there is no %s in device management", op)
}

func (e *executor) copy(to dm.URI, it *syncml.Item) error {
	if it.Source == nil {
		return dm.Refuse(ds.StatusBadRequest, "a Copy has no source")
	}
	from, err := dm.ParseURI(it.Source.URI)
	if err != nil {
		return err
	}
	return e.x.Copy(from, to)
}

// put is Add or Replace, of a node or of a sub-tree.
func (e *executor) put(op syncml.Op, u dm.URI, it *syncml.Item) error {
	if it.MoreData {
		return dm.Refuse(ds.StatusIncomplete, "a part of a large object came without the rest")
	}
	if isTree(it) {
		doc, err := document(it)
		switch {
		case err != nil:
			return dm.Refuse(ds.StatusBadRequest, "%w", err)
		case op == syncml.OpAdd:
			return e.x.AddTree(u, doc)
		}
		return e.x.ReplaceTree(u, doc)
	}
	v, err := value(it)
	switch {
	case err != nil:
		return err
	case op == syncml.OpAdd:
		return e.x.Add(u, v)
	}
	return e.x.Replace(u, v)
}

// isTree tells whether an item holds a serialized sub-tree, in XML or WBXML.
func isTree(it *syncml.Item) bool {
	return it.Data != nil && (strings.Contains(it.Meta.Type, "dmtnds") || len(it.Data.Nodes) > 0 && it.Data.Nodes[0].Name == "MgmtTree")
}

func document(it *syncml.Item) (*ddf.Tree, error) {
	if len(it.Data.Nodes) > 0 {
		return ddf.FromNode(&it.Data.Nodes[0])
	}
	body, err := it.Body()
	if err != nil {
		return nil, err
	}
	return ddf.Parse(body)
}

// value is what an item holds for a node. Data of another vocabulary is text if it is sent as text.
func value(it *syncml.Item) (dm.Value, error) {
	v := dm.Value{Format: dm.Format(it.Meta.Format), Type: it.Meta.Type}
	if it.Data == nil {
		return v, nil
	}
	if len(it.Data.Nodes) > 0 || it.Data.DevInf != nil || it.Data.Anchor != nil {
		return v, dm.Refuse(ds.StatusMediaType, "data holds elements, which are no value")
	}
	body, err := it.Body()
	if err != nil {
		return v, dm.Refuse(ds.StatusBadRequest, "%w", err)
	}
	// Some count what they send, some what it means (protocol.md C.8).
	if size := it.Meta.Size; size > 0 && size != int64(len(it.Data.Bytes)) && size != int64(len(body)) {
		return v, dm.Refuse(ds.StatusSizeMismatch, "%d octets came where %d were announced", len(body), size)
	}
	v.Data = append([]byte{}, body...) // the message may share memory with what came
	return v, nil
}
