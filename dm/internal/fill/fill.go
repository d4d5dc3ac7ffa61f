// Package fill writes messages up to the size that the peer takes, and cuts objects that fit into none (protocol.md C.7, C.8).
package fill

import (
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// MinMsgSize is taken where a peer announces less, since nothing would come forward otherwise (protocol.md C.7).
const MinMsgSize = 2000

// reserve is room for the alert that asks for the next message.
const reserve = 160

// leastPart is how much of an object a message takes even if it gets too long.
const leastPart = 64

// Builder is one message that is being written.
type Builder struct {
	enc   *syncml.Encoder
	max   int
	id    int // CmdID of the last command
	count int
}

// Begin begins a message of at most max octets.
func Begin(enc syncml.Encoding, h *syncml.Header, max int64) *Builder {
	return &Builder{enc: syncml.NewEncoder(enc, h), max: int(max) - reserve}
}

// Put writes a command, whatever its size.
func (b *Builder) Put(c syncml.Command) {
	number(c, &b.id)
	b.enc.Command(c)
}

// Try writes a command if it fits.
func (b *Builder) Try(c syncml.Command) bool {
	mark, id := b.enc.Mark(), b.id
	b.Put(c)
	if b.enc.Len() <= b.max {
		b.count++
		return true
	}
	b.enc.Reset(mark)
	b.id = id
	return false
}

// Count is how many commands and parts were written that had to fit.
func (b *Builder) Count() int { return b.count }

// Finish ends the message.
func (b *Builder) Finish(final bool) ([]byte, error) { return b.enc.Finish(final) }

// number gives a command and those in it their CmdIDs.
func number(c syncml.Command, id *int) {
	*id++
	text := strconv.Itoa(*id)
	switch c := c.(type) {
	case *syncml.Status:
		c.ID = text
	case *syncml.Results:
		c.ID = text
	case *syncml.Alert:
		c.ID = text
	case *syncml.Change:
		c.ID = text
	case *syncml.Get:
		c.ID = text
	case *syncml.Exec:
		c.ID = text
	case *syncml.Group:
		c.ID = text
		for _, m := range c.Commands {
			number(m, id)
		}
	}
}

// Object is an object that goes out in parts, each in a message of its own.
type Object struct {
	item    syncml.Item
	command func(syncml.Item) syncml.Command // of a part
	data    []byte
	sent    int
}

// NewObject cuts the data of an item. command makes the command that carries a part.
func NewObject(it syncml.Item, command func(syncml.Item) syncml.Command) *Object {
	it.Data, it.Meta = Text(it.Data.Bytes, it.Meta)
	return &Object{item: it, command: command, data: it.Data.Bytes}
}

// Size is how many octets of data there are to be sent.
func (o *Object) Size() int64 { return int64(len(o.data)) }

// Text makes data such that either encoding can carry it, in parts as well.
func Text(data []byte, meta syncml.Meta) (*syncml.Data, syncml.Meta) {
	if !syncml.XMLText(data) {
		meta.Format = "b64"
		data = base64.StdEncoding.AppendEncode(nil, data)
	}
	return &syncml.Data{Bytes: data}, meta
}

// Part writes the next part and tells whether it was the last one. c is nil if what is there already leaves no room for any.
func (b *Builder) Part(o *Object) (c syncml.Command, last bool) {
	mark, id := b.enc.Mark(), b.id
	for room := b.max - b.enc.Len(); ; room -= max(room/8, 1) {
		n := o.cut(room)
		c, last = o.part(n)
		b.Put(c)
		if b.enc.Len() <= b.max || room <= leastPart && b.count == 0 {
			o.sent += n
			b.count++
			return c, last
		}
		b.enc.Reset(mark)
		b.id = id
		if room <= leastPart {
			return nil, false
		}
	}
}

func (o *Object) part(n int) (c syncml.Command, last bool) {
	it := o.item
	if o.sent == 0 {
		it.Meta.Size = int64(len(o.data))
	}
	last = o.sent+n == len(o.data)
	it.Data, it.MoreData = &syncml.Data{Bytes: o.data[o.sent : o.sent+n]}, !last
	return o.command(it), last
}

// cut is how much of what is left makes a part of about n octets: base64 is cut between its groups and text between characters.
func (o *Object) cut(n int) int {
	rest := o.data[o.sent:]
	n = max(n, leastPart) // a multiple of 4
	if n >= len(rest) {
		return len(rest)
	}
	if o.item.Meta.Format == "b64" {
		return n - n%4
	}
	for n > 1 && !utf8.RuneStart(rest[n]) {
		n--
	}
	return n
}
