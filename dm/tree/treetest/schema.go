// Package treetest is what tests of management trees share: descriptions in short form, an object, and a store that fails.
package treetest

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
)

// Schema describes nodes, one a line: address, format and commands, then what there is of an occurrence, the word permanent, a type, and with =
// at the end a default value. Un-named nodes are called <X>; nodes come after those above them.
//
//	./DMAcc node Get,Add permanent
//	./DMAcc/<X> node Get,Add,Delete ZeroOrMore
//	./DMAcc/<X>/Name chr Get,Replace =unknown
func Schema(t testing.TB, lines string) *ddf.Schema {
	t.Helper()
	doc := &ddf.Tree{}
	nodes := map[string]*ddf.Node{}
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) < 3 {
			continue
		}
		parent, name, _ := cutLast(words[0])
		n := &ddf.Node{Name: strings.TrimPrefix(name, "<X>"), DF: describe(t, words[1:])}
		nodes[words[0]] = n
		if above := nodes[parent]; above != nil {
			above.Nodes = append(above.Nodes, n)
		} else {
			doc.Nodes = append(doc.Nodes, n)
		}
	}
	s := ddf.NewSchema()
	if err := s.Add(nil, doc); err != nil {
		t.Fatal(err)
	}
	return s
}

// cutLast cuts an address before its last name; the root has none above it.
func cutLast(uri string) (parent, name string, ok bool) {
	i := strings.LastIndexByte(uri, '/')
	if i < 0 {
		return "", uri, false
	}
	return uri[:i], uri[i+1:], true
}

func describe(t testing.TB, words []string) *ddf.DFProperties {
	t.Helper()
	p := &ddf.DFProperties{Format: dm.Format(words[0])}
	for name := range strings.SplitSeq(words[1], ",") {
		a, ok := dm.ParseCommand(name)
		if !ok {
			t.Fatalf("%q is no command", name)
		}
		p.Access |= a
	}
	for _, word := range words[2:] {
		switch {
		case word == "permanent":
			p.Permanent = true
		case strings.HasPrefix(word, "="):
			value := word[1:]
			p.DefaultValue = &value
		case strings.HasPrefix(word, "ZeroOr"), strings.HasPrefix(word, "One"):
			p.Occurrence = occurrence(word)
		case p.Format == dm.FormatNode:
			p.DDFName = word
		default:
			p.MIME = append(p.MIME, word)
		}
	}
	return p
}

// occurrence reads e.g. ZeroOrMore or ZeroOrN:3.
func occurrence(word string) ddf.Occurrence {
	name, n, _ := strings.Cut(word, ":")
	o := ddf.Occurrence{Name: name}
	for _, digit := range n {
		o.N = o.N*10 + int(digit-'0')
	}
	return o
}
