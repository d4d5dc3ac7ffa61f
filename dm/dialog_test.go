package dm_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Dialogs between both ends, in memory.

const described = `
. node Get,Add permanent
./DMAcc node Get,Add permanent
./DMAcc/<X> node Get,Add,Delete,Replace ZeroOrMore
./DMAcc/<X>/Name chr Get,Add,Replace,Delete,Copy ZeroOrOne
./DMAcc/<X>/Nonce bin Get,Add,Replace ZeroOrOne
./Set node Get permanent
./Set/Host chr Get,Replace permanent
./Set/Port int Get,Replace permanent
./Set/TLS bool Get,Replace permanent
./Set/Locked chr Get,Replace permanent
./Set/Note chr Get,Replace permanent
./Set/Id chr Get permanent
./Set/Restart null Exec permanent
`

var noon = time.Date(2026, 7, 11, 12, 0, 0, 0, time.UTC)

// world is a device and a server, and what is kept between their sessions.
type world struct {
	t      testing.TB
	tree   *tree.Tree
	set    *treetest.Settings
	store  treetest.Store
	device dmclient.Options
	server dmserver.Options
	dev    *dmclient.Session
	srv    *dmserver.Session
	// carry brings a packet from one end to the other; nil brings each one once.
	carry func(w *world, up bool, n int, p packet.Packet) []packet.Packet
	n     int
	trace []string
	nonce int
	// how the last session ended
	devErr, srvErr   error
	devDone, srvDone bool
	strays           int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, store: treetest.Store{Memory: tree.Memory{}, Faults: &treetest.Faults{Left: -1}}}
	w.set = &treetest.Settings{Values: map[string]dm.Value{
		"Host": chr("a.example"), "Port": {Format: dm.FormatInt, Data: []byte("1")}, "TLS": {Format: dm.FormatBool, Data: []byte("true")},
		"Locked": chr("no"), "Note": chr(""), "Id": chr("35-1"), "Restart": {Format: dm.FormatNull},
	}}
	w.open()
	acl := &ddf.Tree{Nodes: []*ddf.Node{{Name: ".", RT: &ddf.RTProperties{ACL: "Add=srv&Delete=srv&Exec=srv&Get=*&Replace=srv"}},
		{Path: ".", Name: "Set", RT: &ddf.RTProperties{Format: dm.FormatNode}, Nodes: []*ddf.Node{{Name: "Locked", RT: &ddf.RTProperties{ACL: "Get=*&Replace=other", Format: dm.FormatChr}, Value: ptr("no")}}}}}
	if err := w.tree.Provision(acl, noon); err != nil {
		t.Fatal(err)
	}
	w.device = dmclient.Options{Tree: w.tree, DevInfo: dm.DevInfo{DevID: "IMEI:35-1", Man: "Acme", Mod: "X1", DmV: "1.2", Lang: "en"}, SessionID: "A5", Nonce: w.newNonce,
		Account: dmclient.Account{ServerID: "srv", User: "user", Secret: "pass", ServerSecret: "secret"}}
	w.server = dmserver.Options{DeviceID: "IMEI:35-1", Nonce: w.newNonce,
		Account: dmserver.Account{ServerID: "srv", Secret: "secret", User: "user", Credential: syncml.Credential("user", "pass")}}
	return w
}

func ptr(s string) *string { return &s }

func chr(s string) dm.Value { return dm.Value{Format: dm.FormatChr, Data: []byte(s)} }

// open opens the tree, as when the device starts.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.tree, err = tree.Open(treetest.Schema(w.t, described), w.store, map[string]tree.Object{"./Set": w.set}); err != nil {
		w.t.Fatal(err)
	}
	w.device.Tree = w.tree
}

func (w *world) newNonce() string {
	w.nonce++
	return fmt.Sprintf("bm9uY2%02d", w.nonce)[:8]
}

// run has one session, until nobody says anything any more.
func (w *world) run() {
	w.t.Helper()
	var err error
	if w.dev, err = dmclient.New(w.device); err != nil {
		w.t.Fatal(err)
	}
	if w.srv, err = dmserver.New(w.server); err != nil {
		w.t.Fatal(err)
	}
	first, err := w.dev.Start()
	if err != nil {
		w.t.Fatal(err)
	}
	w.trace, w.n, w.devErr, w.srvErr, w.devDone, w.srvDone, w.strays = nil, 0, nil, nil, false, false, 0
	w.talk(first)
	w.device.Account.Nonces, w.server.Account.Nonces = w.dev.Report().Nonces, w.srv.Report().Nonces
}

