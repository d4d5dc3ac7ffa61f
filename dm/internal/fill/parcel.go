package fill

import (
	"slices"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// Member is a command of a Parcel: as it is, or in parts.
type Member struct {
	Command syncml.Command
	Object  *Object // nil if it cannot be cut
}

// cuttable tells whether more than one part can be made of what is left.
func (m *Member) cuttable() bool {
	return m.Object != nil && len(m.Object.data)-m.Object.sent > leastPart
}

// rest is all of it that has not gone out.
func (m *Member) rest() syncml.Command {
	if m.Object == nil || m.Object.sent == 0 {
		return m.Command
	}
	c, _ := m.Object.part(len(m.Object.data) - m.Object.sent)
	return c
}

// Parcel is a group of commands that fits into no message. It goes out as a group in each of several messages, every one of which but the last ends with a
// part of an object, by which the peer knows that the group is not complete.
type Parcel struct {
	Atomic  bool
	Members []Member
	next    int // the first that has not gone out as a whole
}

func (p *Parcel) group(commands []syncml.Command) *syncml.Group {
	return &syncml.Group{Atomic: p.Atomic, Commands: commands}
}

// tail is the least that has to follow in the same message if the members before i are in it.
func (p *Parcel) tail(i int) (out []syncml.Command) {
	for ; i < len(p.Members); i++ {
		m := &p.Members[i]
		if m.cuttable() {
			c, _ := m.Object.part(m.Object.cut(leastPart))
			return append(out, c)
		}
		out = append(out, m.rest())
	}
	return out
}

// Parcel writes as much of a parcel as fits: members from the first one on, of which the last one may be a part, and whether they were the last ones. c is
// nil if not even the least fits.
func (b *Builder) Parcel(p *Parcel) (c *syncml.Group, first int, last bool) {
	first = p.next
	if !b.fits(p.group(p.tail(first))) {
		return nil, first, false
	}
	var commands []syncml.Command
	for ; p.next < len(p.Members); p.next++ {
		whole := append(slices.Clip(commands), p.Members[p.next].rest())
		if !b.fits(p.group(append(slices.Clip(whole), p.tail(p.next+1)...))) {
			break
		}
		commands = whole
	}
	if last = p.next == len(p.Members); !last {
		commands = append(commands, b.most(p, commands))
	}
	c = p.group(commands)
	b.Put(c)
	b.count++
	return c, first, last
}

// most is the largest part of the next member that fits behind commands. What cannot be cut fits as a whole, or else it would not be tried.
func (b *Builder) most(p *Parcel, commands []syncml.Command) syncml.Command {
	o := p.Members[p.next].Object
	left := len(o.data) - o.sent
	for room := min(b.max-b.enc.Len(), left-1); ; room -= max(room/8, 1) {
		n := o.cut(max(room, leastPart))
		c, _ := o.part(n)
		if n < left && b.fits(p.group(append(slices.Clip(commands), c))) || room <= leastPart {
			o.sent += n
			return c
		}
	}
}

// fits tells whether a command would.
func (b *Builder) fits(c syncml.Command) bool {
	mark, id := b.enc.Mark(), b.id
	b.Put(c)
	ok := b.enc.Len() <= b.max
	b.enc.Reset(mark)
	b.id = id
	return ok
}
