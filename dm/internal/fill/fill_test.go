package fill_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/dm/internal/gather"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

func part(it syncml.Item) syncml.Command {
	return &syncml.Change{Op: syncml.OpReplace, Items: []syncml.Item{it}}
}

// send sends data in messages of a size and puts it together again.
func send(t *testing.T, data []byte, enc syncml.Encoding, size int64) []byte {
	t.Helper()
	o := fill.NewObject(syncml.Item{Target: &syncml.Location{URI: "./A"}, Data: &syncml.Data{Bytes: data}}, part)
	g := gather.Gatherer{Max: 1 << 20}
	for range 10_000 {
		b := fill.Begin(enc, &syncml.Header{VerDTD: "1.2", MsgID: "1"}, size)
		_, last := b.Part(o)
		out, err := b.Finish(last)
		if err != nil || int64(len(out)) > size {
			t.Fatalf("a message of %d octets, %d are taken: %v", len(out), size, err)
		}
		m, err := syncml.Decode(out, enc)
		if err != nil {
			t.Fatal(err)
		}
		c := m.Commands[0].(*syncml.Change)
		whole, lost, err := g.Take("Replace", c.Meta, c.Items[0])
		if err != nil || lost != nil || (whole != nil) != last {
			t.Fatalf("part: %v %v %v", whole, lost, err)
		}
		if last {
			got, err := whole.Body()
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
	}
	t.Fatal("it does not end")
	return nil
}

func TestParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, alphabet := range []string{"abc", "<&>]]>", "äöü€😀x", "\x00\x01\xff\r\n", "a\r\nb\n"} {
		for range 50 {
			var b strings.Builder
			for n := 1 + r.IntN(6000); b.Len() < n; {
				i := r.IntN(len(alphabet))
				b.WriteString(alphabet[i:])
			}
			data := []byte(b.String())
			for _, enc := range []syncml.Encoding{syncml.XML, syncml.WBXML} {
				if got := send(t, data, enc, int64(fill.MinMsgSize+r.IntN(2000))); !bytes.Equal(got, data) {
					t.Fatalf("%s: %d octets of %q became %d", enc, len(data), alphabet, len(got))
				}
			}
		}
	}
}