// talk brings packets to and fro. One that is lost is sent again by the device, which has the timer.
func (w *world) talk(up packet.Packet) {
	w.t.Helper()
	for range 10_000 {
		for _, p := range w.carried(true, up) {
			out, done, err := w.srv.Handle(p)
			w.noteServer(done, err)
			for _, q := range w.carried(false, out) {
				answer, done, err := w.dev.Handle(noon, q)
				w.noteDevice(done, err)
				if !answer.IsZero() {
					up = answer
				}
				if done && answer.IsZero() {
					return
				}
			}
		}
		if w.devErr != nil || w.srvErr != nil {
			if w.devErr != nil && w.srvErr == nil && !up.IsZero() {
				_, done, err := w.srv.Handle(up)
				w.noteServer(done, err)
			}
			return
		}
	}
	w.t.Fatal("they do not stop talking\n" + strings.Join(w.trace[:min(20, len(w.trace))], "\n"))
}

func (w *world) noteServer(done bool, err error) {
	w.srvDone = done
	if err != nil && !done {
		w.strays++
	} else if err != nil {
		w.srvErr = err
	}
}

func (w *world) noteDevice(done bool, err error) {
	w.devDone = done
	if err != nil && !done {
		w.strays++
	} else if err != nil {
		w.devErr = err
	}
}

