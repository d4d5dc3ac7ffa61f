package dmserver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// device says what a test wants it to say.
type device struct {
	t      *testing.T
	s      *dmserver.Session
	id     int
	answer *syncml.Message // of the server
	out    packet.Packet
	done   bool
	err    error
}

const hello = `<Alert><CmdID>1</CmdID><Data>1201</Data></Alert>`

func newDevice(t *testing.T, o dmserver.Options) *device {
	t.Helper()
	s, err := dmserver.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return &device{t: t, s: s}
}

// body is a message that answers the last one of the server, with the device's credentials.
func (d *device) body(commands string, final bool) []byte {
	d.t.Helper()
	m, err := syncml.Decode([]byte(`<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr/><SyncBody>`+commands+`</SyncBody></SyncML>`), syncml.XML)
	if err != nil {
		d.t.Fatal(err)
	}
	d.id++
	m.Final = final
	m.Header = syncml.Header{VerDTD: "1.2", VerProto: "DM/1.2", SessionID: "A5", MsgID: fmt.Sprint(d.id), Target: syncml.Location{URI: "srv"},
		Source: syncml.Location{URI: "IMEI:35-1", Name: "user"}, Cred: syncml.MD5Cred("user", "pass", "")}
	if d.answer != nil {
		st := &syncml.Status{ID: "0", MsgRef: d.answer.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusAuthenticated}
		m.Commands = append([]syncml.Command{st}, m.Commands...)
	}
	body, err := syncml.Encode(m, syncml.XML)
	if err != nil {
		d.t.Fatal(err)
	}
	return body
}

// say says something and wants to hear something.
func (d *device) say(commands string, final bool, want string) {
	d.t.Helper()
	d.hand(d.body(commands, final))
	if got := d.heard(); got != want {
		d.t.Errorf("the server says %q, want %q; %v", got, want, d.err)
	}
}

func (d *device) hand(body []byte) {
	d.t.Helper()
	d.out, d.done, d.err = d.s.Handle(packet.Packet{Body: body})
	if d.out.IsZero() {
		return
	}
	m, err := syncml.Decode(d.out.Body, syncml.XML)
	if err != nil {
		d.t.Fatal(err)
	}
	d.answer = m
}

// heard is e.g. "Alert:200 Get Final".
func (d *device) heard() string {
	if d.out.IsZero() {
		return "-"
	}
	var words []string
	for _, c := range d.answer.Commands {
		switch c := c.(type) {
		case *syncml.Status:
			if c.Cmd != "SyncHdr" {
				words = append(words, fmt.Sprintf("%s:%d", c.Cmd, int(c.Code)))
			}
		case *syncml.Alert:
			words = append(words, fmt.Sprintf("Alert(%d)", c.Code))
		default:
			words = append(words, c.CommandName())
		}
	}
	if d.answer.Final {
		words = append(words, "Final")
	}
	return strings.Join(words, " ")
}

// ref is the CmdID of the first command of a kind in what the server said.
func (d *device) ref(name string) string {
	for _, c := range d.answer.Commands {
		if c.CommandName() == name {
			return c.CommandID()
		}
	}
	return ""
}

func (d *device) status(name string, code int) string {
	return fmt.Sprintf(`<Status><CmdID>9</CmdID><MsgRef>%s</MsgRef><CmdRef>%s</CmdRef><Cmd>%s</Cmd><Data>%d</Data></Status>`, d.answer.Header.MsgID, d.ref(name), name, code)
}

func (d *device) outcomes(want string) {
	d.t.Helper()
	var out []string
	for _, o := range d.s.Report().Outcomes {
		out = append(out, fmt.Sprintf("%s:%d", o.ID, int(o.Status)))
	}
	if got := strings.Join(out, " "); got != want {
		d.t.Errorf("outcomes %q, want %q", got, want)
	}
}

func work(w ...dmserver.Work) dmserver.Options {
	o := options()
	o.Work = w
	return o
}

var (
	getA = dmserver.Work{ID: "get", Op: dmserver.Get, URI: "./A"}
	setA = dmserver.Work{ID: "set", Op: dmserver.Replace, URI: "./A", Value: dm.Value{Format: dm.FormatChr, Data: []byte("a")}}
	bigA = dmserver.Work{ID: "big", Op: dmserver.Replace, URI: "./A", Value: dm.Value{Format: dm.FormatChr, Data: []byte(strings.Repeat("a", 20_000))}}
)

