package mo

import (
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
)

// Description is the DDF of the whole tree: the settings and the facts. The nodes are there as long as the device is; settings can be read, replaced
// and deleted, which takes back what a server has set, facts read or executed.
func Description() *ddf.Tree {
	doc := &ddf.Tree{VerDTD: "1.2", Man: Maker}
	for i := range Facts {
		put(doc, Facts[i].Node, Facts[i].leaf)
	}
	for i := range Table {
		put(doc, Table[i].Node, Table[i].leaf)
	}
	return doc
}

// objects are the nodes that are management objects, with the identifiers of those (protocol.md H.6 to H.9).
var objects = map[string]string{info: dm.MODevInfo, detail: dm.MODevDetail, manager: dm.MODMAcc, account: dm.MODS, nap: dm.MONAP, proxy: dm.MOProxy}

// put describes a leaf and the nodes above it.
func put(doc *ddf.Tree, node string, leaf func(name string) *ddf.Node) {
	names := strings.Split(strings.TrimPrefix(node, "./"), "/")
	nodes := &doc.Nodes
	for i, name := range names[:len(names)-1] {
		n := interior(nodes, name)
		n.DF.DDFName = objects["./"+strings.Join(names[:i+1], "/")]
		nodes = &n.Nodes
	}
	*nodes = append(*nodes, leaf(names[len(names)-1]))
}

// interior finds or makes the description of a node that has others below it.
func interior(nodes *[]*ddf.Node, name string) *ddf.Node {
	df := &ddf.DFProperties{Access: dm.Get, Format: dm.FormatNode, Occurrence: ddf.One, Permanent: true}
	if name == each {
		name, df.Occurrence = "", ddf.ZeroOrMore
	}
	for _, n := range *nodes {
		if n.Name == name {
			return n
		}
	}
	n := &ddf.Node{Name: name, DF: df}
	*nodes = append(*nodes, n)
	return n
}

func (s *Setting) leaf(name string) *ddf.Node {
	df := &ddf.DFProperties{Access: dm.Get | dm.Replace | dm.Delete, Format: s.Format(), Occurrence: ddf.ZeroOrOne, Description: s.describe(), MIME: []string{dm.TypeText}}
	if s.Key == Switch { // the device's own configuration says nothing of it
		df.Access, df.Occurrence, df.Permanent = dm.Get|dm.Replace, ddf.One, true
	}
	if s.Secret {
		df.Access &^= dm.Get
	}
	if text := string(s.Value(s.Default).Data); s.Default != "" {
		df.DefaultValue = &text
	}
	return &ddf.Node{Name: name, DF: df}
}

// describe is the help with what a reader of the DDF alone would miss.
func (s *Setting) describe() string {
	text := s.Help
	if bounds := s.Bounds(); bounds != "" {
		text += " Values: " + bounds + "."
	}
	return text + " Effect of a change: " + s.Effect.String() + "."
}

// Rights is what a server that manages the device is given: to replace settings, and to take that back.
func Rights(server string) *ddf.Tree {
	acl := "Get=*&Replace=" + server + "&Delete=" + server + "&Exec=" + server
	top := func(name, path string) *ddf.Node {
		return &ddf.Node{Name: name, Path: path, RT: &ddf.RTProperties{ACL: acl, Format: dm.FormatNode}}
	}
	return &ddf.Tree{VerDTD: "1.2", Nodes: []*ddf.Node{top("DS", ""), top("NAP", ""), top("Proxy", ""), top("AlwaysOn", "./Vendor")}}
}