// carried is what arrives of a packet: through the form that a carrier without headers has.
func (w *world) carried(up bool, p packet.Packet) []packet.Packet {
	w.t.Helper()
	if p.IsZero() {
		return nil
	}
	w.note(up, p)
	p, err := packet.Parse(bytes.Clone(p.Marshal()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.n++
	if w.carry == nil {
		return []packet.Packet{p}
	}
	return w.carry(w, up, w.n, p)
}

// note writes a message as "> 1 Alert 1201, Replace; Final".
func (w *world) note(up bool, p packet.Packet) {
	w.t.Helper()
	m, err := syncml.Decode(p.Body, syncml.Sniff(p.Body))
	if err != nil {
		w.t.Fatal(err)
	}
	line := "< " + m.Header.MsgID
	limit := max(w.device.MaxMsgSize, 2000)
	if up {
		line, limit = "> "+m.Header.MsgID, max(w.server.MaxMsgSize, 2000)
	}
	if m.Header.Cred != nil || p.HMAC != nil {
		line += " Cred"
	}
	for _, c := range m.Commands {
		line += " " + show(c)
	}
	if m.Final {
		line += " Final"
	}
	w.trace = append(w.trace, line)
	if w.device.MaxMsgSize > 0 && m.Header.MsgID != "1" && int64(len(p.Body)) > limit {
		w.t.Errorf("a message has %d octets, and %d are taken: %s", len(p.Body), limit, line)
	}
}

func show(c syncml.Command) string {
	switch c := c.(type) {
	case *syncml.Status:
		s := fmt.Sprintf("%s:%d", c.Cmd, int(c.Code))
		if c.Chal != nil {
			s += "+Chal"
		}
		return s
	case *syncml.Alert:
		return fmt.Sprintf("Alert(%d)", c.Code)
	case *syncml.Group:
		var in []string
		for _, m := range c.Commands {
			in = append(in, show(m))
		}
		return c.CommandName() + "(" + strings.Join(in, " ") + ")"
	case *syncml.Change:
		if c.Items[len(c.Items)-1].MoreData {
			return c.CommandName() + "..."
		}
	case *syncml.Results:
		if c.Items[len(c.Items)-1].MoreData {
			return "Results..."
		}
	}
	return c.CommandName()
}

func (w *world) traced(want ...string) {
	w.t.Helper()
	if got, want := strings.Join(w.trace, "\n"), strings.Join(want, "\n"); got != want {
		w.t.Errorf("dialog\n%s\nwant\n%s", got, want)
	}
}

// outcomes is e.g. "a:200 b:404".
func (w *world) outcomes() string {
	var out []string
	for _, o := range w.srv.Report().Outcomes {
		s := fmt.Sprintf("%s:%d", o.ID, int(o.Status))
		for _, f := range o.Found {
			s += fmt.Sprintf(" %s=%s", f.URI, f.Value.Data)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func (w *world) expect(outcomes string) {
	w.t.Helper()
	if w.devErr != nil || w.srvErr != nil {
		w.t.Errorf("device: %v, server: %v", w.devErr, w.srvErr)
	}
	if !w.devDone || !w.srvDone {
		w.t.Errorf("the device is done: %t, the server: %t", w.devDone, w.srvDone)
	}
	if got := w.outcomes(); got != outcomes {
		w.t.Errorf("outcomes %q, want %q", got, outcomes)
	}
}

func (w *world) value(uri string) string {
	w.t.Helper()
	if _, err := w.tree.Begin("srv", noon); err != nil {
		w.t.Fatal(err)
	}
	p, err := dm.ParsePath(uri)
	if err != nil {
		w.t.Fatal(err)
	}
	v, ok := w.tree.Value(p)
	if !ok {
		return "-"
	}
	return string(v.Data)
}

func replace(id, uri, value string) dmserver.Work {
	return dmserver.Work{ID: id, Op: dmserver.Replace, URI: uri, Value: chr(value)}
}

func get(id, uri string) dmserver.Work { return dmserver.Work{ID: id, Op: dmserver.Get, URI: uri} }

// push is an Atomic of three settings.
func push() dmserver.Work {
	return dmserver.Work{ID: "push", Op: dmserver.Atomic, Members: []dmserver.Work{replace("h", "./Set/Host", "b.example"),
		{ID: "p", Op: dmserver.Replace, URI: "./Set/Port", Value: dm.Value{Format: dm.FormatInt, Data: []byte("8883")}},
		{ID: "t", Op: dmserver.Replace, URI: "./Set/TLS", Value: dm.Value{Format: dm.FormatBool, Data: []byte("false")}}}}
}

const pushed = "push:200; h:200; p:200; t:200"

// each runs a test with every way of writing and proving.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		for _, scheme := range []string{dmclient.MD5, dmclient.HMAC} {
			t.Run(fmt.Sprintf("%s %s", enc, strings.TrimPrefix(scheme, "syncml:")), func(t *testing.T) {
				w := newWorld(t)
				w.device.Encoding, w.device.Account.Scheme, w.server.Account.Scheme = enc, scheme, scheme
				test(t, w)
			})
		}
	}
}

func TestPush(t *testing.T) {
	w := newWorld(t)
	w.device.ByServer = true
	w.server.Work = []dmserver.Work{push()}
	w.run()
	w.traced(
		"> 1 Cred Alert(1200) Replace Final",
		"< 1 Cred SyncHdr:212+Chal Alert:200 Replace:200 Atomic(Replace Replace Replace) Final",
		"> 2 SyncHdr:212+Chal Atomic:200 Replace:200 Replace:200 Replace:200 Final",
		"< 2 SyncHdr:200 Final",
	)
	w.expect(pushed)
	r := w.srv.Report()
	if !w.dev.Report().Changed || !r.Known || !r.ByServer || r.SessionID != "A5" || r.DevInfo != w.device.DevInfo {
		t.Errorf("device %+v, server %+v", w.dev.Report(), r)
	}
	if len(w.set.Commits) != 1 || len(w.set.Commits[0]) != 3 {
		t.Errorf("commits %v", w.set.Commits)
	}
	w.run()
	w.expect(pushed)
	if w.dev.Report().Changed {
		t.Error("the second push has changed something")
	}
}

func TestPushAllWays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for range 3 { // with the nonces of the session before
			w.server.Work = []dmserver.Work{push(), get("g", "./Set/Host")}
			w.run()
			w.expect(pushed + "; g:200 ./Set/Host=b.example")
			if len(w.trace) != 4 {
				t.Errorf("dialog\n%s", strings.Join(w.trace, "\n"))
			}
		}
	})
}

func TestNothingToDo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.run()
		w.expect("")
		if len(w.trace) != 2 {
			t.Errorf("dialog\n%s", strings.Join(w.trace, "\n"))
		}
		w.run()
		w.expect("")
	})
}

func TestRefusedWithReason(t *testing.T) {
	w := newWorld(t)
	w.server.Work = []dmserver.Work{
		replace("404", "./Set/None", "x"), replace("405", "./Set/Id", "x"), replace("425", "./Set/Locked", "x"),
		{ID: "415", Op: dmserver.Replace, URI: "./Set/Port", Value: dm.Value{Format: dm.FormatInt, Data: []byte("many")}},
		replace("ok", "./Set/Host", "c.example"),
	}
	w.run()
	w.expect("404:404; 405:405; 425:425; 415:415; ok:200")
	for _, o := range w.srv.Report().Outcomes {
		if o.Applied() != (o.ID == "ok") || (o.Reason == "") != (o.ID == "ok") {
			t.Errorf("%+v", o)
		}
		t.Log(o.Reason)
	}
}

