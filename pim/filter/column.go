package filter

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

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

// numbers is a column of numbers. First stand the items that have no such number, or an uncertain one: how far each is behind the one before, and its
// part. The numbers of the others follow in chunks: the least of them, as what it differs by from that of the chunk before, how far the greatest is
// from it, and each as what is added to the least, in as few octets as the greatest needs. So a chunk all of which lies on one side of a value
// is judged at once.
type numbers struct {
	items, lastOdd uint64
	odd            uint64 // how many
	parts          []byte
	chunk          []int64 // not written yet
	low            int64   // of the last chunk that is
	chunks         []byte
}

// chunkNumbers is how many numbers are in a chunk, but for the last one.
const chunkNumbers = 128

func (c *numbers) add(p *part) {
	if p.known && p.moment != nil && p.moment[0] == p.moment[1] {
		if len(c.chunk) == chunkNumbers {
			c.endChunk()
		}
		c.chunk = append(c.chunk, p.moment[0])
	} else {
		c.parts = p.append(binary.AppendUvarint(c.parts, c.items-c.lastOdd))
		c.lastOdd = c.items
		c.odd++
	}
	c.items++
}

func (c *numbers) endChunk() {
	if len(c.chunk) == 0 {
		return
	}
	low := slices.Min(c.chunk)
	span := above(slices.Max(c.chunk), low)
	b := binary.AppendUvarint(binary.AppendVarint(c.chunks, low-c.low), span)
	for _, n := range c.chunk {
		for d, left := above(n, low), width(span); left > 0; d, left = d>>8, left-1 {
			b = append(b, byte(d)) //nolint:gosec // octet by octet
		}
	}
	c.low, c.chunks, c.chunk = low, b, c.chunk[:0]
}

// above is how far a number is from a lower one, which may be further than an int64 goes.
func above(n, low int64) uint64 { return uint64(n) - uint64(low) } //nolint:gosec // see above

// width is how many octets a number takes.
func width(n uint64) int { return (bits.Len64(n) + 7) / 8 }

func (c *numbers) octets() []byte {
	c.endChunk()
	return append(append(binary.AppendUvarint(nil, c.odd), c.parts...), c.chunks...)
}

func (s *survey) numbers(t *term, u *unpacker, out []verdict) {
	at, verdicts := s.odd(t, u, uint64(len(out)))
	if u.broken = u.broken || len(at) > len(out); u.broken {
		return
	}
	plain := out[len(at):] // what is ahead of where it belongs is moved there
	c := chunkJudge{scale: t.field.scale, edge: t.field.scale.edge(&judgement{now: s.now}, &t.values[0])}
	for some := range slices.Chunk(plain, chunkNumbers) {
		c.judge(u, some)
	}
	for i := 0; len(at) > 0; i++ {
		if at[0] == uint64(i) {
			out[i], at, verdicts = verdicts[0], at[1:], verdicts[1:]
		} else {
			out[i], plain = plain[0], plain[1:]
		}
	}
}

// chunkJudge judges chunks of numbers by a scale, one after the other.
type chunkJudge struct {
	scale *scale
	edge  int64
	low   int64
}

func (c *chunkJudge) judge(u *unpacker, out []verdict) {
	c.low += u.signed()
	span := u.number()
	octets := u.octets(width(span) * len(out))
	if u.broken {
		return
	}
	least := c.scale.point(c.low, c.edge)
	if c.scale.point(c.low+int64(span), c.edge) == least { //nolint:gosec // a sum that wraps is what the packer had
		for i := range out {
			out[i] = least
		}
		return
	}
	for i := range out {
		out[i] = c.scale.point(c.low+int64(little(octets[i*width(span):], width(span))), c.edge) //nolint:gosec // as above
	}
}

// little reads a number of so many octets, the least first.
func little(s string, octets int) (n uint64) {
	for i := octets - 1; i >= 0; i-- {
		n = n<<8 | uint64(s[i])
	}
	return n
}

// odd reads where the items are that have no plain number, and judges them.
func (s *survey) odd(t *term, u *unpacker, items uint64) (at []uint64, verdicts []verdict) {
	judge := s.parts(t)
	last := uint64(0)
	for range u.count(2) {
		behind := u.number()
		u.broken = u.broken || behind == 0 && len(at) > 0 || behind >= items
		last += behind
		at, verdicts = append(at, last), append(verdicts, judge(u))
	}
	u.broken = u.broken || last > 0 && last >= items
	return at, verdicts
}
