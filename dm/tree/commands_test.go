package tree_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/tree"
)

// TestCommands runs scripts: commands and what comes of each.
func TestCommands(t *testing.T) {
	for name, script := range map[string]string{
		"read": `
			Get . > DMAcc/DevInfo/Inbox/Set
			Get ./DevInfo/DevId > IMEI:35-1
			Get ./DevInfo/Ext >
			Get ./DevInfo/Nothing > 404
			Get ./DevInfo/DevId/Below > 404
			Get ./devinfo > 404
			Get ./Inbox > 405
			Get ./Set > Account/Host/Port/Restart
			Get ./Set/Account/work/User > ana`,
		"properties": `
			Get ./DevInfo?prop=ACL >
			Get .?prop=ACL > Add=admin&Delete=admin&Exec=admin&Get=*&Replace=admin
			Get ./DevInfo?prop=Type > urn:oma:mo:oma-dm-devinfo:1.0
			Get ./DevInfo/DevId?prop=Type > text/plain
			Get ./DevInfo/DevId?prop=Format > chr
			Get ./DevInfo/DevId?prop=Name > DevId
			Get ./DevInfo/DevId?prop=Size > 9
			Get ./DevInfo?prop=Size > 406
			Get ./DevInfo/DevId?prop=Title >
			Get ./DevInfo/DevId?prop=TStamp >
			Get ./DevInfo/DevId?prop=VerNo > 0
			Get ./DevInfo/DevId?prop=Colour > 406
			Add ./DMAcc/a?prop=Title > 405
			Delete ./DevInfo/DevId?prop=Title > 405
			Exec ./DevInfo?prop=Title > 405
			Replace ./DevInfo/DevId?prop=Title the device > 200
			Get ./DevInfo/DevId?prop=Title > the device
			Get ./DevInfo/DevId?prop=VerNo > 1
			Get ./DevInfo/DevId?prop=TStamp > 20260711T173817Z
			Replace ./DevInfo/DevId?prop=Title the device > 200
			Get ./DevInfo/DevId?prop=VerNo > 1
			Replace ./DevInfo?prop=Title ` + strings.Repeat("x", 256) + ` > 413
			Replace ./DevInfo?prop=Format x > 405
			Replace ./DevInfo?prop=Colour x > 406
			Replace ./DevInfo?list=Struct x > 405`,
		"add": `
			Add ./DMAcc/a node > 200
			Add ./DMAcc/a node > 418
			Get ./DMAcc/a > State
			Get ./DMAcc/a/State/Seen > false
			Add ./DMAcc/a/State/Seen bool true > 418
			Add ./DMAcc/a/AppID chr w7 > 200
			Add ./DMAcc/a/Port > 200
			Get ./DMAcc/a/Port > 443
			Add ./DMAcc/a/Other chr x > 405
			Add ./DMAcc/a/AppID/Below chr x > 405
			Add ./DMAcc/a/Name int 1 > 415
			Add ./DMAcc/a/Name odd 1 > 415
			Add ./DMAcc/a/AppAddr node value > 415
			Add ./DMAcc/b/Port int x > 415
			Get ./DMAcc/b > 404
			Add ./Other node > 405
			Add . node > 418
			Add ./DMAcc/` + strings.Repeat("n", 256) + `/AppID chr > 414`,
		"parents come along": `
			Add ./DMAcc/a/AppAddr/1/Addr chr http://x > 200
			Get ./DMAcc/a/AppAddr > 1
			Get ./DMAcc/a/AppAddr?prop=VerNo > 0`,
		"as often as it is described": `
			Add ./DMAcc/a node > 200
			Add ./DMAcc/b node > 200
			Add ./DMAcc/c node > 200
			Add ./DMAcc/d node > 405
			Delete ./DMAcc/b > 200
			Add ./DMAcc/d node > 200
			Add ./DMAcc/a/AppAddr/1/Addr chr http://x > 200
			Delete ./DMAcc/a/AppAddr/1 > 405
			Add ./DMAcc/a/AppAddr/2 node > 200
			Delete ./DMAcc/a/AppAddr/1 > 200`,
		"replace": `
			Replace ./DMAcc/a/Name x > 404
			Replace ./DMAcc x > 405
			Replace ./DevInfo/Lang de > 405
			Add ./DMAcc/a/Name chr one > 200
			Replace ./DMAcc/a/Name two > 200
			Get ./DMAcc/a/Name > two
			Replace ./DMAcc/a/Name two > 200
			Get ./DMAcc/a/Name?prop=VerNo > 1
			Add ./DMAcc/a/Port int 1 > 200
			Replace ./DMAcc/a/Port one > 415
			Replace ./DMAcc/a/Name ` + strings.Repeat("x", 1<<20+1) + ` > 413
			Get ./DMAcc/a/Port > 1`,
		"secrets are not read": `
			Add ./DMAcc/a/Secret chr s > 200
			Get ./DMAcc/a/Secret > 405
			Get ./DMAcc/a/Secret?prop=Size > 405
			Get ./DMAcc/a/Secret?prop=Format > chr
			Get ./DMAcc/a > Secret/State
			Get ./DMAcc/a?list=StructData > ./DMAcc/a ./DMAcc/a/State ./DMAcc/a/State/Seen=false
			Copy ./DMAcc/a/Secret ./DMAcc/a/Name > 405`,
		"delete": `
			Delete . > 405
			Delete ./DevInfo > 405
			Delete ./DMAcc/a > 404
			Delete ./Set > 405
			Delete ./Set/Host > 405
			Add ./DMAcc/a/AppID chr w7 > 200
			Delete ./DMAcc/a/AppID > 405
			Delete ./DMAcc/a/State > 405
			Delete ./DMAcc/a > 200
			Get ./DMAcc >`,
		"rename": `
			Add ./DMAcc/a/AppID chr w7 > 200
			Add ./DMAcc/b node > 200
			Replace ./DMAcc/a?prop=Name b > 418
			Replace ./DMAcc/a?prop=Name a > 200
			Replace ./DMAcc/a?prop=Name x/y > 200
			Get ./DMAcc > b/x%2Fy
			Get ./DMAcc/x%2Fy/AppID > w7
			Replace ./DMAcc/b?prop=Name .. > 400
			Replace ./DMAcc/b?prop=Name ` + strings.Repeat("n", 256) + ` > 414
			Replace ./DevInfo?prop=Name Info > 405
			Replace ./Set?prop=Name Settings > 405
			Replace .?prop=Name Root > 405
			Replace ./DMAcc/b?prop=Name  > 400`,
		"copy": `
			Add ./DMAcc/a/Name chr one > 200
			Add ./DMAcc/b node > 200
			Copy ./DMAcc/a/Name ./DMAcc/b/Name > 200
			Get ./DMAcc/b/Name > one
			Replace ./DMAcc/a/Name two > 200
			Copy ./DMAcc/a/Name ./DMAcc/b/Name > 200
			Get ./DMAcc/b/Name > two
			Copy ./DMAcc/a/Name ./DMAcc/b/Port > 403
			Copy ./DMAcc/a/Name ./DMAcc/b/AppAddr > 403
			Copy ./DMAcc/a/Name ./DMAcc/b > 403
			Copy ./DMAcc/a ./DMAcc/c > 406
			Copy ./DMAcc/a/AppID ./DMAcc/b/AppID > 404
			Copy ./DMAcc/c ./DMAcc/d > 404`,
		"anything below Ext": `
			Add ./DevInfo/Ext/vendor/x/y int 5 > 200
			Add ./DevInfo/Ext/vendor/b b64 x > 200
			Get ./DevInfo/Ext/vendor/b?prop=Format > bin
			Get ./DevInfo/Ext/vendor/x/y > 5
			Replace ./DevInfo/Ext/vendor/x/y 6 > 200
			Copy ./DevInfo/Ext/vendor/x/y ./DevInfo/Ext/vendor/z > 200
			Get ./DevInfo/Ext/vendor/z?prop=Format > int
			Delete ./DevInfo/Ext/vendor > 200
			Delete ./DevInfo/Ext > 405`,
		"lists": `
			Get ./Set?list=Struct > ./Set ./Set/Account ./Set/Account/work ./Set/Account/work/User ./Set/Host ./Set/Port
			Get ./Set/Account?list=StructData > ./Set/Account ./Set/Account/work ./Set/Account/work/User=ana
			Get ./Set?list=Other > 406
			Get ./Set?list=TNDS+Colour > 406
			Get ./Set?list=TNDS+ACL-Value > 406
			Get ./Set?list=TNDSX > 406`,
		"an object": `
			Replace ./Set/Host b.example > 200
			Get ./Set/Host > b.example
			Replace ./Set/Host refused > 416
			Get ./Set/Host > b.example
			Replace ./Set/Port x > 415
			Add ./Set/Account/home/User chr eve > 200
			Get ./Set/Account > home/work
			Replace ./Set/Account/work?prop=Name job > 200
			Get ./Set/Account/job/User > ana
			Delete ./Set/Account/home > 200
			Exec ./Set/Restart > 202
			Exec ./Set/Host > 405
			Exec ./Set/None > 404
			Get ./Set/Restart > 405`,
	} {
		t.Run(name, func(t *testing.T) { runScript(t, script) })
	}
}

