package tree

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/ds"
)

// Result is one item of what a Get found. Data is the tree's and must not be changed.
type Result struct {
	URI   string
	Value dm.Value
	Tree  *ddf.Tree // of ?list=TNDS, instead of a value
}

// Get reads a leaf, the names of the nodes below an interior one, a property, or a sub-tree. What it reads of a sub-tree is what the server may
// read; the rest is left out.
func (x *Tx) Get(u dm.URI) ([]Result, error) {
	at, err := x.find(u.Path)
	if err != nil {
		return nil, err
	}
	if err := x.mayGet(&at, u.Prop); err != nil {
		return nil, err
	}
	kind := strings.FieldsFunc(u.List, func(r rune) bool { return r == '+' || r == '-' })
	switch {
	case u.Prop != "":
		return property(&at, u)
	case u.List == "":
		return []Result{{URI: u.String(), Value: at.node.value()}}, nil
	case u.List == "Struct", u.List == "StructData":
		return x.structure(at, u.List == "StructData", nil), nil
	case len(kind) > 0 && kind[0] == "TNDS":
		return x.serialized(at, u)
	}
	return nil, dm.Refuse(ds.StatusUnsupported, "there is no list %.40q", u.List)
}

// mayGet: access types are about values, of which the size is a part; properties are for whom the ACL grants it.
func (x *Tx) mayGet(at *place, prop string) error {
	if prop == "" || prop == dm.PropSize {
		return x.may(dm.Get, at)
	}
	return x.granted(dm.Get, at.acl, at.path)
}

// value is what a Get of the node gives.
func (n *node) value() dm.Value {
	if v := n.own.value; !v.IsNode() {
		return filled(v)
	}
	names := make([]string, len(n.children))
	for i, c := range n.children {
		names[i] = dm.EscapeName(c.name)
	}
	return dm.Value{Format: dm.FormatNode, Data: []byte(strings.Join(names, "/"))}
}

// filled is a value whose data is there, even if empty.
func filled(v dm.Value) dm.Value {
	if v.Data == nil {
		v.Data = []byte{}
	}
	return v
}

// property reads a property: 406 for one that nodes of this kind do not have.
func property(at *place, u dm.URI) ([]Result, error) {
	text, ok := at.node.property(u.Prop)
	if !ok {
		return nil, dm.Refuse(ds.StatusUnsupported, "%s has no property %.40q", at.path, u.Prop)
	}
	if u.Prop == dm.PropACL && len(at.path) == 0 {
		text = at.acl.String()
	}
	return []Result{{URI: u.String(), Value: dm.Value{Format: dm.FormatChr, Data: []byte(text)}}}, nil
}

func (n *node) property(name string) (text string, ok bool) {
	switch o := n.own; name {
	case dm.PropACL:
		return o.properties().ACL, true
	case dm.PropFormat:
		return string(o.value.Format), true
	case dm.PropName:
		return n.name, true
	case dm.PropSize:
		return strconv.Itoa(len(o.value.Data)), !o.value.IsNode()
	case dm.PropTitle:
		return o.title, true
	case dm.PropTStamp:
		return o.stamp(), true
	case dm.PropType:
		return o.typeName(), true
	case dm.PropVerNo:
		return strconv.Itoa(int(o.verno)), true
	}
	return "", false
}

// stamp is the time of the last change as it is written (protocol.md H.4).
func (o *own) stamp() string {
	if o.tstamp == 0 {
		return ""
	}
	return time.Unix(o.tstamp, 0).UTC().Format("20060102T150405Z")
}

func (o *own) typeName() string {
	if o.value.Type == "" && !o.value.IsNode() {
		return dm.TypeText
	}
	return o.value.Type
}

// readable are the nodes below one that the server may read.
func (x *Tx) readable(at *place) []place {
	var out []place
	for _, c := range at.node.children {
		below := place{path: at.path.Child(c.name), node: c, parent: at.node, acl: at.acl, parentACL: at.acl}
		below.inherit()
		if x.may(dm.Get, &below) == nil {
			out = append(out, below)
		}
	}
	return out
}

// structure lists a sub-tree, one node each.
func (x *Tx) structure(at place, data bool, out []Result) []Result {
	v := at.node.own.value
	if data && !v.IsNode() {
		v = filled(v)
	} else {
		v.Data = nil
	}
	out = append(out, Result{URI: at.path.String(), Value: v})
	for _, c := range x.readable(&at) {
		out = x.structure(c, data, out)
	}
	return out
}

// serializable are the properties of TNDS, and those that are given if nothing is said.
var (
	serializable = []string{dm.PropACL, dm.PropFormat, dm.PropName, dm.PropSize, dm.PropTitle, dm.PropTStamp, dm.PropType, dm.PropVerNo, propValue}
	serialized   = []string{dm.PropACL, dm.PropFormat, dm.PropTitle, dm.PropTStamp, dm.PropType, dm.PropVerNo, propValue}
)

const propValue = "Value"

// choose reads the names behind TNDS: 406 for unknown ones, and for some to add and some to leave out.
func choose(list string) ([]string, error) {
	rest := strings.TrimPrefix(list, "TNDS")
	if rest == "" {
		return serialized, nil
	}
	sign := rest[:1]
	names := strings.Split(rest[1:], sign)
	for _, name := range names {
		if !slices.Contains(serializable, name) { // also where the signs are mixed
			return nil, dm.Refuse(ds.StatusUnsupported, "there is no list %.60q", list)
		}
	}
	if sign == "+" {
		return names, nil
	}
	return slices.DeleteFunc(slices.Clone(serialized), func(name string) bool { return slices.Contains(names, name) }), nil
}

// serialized gives a sub-tree as a document.
func (x *Tx) serialized(at place, u dm.URI) ([]Result, error) {
	props, err := choose(u.List)
	if err != nil {
		return nil, err
	}
	doc := &ddf.Tree{VerDTD: "1.2", Nodes: []*ddf.Node{x.serialize(&at, props)}}
	return []Result{{URI: at.path.String(), Value: dm.Value{Format: dm.FormatXML, Type: dm.TypeTNDS}, Tree: doc}}, nil
}
