package facts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/facts"
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// device is a tree with the facts of a device and two settings beside them.
type device struct {
	t        *testing.T
	session  session.Record
	broken   error // of the switch
	opened   int
	proxied  bool
	settings *treetest.Settings
	tree     *tree.Tree
}

func newDevice(t *testing.T) *device {
	d := &device{t: t, session: session.Record{State: session.Off}}
	d.settings = &treetest.Settings{Unfit: "unfit", Values: map[string]dm.Value{
		"1/DB/contacts/Filter": {Format: dm.FormatChr}, "1/AppAddr/1/Addr": {Format: dm.FormatChr, Data: []byte("https://sync.example.org/ds")}}}
	told := &facts.Device{
		Info: dm.DevInfo{DevID: "laptop", Man: "m", Mod: "linux/amd64", DmV: "1.2", Lang: "en"}, Version: "1.2.3", OS: "linux", CPU: "amd64", ServerID: "srv",
		Stores:  []facts.Store{{Name: "contacts", Type: "text/vcard", Remote: "addressbook", Local: "./contacts"}},
		Account: func() (string, string, string) { return "ana", "https://sync.example.org/ds", "mqtts://b" },
		Session: func() session.Record { return d.session },
		Network: func() (string, bool) { return "wlan0", d.proxied },
		Switch:  d.flip, Open: func() (ds.Status, error) { d.opened++; return ds.StatusAccepted, nil },
	}
	schema := ddf.NewSchema()
	if err := schema.Add(nil, mo.Description()); err != nil {
		t.Fatal(err)
	}
	vendor := func() tree.Object { return &treetest.Settings{Values: map[string]dm.Value{}} }
	var err error
	d.tree, err = tree.Open(schema, tree.Memory{}, told.Objects(map[string]tree.Object{"./DS": d.settings, "./NAP": vendor(), "./Proxy": vendor(), "./Vendor/AlwaysOn": vendor()}))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.tree.Provision(mo.Rights("srv"), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *device) flip(on bool) error {
	if d.broken != nil {
		return d.broken
	}
	d.session.On, d.session.State = on, session.Off
	if on {
		d.session.State = session.Opening
	}
	return nil
}

func (d *device) begin() *tree.Tx {
	d.t.Helper()
	x, err := d.tree.Begin("srv", time.Unix(2, 0))
	if err != nil {
		d.t.Fatal(err)
	}
	return x
}

// get is what the server finds at an address, by address.
func (d *device) get(uri string) map[string]dm.Value {
	d.t.Helper()
	found, err := d.begin().Get(address(d.t, uri))
	if err != nil {
		d.t.Fatal(uri, err)
	}
	out := map[string]dm.Value{}
	for _, r := range found {
		out[strings.TrimSuffix(r.URI, "?list=StructData")] = r.Value
	}
	return out
}

func address(t *testing.T, uri string) dm.URI {
	t.Helper()
	u, err := dm.ParseURI(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestEachFactIsTold: what the description says is there is found with a Get of the whole tree, in its format; what is executed has no value. No
// secret is among it.
func TestEachFactIsTold(t *testing.T) {
	all := newDevice(t).get(".?list=StructData")
	for _, f := range mo.Facts {
		v, ok := all[strings.Replace(f.Node, "*", "contacts", 1)]
		if format := f.Format; f.Exec == ok || ok && format != "" && v.Format != format || ok && len(v.Data) == 0 {
			t.Errorf("%s: %+v, %t", f.Node, v, ok)
		}
	}
	for uri, v := range all {
		if strings.Contains(uri, "Secret") || strings.Contains(uri, "AAuthData") {
			t.Errorf("%s: %q", uri, v.Data)
		}
	}
	for uri, want := range map[string]string{
		"./DevInfo": dm.MODevInfo, "./DevDetail": dm.MODevDetail, "./DMAcc/1": dm.MODMAcc, "./DS/1": dm.MODS, "./NAP/1": dm.MONAP, "./Proxy/1": dm.MOProxy,
	} {
		if got := all[uri].Type; got != want {
			t.Errorf("%s has type %q, want %q", uri, got, want)
		}
	}
	for uri, want := range map[string]string{
		"./DevInfo/DevId": "laptop", "./DevDetail/SwV": "1.2.3", "./DevDetail/URI/MaxTotLen": "1024", "./DevDetail/LrgObj": "true", "./DMAcc/1/AppID": "w7",
		"./DMAcc/1/AppAuth/2/AAuthName": "srv", "./DS/1/AppID": "w5", "./DS/1/DB/contacts/RemoteURI": "addressbook", mo.StateNode: "idle", mo.EnabledNode: "false",
		"./DS/1/AppAddr/1/Addr": "https://sync.example.org/ds", "./NAP/1/Name": "wlan0", "./Proxy/1/ConRefs/1/ConRef": "./NAP/1", "./DS/1/PrefConRef": "./NAP/1",
	} {
		if got := string(all[uri].Data); got != want {
			t.Errorf("%s = %q, want %q", uri, got, want)
		}
	}
}

// TestTheWayFollowsTheProxy: what refers to a connection refers to the one that is used.
func TestTheWayFollowsTheProxy(t *testing.T) {
	d := newDevice(t)
	d.proxied = true
	for _, uri := range []string{"./DS/1/PrefConRef", "./DMAcc/1/PrefConRef"} {
		if got := string(d.get(uri)[uri].Data); got != "./Proxy/1" {
			t.Errorf("%s is %s", uri, got)
		}
	}
}

// TestTheWholeTreeAsADocument: ?list=TNDS of the root is read back as what StructData says.
func TestTheWholeTreeAsADocument(t *testing.T) {
	d := newDevice(t)
	found, err := d.begin().Get(address(t, ".?list=TNDS"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	text, err := found[0].Tree.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := ddf.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var count func(nodes []*ddf.Node) int
	count = func(nodes []*ddf.Node) (n int) {
		for _, c := range nodes {
			n += 1 + count(c.Nodes)
		}
		return n
	}
	if got, want := count(doc.Nodes), len(d.get(".?list=StructData")); got != want || want < len(mo.Facts) {
		t.Errorf("%d nodes, want %d", got, want)
	}
}

func TestStates(t *testing.T) {
	for state, want := range map[session.State]string{
		"": "idle", session.Off: "idle", session.Opening: "opening", session.Idle: "established", session.Syncing: "synchronising",
		session.Retrying: "retrying", session.Lost: "lost", session.Held: "held", session.Paused: "paused",
	} {
		if got := facts.State(session.Record{State: state}); got != want {
			t.Errorf("%s is %q, want %q", state, got, want)
		}
	}
}

func (d *device) replace(values ...string) error {
	x := d.begin()
	for i := 0; i < len(values); i += 2 {
		if err := x.Replace(address(d.t, values[i]), dm.Value{Data: []byte(values[i+1])}); err != nil {
			return err
		}
	}
	return x.Commit()
}

// TestTheSwitch: the server flips Always-On, alone or together with settings; what does not fit flips nothing, and what cannot be flipped sets nothing.
func TestTheSwitch(t *testing.T) {
	d := newDevice(t)
	const filter = "./DS/1/DB/contacts/Filter"
	for _, c := range []struct {
		name   string
		broken error
		values []string
		want   ds.Status
		on     bool
		filter string
	}{
		{"on", nil, []string{mo.EnabledNode, "true"}, 200, true, ""},
		{"nonsense", nil, []string{mo.EnabledNode, "maybe"}, 415, true, ""},
		{"off with a filter", nil, []string{mo.EnabledNode, "0", filter, "a"}, 200, false, "a"},
		{"on with a filter that does not fit", nil, []string{mo.EnabledNode, "true", filter, "unfit"}, 500, false, "a"},
		{"on but broken", errors.New("broken"), []string{mo.EnabledNode, "true", filter, "b"}, 500, false, "a"},
		{"on as Nokia writes it", nil, []string{mo.EnabledNode, "True"}, 200, true, "a"},
	} {
		d.broken = c.broken
		err := d.replace(c.values...)
		d.broken = nil
		if got := dm.StatusOf(err); got != c.want || d.session.On != c.on || string(d.settings.Values["1/DB/contacts/Filter"].Data) != c.filter {
			t.Errorf("%s: %v (%v), on %t, filter %q", c.name, got, err, d.session.On, d.settings.Values["1/DB/contacts/Filter"].Data)
		}
	}
	if got := string(d.get(mo.EnabledNode)[mo.EnabledNode].Data); got != "true" {
		t.Error(got)
	}
}

// TestFactsAreFacts: nobody changes them, and only what is there to be executed is.
func TestFactsAreFacts(t *testing.T) {
	d := newDevice(t)
	for _, uri := range []string{"./DevInfo/DevId", "./DevDetail/SwV", "./DMAcc/1/ServerID", "./DS/1/AppID", "./DS/1/DB/contacts/Name", mo.StateNode, mo.OpenNode} {
		if got := dm.StatusOf(d.replace(uri, "x")); got != ds.StatusNotAllowed {
			t.Errorf("%s: %v", uri, got)
		}
	}
	code, err := d.begin().Exec(address(t, mo.OpenNode), tree.Call{})
	if code != ds.StatusAccepted || err != nil || d.opened != 1 {
		t.Error(code, err, d.opened)
	}
	if _, err := d.begin().Exec(address(t, mo.StateNode), tree.Call{}); dm.StatusOf(err) != ds.StatusNotAllowed || d.opened != 1 {
		t.Error(err)
	}
}
