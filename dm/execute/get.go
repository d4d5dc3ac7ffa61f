package execute

import (
	"encoding/base64"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

func (e *executor) get(c *syncml.Get) {
	if len(c.Items) == 0 {
		e.fail(c, dm.Refuse(ds.StatusBadRequest, "a Get has no item"))
	}
	for i := range c.Items {
		it := &c.Items[i]
		found, err := e.read(it)
		e.status(c, it, err)
		if err == nil {
			e.results = append(e.results, &syncml.Results{MsgRef: e.m.ID, CmdRef: c.ID, Items: resultItems(found)})
		}
	}
}

func (e *executor) read(it *syncml.Item) ([]tree.Result, error) {
	u, err := target(it)
	if err != nil {
		return nil, err
	}
	return e.x.Get(u)
}

func resultItems(found []tree.Result) []syncml.Item {
	out := make([]syncml.Item, len(found))
	for i := range found {
		out[i] = resultItem(&found[i])
	}
	return out
}

// resultItem writes a node. Format and type are given where they are not chr and text/plain.
func resultItem(r *tree.Result) syncml.Item {
	it := syncml.Item{Source: &syncml.Location{URI: r.URI}}
	if r.Value.Format != dm.FormatChr {
		it.Meta.Format = string(r.Value.Format)
	}
	if r.Value.Type != dm.TypeText {
		it.Meta.Type = r.Value.Type
	}
	switch {
	case r.Tree != nil:
		it.Data = &syncml.Data{Nodes: []syncml.Node{*r.Tree.Node()}}
	case r.Value.Data != nil:
		it.Data = &syncml.Data{Bytes: r.Value.Data}
		encode(&it)
	}
	return it
}

// encode writes octets as base64, which either encoding of a message can carry (protocol.md A.5).
func encode(it *syncml.Item) {
	binary := it.Meta.Format == string(dm.FormatBin) || it.Meta.Format == string(dm.FormatB64)
	if binary || !syncml.XMLText(it.Data.Bytes) {
		it.Meta.Format = string(dm.FormatB64)
		it.Data.Bytes = base64.StdEncoding.AppendEncode(nil, it.Data.Bytes)
	}
}
