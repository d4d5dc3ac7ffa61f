package wire

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// Object is an item that goes out in chunks (protocol.md C.8).
type Object struct {
	body   []byte
	off    int
	format string
	// escaped: some octets take more than their room, and a part must not end inside a character.
	escaped bool
}

// NewObject takes an item. What XML cannot carry goes as base64 from its first octet to its last; SyncEvolution does not read that, so
// text stays text.
func NewObject(it pim.Item, enc syncml.Encoding) *Object {
	if enc == syncml.XML && !syncml.XMLText(it.Body) {
		return &Object{body: base64.StdEncoding.AppendEncode(nil, it.Body), format: base64Format}
	}
	return &Object{body: it.Body, escaped: enc == syncml.XML}
}

// Next puts the next part of at most n octets into c, which is a command for the whole item, and tells whether more follows.
func (o *Object) Next(c *syncml.Change, n int) (more bool) {
	if sif.Is(c.Meta.Type) && o.format == "" {
		*o = Object{body: base64.StdEncoding.AppendEncode(nil, o.body), format: base64Format}
	}
	n = min(len(o.body)-o.off, n)
	if o.escaped {
		n = syncml.XMLRoom(o.body[o.off:], n)
	}
	c.Meta.Size = 0 // stands in the first chunk only
	if o.off == 0 {
		c.Meta.Size = int64(len(o.body))
	}
	if c.Meta.Format = o.format; sif.Is(c.Meta.Type) {
		c.Meta.Format, c.Items[0].Meta.Format = "", o.format
	}
	// libsynthesis goes on in the middle of an object after a resume, and says and reads here where; others ignore it.
	c.Items[0].Meta.EMI = []string{dataPos + strconv.Itoa(o.off)}
	c.Items[0].Data = &syncml.Data{Bytes: o.body[o.off : o.off+n]}
	o.off += n
	c.Items[0].MoreData = o.off < len(o.body)
	return c.Items[0].MoreData
}

const dataPos = "datapos="

// DataPos is where in an object the chunk that has this meta information begins, -1 if it does not say.
func DataPos(m *syncml.Meta) int {
	for _, emi := range m.EMI {
		if pos, ok := strings.CutPrefix(emi, dataPos); ok {
			if n, err := strconv.Atoi(pos); err == nil && n >= 0 {
				return n
			}
		}
	}
	return -1
}
