package wire

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// Whole is the command that carries an item with its body. version is the ds.Version it was made from, "" if there is none.
func Whole(op syncml.Op, target, source, version string, it pim.Item) *syncml.Change {
	meta := syncml.Meta{Type: it.Type, Version: version, EMI: emis(it)}
	c := &syncml.Change{Op: op, Meta: meta, Items: []syncml.Item{{
		Target: location(target), Source: location(source), Data: &syncml.Data{Bytes: it.Body},
	}}}
	if sif.Is(it.Type) {
		c.Items[0].Meta.Format = base64Format
		c.Items[0].Data.Bytes = base64.StdEncoding.AppendEncode(nil, it.Body)
	}
	return c
}

// base64Format is the Format of items in base64. Those in SIF always are: Funambol's clients know no other, and look for the Format in the
// item and not in its command (corpus/syncml-xml/horde).
const base64Format = "b64"

// Flags is the command that changes flags and folder of an item without its body: a Replace at field level without Data.
func Flags(target, source, version string, it pim.Item) *syncml.Change {
	meta := syncml.Meta{Type: it.Type, Version: version, EMI: []string{itemEMIAlways(it)}, FieldLevel: true}
	return &syncml.Change{Op: syncml.OpReplace, Meta: meta, Items: []syncml.Item{{Target: location(target), Source: location(source)}}}
}

// Delete is the command that deletes an item.
func Delete(target, source, version string) *syncml.Change {
	return &syncml.Change{Op: syncml.OpDelete, Items: []syncml.Item{{
		Target: location(target), Source: location(source), Meta: syncml.Meta{Version: version},
	}}}
}

func location(uri string) *syncml.Location {
	if uri == "" {
		return nil
	}
	return &syncml.Location{URI: uri}
}

func emis(it pim.Item) []string {
	if e := itemEMI(it); e != "" {
		return []string{e}
	}
	return nil
}

// itemEMIAlways is not empty even if folder and flags are: taking the last flag away is a change, too.
func itemEMIAlways(it pim.Item) string {
	if e := itemEMI(it); e != "" {
		return e
	}
	return itemPrefix
}

// Meta is the meta information of an item: its own, completed by that of its command.
func Meta(c *syncml.Change, it *syncml.Item) syncml.Meta {
	m := it.Meta
	if m.Type == "" {
		m.Type = c.Meta.Type
	}
	if m.Format == "" {
		m.Format = c.Meta.Format
	}
	if m.Version == "" {
		m.Version = c.Meta.Version
	}
	m.EMI = append(m.EMI[:len(m.EMI):len(m.EMI)], c.Meta.EMI...)
	if m.Size == 0 {
		m.Size = c.Meta.Size
	}
	m.FieldLevel = m.FieldLevel || c.Meta.FieldLevel
	return m
}

// Item is the item that meta and data make. The body is a copy.
func Item(meta syncml.Meta, data []byte) (pim.Item, error) {
	it := pim.Item{Type: BareType(meta.Type)}
	readItemEMI(meta.EMI, &it)
	if meta.Format != base64Format {
		it.Body = append([]byte{}, data...)
		return it, nil
	}
	body := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	n, err := base64.StdEncoding.Decode(body, data)
	if err != nil {
		return it, fmt.Errorf("cannot read item: bad base64: %v", err)
	}
	it.Body = body[:n]
	return it, nil
}

// BareType is a content type without parameters, in lower case.
func BareType(t string) string {
	t, _, _ = strings.Cut(t, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// URI is the LocURI of an optional location.
func URI(l *syncml.Location) string {
	if l == nil {
		return ""
	}
	return l.URI
}
