package syncml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// busy is a message as a first sync sends them: a thousand contacts of some 600 octets.
func busy() *syncml.Message {
	s := &syncml.Sync{ID: "1", Target: syncml.Location{URI: "contacts"}, Source: syncml.Location{URI: "./contacts"}, NumberOfChanges: 1000}
	for i := range 1000 {
		body := fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%d@bench\r\nFN:First Last%d\r\nNOTE:%s\r\nEND:VCARD\r\n", i, i, strings.Repeat("word ", 100))
		s.Commands = append(s.Commands, &syncml.Change{Op: syncml.OpAdd, ID: fmt.Sprint(i + 2), Meta: syncml.Meta{Type: "text/vcard"},
			Items: []syncml.Item{{Source: &syncml.Location{URI: fmt.Sprintf("abcdefgh%08d", i)}, Data: &syncml.Data{Bytes: []byte(body)}}}})
	}
	return &syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: "1", MsgID: "2",
		Target: syncml.Location{URI: "http://server/ds"}, Source: syncml.Location{URI: "device"}}, Commands: []syncml.Command{s}, Final: true}
}

func BenchmarkCodec(b *testing.B) {
	m := busy()
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		out, err := syncml.Encode(m, enc)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("encode "+enc.String(), func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := syncml.Encode(m, enc); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("decode "+enc.String(), func(b *testing.B) {
			b.SetBytes(int64(len(out)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := syncml.Decode(out, enc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
