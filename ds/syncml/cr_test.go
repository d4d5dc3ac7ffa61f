package syncml_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// TestCarriageReturnsInXMLStay: SyncEvolution sends them bare, in CDATA.
func TestCarriageReturnsInXMLStay(t *testing.T) {
	const head = "<SyncML>\r\n<SyncHdr><VerDTD>1.2</VerDTD>\r\n<VerProto>SyncML/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID></SyncHdr>\r\n<SyncBody>" +
		"<Sync\r\n><CmdID>1</CmdID><Add><CmdID>2</CmdID><Item><Source><LocURI>1</LocURI></Source><Data>"
	const tail = "</Data></Item></Add></Sync></SyncBody></SyncML>\r\n"
	for name, c := range map[string]struct{ data, want string }{
		"CDATA":           {"<![CDATA[BEGIN:VCARD\r\nN:<a>\r\n]]>", "BEGIN:VCARD\r\nN:<a>\r\n"},
		"text":            {"BEGIN:VCARD\r\nN:&lt;a&gt;\r\nEND", "BEGIN:VCARD\r\nN:<a>\r\nEND"},
		"references":      {"A&#xD;\nB", "A\r\nB"},
		"line feeds stay": {"A\nB", "A\nB"},
	} {
		m, err := syncml.Decode([]byte(head+c.data+tail), syncml.XML)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := string(m.Commands[0].(*syncml.Sync).Commands[0].(*syncml.Change).Items[0].Data.Bytes)
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestXMLRoom(t *testing.T) {
	for _, c := range []struct {
		text string
		n    int
		want int
	}{
		{"abcdef", 4, 4}, {"abc", 10, 3}, {"éé", 3, 2}, {"é", 1, 2}, {"a]]>b", 10, 3}, {"a]]>b", 17, 5},
	} {
		if got := syncml.XMLRoom([]byte(c.text), c.n); got != c.want {
			t.Errorf("%q in %d octets: %d, want %d", c.text, c.n, got, c.want)
		}
	}
}