// runScript commits after each command, and opens the tree again after the last one, to the same state.
func runScript(t *testing.T, script string) {
	w := newWorld(t, tree.Memory{}, all)
	w.set.Refused = "refused"
	x := w.begin("admin")
	for line := range strings.Lines(script) {
		command, want, ok := strings.Cut(strings.TrimSpace(line), " >")
		if !ok {
			continue
		}
		if got := run(t, x, command); got != strings.TrimSpace(want) {
			t.Errorf("%.80s: got %q, want %q", command, got, want)
		}
		w.ok(x.Commit())
	}
	before := w.dump()
	w.open()
	if after := w.dump(); after != before {
		t.Errorf("opened again:\n%s\nbefore:\n%s", after, before)
	}
}

// TestAccessControl gives commands of several servers (protocol.md H.4).
func TestAccessControl(t *testing.T) {
	w := newWorld(t, tree.Memory{}, "")
	for _, c := range []struct{ server, command, want string }{
		{"one", "Get ./DMAcc", ""},
		{"one", "Get .?prop=ACL", "Add=*&Get=*"},
		{"one", "Replace ./Set/Host x", "425"},
		{"one", "Replace ./DevInfo?prop=ACL Get=*", "425"},
		{"one", "Add ./DMAcc/a node", "200"}, // one has no Replace above, so it gets what it needs
		{"one", "Get ./DMAcc/a?prop=ACL", "425"},
		{"two", "Get ./DMAcc/a", "425"},
		{"two", "Get ./DMAcc?list=Struct", ""}, // a single node
		{"two", "Get ./DMAcc", "a"},
		{"one", "Add ./DMAcc/a/Name chr x", "200"},
		{"two", "Replace ./DMAcc/a/Name y", "425"},
		{"two", "Add ./DMAcc/a/Port int 1", "425"},
		{"two", "Delete ./DMAcc/a", "425"},
		{"one", "Replace ./DMAcc/a?prop=ACL Get=one+two&Replace=one&Add=one&Delete=one", "200"},
		{"one", "Get ./DMAcc/a?prop=ACL", "Add=one&Delete=one&Get=one+two&Replace=one"},
		{"two", "Get ./DMAcc/a/Name", "x"},
		{"two", "Copy ./DMAcc/a/Name ./DMAcc/b/Name", "200"}, // creates b
		{"one", "Get ./DMAcc/b/Name", "425"},
		{"two", "Replace ./DMAcc/a/Name?prop=ACL Get=two&Replace=two", "425"},
		{"one", "Replace ./DMAcc/a/Name?prop=ACL Get=two&Replace=two", "200"}, // of a leaf the ACL above counts
		{"one", "Replace ./DMAcc/a/Name z", "425"},
		{"two", "Replace ./DMAcc/a/Name z", "200"},
		{"two", "Replace ./DMAcc/a/Name?prop=ACL Get=*", "425"},
		{"one", "Replace ./DMAcc/a/Name?prop=ACL ", "200"}, // inherited again
		{"one", "Replace ./DMAcc/a/Name z2", "200"},
		{"one", "Replace ./DMAcc/a?prop=ACL Get=one&Get=two", "400"},
		{"one", "Replace ./DMAcc/a?prop=ACL Copy=one", "400"},
		{"one", "Replace ./DMAcc/a?prop=ACL Get=", "400"},
		{"one", "Replace ./DMAcc/a?prop=ACL Get=one&", "400"},
		{"one", "Replace ./DMAcc/a?prop=ACL Get=" + strings.Repeat("x", 5000), "413"},
		{"one", "Replace ./DMAcc/a?prop=Title t", "200"},
		{"two", "Replace ./DMAcc/a?prop=Title t", "425"},
		{"two", "Replace ./DMAcc/a?prop=Name t", "425"},
		{"one", "Exec ./Set/Restart", "425"},
		{"", "Get ./DevInfo/Lang", "en"},
		{"bad id", "Add ./DMAcc/c node", "200"}, // and nobody can do anything with it
		{"bad id", "Delete ./DMAcc/c", "425"},
		{"one", "Add ./DMAcc/a/AppAddr node", "200"},
		{"one", "Replace ./DMAcc/a/AppAddr?prop=ACL Get=two&Replace=two", "200"},
		{"one", "Replace ./DMAcc/a/AppAddr?prop=Title x", "425"},
		{"one", "Replace ./DMAcc/a/AppAddr?prop=ACL Get=two&Replace=two+one", "200"}, // who may replace the parent takes control
		{"one", "Replace ./DMAcc/a/AppAddr?prop=Title x", "200"},
		{"one", "Delete ./DMAcc/a", "200"},
	} {
		x := w.begin(c.server)
		if got := run(t, x, c.command); got != c.want {
			t.Errorf("%s: %s: got %q, want %q", c.server, c.command, got, c.want)
		}
		w.ok(x.Commit())
		w.open()
	}
}

