// Package ddf reads and writes descriptions of management trees (DDF) and serialized sub-trees (TNDS), which share one vocabulary, and finds
// the description of a node by its address (protocol.md H.4).
package ddf

import "github.com/alwayson-sync/alwayson/dm"

// Space is the XML namespace of the vocabulary (protocol.md A.4).
const Space = "syncml:dmddf1.2"

// Tree is a MgmtTree document.
type Tree struct {
	VerDTD string
	Man    string
	Mod    string
	Nodes  []*Node
}

// Node is one node with what is below it. In a description it has DF, in a serialized sub-tree RT and a value.
type Node struct {
	Name  string // "" of an un-named node in a description; of the topmost one in a sub-tree it is then the target's
	Path  string // address of the parent, of topmost nodes only
	DF    *DFProperties
	RT    *RTProperties
	Nodes []*Node
	Value *string // of a leaf; base64 if RT.Format is b64
}

// DFProperties describe a node.
type DFProperties struct {
	Access          dm.Access
	DefaultValue    *string
	Description     string
	Format          dm.Format // "" leaves it open
	Occurrence      Occurrence
	Permanent       bool // Scope
	Title           string
	MIME            []string // types that a leaf may have
	DDFName         string   // type of an interior node
	CaseInsensitive bool
}

// Occurrence is how often a node may occur below its parent. The zero value says nothing.
type Occurrence struct {
	Name string // of the element
	N    int    // of ZeroOrN and OneOrN
}

// The occurrences without a number.
var (
	One        = Occurrence{Name: "One"}
	ZeroOrOne  = Occurrence{Name: "ZeroOrOne"}
	ZeroOrMore = Occurrence{Name: "ZeroOrMore"}
	OneOrMore  = Occurrence{Name: "OneOrMore"}
)

// Least is how many there must be.
func (o Occurrence) Least() int {
	if o == One || o == OneOrMore || o.Name == "OneOrN" {
		return 1
	}
	return 0
}

// Most is how many there may be; 0 is any number.
func (o Occurrence) Most() int {
	if o == One || o == ZeroOrOne {
		return 1
	}
	return o.N
}

// RTProperties are those of a node as it is. Zero values are absent; Format and Type are absent in the trees of Passpoint, too.
type RTProperties struct {
	ACL     string
	Format  dm.Format
	Name    string
	Size    string
	Title   string
	TStamp  string
	MIME    string // type of a leaf
	DDFName string // type of an interior node
	VerNo   string
}

// Type is that of a leaf or of an interior node, whichever there is.
func (p *RTProperties) Type() string {
	if p.DDFName != "" {
		return p.DDFName
	}
	return p.MIME
}