func TestAnswersInParts(t *testing.T) {
	d := newDevice(t, work(getA, setA))
	d.say(hello, true, "Alert:200 Get Replace Final")
	results := `<Results><CmdID>8</CmdID><CmdRef>` + d.ref("Get") + `</CmdRef><Item><Source><LocURI>./A</LocURI></Source><Data>x</Data></Item></Results>`
	d.say(d.status("Get", 200)+d.status("Replace", 200), false, "Alert(1222)")
	if d.outcomes(""); d.done {
		t.Error("the device has not said everything")
	}
	d.say(results, true, "Final")
	d.outcomes("get:200 set:200")
	if o := d.s.Report().Outcomes[0]; len(o.Found) != 1 || string(o.Found[0].Value.Data) != "x" || o.Found[0].Value.Format != dm.FormatChr || !d.done {
		t.Errorf("%+v", o)
	}
}

func TestWithoutStatus(t *testing.T) {
	d := newDevice(t, work(setA))
	d.say(hello, true, "Alert:200 Replace Final")
	d.say("", true, "Final")
	d.outcomes("set:0")
	if o := d.s.Report().Outcomes[0]; o.Applied() || o.Reason == "" {
		t.Errorf("%+v", o)
	}
}

func TestPartIsRefused(t *testing.T) {
	for _, code := range []int{413, 420, 500} {
		d := newDevice(t, work(bigA, setA))
		d.say(hello, true, "Alert:200 Alert(1222)")
		d.say("", false, "Replace")
		d.say(d.status("Replace", 213), false, "Replace Final")
		d.say(d.status("Replace", code), true, "Replace Final")
		d.say(d.status("Replace", 200), true, "Final")
		d.outcomes(fmt.Sprintf("big:%d set:200", code))
	}
	d := newDevice(t, work(bigA, setA))
	d.say(hello, true, "Alert:200 Alert(1222)")
	d.say("", false, "Replace")
	d.say(d.status("Replace", 413)+`<Alert><CmdID>3</CmdID><Data>1222</Data></Alert>`, false, "Replace Final")
	d.say(d.status("Replace", 200), true, "Final")
	d.outcomes("big:413 set:200")
}

func TestPartIsLost(t *testing.T) {
	d := newDevice(t, work(bigA, setA))
	d.say(hello, true, "Alert:200 Alert(1222)")
	d.say("", false, "Replace")
	d.say(`<Alert><CmdID>3</CmdID><Data>1225</Data></Alert>`, false, "Alert:200 Replace Final")
	d.say(d.status("Replace", 200), true, "Final")
	d.outcomes("big:412 set:200")
}

// TestCrowdedParts: a device that tells much while it takes a value leaves no room for the next part, which waits.
func TestCrowdedParts(t *testing.T) {
	event := `<Alert><CmdID>3</CmdID><Data>1226</Data><Item><Data>x</Data></Item></Alert>`
	o := work(bigA)
	o.MaxMsgSize = 2000
	d := newDevice(t, o)
	d.hand(d.body(hello, true))
	for range 60 {
		said := ""
		if d.ref("Replace") != "" {
			said = d.status("Replace", 213)
		}
		if d.s.Report().Events == nil {
			said += strings.Repeat(event, 40)
		}
		if d.hand(d.body(said, d.answer.Final)); len(d.out.Body) > 2000 || d.err != nil {
			t.Fatalf("%d octets, %v", len(d.out.Body), d.err)
		}
		if d.answer.Final {
			break
		}
	}
	d.say(d.status("Replace", 200), true, "Final")
	d.outcomes("big:200")
}

// TestIdleTalk: a device that always asks for more and never says anything is left alone.
func TestIdleTalk(t *testing.T) {
	d := newDevice(t, work(getA))
	for range 10 {
		if d.hand(d.body("", false)); d.done {
			break
		}
	}
	if !d.done || d.err == nil {
		t.Errorf("it goes on: %v", d.err)
	}
}

func TestWhatDevicesMayNotSay(t *testing.T) {
	d := newDevice(t, work())
	d.say(hello+`<Get><CmdID>2</CmdID></Get><Delete><CmdID>3</CmdID></Delete><Alert><CmdID>4</CmdID><Data>200</Data></Alert>`, true,
		"Alert:200 Get:405 Delete:405 Alert:406 Final")
}

func TestAbort(t *testing.T) {
	d := newDevice(t, work(setA))
	d.say(hello, true, "Alert:200 Replace Final")
	d.say(`<Alert><CmdID>3</CmdID><Data>1223</Data></Alert>`, true, "-")
	if d.outcomes(""); !d.done || !errors.Is(d.err, dmserver.ErrAborted) {
		t.Errorf("%t %v", d.done, d.err)
	}
}