func TestAtomicIsRefusedWhole(t *testing.T) {
	w := newWorld(t)
	w.server.Work = []dmserver.Work{push()}
	w.server.Work[0].Members = append(w.server.Work[0].Members, replace("id", "./Set/Id", "x"))
	w.run()
	w.expect("push:507; h:216; p:216; t:216; id:405")
	if w.value("./Set/Host") != "a.example" || w.dev.Report().Changed {
		t.Errorf("host %s, %+v", w.value("./Set/Host"), w.dev.Report())
	}
}

func TestWrongDevicePassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.device.Account.Secret = "wrong"
		w.server.Work = []dmserver.Work{push()}
		w.run()
		if !errors.Is(w.srvErr, dmserver.ErrDevice) || !errors.Is(w.devErr, dmclient.ErrRefused) {
			t.Errorf("device: %v, server: %v", w.devErr, w.srvErr)
		}
		if w.outcomes() != "" || w.srv.Report().Known || w.srv.Report().DevInfo != (dm.DevInfo{}) || len(w.trace) != 4 {
			t.Errorf("outcomes %q\n%s", w.outcomes(), strings.Join(w.trace, "\n"))
		}
		if w.device.Account.Own != "" {
			t.Error("the nonce of a server that is not known was kept")
		}
	})
}

func TestWrongServerPassword(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Account.Secret = "wrong"
		w.server.Work = []dmserver.Work{push()}
		w.run()
		if !errors.Is(w.srvErr, dmserver.ErrRefused) || !errors.Is(w.devErr, dmclient.ErrServer) {
			t.Errorf("device: %v, server: %v", w.devErr, w.srvErr)
		}
		if w.outcomes() != "" || len(w.set.Commits) != 0 || w.dev.Report().Changed {
			t.Errorf("outcomes %q, commits %v\n%s", w.outcomes(), w.set.Commits, strings.Join(w.trace, "\n"))
		}
	})
}

func TestStaleNonces(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Work = []dmserver.Work{push()}
		for _, stale := range []func(){
			func() { w.device.Account.Own = "" },
			func() { w.server.Account.Own = "" },
			func() { w.device.Account.Own, w.server.Account.Own = "c3RhbGU=", "c3RhbGU=" },
			func() { w.device.Account.Nonces = dmclient.Nonces{} },
			func() { w.server.Account.Nonces = dmserver.Nonces{} },
		} {
			w.run()
			stale()
			w.run()
			w.expect(pushed)
			if len(w.trace) > 8 {
				t.Errorf("dialog\n%s", strings.Join(w.trace, "\n"))
			}
			w.run()
			w.expect(pushed)
			if len(w.trace) != 4 {
				t.Errorf("not healed\n%s", strings.Join(w.trace, "\n"))
			}
		}
	})
}

func TestStaleDialog(t *testing.T) {
	w := newWorld(t)
	w.server.Work = []dmserver.Work{push()}
	w.device.Account.Nonces = dmclient.Nonces{Own: "c3RhbGU=", Server: "c3RhbGU="}
	w.run()
	w.traced(
		"> 1 Cred Alert(1201) Replace Final",
		"< 1 SyncHdr:401+Chal Alert:401 Replace:401 Final",
		"> 2 Cred SyncHdr:407+Chal Alert(1201) Replace Final",
		"< 2 Cred SyncHdr:212+Chal Alert:200 Replace:200 Atomic(Replace Replace Replace) Final",
		"> 3 SyncHdr:212+Chal Atomic:200 Replace:200 Replace:200 Replace:200 Final",
		"< 3 SyncHdr:200 Final",
	)
	w.expect(pushed)
}

// TestAgain brings every packet twice, and one after the other loses each of a session.
func TestAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.server.Work = []dmserver.Work{{ID: "x", Op: dmserver.Exec, URI: "./Set/Restart"}, push()}
		w.carry = func(_ *world, _ bool, _ int, p packet.Packet) []packet.Packet { return []packet.Packet{p, p} }
		w.run()
		w.expect("x:202; " + pushed)
		if len(w.set.Calls) != 1 || len(w.set.Commits) != 1 {
			t.Errorf("calls %d, commits %d", len(w.set.Calls), len(w.set.Commits))
		}
	})
	for lost := 1; lost <= 4; lost++ {
		w := newWorld(t)
		w.server.Work = []dmserver.Work{{ID: "x", Op: dmserver.Exec, URI: "./Set/Restart"}, push()}
		w.carry = func(_ *world, _ bool, n int, p packet.Packet) []packet.Packet {
			if n == lost {
				return nil
			}
			return []packet.Packet{p}
		}
		w.run()
		w.expect("x:202; " + pushed)
		if len(w.set.Calls) != 1 || len(w.set.Commits) != 1 {
			t.Errorf("%d lost: calls %d, commits %d", lost, len(w.set.Calls), len(w.set.Commits))
		}
	}
}

