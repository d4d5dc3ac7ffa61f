package dmserver_test

import (
	"strconv"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func options() dmserver.Options {
	return dmserver.Options{Nonce: func() string { return "bm9uY2U=" },
		Account: dmserver.Account{ServerID: "srv", Secret: "secret", User: "user", Credential: syncml.Credential("user", "pass")},
		Work: []dmserver.Work{{ID: "g", Op: dmserver.Get, URI: "."}, {ID: "a", Op: dmserver.Atomic, Members: []dmserver.Work{
			{ID: "r", Op: dmserver.Replace, URI: "./Host", Value: dm.Value{Format: dm.FormatChr, Data: []byte("b")}}}},
			{ID: "o", Op: dmserver.Add, URI: "./A", Value: dm.Value{Format: dm.FormatBin, Data: make([]byte, 5000)}}}}
}

// FuzzHandle gives a server what came. Of who does not know the device's secret nothing is believed, and nothing is told; who does cannot bring it
// down.
func FuzzHandle(f *testing.F) {
	for _, s := range []string{
		`<SyncML><SyncHdr><Meta><MaxMsgSize>2000</MaxMsgSize></Meta></SyncHdr><SyncBody><Alert><CmdID>2</CmdID><Data>1201</Data></Alert><Final/></SyncBody></SyncML>`,
		`<SyncML><SyncHdr/><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>3</CmdRef><Cmd>Get</Cmd><Data>200</Data></Status>` +
			`<Results><CmdID>2</CmdID><CmdRef>3</CmdRef><Item><Source><LocURI>.</LocURI></Source><Meta><Size>4</Size></Meta><Data>ab</Data><MoreData/></Item></Results></SyncBody></SyncML>`,
		`<SyncML><SyncHdr/><SyncBody><Alert><CmdID>2</CmdID><Data>1226</Data><Item><Data>x</Data></Item></Alert><Alert><CmdID>3</CmdID><Data>1225</Data></Alert></SyncBody></SyncML>`,
	} {
		f.Add([]byte(s))
	}
	pimtest.Seed(f, 10_000, "dm")
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, who := range []shape{asItIs, anybody, theDevice} {
			s, err := dmserver.New(options())
			if err != nil {
				t.Fatal(err)
			}
			var last packet.Packet
			for i := range 4 {
				answer, _, err := s.Handle(packet.Packet{Body: who.say(in, last, strconv.Itoa(i))})
				if answer.IsZero() || err != nil {
					continue
				}
				m, err := syncml.Decode(answer.Body, syncml.Sniff(answer.Body))
				if err != nil {
					t.Fatalf("the answer cannot be read: %v", err)
				}
				for _, c := range m.Commands {
					if _, ok := c.(*syncml.Status); !ok && who != theDevice {
						t.Errorf("somebody was told %s", c.CommandName())
					}
				}
				last = answer
			}
			if r := s.Report(); who != theDevice && (r.Known || len(r.Events)+len(r.Outcomes) > 0 || r.DevInfo != dm.DevInfo{} || r.Nonces.Own != "") {
				t.Errorf("somebody was believed: %+v", r)
			}
		}
	})
}

// shape is how a message is made to get further than chance would bring it.
type shape int

const (
	asItIs    shape = iota
	anybody         // answers the server's last message
	theDevice       // and has the device's credentials
)

func (s shape) say(in []byte, last packet.Packet, id string) []byte {
	m, err := syncml.Decode(in, syncml.Sniff(in))
	if err != nil || s == asItIs {
		return in
	}
	m.Header.SessionID, m.Header.MsgID, m.Header.Cred = "A5", id, nil
	m.Header.Source.Name = "user"
	if s == theDevice {
		m.Header.Cred = syncml.MD5Cred("user", "pass", "")
	}
	if asked, err := syncml.Decode(last.Body, syncml.Sniff(last.Body)); err == nil {
		m.Commands = append([]syncml.Command{&syncml.Status{ID: "0", MsgRef: asked.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusOK}}, m.Commands...)
	}
	out, err := syncml.Encode(m, syncml.Sniff(in))
	if err != nil {
		return in
	}
	return out
}