// TestForgottenServer removes a server from all ACLs (protocol.md H.4).
func TestForgottenServer(t *testing.T) {
	w := newWorld(t, tree.Memory{}, "Add=one&Get=*&Replace=one+two")
	x := w.begin("one")
	for _, command := range []string{"Add ./DMAcc/a/Name chr x", "Replace ./DMAcc/a?prop=ACL Get=one&Replace=one+two"} {
		if got := run(t, x, command); got != "200" {
			t.Fatal(command, got)
		}
	}
	w.ok(x.Commit())
	w.ok(w.tree.Forget("one", now))
	w.open()
	x = w.begin("two")
	for _, c := range []struct{ command, want string }{
		{"Get .?prop=ACL", "Add=*&Get=*&Replace=two"}, {"Get ./DMAcc?prop=ACL", ""}, {"Replace ./DMAcc/a/Name y", "200"}, {"Get ./DMAcc/a/Name", "425"},
	} {
		if got := run(t, x, c.command); got != c.want {
			t.Errorf("%s: got %q, want %q", c.command, got, c.want)
		}
	}
}

// TestDeviceItself: neither ACLs nor access types concern it.
func TestDeviceItself(t *testing.T) {
	w := newWorld(t, tree.Memory{}, "Get=*")
	w.ok(w.tree.Provision(document(t, strings.Replace(account, "<RTP", "<Path>./DMAcc</Path><RTP", 1)), now))
	w.ok(w.tree.Provision(document(t, `<Node><NodeName>DevInfo</NodeName><Node><NodeName>Lang</NodeName><Value>de</Value></Node></Node>`), now))
	w.ok(w.tree.Provision(document(t, `<Node><NodeName>Set</NodeName><Node><NodeName>Host</NodeName><Value>h</Value></Node></Node>`), now))
	w.open()
	for _, c := range []struct{ uri, want string }{
		{"./DMAcc", "a"}, {"./DMAcc/a/AppID", "w7"}, {"./DMAcc/a/Nonce", "\x00\x01\x02"}, {"./DevInfo/Lang", "de"},
	} {
		if v, ok := w.tree.Value(uri(t, c.uri).Path); !ok || string(v.Data) != c.want {
			t.Errorf("%s: %q, %v", c.uri, v.Data, ok)
		}
	}
	if got := string(w.set.Values["Host"].Data); got != "h" {
		t.Error(got)
	}
	w.ok(w.tree.Remove(uri(t, "./DMAcc/a").Path, now))
	if _, ok := w.tree.Value(uri(t, "./DMAcc/a").Path); ok {
		t.Error("still there")
	}
	for uri, want := range map[string]string{"./DMAcc/a": "404", "./DMAcc": "405", "./Set": "405"} {
		p, _ := dm.ParsePath(uri)
		if got := outcome(w.tree.Remove(p, now)); got != want {
			t.Errorf("%s: %s", uri, got)
		}
	}
}

// TestRefusalNamesTheNode: of a failed implicit Add the interior node is told (protocol.md H.3).
func TestRefusalNamesTheNode(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	err := w.begin("admin").Add(uri(t, "./DMAcc/a/Other/x"), dm.Value{})
	if e, ok := err.(*dm.Error); !ok || e.URI != "./DMAcc/a/Other" || e.Status != 405 {
		t.Errorf("got %v", err)
	}
}

func TestFullTree(t *testing.T) {
	w := newWorld(t, tree.Memory{}, all)
	x := w.begin("admin")
	for i := range 20_000 {
		if got := run(t, x, fmt.Sprintf("Add ./DevInfo/Ext/n%d/%d chr x", i%100, i)); got == "420" {
			return
		} else if got != "200" {
			t.Fatal(got)
		}
	}
	t.Error("a tree takes any number of nodes")
}
