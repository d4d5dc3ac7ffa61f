package filter

import "encoding/binary"

// choices is a column of which many items have the same part: each is written once, and then runs of items by the number of theirs. The number is
// doubled, and odd if the length of the run follows because it is not 1.
type choices struct {
	known   map[string]uint64
	parts   []byte
	runs    []byte
	current uint64
	length  uint64
	text    []byte
}

func (c *choices) add(p *part) {
	c.text = p.append(c.text[:0])
	n, ok := c.known[string(c.text)]
	if !ok {
		n = uint64(len(c.known))
		c.known[string(c.text)] = n
		c.parts = append(c.parts, c.text...)
	}
	if n != c.current {
		c.endRun()
	}
	c.current = n
	c.length++
}

func (c *choices) endRun() {
	switch c.length {
	case 0:
	case 1:
		c.runs = binary.AppendUvarint(c.runs, 2*c.current)
	default:
		c.runs = binary.AppendUvarint(binary.AppendUvarint(c.runs, 2*c.current+1), c.length)
	}
	c.length = 0
}

func (c *choices) octets() []byte {
	c.endRun()
	return append(append(binary.AppendUvarint(nil, uint64(len(c.known))), c.parts...), c.runs...)
}

func (s *survey) choices(t *term, u *unpacker, out []verdict) {
	judge := s.parts(t)
	verdicts := make([]verdict, u.count(1))
	for i := range verdicts {
		verdicts[i] = judge(u)
	}
	for len(out) > 0 {
		n, length := u.number(), uint64(1)
		if n&1 != 0 {
			length = u.number()
		}
		if n /= 2; n >= uint64(len(verdicts)) || length == 0 || length > uint64(len(out)) {
			u.broken = true
			return
		}
		v := verdicts[n]
		for i := range out[:length] {
			out[i] = v
		}
		out = out[length:]
	}
}

// numbers is a column of numbers, written as what they differ by. Before them stand the items that have no such number, or an uncertain one: how
// far each is behind the one before, and its part.
type numbers struct {
	items, lastOdd uint64
	odd            uint64 // how many
	parts          []byte
	last           int64
	differences    []byte
}

func (c *numbers) add(p *part) {
	if p.known && p.moment != nil && p.moment[0] == p.moment[1] {
		c.differences = binary.AppendVarint(c.differences, p.moment[0]-c.last)
		c.last = p.moment[0]
	} else {
		c.parts = p.append(binary.AppendUvarint(c.parts, c.items-c.lastOdd))
		c.lastOdd = c.items
		c.odd++
	}
	c.items++
}

func (c *numbers) octets() []byte {
	return append(append(binary.AppendUvarint(nil, c.odd), c.parts...), c.differences...)
}

func (s *survey) numbers(t *term, u *unpacker, out []verdict) {
	at, verdicts := s.odd(t, u, uint64(len(out)))
	scale := t.field.scale
	edge := scale.edge(&judgement{now: s.now}, &t.values[0])
	n := int64(0)
	for i := range out {
		if len(at) > 0 && at[0] == uint64(i) {
			out[i], at, verdicts = verdicts[0], at[1:], verdicts[1:]
			continue
		}
		n += u.signed()
		out[i] = scale.point(n, edge)
	}
}

// odd reads where the items are that have no plain number, and judges them.
func (s *survey) odd(t *term, u *unpacker, items uint64) (at []uint64, verdicts []verdict) {
	judge := s.parts(t)
	last := uint64(0)
	for range u.count(2) {
		last += u.number()
		at, verdicts = append(at, last), append(verdicts, judge(u))
	}
	u.broken = u.broken || last > 0 && last >= items
	return at, verdicts
}
