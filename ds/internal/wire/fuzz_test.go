package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// FuzzFindLogical reads statements about the logical session. What was understood can be said and understood again.
func FuzzFindLogical(f *testing.F) {
	f.Add("x-alwayson=ok;id=abc;lease=3600")
	f.Add(" x-alwayson=open ")
	f.Add("x-alwayson=in;id=a=b;;lease=-1;lease=99999999999")
	f.Fuzz(func(t *testing.T, emi string) {
		l := wire.FindLogical([]string{"x-other", emi})
		again := wire.FindLogical([]string{l.EMI()})
		if l != (wire.Logical{}) && strings.TrimSpace(l.EMI()) == l.EMI() && again != l {
			t.Errorf("%q is %+v, written %q, which is %+v", emi, l, l.EMI(), again)
		}
	})
}

// FuzzItem reads items: a folder never leads out of a store, and what was read is written and read the same.
func FuzzItem(f *testing.F) {
	f.Add("x-alwayson-item;folder=a%2F..%2Fb;flags=SF;name=n.vcf;", "text/vcard; charset=utf-8", "b64", []byte("QUJD"))
	f.Add("x-alwayson-item;folder=%zz", "", "", []byte{0, 1})
	f.Add("datapos=17", "message/rfc822", "chr", []byte("Subject: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, emi, typ, format string, data []byte) {
		meta := syncml.Meta{Type: typ, Format: format, EMI: []string{emi}}
		if wire.DataPos(&meta) < -1 {
			t.Errorf("%q is before the beginning", emi)
		}
		it, err := wire.Item(meta, data)
		if err != nil {
			return
		}
		for part := range strings.SplitSeq(it.Folder, "/") {
			if part == ".." || part == "." {
				t.Errorf("%q leads to %q", emi, it.Folder)
			}
		}
		c := wire.Whole(syncml.OpAdd, "", "1", "", it)
		again, err := wire.Item(wire.Meta(c, &c.Items[0]), c.Items[0].Data.Bytes)
		if err != nil || again.Folder != it.Folder || again.Flags != it.Flags || again.Name != it.Name || string(again.Body) != string(it.Body) {
			t.Errorf("%+v came back as %+v, %v", it, again, err)
		}
	})
}

// FuzzObject cuts items into chunks, which make the item again.
func FuzzObject(f *testing.F) {
	f.Add([]byte("a]]>b\r\nä€𝄞"), 5)
	f.Add([]byte{0, 0xFF}, 1)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		if n < 1 || len(body) > 1000 {
			return
		}
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			it := pim.Item{Type: "text/plain", Body: body}
			c := wire.Whole(syncml.OpAdd, "", "1", "", it)
			var chunks [][]byte
			var format string
			for o, more := wire.NewObject(it, enc), true; more; {
				more = o.Next(c, n)
				chunks, format = append(chunks, c.Items[0].Data.Bytes), c.Meta.Format
			}
			got, err := wire.Item(syncml.Meta{Format: format}, slices.Concat(chunks...))
			if err != nil || string(got.Body) != string(body) {
				t.Errorf("%v: %q in parts of %d came back as %q, %v", enc, body, n, got.Body, err)
			}
		}
	})
}
