package syncml

import (
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
)

// addItem reads an Item behind those of a command.
func (d *decoder) addItem(items *[]Item) error {
	if *items == nil {
		*items = d.items.list()
	}
	*items = append(*items, Item{})
	return d.item(&(*items)[len(*items)-1])
}

func (d *decoder) item(it *Item) error {
	return d.children(func(name string) error {
		switch name {
		case "Target":
			return d.optLocation(&it.Target)
		case "Source":
			return d.optLocation(&it.Source)
		case "SourceParent":
			return d.parent(&it.SourceParent)
		case "TargetParent":
			return d.parent(&it.TargetParent)
		case "Meta":
			return d.meta(&it.Meta)
		case "Data":
			it.Data = d.datas.one()
			return d.data(it.Data)
		case "MoreData":
			return d.flag(&it.MoreData)
		}
		return d.skip()
	})
}

func (d *decoder) parent(uri *string) error {
	var l Location
	err := d.location(&l)
	*uri = l.URI
	return err
}

// data reads text, octets, or an embedded document.
func (d *decoder) data(into *Data) error {
	err := d.content(&into.Bytes, func(t wbxml.Token) error { return d.embedded(into, t) })
	if len(into.Nodes) > 0 || into.DevInf != nil || into.Anchor != nil {
		into.Bytes = nil // white space between elements
	}
	return err
}

func (d *decoder) embedded(into *Data, t wbxml.Token) error {
	switch t.Name {
	case "DevInf":
		into.DevInf = &DevInf{}
		return d.devInf(into.DevInf)
	case "Anchor":
		into.Anchor = &ds.Anchors{}
		return d.anchor(into.Anchor)
	}
	n := Node{Space: t.Space, Name: t.Name}
	err := d.node(&n)
	into.Nodes = append(into.Nodes, n)
	return err
}

// node reads an element that nobody knows.
func (d *decoder) node(n *Node) error {
	var text []byte
	err := d.content(&text, func(t wbxml.Token) error {
		child := Node{Space: t.Space, Name: t.Name}
		err := d.node(&child)
		n.Nodes = append(n.Nodes, child)
		return err
	})
	n.Text = string(text)
	return err
}

// takeDevInf reads device information that lies in Data as a document of its own: opaque in WBXML, or as text or CDATA (Memotoo).
// What cannot be read stays as it is: device information is never a reason to fail.
func takeDevInf(items []Item) {
	for i := range items {
		data := items[i].Data
		if data == nil || len(data.Bytes) == 0 {
			continue
		}
		if inf, err := DecodeDevInf(data.Bytes); err == nil {
			data.DevInf, data.Bytes = inf, nil
		}
	}
}