// TestForged: with HMAC, once both ends know each other, nobody else gets a word in, not even one that ends the session.
func TestForged(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if w.device.Account.Scheme != dmclient.HMAC {
			return // md5 proves the first message only
		}
		small(w)
		w.server.Work = []dmserver.Work{push(), get("g", "./Set/Host"), replace("n", "./Set/Note", strings.Repeat("b.example", 300))}
		w.carry = func(_ *world, _ bool, n int, p packet.Packet) []packet.Packet {
			if n < 3 {
				return []packet.Packet{p}
			}
			forged := p
			forged.Body = bytes.ReplaceAll(bytes.ReplaceAll(p.Body, []byte("b.example"), []byte("x.example")), []byte("35-1"), []byte("35-2"))
			bare := packet.Packet{Body: forged.Body}
			return []packet.Packet{forged, bare, p}
		}
		w.run()
		w.expect(pushed + "; g:200 ./Set/Host=b.example; n:200")
		if w.strays == 0 || strings.Contains(w.value("./Set/Note"), "x.example") {
			t.Errorf("%d packets were refused", w.strays)
		}
	})
}

func TestOtherScheme(t *testing.T) {
	for _, scheme := range []string{dmclient.MD5, dmclient.HMAC} {
		w := newWorld(t)
		w.device.Account.Scheme = scheme
		w.server.Account.Scheme = map[string]string{dmclient.MD5: dmserver.HMAC, dmclient.HMAC: dmserver.MD5}[scheme]
		w.server.Work = []dmserver.Work{push()}
		w.run()
		if w.devErr == nil || w.outcomes() != "" || len(w.set.Commits) != 0 {
			t.Errorf("%v, %q", w.devErr, w.outcomes())
		}
	}
}

func TestEveryOperation(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sub := &ddf.Tree{VerDTD: "1.2", Nodes: []*ddf.Node{{Name: "b", RT: &ddf.RTProperties{Format: dm.FormatNode}, Nodes: []*ddf.Node{
			{Name: "Name", RT: &ddf.RTProperties{Format: dm.FormatChr}, Value: ptr("of b")}}}}}
		w.server.Work = []dmserver.Work{{ID: "all", Op: dmserver.Sequence, Members: []dmserver.Work{
			{ID: "add", Op: dmserver.Add, URI: "./DMAcc/a/Name", Value: chr("of a")},
			{ID: "tree", Op: dmserver.Add, URI: "./DMAcc/b", Tree: sub},
			{ID: "copy", Op: dmserver.Copy, URI: "./DMAcc/c/Name", From: "./DMAcc/b/Name"},
			{ID: "acl", Op: dmserver.Replace, URI: "./DMAcc/a?prop=ACL", Value: chr("Get=*&Delete=srv")},
			get("names", "./DMAcc"), get("copied", "./DMAcc/c/Name"),
			{ID: "delete", Op: dmserver.Delete, URI: "./DMAcc/a"},
			{ID: "exec", Op: dmserver.Exec, URI: "./Set/Restart", Value: chr("now"), Correlator: "c7"},
		}}, get("left", "./DMAcc")}
		w.device.Events = []dm.Event{{ID: "e", Type: "Reversed-Domain-Name: org.example", URI: "./Set", Mark: "warning", Correlator: "c6", Format: dm.FormatBin, Data: []byte{0, 1}}}
		w.run()
		w.expect("all:200; add:200; tree:200; copy:200; acl:200; names:200 ./DMAcc=a/b/c; copied:200 ./DMAcc/c/Name=of b; delete:200; exec:202; left:200 ./DMAcc=b/c")
		if c := w.set.Calls; len(c) != 1 || string(c[0].Data) != "now" || c[0].Correlator != "c7" || !w.dev.Report().Executed {
			t.Errorf("calls %+v", c)
		}
		want := "[{ID: Type:Reversed-Domain-Name: org.example URI:./Set Mark:warning Correlator:c6 Format:b64 Data:[0 1]}]"
		if got := fmt.Sprintf("%+v", w.srv.Report().Events); got != want {
			t.Errorf("events %s", got)
		}
	})
}
