package filter

import (
	"encoding/binary"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
)

// Pack appends facts in few octets, so that a server can hold those of many items in memory. It is no form for a disk: only this process
// reads it, with Unpacker.
func (f Facts) Pack(b []byte) []byte {
	var bits uint64
	for i, on := range []bool{f.IsFolder, f.Read, f.Begin != nil, f.End != nil, f.Due != nil, f.Attachment != nil, f.Attachment != nil && *f.Attachment,
		f.Done != nil, f.Done != nil && *f.Done} {
		if on {
			bits |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, bits)
	b = binary.AppendVarint(b, f.Size)
	for _, m := range []*Moment{f.Begin, f.End, f.Due} {
		if m != nil {
			b = binary.AppendVarint(binary.AppendVarint(b, m[0]), m[1]-m[0])
		}
	}
	b = packText(packText(b, f.Folder), string(f.Flags))
	for field, texts := range f.Words {
		b = binary.AppendUvarint(packText(b, field), uint64(len(texts)))
		for _, s := range texts {
			b = packText(b, s)
		}
	}
	return b
}

func packText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Unpacker reads packed facts one after the other into the same memory.
type Unpacker struct {
	Kind  pim.Kind
	Words bool // texts are wanted, too

	facts           Facts
	begin, end, due Moment
	attachment      bool
	done            bool
	words           map[string][]string
	judgement       judgement
	texts           []string
	rest            string
}

// Read returns what Pack has written. It is good until the next Read.
func (u *Unpacker) Read(packed string) *Facts {
	u.rest = packed
	bits := u.number()
	u.facts = Facts{Version: factsVersion, Kind: u.Kind, IsFolder: bits&1 != 0, Read: bits&2 != 0, Size: u.signed()}
	for i, m := range []struct {
		to   **Moment
		from *Moment
	}{{&u.facts.Begin, &u.begin}, {&u.facts.End, &u.end}, {&u.facts.Due, &u.due}} {
		if bits&(4<<i) != 0 {
			m.from[0] = u.signed()
			m.from[1] = m.from[0] + u.signed()
			*m.to = m.from
		}
	}
	for i, f := range []struct {
		to   **bool
		from *bool
	}{{&u.facts.Attachment, &u.attachment}, {&u.facts.Done, &u.done}} {
		if bits&(1<<(5+2*i)) != 0 {
			*f.from = bits&(1<<(6+2*i)) != 0
			*f.to = f.from
		}
	}
	u.facts.Folder, u.facts.Flags = u.text(), pim.Flags(u.text())
	if u.Words {
		u.readWords()
	}
	return &u.facts
}

func (u *Unpacker) readWords() {
	if u.words == nil {
		u.words = make(map[string][]string)
	}
	clear(u.words)
	u.texts = u.texts[:0]
	for u.rest != "" {
		field, n, from := u.text(), u.number(), len(u.texts)
		for range n {
			u.texts = append(u.texts, u.text())
		}
		u.words[field] = u.texts[from:len(u.texts):len(u.texts)]
	}
	if len(u.words) > 0 {
		u.facts.Words = u.words
	}
}

// number reads what AppendUvarint wrote. The package reads only what it has written itself.
func (u *Unpacker) number() (n uint64) {
	for shift := 0; ; shift += 7 {
		c := u.rest[0]
		u.rest = u.rest[1:]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
	}
}

func (u *Unpacker) signed() int64 {
	n := u.number()
	return int64(n>>1) ^ -int64(n&1)
}

func (u *Unpacker) text() (s string) {
	n := u.number()
	s, u.rest = u.rest[:n], u.rest[n:]
	return s
}

// Match is MatchFacts with what was read last.
func (u *Unpacker) Match(f *Filter, now time.Time) bool {
	u.judgement = judgement{cond: &f.cond, facts: &u.facts}
	return u.judgement.at(now.Unix())
}

// LooksAtWords tells whether a filter compares texts of an item, so that an Unpacker has to read them.
func (f Filter) LooksAtWords() bool {
	return f.cond.some(func(e *expr) bool { return e.term != nil && !e.term.field.plain() })
}

// plain tells whether a field is judged without texts.
func (f *field) plain() bool {
	switch f.name {
	case "since", "before", "due", "status", "flag", "has", "folder", "larger", "smaller":
		return true
	}
	return false
}
