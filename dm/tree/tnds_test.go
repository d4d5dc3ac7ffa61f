package tree_test

import (
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func document(t testing.TB, nodes string) *ddf.Tree {
	t.Helper()
	doc, err := ddf.Parse([]byte(`<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>` + nodes + `</MgmtTree>`))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

const account = `<Node><NodeName>a</NodeName><RTProperties><ACL>Get=admin&amp;Replace=admin</ACL><Title>work</Title></RTProperties>
<Node><NodeName>AppID</NodeName><Value>w7</Value></Node>
<Node><NodeName>Nonce</NodeName><RTProperties><Format><b64/></Format></RTProperties><Value>AAEC</Value></Node>
<Node><NodeName>AppAddr</NodeName><Node><NodeName>1</NodeName><Node><NodeName>Addr</NodeName><Value>http://x</Value></Node></Node></Node></Node>`

func list(t *testing.T, x *tree.Tx, u string) string {
	t.Helper()
	found, err := x.Get(uri(t, u))
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Tree == nil {
		return show(found)
	}
	text, err := found[0].Tree.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSubTreeThereAndBack adds a sub-tree, reads it, and puts what was read back in its place after it is gone.
func TestSubTreeThereAndBack(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	w.ok(x.AddTree(uri(t, "./DMAcc"), document(t, account)))
	const want = "./DMAcc/a ./DMAcc/a/AppAddr ./DMAcc/a/AppAddr/1 ./DMAcc/a/AppAddr/1/Addr=http://x ./DMAcc/a/AppID=w7 ./DMAcc/a/Nonce=\x00\x01\x02 ./DMAcc/a/State ./DMAcc/a/State/Seen=false"
	if got := list(t, x, "./DMAcc/a?list=StructData"); got != want {
		t.Errorf("got %s", got)
	}
	w.ok(x.Commit())
	first := list(t, x, "./DMAcc/a?list=TNDS-TStamp-VerNo")
	for _, part := range []string{"<ACL>Get=admin&amp;Replace=admin</ACL>", "<Title>work</Title>", "<Value>AAEC</Value>", "<b64></b64>", "<MIME>text/plain</MIME>"} {
		if !strings.Contains(first, part) {
			t.Errorf("%s is missing in %s", part, first)
		}
	}
	doc, err := ddf.Parse([]byte(first))
	w.ok(err)
	x = w.begin("admin")
	if got := run(t, x, "Delete ./DMAcc/a"); got != "425" { // the ACL that came with it says so
		t.Error(got)
	}
	if got := run(t, x, "Replace ./DMAcc/a?prop=ACL "); got != "200" {
		t.Fatal(got)
	}
	if got := run(t, x, "Delete ./DMAcc/a"); got != "200" {
		t.Fatal(got)
	}
	w.ok(x.AddTree(uri(t, "./DMAcc/a"), doc)) // State is permanent and comes along
	if again := list(t, x, "./DMAcc/a?list=TNDS-TStamp-VerNo"); again != first {
		t.Errorf("got %s\nwant %s", again, first)
	}
}

func TestChosenProperties(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	for u, want := range map[string]string{
		"./DevInfo/Lang?list=TNDS+Name":                      `<RTProperties><Name>Lang</Name></RTProperties></Node>`,
		"./DevInfo/Lang?list=TNDS+Value":                     `<RTProperties></RTProperties><Value>en</Value></Node>`,
		"./DevInfo/Lang?list=TNDS+Format+Size":               `<RTProperties><Format><chr></chr></Format><Size>2</Size></RTProperties></Node>`,
		"./DevInfo/Lang?list=TNDS-Value-Format-TStamp-VerNo": `<RTProperties><Type><MIME>text/plain</MIME></Type></RTProperties></Node>`,
	} {
		got := strings.Join(strings.Fields(list(t, x, u)), "")
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %s", u, got)
		}
	}
}

// TestRefusedSubTrees leave the tree as it was.
func TestRefusedSubTrees(t *testing.T) {
	for _, c := range []struct{ command, target, nodes, want string }{
		{"Add", "./DMAcc", strings.Replace(account, "AppID", "Other", 1), "405"},
		{"Add", "./DMAcc", strings.Replace(account, "AAEC", "A", 1), "400"},
		{"Add", "./DMAcc", strings.Replace(account, "AppAddr", "", 1), "400"},
		{"Add", "./DMAcc", strings.Replace(account, "Get=admin", "Steal=admin", 1), "400"},
		{"Add", "./DMAcc", account + account, "418"},
		{"Add", "./DMAcc", "", "400"},
		{"Add", "./DMAcc?list=TNDS", account, "405"},
		{"Add", "./DMAcc/b", account, "405"}, // b would have a child a
		{"Add", "./DMAcc", strings.Replace(account, "<RTP", "<Path>../x</Path><RTP", 1), "400"},
		{"Replace", "./DMAcc", account, "404"},
		{"Replace", "./DMAcc/old", `<Node><NodeName/><Node><NodeName>AppID</NodeName><Node><NodeName>x</NodeName></Node></Node></Node>`, "405"},
		{"Replace", "./DMAcc/old", `<Node><NodeName/><Node><NodeName>Name</NodeName><Value>n</Value></Node></Node>`, "405"}, // AppID cannot be deleted
		{"Replace", "./DMAcc/old", `<Node><NodeName/><Value>n</Value></Node>`, "405"},
	} {
		w := newWorld(t, tree.Memory{}, all)
		x := w.begin("admin")
		run(t, x, "Add ./DMAcc/old/AppID chr w7")
		w.ok(x.Commit())
		before := w.dump()
		var err error
		if c.command == "Add" {
			err = x.AddTree(uri(t, c.target), document(t, c.nodes))
		} else {
			err = x.ReplaceTree(uri(t, c.target), document(t, c.nodes))
		}
		if got := outcome(err); got != c.want {
			t.Errorf("%s %s: %s, %v, want %s", c.command, c.target, got, err, c.want)
		}
		if x.Changed() {
			t.Errorf("%s %s has changed something", c.command, c.target)
		}
		w.ok(x.Commit())
		if w.dump() != before {
			t.Errorf("%s %s has changed something", c.command, c.target)
		}
	}
}

// TestReplacedSubTree is equal to the document afterwards, except for permanent nodes.
func TestReplacedSubTree(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	for _, command := range []string{"Add ./DMAcc/a/AppID chr old", "Add ./DMAcc/a/Name chr gone", "Add ./DMAcc/a/AppAddr/1/Addr chr http://old", "Add ./DMAcc/a/AppAddr/2 node"} {
		if got := run(t, x, command); got != "200" {
			t.Fatal(command, got)
		}
	}
	w.ok(x.ReplaceTree(uri(t, "./DMAcc/a"), document(t, account)))
	const want = "./DMAcc/a ./DMAcc/a/AppAddr ./DMAcc/a/AppAddr/1 ./DMAcc/a/AppAddr/1/Addr=http://x ./DMAcc/a/AppID=w7 ./DMAcc/a/Nonce=\x00\x01\x02 ./DMAcc/a/State ./DMAcc/a/State/Seen=false"
	if got := list(t, x, "./DMAcc/a?list=StructData"); got != want {
		t.Errorf("got %s", got)
	}
	w.ok(x.ReplaceTree(uri(t, "./Set"), document(t, `<Node><NodeName>Set</NodeName><Node><NodeName>Host</NodeName><Value>b</Value></Node></Node>`)))
	if got, want := list(t, x, "./Set?list=StructData"), "./Set ./Set/Account ./Set/Account/work ./Set/Account/work/User=ana ./Set/Host=b ./Set/Port=1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestContinuedSubTree: a deep tree may be written as nodes one behind the other, each with its Path.
func TestContinuedSubTree(t *testing.T) {
	const interior = `<RTProperties><Format><node/></Format></RTProperties>`
	nodes := `<Node><NodeName>ISP</NodeName>` + interior + `</Node><Node><NodeName>GWInfo</NodeName><Path>ISP</Path>` + interior + `</Node>
		<Node><NodeName>GWName</NodeName><Path>ISP/GWInfo</Path><Value>gw.yyy.se</Value></Node>`
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	w.ok(x.AddTree(uri(t, "./DevInfo/Ext"), document(t, nodes)))
	w.ok(x.ReplaceTree(uri(t, "./DevInfo/Ext"), document(t, strings.Replace(nodes, "gw.yyy", "gw.zzz", 1))))
	if got, want := list(t, x, "./DevInfo/Ext/ISP?list=StructData"), "./DevInfo/Ext/ISP ./DevInfo/Ext/ISP/GWInfo ./DevInfo/Ext/ISP/GWInfo/GWName=gw.zzz.se"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPasspointProfile adds another enablers' object, which gives neither formats nor types, where anything may be.
func TestPasspointProfile(t *testing.T) {
	in, err := os.ReadFile(pimtest.Shared(t, "corpus/dm/passpoint/PerProviderSubscription.xml"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := ddf.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	w.ok(x.AddTree(uri(t, "./DevInfo/Ext"), doc))
	w.ok(x.Commit())
	w.open()
	if got := run(t, w.begin("admin"), "Get ./DevInfo/Ext/PerProviderSubscription/i001/HomeSP/FriendlyName"); got != "Century House" {
		t.Error(got)
	}
	if got := run(t, w.begin("admin"), "Get ./DevInfo/Ext/PerProviderSubscription?prop=Type"); got != "urn:wfa:mo:hotspot2dot0-perprovidersubscription:1.0" {
		t.Error(got)
	}
}
