package dmclient_test

import (
	"strconv"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// FuzzHandle gives a device what came. Who does not know the server's secret changes nothing, whatever is said; who does cannot bring it down.
func FuzzHandle(f *testing.F) {
	for _, s := range []string{
		`<SyncML><SyncHdr><SessionID>A5</SessionID><MsgID>1</MsgID></SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Data>212</Data></Status>` +
			`<Replace><CmdID>2</CmdID><Item><Target><LocURI>./Host</LocURI></Target><Data>b</Data></Item></Replace><Final/></SyncBody></SyncML>`,
		`<SyncML><SyncHdr><SessionID>A5</SessionID><MsgID>1</MsgID></SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Chal><Meta><Type>syncml:auth-md5</Type><NextNonce>AA</NextNonce></Meta></Chal><Data>401</Data></Status></SyncBody></SyncML>`,
		`<SyncML><SyncHdr><SessionID>A5</SessionID><MsgID>1</MsgID></SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Data>200</Data></Status>` +
			`<Add><CmdID>2</CmdID><Item><Target><LocURI>./DMAcc/a/Name</LocURI></Target><Meta><Size>9</Size></Meta><Data>b</Data><MoreData/></Item></Add></SyncBody></SyncML>`,
	} {
		f.Add([]byte(s))
	}
	pimtest.Seed(f, 10_000, "dm")
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, who := range []shape{asItIs, anybody, theServer} {
			o := options(t)
			s, err := dmclient.New(o)
			if err != nil {
				t.Fatal(err)
			}
			last, err := s.Start()
			if err != nil {
				t.Fatal(err)
			}
			for i := range 3 {
				answer, _, err := s.Handle(noon, packet.Packet{Body: who.say(in, last, strconv.Itoa(i))})
				if answer.IsZero() || err != nil {
					continue
				}
				if _, err := syncml.Decode(answer.Body, syncml.XML); err != nil {
					t.Errorf("the answer cannot be read: %v", err)
				}
				last = answer
			}
			host, accounts := valueOf(o, "Host"), valueOf(o, "DMAcc")
			if r := s.Report(); who != theServer && (host != "a" || accounts != "" || r.Changed || r.Nonces.Own != "") {
				t.Errorf("somebody has changed the tree: %s, %s, %+v", host, accounts, r)
			}
		}
	})
}

// shape is how a message is made to get further than chance would bring it.
type shape int

const (
	asItIs    shape = iota
	anybody         // answers the device's last message
	theServer       // and has the server's credentials
)

func (s shape) say(in []byte, last packet.Packet, id string) []byte {
	m, err := syncml.Decode(in, syncml.Sniff(in))
	asked, err2 := syncml.Decode(last.Body, syncml.XML)
	if err != nil || err2 != nil || s == asItIs {
		return in
	}
	m.Header.SessionID, m.Header.MsgID, m.Header.Cred = "A5", id, nil
	m.Header.Source.Name = "srv"
	if s == theServer {
		m.Header.Cred = syncml.MD5Cred("srv", "secret", "")
	}
	m.Commands = append([]syncml.Command{&syncml.Status{ID: "0", MsgRef: asked.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusOK}}, m.Commands...)
	out, err := syncml.Encode(m, syncml.WBXML)
	if err != nil {
		return in
	}
	return out
}

func valueOf(o dmclient.Options, name string) string {
	v, _ := o.Tree.(*tree.Tree).Value(dm.Path{name})
	return string(v.Data)
}
