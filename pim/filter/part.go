package filter

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// part is what one field looks at of an item.
type part struct {
	known  bool // it is known what the item says, see Facts.Read
	is     *bool
	moment *Moment
	texts  []string

	yes  bool // is points here after read
	when Moment
}

func (f *Facts) part(of *field) part {
	p := part{known: f.Read || of.always}
	switch {
	case of.scale != nil:
		p.moment = of.scale.of(f)
	case of.name == "flag":
		p.texts = []string{string(f.Flags)}
	case of.name == "folder":
		p.texts = []string{f.Folder}
	case of.name == "has":
		p.is = f.Attachment
	case of.name == "status":
		p.is = f.Done
	default:
		p.texts = f.Words[of.name]
	}
	return p
}

// take makes f an item of which only that part is known, without its words.
func (f *Facts) take(of *field, p *part) {
	f.Read = p.known
	switch of.name {
	case "since", "before", "due":
		f.Begin, f.End, f.Due = p.moment, p.moment, p.moment
	case "flag":
		f.Flags = pim.Flags(strings.Join(p.texts, ""))
	case "folder":
		f.Folder = strings.Join(p.texts, "")
	case "has", "status":
		f.Attachment, f.Done = p.is, p.is
	}
}

// What the first octet of a part says.
const (
	partKnown = 1 << iota
	partTold
	partTrue
	partMoment
)

// append writes a part.
func (p *part) append(b []byte) []byte {
	b = append(b, bit(p.known, partKnown)|bit(p.is != nil, partTold)|bit(p.is != nil && *p.is, partTrue)|bit(p.moment != nil, partMoment))
	if p.moment != nil {
		b = binary.AppendVarint(binary.AppendVarint(b, p.moment[0]), p.moment[1])
	}
	b = binary.AppendUvarint(b, uint64(len(p.texts)))
	for _, s := range p.texts {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

func bit(on bool, b byte) byte {
	if on {
		return b
	}
	return 0
}

// read reads what append has written, into the same memory each time.
func (p *part) read(u *unpacker) {
	head := u.octet()
	p.known, p.is, p.moment, p.texts = head&partKnown != 0, nil, nil, p.texts[:0]
	if head&partTold != 0 {
		p.yes = head&partTrue != 0
		p.is = &p.yes
	}
	if head&partMoment != 0 {
		p.when = Moment{u.signed(), u.signed()}
		p.moment = &p.when
	}
	for range u.count(1) {
		p.texts = append(p.texts, u.text())
	}
}

var errBroken = errors.New("a column of facts is broken")

// unpacker reads columns. What it finds broken it reads as nothing.
type unpacker struct {
	data   string
	at     int // a number is cheaper to move on than a string
	broken bool
}

func (u *unpacker) rest() int { return len(u.data) - u.at }

func (u *unpacker) octet() byte {
	if u.rest() == 0 {
		u.broken = true
		return 0
	}
	u.at++
	return u.data[u.at-1]
}

func (u *unpacker) number() (n uint64) {
	for i, at := 0, u.at; at < len(u.data) && i < binary.MaxVarintLen64; i, at = i+1, at+1 {
		c := u.data[at]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			u.at = at + 1
			return n
		}
	}
	u.at, u.broken = len(u.data), true
	return 0
}

func (u *unpacker) signed() int64 {
	n := u.number()
	return int64(n>>1) ^ -int64(n&1) //nolint:gosec // that is how they are written
}

// count reads how many things of at least so many octets follow.
func (u *unpacker) count(octets int) int {
	n := u.number()
	if n > uint64(u.rest()/octets) { //nolint:gosec // it is not negative
		u.broken = true
		return 0
	}
	return int(n) //nolint:gosec // see above
}

func (u *unpacker) text() string { return u.octets(u.count(1)) }

// octets reads the next n octets.
func (u *unpacker) octets(n int) string {
	if n > u.rest() {
		u.broken, n = true, 0
	}
	u.at += n
	return u.data[u.at-n : u.at]
}