func TestDeviceBeginsAnew(t *testing.T) {
	d := newDevice(t, work(setA))
	first := d.body(hello, true)
	d.hand(first)
	d.hand(first)
	if d.heard() != "Alert:200 Replace Final" || d.err != nil {
		t.Errorf("%s %v", d.heard(), d.err)
	}
	d.say(d.status("Replace", 200), true, "Final")
	if d.hand(first); d.err == nil || errors.Is(d.err, dmserver.ErrAnew) || d.done || !d.out.IsZero() {
		t.Errorf("the first message is taken late: %+v %t %v", d.out, d.done, d.err)
	}
	d.answer = nil
	d.hand(d.body(hello, true))
	if !errors.Is(d.err, dmserver.ErrAnew) || d.done || !d.out.IsZero() {
		t.Errorf("%+v %t %v", d.out, d.done, d.err)
	}
	d = newDevice(t, work(setA))
	d.answer = &syncml.Message{Header: syncml.Header{MsgID: "3"}}
	if d.hand(d.body("", true)); d.err == nil || d.done {
		t.Error("a session that is not known goes on")
	}
}

func TestOtherDevice(t *testing.T) {
	o := work(setA)
	o.DeviceID = "IMEI:35-2"
	d := newDevice(t, o)
	if d.hand(d.body(hello, true)); d.err == nil || d.done || d.s.Report().Known {
		t.Errorf("%t %v", d.done, d.err)
	}
}

// TestWorkedMessage takes the message DM1 of protocol.md L.
func TestWorkedMessage(t *testing.T) {
	o := work(getA)
	o.Account.Device = "bm9uY2Ux"
	d := newDevice(t, o)
	d.hand([]byte(`<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>A5</SessionID><MsgID>1</MsgID><Target><LocURI>http://srv.example/dm</LocURI></Target>
<Source><LocURI>IMEI:35-1</LocURI><LocName>user</LocName></Source>
<Cred><Meta><Type xmlns="syncml:metinf">syncml:auth-md5</Type><Format xmlns="syncml:metinf">b64</Format></Meta><Data>bO9siA2ybOhJmCc59YnbaA==</Data></Cred></SyncHdr>
<SyncBody>
<Alert><CmdID>1</CmdID><Data>1200</Data></Alert>
<Replace><CmdID>2</CmdID><Item><Source><LocURI>./DevInfo/DevId</LocURI></Source><Data>IMEI:35-1</Data></Item>
<Item><Source><LocURI>./DevInfo/Man</LocURI></Source><Data>Acme</Data></Item>
<Item><Source><LocURI>./DevInfo/Mod</LocURI></Source><Data>X1</Data></Item><Item><Source><LocURI>./DevInfo/DmV</LocURI></Source><Data>1.2</Data></Item><Item><Source>
<LocURI>./DevInfo/Lang</LocURI></Source><Data>en</Data></Item></Replace>
<Final/></SyncBody></SyncML>`))
	r := d.s.Report()
	if want := (dm.DevInfo{DevID: "IMEI:35-1", Man: "Acme", Mod: "X1", DmV: "1.2", Lang: "en"}); d.heard() != "Alert:200 Replace:200 Get Final" || !r.ByServer || r.DevInfo != want {
		t.Errorf("%s, %+v", d.heard(), r)
	}
}

// TestLateWork: work that comes up while the session runs is done in it.
func TestLateWork(t *testing.T) {
	d := newDevice(t, work(getA))
	d.say(hello, true, "Alert:200 Get Final")
	if err := d.s.Add(setA); err != nil {
		t.Fatal(err)
	}
	d.say(d.status("Get", 404), true, "Replace Final")
	d.say(d.status("Replace", 200), true, "Final")
	d.outcomes("get:404 set:200")
}

func TestNewRefuses(t *testing.T) {
	for what, change := range map[string]func(*dmserver.Options){
		"no secret":       func(o *dmserver.Options) { o.Account.Secret = "" },
		"no credential":   func(o *dmserver.Options) { o.Account.Credential = "" },
		"no user":         func(o *dmserver.Options) { o.Account.User = "" },
		"a quoted server": func(o *dmserver.Options) { o.Account.ServerID = `a"b` },
		"basic":           func(o *dmserver.Options) { o.Account.Scheme = syncml.AuthBasic },
		"no node":         func(o *dmserver.Options) { o.Work = []dmserver.Work{{Op: dmserver.Get}} },
		"no operation":    func(o *dmserver.Options) { o.Work = []dmserver.Work{{URI: "."}} },
		"no members":      func(o *dmserver.Options) { o.Work = []dmserver.Work{{Op: dmserver.Atomic}} },
		"a group in one": func(o *dmserver.Options) {
			o.Work = []dmserver.Work{{Op: dmserver.Sequence, Members: []dmserver.Work{{Op: dmserver.Atomic, Members: []dmserver.Work{setA}}}}}
		},
	} {
		o := options()
		change(&o)
		if _, err := dmserver.New(o); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
