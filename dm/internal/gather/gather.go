// Package gather puts together objects that come in several messages (protocol.md C.8).
package gather

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Gatherer holds the object that is coming.
type Gatherer struct {
	Max  int64 // octets of an object
	open *object
}

type object struct {
	key  key
	item syncml.Item
	data []byte
}

// key tells whether two items are parts of the same object.
type key struct{ command, target, source string }

func keyOf(command string, it *syncml.Item) key {
	k := key{command: command}
	if it.Target != nil {
		k.target = it.Target.URI
	}
	if it.Source != nil {
		k.source = it.Source.URI
	}
	return k
}

// Take takes an item of a command. It gives the item back if it is whole, and the whole object if it is its last part; both nil mean that the
// part is kept: 213. lost is the item of an object whose other parts will not come any more, because this item is not one of them.
func (g *Gatherer) Take(command string, meta syncml.Meta, it syncml.Item) (whole, lost *syncml.Item, err error) {
	k := keyOf(command, &it)
	if g.open != nil && g.open.key != k {
		lost, g.open = &g.open.item, nil
	}
	switch {
	case g.open != nil:
		whole, err = g.add(&it)
	case it.MoreData:
		err = g.begin(k, meta, it)
	default:
		whole = &it
	}
	if err != nil {
		g.open = nil
	}
	return whole, lost, err
}

// Continues tells whether an item of a command is a part of the object that is coming.
func (g *Gatherer) Continues(command string, it *syncml.Item) bool {
	return g.open != nil && g.open.key == keyOf(command, it)
}

// Drop forgets the object that is coming, and gives its item; nil if there is none.
func (g *Gatherer) Drop() (lost *syncml.Item) {
	if g.open != nil {
		lost = &g.open.item
	}
	g.open = nil
	return lost
}

func (g *Gatherer) begin(k key, meta syncml.Meta, it syncml.Item) error {
	if it.Meta.Size == 0 {
		it.Meta.Size = meta.Size
	}
	switch {
	case it.Meta.Size <= 0:
		return dm.Refuse(ds.StatusSizeRequired, "the first part of an object says no size")
	case it.Meta.Size > g.Max:
		return dm.Refuse(ds.StatusTooLarge, "an object of %d octets is too large, at most %d are taken", it.Meta.Size, g.Max)
	}
	if it.Meta.Format == "" {
		it.Meta.Format = meta.Format
	}
	if it.Meta.Type == "" {
		it.Meta.Type = meta.Type
	}
	g.open = &object{key: k, item: it}
	_, err := g.add(&it)
	return err
}

// add keeps a part. Some count what they send, some what it means (protocol.md C.8).
func (g *Gatherer) add(it *syncml.Item) (*syncml.Item, error) {
	o := g.open
	if it.Data == nil {
		return nil, dm.Refuse(ds.StatusIncomplete, "a part of an object has no data")
	}
	o.data = append(o.data, it.Data.Bytes...)
	most := o.item.Meta.Size
	if o.item.Meta.Format == string(dm.FormatB64) {
		most = (most+2)/3*4 + most/16 // lines may be broken
	}
	if int64(len(o.data)) > most {
		return nil, dm.Refuse(ds.StatusSizeMismatch, "more than the announced %d octets came", o.item.Meta.Size)
	}
	if it.MoreData {
		return nil, nil
	}
	g.open = nil
	return o.whole()
}

func (o *object) whole() (*syncml.Item, error) {
	size := o.item.Meta.Size
	o.item.Data, o.item.MoreData, o.item.Meta.Size = &syncml.Data{Bytes: o.data}, false, 0
	body, err := o.item.Body()
	switch {
	case err != nil:
		return nil, dm.Refuse(ds.StatusBadRequest, "%w", err)
	case int64(len(o.data)) != size && int64(len(body)) != size:
		return nil, dm.Refuse(ds.StatusSizeMismatch, "%d octets came where %d were announced", len(o.data), size)
	}
	return &o.item, nil
}
