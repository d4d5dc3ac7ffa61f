package wire_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// TestSIFIsInBase64, whole and in chunks, with the Format in the item as Horde's server wrote it.
func TestSIFIsInBase64(t *testing.T) {
	it := pim.Item{Type: sif.TypeNote, Body: []byte("<note><Body>für dich</Body></note>")}
	want := base64.StdEncoding.EncodeToString(it.Body)
	for _, enc := range []syncml.Encoding{syncml.XML, syncml.WBXML} {
		c := wire.Whole(syncml.OpAdd, "", "1", "", it)
		if got := string(c.Items[0].Data.Bytes); got != want || c.Items[0].Meta.Format != "b64" || c.Meta.Format != "" {
			t.Errorf("%s in %+v", got, c)
		}
		m := &syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2"}, Commands: []syncml.Command{&syncml.Sync{Commands: []syncml.Command{c}}}}
		body, err := syncml.Encode(m, enc)
		if err != nil {
			t.Fatal(err)
		}
		again, err := syncml.Decode(body, enc)
		if err != nil {
			t.Fatal(err)
		}
		ch := again.Commands[0].(*syncml.Sync).Commands[0].(*syncml.Change)
		if got, err := wire.Item(wire.Meta(ch, &ch.Items[0]), ch.Items[0].Data.Bytes); err != nil || string(got.Body) != string(it.Body) || got.Type != it.Type {
			t.Errorf("%+v, %v", got, err)
		}

		var chunks [][]byte
		for o, more := wire.NewObject(pim.Item{Body: it.Body}, enc), true; more; {
			more = o.Next(c, 10)
			chunks = append(chunks, c.Items[0].Data.Bytes)
			if c.Items[0].Meta.Format != "b64" || len(chunks) == 1 && c.Meta.Size != int64(len(want)) {
				t.Errorf("%+v", c)
			}
		}
		if got := string(slices.Concat(chunks...)); got != want {
			t.Errorf("in chunks: %s", got)
		}
	}
}
