package execute_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/execute"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func load(t testing.TB, file string) *ddf.Tree {
	t.Helper()
	doc, err := ddf.Parse(read(t, "android-omadm/dmt_data/"+file))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	in, err := os.ReadFile(pimtest.Shared(t, "corpus/dm", file))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// subtrees are the files of the AOSP client's initial tree, by where its fstab puts them.
var subtrees = map[string]string{
	"root.xml": ".", "devdetail_uri.xml": "./DevDetail", "devdetail_ext.xml": "./DevDetail", "managedobjects.xml": ".", "customization.xml": ".", "subscriber.xml": ".",
}

// aosp is the initial tree of the AOSP client, whose ACL lets everybody do everything.
func aosp(t testing.TB) *tree.Tree {
	t.Helper()
	schema := ddf.NewSchema()
	if err := schema.Add(nil, load(t, "syncmldm.ddf")); err != nil {
		t.Fatal(err)
	}
	tr, err := tree.Open(schema, tree.Memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, acl, _ := strings.Cut(string(read(t, "android-omadm/dmt_data/acl.txt")), "]")
	docs := []*ddf.Tree{{Nodes: []*ddf.Node{{Name: ".", RT: &ddf.RTProperties{ACL: strings.TrimSpace(acl)}}}}}
	for _, file := range []string{"root.xml", "devdetail_uri.xml", "devdetail_ext.xml", "managedobjects.xml", "customization.xml", "subscriber.xml"} {
		doc := load(t, file)
		for _, n := range doc.Nodes {
			if subtrees[file] != "." {
				n.Path = subtrees[file]
			}
		}
		docs = append(docs, doc)
	}
	for _, doc := range docs {
		if err := tr.Provision(doc, now); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// TestOtherPeoplesMessages carries out the server packages of the corpus. The statuses are those of the AOSP client's own test run, except where
// a comment gives another one.
func TestOtherPeoplesMessages(t *testing.T) {
	tr := aosp(t)
	for _, c := range []struct{ file, want string }{
		{"android-omadm/dm12/testget.wbxml", "4 Get 200 ./DevDetail/URI/MaxDepth; 4: ./DevDetail/URI/MaxDepth=20"},
		{"android-omadm/dm12/testgetscript.xml", "1 Get 404 ./DevInfo/DevId"},                                                // its value is a plug-in's there
		{"android-omadm/dm12/testadd.wbxml", "4 Add 405 ./TestLeafNode"},                                                     // 500; its description has no such node
		{"android-omadm/dm12/testdelete.wbxml", "4 Delete 404 ./TestLeafNode; 5 Delete 404 ./TestLeaf"},                      //
		{"android-omadm/dm12/testexecscript.xml", "1 Exec 406 ."},                                                            // 200, a shell command is run there
		{"android-omadm/dm12/testexecscript2.xml", "1 Exec 406 ."},                                                           //
		{"android-omadm/dm12/testalertdisplay.xml", ""},                                                                      // alerts are the session's
		{"android-omadm/dm12/testalertconfirmatomic.xml", "1 Atomic 507; 2 Alert 408; 3 Replace 215 ./DevDetail/Bearer/GSM"}, // the user does not answer
		{"android-omadm/dm12/testreplace.wbxml", "2 Replace 400 ./DevInfo/DevId; 2 Replace 400 ./DevInfo/DmV; 2 Replace 400 ./DevInfo/Lang; " +
			"2 Replace 400 ./DevInfo/Man; 2 Replace 400 ./DevInfo/Mod; 2 Replace 400 ./DevInfo/Bearer/GSM; 2 Replace 400 ./DevInfo/Sort; " +
			"2 Replace 400 ./DevInfo/Loc; 2 Replace 400 ./DevInfo/LangAuto"}, // what a device sends
		{"android-omadm/dm12/testnewdatatype.xml", "1 Add 405 ./Test/MyApp; 2 Add 405 ./Test/MyApp/FloatLeaf; 3 Add 405 ./Test/MyApp/DateLeaf; 4 Add 405 ./Test/MyApp/TimeLeaf; " +
			"5 Replace 404 ./Test/MyApp/FloatLeaf; 6 Replace 404 ./Test/MyApp/DateLeaf; 7 Replace 404 ./Test/MyApp/TimeLeaf; 8 Get 404 ./Test/MyApp/FloatLeaf; " +
			"9 Get 404 ./Test/MyApp/DateLeaf; 10 Get 404 ./Test/MyApp/TimeLeaf; 11 Delete 404 ./Test/MyApp/FloatLeaf; 12 Delete 404 ./Test/MyApp/DateLeaf; " +
			"13 Delete 404 ./Test/MyApp/TimeLeaf; 14 Delete 404 ./Test/MyApp"},
		{"ms-docs/structure-get-swv.xml", "2 Get 404 ./DevDetail/SwV"},
		{"ms-docs/structure-replace-minpassword-fragment.xml", "2 Replace 404 ./Vendor/MSFT/PolicyManager/My/DeviceLock/MinDevicePasswordLength"},
	} {
		in := read(t, c.file)
		if strings.Contains(c.file, "fragment") {
			in = []byte("<SyncML>" + string(in) + "</SyncML>")
		}
		if got := show(carryOut(t, tr, in)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.file, got, c.want)
		}
	}
}

// carryOut is what a device answers; its user never does.
func carryOut(t testing.TB, tr *tree.Tree, in []byte) []syncml.Command {
	t.Helper()
	m, err := syncml.Decode(in, syncml.Sniff(in))
	if err != nil {
		t.Fatal(err)
	}
	x, err := tr.Begin(m.Header.Source.URI, now)
	if err != nil {
		t.Fatal(err)
	}
	return execute.Commands(x, execute.Message{ID: m.Header.MsgID, Commands: m.Commands, Alert: func(*syncml.Alert) (ds.Status, []syncml.Item) {
		return 408, nil
	}})
}

// TestNewDataTypes carries out the same package where its nodes may be.
func TestNewDataTypes(t *testing.T) {
	in := bytes.ReplaceAll(read(t, "android-omadm/dm12/testnewdatatype.xml"), []byte("./Test/"), []byte("./DevInfo/Ext/"))
	got := show(carryOut(t, aosp(t), in))
	if strings.Count(got, " 200 ") != 14 || !strings.HasSuffix(got, "8: ./DevInfo/Ext/MyApp/FloatLeaf=1.2345; 9: ./DevInfo/Ext/MyApp/DateLeaf=2005-345; 10: ./DevInfo/Ext/MyApp/TimeLeaf=11:20:35+01:20") {
		t.Errorf("got %s", got)
	}
}

// TestAccountOfAnotherClient makes the account of the AOSP client's tests, by its commands in its tree.
func TestAccountOfAnotherClient(t *testing.T) {
	_, script, _ := strings.Cut(string(read(t, "android-omadm/dm12/testinput12")), "# Factory Boostrap")
	script, _, _ = strings.Cut(script, "connectsid")
	x, err := aosp(t).Begin("Scts", now)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(script) {
		words := strings.Fields(line)
		if len(words) < 2 || !strings.HasPrefix(words[0], "create") {
			continue
		}
		n++
		v := dm.Value{Data: []byte(strings.Join(words[2:], " "))}
		if words[0] == "createi" {
			v = dm.Value{Format: dm.FormatNode}
		}
		u, err := dm.ParseURI(words[1])
		if err == nil {
			err = x.Add(u, v)
		}
		if err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(line), err)
		}
	}
	if err := x.Commit(); err != nil || n != 22 {
		t.Error(n, err)
	}
}
