package san_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// legacy is the message of protocol.md F.6.
const legacy = `02 9f 53 6a 00 6d 6c 71 03 31 2e 31 00 01 72 03 53 79 6e 63 4d 4c 2f 31 2e 31 00 01 65 03 31 00 01 5b 03 31 00 01
6e 57 03 2f 00 01 01 67 57 03 50 43 20 53 75 69 74 65 00 01 01 01
6b 46 4b 03 31 00 01 4f 03 32 30 36 00 01 54 67 57 03 43 6f 6e 74 61 63 74 73 00 01 01 5a 00 01 53 03 74 65 78 74 2f 78 2d 76 63 61 72 64 00 01 01 01 01
00 00 12 01 01`

const legacyXML = `<?xml version="1.0"?><SyncML xmlns="SYNCML:SYNCML1.1"><SyncHdr><VerDTD>1.1</VerDTD><VerProto>SyncML/1.1</VerProto><SessionID>A5</SessionID>
<MsgID>1</MsgID><Target><LocURI>/</LocURI></Target><Source><LocURI>srv</LocURI></Source></SyncHdr><SyncBody>
<Alert><CmdID>1</CmdID><Data>206</Data><Item><Source><LocURI>card</LocURI></Source><Meta><Type xmlns="syncml:metinf">text/x-vCard</Type></Meta></Item>
<Item><Target><LocURI>cal</LocURI></Target></Item></Alert>
<Alert><CmdID>2</CmdID><Data>209</Data><Item><Source><LocURI>mail</LocURI></Source></Item></Alert><Final/></SyncBody></SyncML>`

func TestMessagesOfDS11AreNotifications(t *testing.T) {
	bin, err := hex.DecodeString(strings.Join(strings.Fields(legacy), ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   []byte
		want san.Notification
	}{
		{"WBXML", bin, san.Notification{Version: san.DS, ByServer: true, SessionID: 1, ServerID: "PC Suite", Syncs: []san.Sync{{206, 0x07, "Contacts"}}}},
		{"XML", []byte(legacyXML), san.Notification{Version: san.DS, ByServer: true, SessionID: 0xA5, ServerID: "srv",
			Syncs: []san.Sync{{206, 0x07, "card"}, {206, 0, "cal"}, {209, 0, "mail"}}}},
		{"everything", []byte(`<SyncML><SyncHdr><SessionID>a word</SessionID></SyncHdr><SyncBody><Alert><Data>206</Data></Alert></SyncBody></SyncML>`),
			san.Notification{Version: san.DS, ByServer: true}},
	} {
		m, err := syncml.Decode(c.in, syncml.Sniff(c.in))
		if err != nil {
			t.Fatal(err)
		}
		got, err := san.FromMessage(m)
		if d := cmp.Diff(&c.want, got); d != "" || err != nil {
			t.Errorf("%s: %s, %v", c.name, d, err)
		}
	}
}

func TestOtherMessagesAreNoNotifications(t *testing.T) {
	for name, body := range map[string]string{
		"no alert":            "<Final/>",
		"a client's alert":    "<Alert><Data>200</Data><Item><Source><LocURI>card</LocURI></Source></Item></Alert>",
		"DM's alert":          "<Alert><Data>1200</Data></Alert>",
		"an item without URI": "<Alert><Data>206</Data><Item><Source/></Item></Alert>",
	} {
		m, err := syncml.Decode([]byte("<SyncML><SyncHdr/><SyncBody>"+body+"</SyncBody></SyncML>"), syncml.XML)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := san.FromMessage(m); err == nil {
			t.Errorf("%s: %+v", name, n)
		}
	}
}
