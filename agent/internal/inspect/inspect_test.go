package inspect

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const message = `<SyncML><SyncHdr><VerDTD>1.2</VerDTD><VerProto>SyncML/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID><Target><LocURI>s</LocURI></Target>` +
	`<Source><LocURI>d</LocURI></Source><Cred><Meta><Type xmlns="syncml:metinf">syncml:auth-md5</Type></Meta><Data>c2VjcmV0</Data></Cred></SyncHdr>` +
	`<SyncBody><Status><CmdID>1</CmdID><Chal><Meta><NextNonce xmlns="syncml:metinf">bm9uY2U=</NextNonce></Meta></Chal><Data>212</Data></Status>` +
	`<Add><CmdID>2</CmdID><Item><Data>ITEM</Data></Item></Add><Final/></SyncBody></SyncML>`

// TestNoSecretIsShown, in both encodings; everything else is.
func TestNoSecretIsShown(t *testing.T) {
	wbxml, err := syncml.ToWBXML([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{"XML": []byte(message), "WBXML": wbxml} {
		text := Readable(body)
		for _, secret := range []string{"c2VjcmV0", "bm9uY2U", "secret", "nonce="} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s is shown:\n%s", name, secret, text)
			}
		}
		for _, want := range []string{"<Data>(left out)</Data>", "<NextNonce>(left out)</NextNonce>", "<Data>212</Data>", "<Data>ITEM</Data>", "\n      <Data>", "syncml:auth-md5"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: there is no %q in\n%s", name, want, text)
			}
		}
	}
}

func TestLongTextsAreShortened(t *testing.T) {
	text := Readable([]byte(strings.Replace(message, "ITEM", strings.Repeat("ä", 10*maxText), 1)))
	if len(text) > len(message)+4*maxText || !strings.Contains(text, "… (6000 octets)") || !strings.Contains(text, "</SyncML>") {
		t.Errorf("%d: %s", len(text), text)
	}
	if text := Readable(make([]byte, maxMessage+1)); !strings.Contains(text, "too long") {
		t.Error(text)
	}
	if text := Readable([]byte{0x03, 0xff}); !strings.Contains(text, "This is no SyncML") {
		t.Error(text)
	}
}

// TestTheRing keeps the last ones, and nothing while nobody looks.
func TestTheRing(t *testing.T) {
	var r Ring
	r.add(true, []byte(message))
	if n := len(r.Messages()); n != 0 {
		t.Errorf("%d messages are kept though nobody looks", n)
	}
	r.Record(true)
	for i := range kept + 3 {
		r.add(i%2 == 0, []byte(message))
	}
	list := r.Messages()
	if len(list) != kept || list[0].Sent || !list[kept-1].Sent || list[0].Size != len(message) {
		t.Errorf("%d messages", len(list))
	}
	if r.Record(false); len(r.Messages()) != 0 {
		t.Error("they are kept after the end")
	}
}
