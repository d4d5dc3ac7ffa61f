package dmclient_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const described = `
. node Get,Add permanent
./DMAcc node Get,Add permanent
./DMAcc/<X> node Get,Add,Delete,Replace ZeroOrMore
./DMAcc/<X>/Name chr Get,Add,Replace,Delete,Copy ZeroOrOne
./DMAcc/<X>/Nonce bin Get,Add,Replace ZeroOrOne
./Host chr Get,Replace permanent =a
`

var noon = time.Date(2026, 7, 11, 12, 0, 0, 0, time.UTC)

func newTree(t testing.TB) *tree.Tree {
	t.Helper()
	tr, err := tree.Open(treetest.Schema(t, described), tree.Memory{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	acl := &ddf.Tree{Nodes: []*ddf.Node{{Name: ".", RT: &ddf.RTProperties{ACL: "Add=srv&Delete=srv&Get=*&Replace=srv"}}}}
	if err := tr.Provision(acl, noon); err != nil {
		t.Fatal(err)
	}
	return tr
}

func options(t testing.TB) dmclient.Options {
	n := 0
	return dmclient.Options{Tree: newTree(t), SessionID: "A5", Encoding: syncml.XML, Nonce: func() string { n++; return fmt.Sprintf("nonce%d", n) },
		DevInfo: dm.DevInfo{DevID: "IMEI:35-1", Man: "Acme", Mod: "X1", DmV: "1.2", Lang: "en"}, MaxObjSize: 100,
		Account: dmclient.Account{ServerID: "srv", User: "user", Secret: "pass", ServerSecret: "secret"}}
}

// dialog is a conversation with a server that says what a file says.
type dialog struct {
	t       *testing.T
	o       dmclient.Options
	s       *dmclient.Session
	asked   ds.Status // what the user says
	noted   []string  // of what was asked while he was away
	answer  packet.Packet
	done    bool
	err     error
	serverN int
	last    packet.Packet // of the server
}

// TestDialogs reads testdata/*.txt. A line "< flags | commands" is a message of the server, which answers the last one of the device and has
// credentials unless a flag says else; ">" is what the device answers; other lines are expectations and, before the first message, settings.
func TestDialogs(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no dialogs", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d := &dialog{t: t, o: options(t)}
			for line := range strings.Lines(string(text)) {
				if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
					d.line(line)
				}
			}
		})
	}
}

func (d *dialog) line(line string) {
	d.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "<":
		flags, commands, _ := strings.Cut(rest, "|")
		d.say(strings.Fields(flags), commands)
	case ">":
		d.start()
		d.same("the device says", show(d.t, d.answer), rest)
	case "event":
		e := dm.Event{ID: rest, Type: "Reversed-Domain-Name: org.example", Data: []byte(rest)}
		if d.s == nil {
			d.o.Events = append(d.o.Events, e)
		} else {
			d.s.Tell(e)
		}
	case "user":
		fmt.Sscan(rest, &d.asked)
		d.o.Ask = func(*syncml.Alert) (ds.Status, []syncml.Item) { return d.asked, nil }
	case "unattended":
		d.o.Ask = dmclient.Unattended(func(text string) { d.noted = append(d.noted, text) })
	case "noted":
		d.same("noted", strings.Join(d.noted, "|"), rest)
	case "value":
		uri, want, _ := strings.Cut(rest, " ")
		p, _ := dm.ParsePath(uri)
		v, _ := d.o.Tree.(*tree.Tree).Value(p)
		d.same(uri, string(v.Data), want)
	case "changed":
		d.same("changed", fmt.Sprint(d.s.Report().Changed), rest)
	case "told":
		d.same("events", fmt.Sprint(d.s.Report().Events), rest)
	case "nonces":
		n := d.s.Report().Nonces
		d.same("nonces", fmt.Sprintf("own=%s server=%s former=%s", n.Own, n.Server, n.FormerServer), rest)
	case "done", "going":
		d.same("done", fmt.Sprint(d.done), fmt.Sprint(word == "done"))
		d.same("error", fmt.Sprint(d.err), max(rest, "<nil>"))
	default:
		d.t.Fatalf("unknown line %q", line)
	}
}

func (d *dialog) same(what, got, want string) {
	d.t.Helper()
	if got != want {
		d.t.Errorf("%s\n%s\nwant\n%s", what, got, want)
	}
}

