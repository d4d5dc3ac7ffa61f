package execute_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/execute"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const described = `
. node Get,Add permanent
./DevInfo node Get permanent
./DevInfo/DevId chr Get permanent =IMEI:35-1
./DMAcc node Get,Add permanent
./DMAcc/<X> node Get,Add,Delete,Replace ZeroOrMore
./DMAcc/<X>/Name chr Get,Add,Replace,Delete,Copy ZeroOrOne
./DMAcc/<X>/Nonce bin Get,Add,Replace ZeroOrOne
./Set node Get permanent
./Set/Host chr Get,Replace permanent
./Set/Port int Get,Replace permanent
./Set/Restart null Exec permanent
`

var now = time.Date(2026, 7, 11, 16, 38, 17, 0, time.UTC)

type device struct {
	t      testing.TB
	tree   *tree.Tree
	set    *treetest.Settings
	store  treetest.Store
	asked  []string
	answer ds.Status // of the user, 0 if there is none
}

func newDevice(t testing.TB) *device {
	t.Helper()
	d := &device{t: t, store: treetest.Store{Memory: tree.Memory{}, Faults: &treetest.Faults{Left: -1}}, answer: ds.StatusOK}
	d.set = &treetest.Settings{Values: map[string]dm.Value{
		"Host": {Format: dm.FormatChr, Data: []byte("a.example")}, "Port": {Format: dm.FormatInt, Data: []byte("1")}, "Restart": {Format: dm.FormatNull},
	}}
	var err error
	if d.tree, err = tree.Open(treetest.Schema(t, described), d.store, map[string]tree.Object{"./Set": d.set}); err != nil {
		t.Fatal(err)
	}
	acl := &ddf.Tree{Nodes: []*ddf.Node{{Name: ".", RT: &ddf.RTProperties{ACL: "Add=srv&Delete=srv&Exec=srv&Get=*&Replace=srv"}}}}
	if err := d.tree.Provision(acl, now); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *device) begin() *tree.Tx {
	d.t.Helper()
	x, err := d.tree.Begin("srv", now)
	if err != nil {
		d.t.Fatal(err)
	}
	return x
}

func (d *device) run(commands []syncml.Command) []syncml.Command {
	d.t.Helper()
	m := execute.Message{ID: "7", Commands: commands}
	if d.answer != 0 {
		m.Alert = func(a *syncml.Alert) (ds.Status, []syncml.Item) {
			d.asked = append(d.asked, a.ID)
			return d.answer, nil
		}
	}
	return execute.Commands(d.begin(), m)
}

// dump is the tree as the server may read it.
func (d *device) dump() string {
	d.t.Helper()
	found, err := d.begin().Get(dm.URI{List: "TNDS"})
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := found[0].Tree.Marshal()
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

// body reads the commands of a SyncBody.
func body(t testing.TB, commands string) []syncml.Command {
	t.Helper()
	m, err := syncml.Decode([]byte(`<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><MsgID>7</MsgID></SyncHdr><SyncBody>`+commands+`</SyncBody></SyncML>`), syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	return m.Commands
}

// show writes answers as "2 Get 200 ./A", and results as "2: ./A=value".
func show(answers []syncml.Command) string {
	var out []string
	for _, a := range answers {
		switch a := a.(type) {
		case *syncml.Status:
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %d %s", a.CmdRef, a.Cmd, int(a.Code), strings.Join(append(a.TargetRefs, a.SourceRefs...), " from "))))
		case *syncml.Results:
			for _, it := range a.Items {
				out = append(out, fmt.Sprintf("%s: %s=%s", a.CmdRef, it.Source.URI, data(it.Data)))
			}
		}
	}
	return strings.Join(out, "; ")
}

func data(d *syncml.Data) string {
	switch {
	case d == nil:
		return "-"
	case len(d.Nodes) > 0:
		return "<" + d.Nodes[0].Name + ">"
	}
	return string(d.Bytes)
}

func item(target, more string) string {
	return `<Item><Target><LocURI>` + target + `</LocURI></Target>` + more + `</Item>`
}

func command(name, id, items string) string {
	return "<" + name + "><CmdID>" + id + "</CmdID>" + items + "</" + name + ">"
}

func replace(id, target, value string) string {
	return command("Replace", id, item(target, "<Data>"+value+"</Data>"))
}

func add(id, target, value string) string {
	return command("Add", id, item(target, "<Data>"+value+"</Data>"))
}

func get(id, target string) string { return command("Get", id, item(target, "")) }

const confirm = `<Alert><CmdID>20</CmdID><Data>1101</Data><Item/><Item><Data>Really?</Data></Item></Alert>`

// TestAnswers gives commands and looks at the answers (protocol.md H.1, H.3).
func TestAnswers(t *testing.T) {
	tnds := `<Meta><Format xmlns="syncml:metinf">xml</Format><Type xmlns="syncml:metinf">application/vnd.syncml.dmtnds+xml</Type></Meta><Data>`
	tree := `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>a</NodeName><Node><NodeName>Name</NodeName><Value>n</Value></Node></Node></MgmtTree>`
	for _, c := range []struct{ name, commands, want string }{
		{"statuses come before results", get("1", "./DevInfo/DevId") + get("2", "./DMAcc") + replace("3", "./Set/Host", "b"),
			"1 Get 200 ./DevInfo/DevId; 2 Get 200 ./DMAcc; 3 Replace 200 ./Set/Host; 1: ./DevInfo/DevId=IMEI:35-1; 2: ./DMAcc="},
		{"in order", get("1", "./Set/Host") + replace("2", "./Set/Host", "b") + get("3", "./Set/Host"),
			"1 Get 200 ./Set/Host; 2 Replace 200 ./Set/Host; 3 Get 200 ./Set/Host; 1: ./Set/Host=a.example; 3: ./Set/Host=b"},
		{"one status for each item", command("Replace", "1", item("./Set/Host", "<Data>b</Data>")+item("./Set/None", "<Data>b</Data>")+item("./Set/Port", "<Data>x</Data>")),
			"1 Replace 200 ./Set/Host; 1 Replace 404 ./Set/None; 1 Replace 415 ./Set/Port"},
		{"lists", get("1", "./Set?list=StructData") + get("2", "./Set?list=TNDS"),
			"1 Get 200 ./Set?list=StructData; 2 Get 200 ./Set?list=TNDS; 1: ./Set=-; 1: ./Set/Host=a.example; 1: ./Set/Port=1; 2: ./Set=<MgmtTree>"},
		{"what belongs to the session is passed over", `<Status><CmdID>1</CmdID></Status><Alert><CmdID>2</CmdID><Data>1222</Data></Alert><Results><CmdID>3</CmdID></Results>`, ""},
		{"commands of synchronization", command("Put", "1", "") + command("Search", "2", "") + command("Sync", "3", "") + command("Map", "4", "") + command("Move", "5", item("./A", "")),
			"1 Put 406; 2 Search 406; 3 Sync 406; 4 Map 406; 5 Move 406 ./A"},
		{"malformed", command("Get", "", item("./DMAcc", "")) + command("Get", "2", "") + command("Delete", "3", "") + command("Replace", "4", "<Item><Source><LocURI>./Set/Host</LocURI></Source></Item>") +
			command("Copy", "5", item("./Set/Host", "")) + get("6", "/A"),
			"Get 400; 2 Get 400; 3 Delete 400; 4 Replace 400 ./Set/Host; 5 Copy 400 ./Set/Host; 6 Get 400 /A"},
		{"a sub-tree", command("Add", "1", item("./DMAcc", tnds+tree+"</Data>")) + get("2", "./DMAcc/a/Name") + command("Add", "3", item("./DMAcc", tnds+"<![CDATA["+tree+"]]></Data>")) +
			command("Replace", "4", item("./DMAcc/a", tnds+strings.Replace(tree, ">n<", ">m<", 1)+"</Data>")) + get("5", "./DMAcc/a/Name") + command("Add", "6", item("./DMAcc", tnds+"garbage</Data>")),
			"1 Add 200 ./DMAcc; 2 Get 200 ./DMAcc/a/Name; 3 Add 418 ./DMAcc; 4 Replace 200 ./DMAcc/a; 5 Get 200 ./DMAcc/a/Name; 6 Add 400 ./DMAcc; 2: ./DMAcc/a/Name=n; 5: ./DMAcc/a/Name=m"},
		{"octets", command("Add", "1", `<Meta><Format xmlns="syncml:metinf">b64</Format></Meta>`+item("./DMAcc/a/Nonce", "<Data>AAEC</Data>")) + get("2", "./DMAcc/a/Nonce") +
			command("Replace", "3", `<Meta><Format xmlns="syncml:metinf">b64</Format></Meta>`+item("./DMAcc/a/Nonce", "<Data>A</Data>")),
			"1 Add 200 ./DMAcc/a/Nonce; 2 Get 200 ./DMAcc/a/Nonce; 3 Replace 400 ./DMAcc/a/Nonce; 2: ./DMAcc/a/Nonce=AAEC"},
		{"sizes", command("Replace", "1", item("./Set/Host", `<Meta><Size xmlns="syncml:metinf">3</Size></Meta><Data>abc</Data>`)) +
			command("Replace", "2", item("./Set/Host", `<Meta><Size xmlns="syncml:metinf">4</Size></Meta><Data>abc</Data>`)) + command("Replace", "3", item("./Set/Host", `<Data>abc</Data><MoreData/>`)),
			"1 Replace 200 ./Set/Host; 2 Replace 424 ./Set/Host; 3 Replace 412 ./Set/Host"},
		{"elements are no value", command("Replace", "1", item("./Set/Host", `<Data><a xmlns="x"/></Data>`)), "1 Replace 415 ./Set/Host"},
		{"copy and delete", add("1", "./DMAcc/a/Name", "n") + command("Copy", "2", `<Item><Target><LocURI>./DMAcc/b/Name</LocURI></Target><Source><LocURI>./DMAcc/a/Name</LocURI></Source></Item>`) +
			command("Delete", "3", item("./DMAcc/a", "")+item("./DMAcc/a", "")) + get("4", "./DMAcc"),
			"1 Add 200 ./DMAcc/a/Name; 2 Copy 200 ./DMAcc/b/Name from ./DMAcc/a/Name; 3 Delete 200 ./DMAcc/a; 3 Delete 404 ./DMAcc/a; 4 Get 200 ./DMAcc; 4: ./DMAcc=b"},
		{"execute", command("Exec", "1", "<Correlator>c</Correlator>"+item("./Set/Restart", "<Data>now</Data>")) + command("Exec", "2", item("./Set/Host", "")) + command("Exec", "3", ""),
			"1 Exec 202 ./Set/Restart; 2 Exec 405 ./Set/Host; 3 Exec 400"},
		{"a sequence goes on after a failure", command("Sequence", "1", replace("2", "./Set/None", "x")+replace("3", "./Set/Host", "b")+get("4", "./Set/Host")+command("Exec", "5", item("./Set/Restart", ""))),
			"1 Sequence 200; 2 Replace 404 ./Set/None; 3 Replace 200 ./Set/Host; 4 Get 200 ./Set/Host; 5 Exec 202 ./Set/Restart; 4: ./Set/Host=b"},
		{"an atomic in a sequence", command("Sequence", "1", command("Atomic", "2", replace("3", "./Set/Host", "b"))+command("Atomic", "4", replace("5", "./Set/Host", "c")+replace("6", "./Set/None", "b"))+get("7", "./Set/Host")),
			"1 Sequence 200; 2 Atomic 200; 3 Replace 200 ./Set/Host; 4 Atomic 507; 5 Replace 216 ./Set/Host; 6 Replace 404 ./Set/None; 7 Get 200 ./Set/Host; 7: ./Set/Host=b"},
		{"an atomic that works", command("Atomic", "1", replace("2", "./Set/Host", "b")+replace("3", "./Set/Port", "2")+confirm) + get("4", "./Set/Host"),
			"1 Atomic 200; 2 Replace 200 ./Set/Host; 3 Replace 200 ./Set/Port; 20 Alert 200; 4 Get 200 ./Set/Host; 4: ./Set/Host=b"},
		{"an atomic that fails", command("Atomic", "1", replace("2", "./Set/Host", "b")+command("Replace", "3", item("./Set/Port", "<Data>x</Data>")+item("./Set/Host", "<Data>c</Data>"))+replace("4", "./Set/Host", "d")) + get("5", "./Set/Host"),
			"1 Atomic 507; 2 Replace 216 ./Set/Host; 3 Replace 415 ./Set/Port; 3 Replace 215 ./Set/Host; 4 Replace 215 ./Set/Host; 5 Get 200 ./Set/Host; 5: ./Set/Host=a.example"},
		{"an atomic of values that do not fit", command("Atomic", "1", replace("2", "./Set/Host", "b")+replace("3", "./Set/Port", "13")) + get("5", "./Set/Host"),
			"1 Atomic 507; 2 Replace 216 ./Set/Host; 3 Replace 216 ./Set/Port; 5 Get 200 ./Set/Host; 5: ./Set/Host=a.example"},
		{"what an atomic may not have", command("Atomic", "1", get("2", "./Set/Host")) + command("Atomic", "3", command("Atomic", "4", replace("5", "./Set/Host", "b"))) +
			command("Atomic", "6", command("Exec", "7", item("./Set/Restart", ""))) + command("Atomic", "8", replace("", "./Set/Host", "b")),
			"1 Atomic 507; 2 Get 500; 3 Atomic 507; 4 Atomic 500; 6 Atomic 507; 7 Exec 500; 8 Atomic 507; Replace 500"},
		{"after a failure nothing is done", command("Atomic", "1", get("2", "./Set/Host")+command("Sequence", "3", replace("4", "./Set/Host", "b"))+confirm),
			"1 Atomic 507; 2 Get 500; 3 Sequence 215; 4 Replace 215 ./Set/Host; 20 Alert 215"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDevice(t)
			d.set.Unfit = "13"
			answers := d.run(body(t, c.commands))
			if got := show(answers); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			sendable(t, answers)
		})
	}
}

// sendable checks that answers refer to the message and can be written.
func sendable(t *testing.T, answers []syncml.Command) {
	t.Helper()
	for _, a := range answers {
		if s, ok := a.(*syncml.Status); ok && s.MsgRef != "7" {
			t.Errorf("%s refers to message %q", s.Cmd, s.MsgRef)
		}
	}
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		if _, err := syncml.Encode(&syncml.Message{Commands: answers}, enc); err != nil {
			t.Error(err)
		}
	}
}

// TestSubTreeInWBXML: there a sub-tree is a document of its own within the message.
func TestSubTreeInWBXML(t *testing.T) {
	const account = `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD></SyncHdr><SyncBody><Add><CmdID>1</CmdID>` +
		`<Meta><Type xmlns="syncml:metinf">application/vnd.syncml.dmtnds+wbxml</Type></Meta><Item><Target><LocURI>./DMAcc</LocURI></Target><Data>` +
		`<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>a</NodeName><Node><NodeName>Name</NodeName><Value>n</Value></Node></Node></MgmtTree>` +
		`</Data></Item></Add><Get><CmdID>2</CmdID><Item><Target><LocURI>./DMAcc/a/Name</LocURI></Target></Item></Get></SyncBody></SyncML>`
	in, err := syncml.ToWBXML([]byte(account))
	if err != nil {
		t.Fatal(err)
	}
	m, err := syncml.Decode(in, syncml.WBXML)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show(newDevice(t).run(m.Commands)), "1 Add 200 ./DMAcc; 2 Get 200 ./DMAcc/a/Name; 2: ./DMAcc/a/Name=n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestUserDecides: no is no within an Atomic and within a Sequence; where there is nobody to ask nothing is done either (protocol.md H.2).
func TestUserDecides(t *testing.T) {
	for _, c := range []struct {
		answer      ds.Status
		group, want string
	}{
		{ds.StatusOK, "Atomic", "1 Atomic 200; 20 Alert 200; 2 Replace 200 ./Set/Host"},
		{ds.StatusNotModified, "Atomic", "1 Atomic 507; 20 Alert 304; 2 Replace 215 ./Set/Host"},
		{ds.StatusUserCancelled, "Atomic", "1 Atomic 507; 20 Alert 214; 2 Replace 215 ./Set/Host"},
		{0, "Atomic", "1 Atomic 507; 20 Alert 406; 2 Replace 215 ./Set/Host"},
		{ds.StatusOK, "Sequence", "1 Sequence 200; 20 Alert 200; 2 Replace 200 ./Set/Host"},
		{ds.StatusNotModified, "Sequence", "1 Sequence 200; 20 Alert 304; 2 Replace 215 ./Set/Host"},
		{0, "Sequence", "1 Sequence 200; 20 Alert 406; 2 Replace 215 ./Set/Host"},
	} {
		d := newDevice(t)
		d.answer = c.answer
		if got := show(d.run(body(t, command(c.group, "1", confirm+replace("2", "./Set/Host", "b"))))); got != c.want {
			t.Errorf("%d: got  %s\nwant %s", int(c.answer), got, c.want)
		}
	}
}

// TestFailingStore: what could not be kept is not done, and the status says so.
func TestFailingStore(t *testing.T) {
	commands := replace("1", "./Set/Port", "5") + command("Atomic", "2", replace("3", "./Set/Host", "b")+add("4", "./DMAcc/a/Name", "n")) + get("5", "./Set?list=StructData")
	for left, want := range map[int]string{
		-1: "1 Replace 200 ./Set/Port; 2 Atomic 200; 3 Replace 200 ./Set/Host; 4 Add 200 ./DMAcc/a/Name; 5 Get 200 ./Set?list=StructData; 5: ./Set=-; 5: ./Set/Host=b; 5: ./Set/Port=5",
		1:  "1 Replace 500 ./Set/Port; 2 Atomic 200; 3 Replace 200 ./Set/Host; 4 Add 200 ./DMAcc/a/Name; 5 Get 200 ./Set?list=StructData; 5: ./Set=-; 5: ./Set/Host=b; 5: ./Set/Port=1",
		3:  "1 Replace 200 ./Set/Port; 2 Atomic 507; 3 Replace 216 ./Set/Host; 4 Add 216 ./DMAcc/a/Name; 5 Get 200 ./Set?list=StructData; 5: ./Set=-; 5: ./Set/Host=a.example; 5: ./Set/Port=5",
	} {
		d := newDevice(t)
		*d.store.Faults = treetest.Faults{Left: left, Once: true}
		if got := show(d.run(body(t, commands))); got != want {
			t.Errorf("%d writes: got  %s\nwant %s", left, got, want)
		}
	}
	d := newDevice(t)
	*d.store.Faults = treetest.Faults{Left: 3} // the program loses its disk within the Atomic
	if got, want := show(d.run(body(t, commands))), "1 Replace 200 ./Set/Port; 2 Atomic 507; 3 Replace 516 ./Set/Host; 4 Add 516 ./DMAcc/a/Name; "; !strings.HasPrefix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestReasons: a refusal says why, and which node it is about if that is not the target (protocol.md H.3).
func TestReasons(t *testing.T) {
	d := newDevice(t)
	answers := d.run(body(t, replace("1", "./Set/Port", "x")+add("2", "./DMAcc/a/Other/x", "")))
	first, second := answers[0].(*syncml.Status).Items[0], answers[1].(*syncml.Status).Items[0]
	if got := data(first.Data); got != `"x" is no value of format int` || first.Target != nil {
		t.Errorf("got %s, %v", got, first.Target)
	}
	if got := data(second.Data); got != "there can be no ./DMAcc/a/Other" || second.Target.URI != "./DMAcc/a/Other" {
		t.Errorf("got %s, %v", got, second.Target)
	}
}

// TestCall hands over what an Exec carries.
func TestCall(t *testing.T) {
	d := newDevice(t)
	d.run(body(t, command("Exec", "1", "<Correlator>c1</Correlator>"+item("./Set/Restart", "<Data>now</Data>"))))
	if len(d.set.Calls) != 1 || string(d.set.Calls[0].Data) != "now" || d.set.Calls[0].Correlator != "c1" {
		t.Errorf("got %+v", d.set.Calls)
	}
}
