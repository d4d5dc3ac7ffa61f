package ddf_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func load(t testing.TB, file string) *ddf.Tree {
	t.Helper()
	in, err := os.ReadFile(pimtest.Shared(t, "corpus/dm", file))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := ddf.Parse(in)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return doc
}

func count(nodes []*ddf.Node) (n int) {
	for _, c := range nodes {
		n += 1 + count(c.Nodes)
	}
	return n
}

// TestOtherPeoplesTrees reads the descriptions and sub-trees of the corpus, writes them and reads them again.
func TestOtherPeoplesTrees(t *testing.T) {
	for file, nodes := range map[string]int{
		"android-omadm/dmt_data/syncmldm.ddf": 292, "android-omadm/dmt_data/root.xml": 21, "android-omadm/dmt_data/customization.xml": 75,
		"android-omadm/dmt_data/subscriber.xml": 10, "android-omadm/dmt_data/devdetail_uri.xml": 4, "android-omadm/dmt_data/devdetail_ext.xml": 3,
		"android-omadm/dmt_data/managedobjects.xml": 1, "passpoint/PerProviderSubscription.xml": 119,
	} {
		first := load(t, file)
		if got := count(first.Nodes); got != nodes {
			t.Errorf("%s: %d nodes, want %d", file, got, nodes)
		}
		out, err := first.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ddf.Parse(out)
		if err != nil || !reflect.DeepEqual(first, again) {
			t.Errorf("%s: %v (-first +again):\n%.800s", file, err, cmp.Diff(first, again))
		}
		binary, err := syncml.ToWBXML(out)
		if err != nil {
			t.Fatal(err)
		}
		if again, err = ddf.Parse(binary); err != nil || count(again.Nodes) != nodes {
			t.Errorf("%s as WBXML: %v", file, err)
		}
	}
}

// TestTreeInMessage reads the sub-tree of the TNDS specification's example, which lies in a message as elements.
func TestTreeInMessage(t *testing.T) {
	in, err := os.ReadFile(pimtest.Shared(t, "corpus/dm/libwbxml/syncml_with_ddf-001.xml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := syncml.Decode(in, syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Commands {
		if s, ok := c.(*syncml.Sync); ok {
			doc, err := ddf.FromNode(&s.Commands[2].(*syncml.Change).Items[0].Data.Nodes[0])
			if err != nil {
				t.Fatal(err)
			}
			mail := doc.Nodes[0]
			if server := mail.Nodes[0].Nodes[0]; mail.RT.Type() != "com.operatorX.dm/1.0/EMail" || *server.Value != "mail.Operatorx.com" || server.RT.Format != dm.FormatChr {
				t.Errorf("got %+v", server)
			}
		}
	}
}

func TestRefusedDocuments(t *testing.T) {
	const head = `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD>`
	for in, reason := range map[string]string{
		"":               "EOF",
		"<Other/>":       "not MgmtTree",
		head:             "unexpected EOF",
		head + `<Node/>`: "unexpected EOF",
		head + `<Node><Value>1</Value></Node></MgmtTree>`:                                                                               "no NodeName",
		head + `<Node><NodeName>a</NodeName><DFProperties><AccessType><Steal/></AccessType></DFProperties></Node></MgmtTree>`:           "no command",
		head + `<Node><NodeName>a</NodeName><DFProperties><DFFormat><odd/></DFFormat></DFProperties></Node></MgmtTree>`:                 "no format",
		head + `<Node><NodeName>a</NodeName><DFProperties><Occurrence><OneOrN>x</OneOrN></Occurrence></DFProperties></Node></MgmtTree>`: "no occurrence",
		`<!DOCTYPE MgmtTree [<!ENTITY a "b">]>` + head + `<Node><NodeName>&a;</NodeName></Node></MgmtTree>`:                             "document type of its own",
		head + `<Node><NodeName>&a;</NodeName></Node></MgmtTree>`:                                                                       "invalid character entity",
		head + strings.Repeat("<Node><NodeName>a</NodeName>", 33) + strings.Repeat("</Node>", 33) + "</MgmtTree>":                       "deeper than 32",
		head + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</MgmtTree>":                                                 "is deeper than",
		head + strings.Repeat("<a/>", 1<<18) + "</MgmtTree>":                                                                            "more than 262144 elements",
		head + strings.Repeat(" ", 4<<20) + "</MgmtTree>":                                                                               "more than 4194304",
		head + `<Node><NodeName>a</NodeName><Node><NodeName>b</NodeName><Value/></Node><Value>1</Value></Node></MgmtTree>`:              "a value and nodes",
		string(read(t, "passpoint/PerProviderSubscription_InvalidNode.xml")):                                                            "a value and nodes",
		string(read(t, "passpoint/PerProviderSubscription_MissingName.xml")):                                                            "no NodeName",
	} {
		if _, err := ddf.Parse([]byte(in)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.200s: %v, want %q", in, err, reason)
		}
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	in, err := os.ReadFile(filepath.Join(pimtest.Shared(t, "corpus/dm"), file))
	if err != nil {
		t.Fatal(err)
	}
	return in
}