func (d *dialog) start() {
	d.t.Helper()
	if d.s != nil {
		return
	}
	var err error
	if d.s, err = dmclient.New(d.o); err == nil {
		d.answer, err = d.s.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// say has the server say something. Flags: again, more (not Final), anonymous, wrong, status=N, chal, session=ID, ref=N, id=N, nostatus.
func (d *dialog) say(flags []string, commands string) {
	d.t.Helper()
	if len(flags) == 1 && flags[0] == "again" {
		d.handle(d.last)
		return
	}
	asked, err := syncml.Decode(d.answer.Body, syncml.XML)
	if d.answer.IsZero() || err != nil {
		asked = &syncml.Message{Header: syncml.Header{MsgID: "1"}}
	}
	d.serverN++
	m := message(d.t, commands)
	m.Final = true
	m.Header = syncml.Header{VerDTD: "1.2", VerProto: "DM/1.2", SessionID: "A5", MsgID: fmt.Sprint(d.serverN), Target: syncml.Location{URI: "IMEI:35-1"},
		Source: syncml.Location{URI: "srv", Name: "srv"}, Cred: syncml.MD5Cred("srv", "secret", d.nonce(asked))}
	st := &syncml.Status{ID: "0", MsgRef: asked.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: 212}
	nostatus := false
	for _, f := range flags {
		name, value, _ := strings.Cut(f, "=")
		switch name {
		case "more":
			m.Final = false
		case "anonymous":
			m.Header.Cred = nil
		case "wrong":
			m.Header.Cred = syncml.MD5Cred("srv", "wrong", "")
		case "status":
			fmt.Sscan(value, &st.Code)
		case "chal":
			st.Chal = &syncml.Meta{Type: "syncml:auth-" + value, Format: "b64", NextNonce: "Y2hhbA=="}
		case "session":
			m.Header.SessionID = value
		case "ref":
			st.MsgRef = value
		case "id":
			m.Header.MsgID = value
		case "nostatus":
			nostatus = true
		default:
			d.t.Fatalf("unknown flag %q", f)
		}
	}
	if !nostatus {
		m.Commands = append([]syncml.Command{st}, m.Commands...)
	}
	body, err := syncml.Encode(m, syncml.XML)
	if err != nil {
		d.t.Fatal(err)
	}
	d.last = packet.Packet{Body: body}
	d.handle(d.last)
}

func (d *dialog) nonce(m *syncml.Message) string {
	for _, c := range m.Commands {
		if st, ok := c.(*syncml.Status); ok && st.Chal != nil {
			return st.Chal.NextNonce
		}
	}
	return ""
}

func (d *dialog) handle(p packet.Packet) {
	answer, done, err := d.s.Handle(noon, p)
	d.done, d.err = done, err
	if err == nil || done {
		d.answer = answer
	}
}

// message reads commands, of which many have no CmdID.
func message(t *testing.T, commands string) *syncml.Message {
	t.Helper()
	m, err := syncml.Decode([]byte(`<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr/><SyncBody>`+commands+`</SyncBody></SyncML>`), syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// show writes a message as e.g. `2 Cred SyncHdr:200 Get:200 Results(./Host=a) Final`.
func show(t *testing.T, p packet.Packet) string {
	t.Helper()
	if p.IsZero() {
		return "-"
	}
	m, err := syncml.Decode(p.Body, syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{m.Header.MsgID}
	if m.Header.Cred != nil {
		words = append(words, "Cred")
	}
	for _, c := range m.Commands {
		switch c := c.(type) {
		case *syncml.Status:
			w := fmt.Sprintf("%s:%d", c.Cmd, int(c.Code))
			if c.Chal != nil {
				w += "+Chal"
			}
			if strings.HasPrefix(c.Cmd, "Alert") && len(c.Items) > 0 {
				w += "=" + joined(c.Items)
			}
			words = append(words, w)
		case *syncml.Alert:
			words = append(words, fmt.Sprintf("Alert(%d)", c.Code))
		case *syncml.Results:
			words = append(words, fmt.Sprintf("Results(%s=%s)", c.Items[0].Source.URI, c.Items[0].Data.Bytes))
		default:
			words = append(words, c.CommandName())
		}
	}
	if m.Final {
		words = append(words, "Final")
	}
	return strings.Join(words, " ")
}

// joined is what the user says.
func joined(items []syncml.Item) string {
	var out []string
	for _, it := range items {
		out = append(out, string(it.Data.Bytes))
	}
	return strings.Join(out, ",")
}
