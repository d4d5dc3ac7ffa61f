package tree_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds"
)

const described = `
. node Get,Add permanent
./DevInfo node Get permanent urn:oma:mo:oma-dm-devinfo:1.0
./DevInfo/DevId chr Get permanent =IMEI:35-1
./DevInfo/Lang chr Get permanent =en
./DevInfo/Ext node Get,Add permanent
./Inbox node Add permanent
./DMAcc node Get,Add permanent
./DMAcc/<X> node Get,Add,Delete,Replace ZeroOrN:3
./DMAcc/<X>/AppID chr Get,Add,Replace One
./DMAcc/<X>/Name chr Get,Add,Replace,Delete,Copy ZeroOrOne text/plain
./DMAcc/<X>/Port int Get,Add,Replace,Delete ZeroOrOne =443
./DMAcc/<X>/Secret chr Add,Replace ZeroOrOne
./DMAcc/<X>/Nonce bin Get,Add,Replace ZeroOrOne
./DMAcc/<X>/AppAddr node Get,Add OneOrMore
./DMAcc/<X>/AppAddr/<X> node Get,Add,Delete OneOrMore
./DMAcc/<X>/AppAddr/<X>/Addr chr Get,Add,Replace
./DMAcc/<X>/State node Get permanent
./DMAcc/<X>/State/Seen bool Get permanent =false
./Set node Get permanent
./Set/Host chr Get,Replace permanent
./Set/Port int Get,Replace permanent
./Set/Account node Get permanent
./Set/Account/<X> node Get,Add,Delete,Replace ZeroOrMore
./Set/Account/<X>/User chr Get,Add,Replace ZeroOrOne
./Set/Restart null Exec permanent
`

// all lets two servers do everything: admin, and reader only read.
const all = "Add=admin&Delete=admin&Exec=admin&Get=*&Replace=admin"

var now = time.Date(2026, 7, 11, 16, 38, 17, 0, time.UTC)

// world is a tree with an object at ./Set.
type world struct {
	t     testing.TB
	store tree.Store
	set   *treetest.Settings
	tree  *tree.Tree
}

func newWorld(t testing.TB, store tree.Store, acl string) *world {
	t.Helper()
	w := &world{t: t, store: store, set: &treetest.Settings{Values: map[string]dm.Value{
		"Host": {Format: dm.FormatChr, Data: []byte("a.example")}, "Port": {Format: dm.FormatInt, Data: []byte("1")}, "Account": {Format: dm.FormatNode},
		"Account/work/User": {Format: dm.FormatChr, Data: []byte("ana")}, "Restart": {Format: dm.FormatNull},
	}}}
	w.open()
	if acl != "" {
		w.ok(w.tree.Provision(&ddf.Tree{Nodes: []*ddf.Node{{Name: ".", RT: &ddf.RTProperties{ACL: acl}}}}, now))
	}
	return w
}

// open opens the tree, as a program does that is started again.
func (w *world) open() {
	w.t.Helper()
	var err error
	w.tree, err = tree.Open(treetest.Schema(w.t, described), w.store, map[string]tree.Object{"./Set": w.set})
	w.ok(err)
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) begin(server string) *tree.Tx {
	w.t.Helper()
	x, err := w.tree.Begin(server, now.Add(time.Hour))
	w.ok(err)
	return x
}

func uri(t testing.TB, text string) dm.URI {
	t.Helper()
	u, err := dm.ParseURI(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// run gives a command in words: Get URI, Add URI FORMAT [VALUE], Replace URI VALUE, Delete URI, Copy URI URI, Exec URI. It tells the status, and
// of Get what was read.
func run(t testing.TB, x *tree.Tx, command string) string {
	t.Helper()
	words := strings.SplitN(command, " ", 4)
	u, err := dm.ParseURI(words[1])
	if err != nil {
		return outcome(err)
	}
	switch words[0] {
	case "Get":
		found, err := x.Get(u)
		if err == nil {
			return show(found)
		}
		return outcome(err)
	case "Add":
		v := dm.Value{}
		if len(words) > 2 {
			v.Format = dm.Format(words[2])
		}
		if len(words) > 3 {
			v.Data = []byte(words[3])
		}
		err = x.Add(u, v)
	case "Replace":
		err = x.Replace(u, dm.Value{Data: []byte(strings.Join(words[2:], " "))})
	case "Delete":
		err = x.Delete(u)
	case "Copy":
		err = x.Copy(u, uri(t, words[2]))
	case "Exec":
		var code ds.Status
		if code, err = x.Exec(u, tree.Call{Data: []byte("now")}); err == nil {
			return fmt.Sprint(int(code))
		}
	default:
		t.Fatalf("unknown command %q", command)
	}
	return outcome(err)
}

func outcome(err error) string {
	text := fmt.Sprint(int(dm.StatusOf(err)))
	if err != nil && strings.Contains(err.Error(), "\n") {
		return text + " " + err.Error() // an error is one sentence
	}
	return text
}

func show(found []tree.Result) string {
	var out []string
	for _, r := range found {
		switch {
		case len(found) > 1 && r.Value.Data != nil:
			out = append(out, r.URI+"="+string(r.Value.Data))
		case len(found) > 1:
			out = append(out, r.URI)
		default:
			out = append(out, string(r.Value.Data))
		}
	}
	return strings.Join(out, " ")
}

// dump is the whole tree as it is stored, for comparing.
func (w *world) dump() string {
	w.t.Helper()
	x := w.begin("admin")
	found, err := x.Get(dm.URI{List: "TNDS"})
	w.ok(err)
	text, err := found[0].Tree.Marshal()
	w.ok(err)
	return string(text)
}
