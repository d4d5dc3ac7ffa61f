package filter

import (
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
)

// Columns is what filters look at of many items of one kind, without folders: what all of them say of one field lies together, in few octets. So
// only what a filter looks at need be read, and what many items have in common is judged once. A Packer makes it (F8).
type Columns struct {
	Kind  pim.Kind
	Items int
	Data  map[string]string // by name; a filter needs those that Filter.Columns names
}

// ColumnsForm goes up whenever a Packer writes something else: columns of another form are of no use.
const ColumnsForm = factsVersion<<8 | 2

// Columns names what a filter looks at of items of a kind, in no order and each name once. Terms that need the body look at none.
func (f Filter) Columns(kind pim.Kind) (names []string) {
	f.cond.some(func(e *expr) bool {
		if name := e.term.field.column(kind); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
		return false
	})
	return names
}

// column names where a field of a kind lies, "" if it lies nowhere.
func (f *field) column(kind pim.Kind) string {
	switch {
	case f.needsBody || !slices.Contains(f.kinds, kind):
		return ""
	case f.name == "smaller":
		return "larger"
	}
	return f.name
}

// Packer makes Columns. NewPacker makes one.
type Packer struct {
	kind    pim.Kind
	items   int
	columns []packed
}

// packed is a column in the making.
type packed struct {
	field *field
	column
}

// column takes the part of one item after the other.
type column interface {
	add(p *part)
	octets() []byte
}

// NewPacker makes a Packer for items of a kind.
func NewPacker(kind pim.Kind) *Packer {
	p := &Packer{kind: kind}
	for i := range fields {
		f := &fields[i]
		switch {
		case f.column(kind) != f.name: // it has none, or shares one
		case f.scale != nil:
			p.columns = append(p.columns, packed{f, &numbers{}})
		default:
			p.columns = append(p.columns, packed{f, &choices{known: map[string]uint64{}}})
		}
	}
	return p
}

// Add adds an item that is no folder.
func (p *Packer) Add(f *Facts) {
	p.items++
	for _, c := range p.columns {
		part := f.part(c.field)
		c.add(&part)
	}
}

// Items is how many were added.
func (p *Packer) Items() int { return p.items }

// Columns is what was added.
func (p *Packer) Columns() *Columns {
	out := &Columns{Kind: p.kind, Items: p.items, Data: make(map[string]string)}
	for _, c := range p.columns {
		out.Data[c.field.name] = string(c.octets())
	}
	return out
}

// Differ tells of each item whether f says something else then than g says now: each of them says what MatchFacts would. It fails if a column that
// they need is missing or broken.
func (c *Columns) Differ(f *Filter, then time.Time, g *Filter, now time.Time) ([]bool, error) {
	before, err := c.judge(f, then)
	if err != nil {
		return nil, err
	}
	after, err := c.judge(g, now)
	out := make([]bool, len(before))
	for i := range before {
		out[i] = (before[i] == no) != (after[i] == no)
	}
	return out, err
}

func (c *Columns) judge(f *Filter, now time.Time) ([]verdict, error) {
	s := survey{Columns: c, now: now.Unix()}
	out := s.expr(&f.cond)
	return out, s.err
}

// survey judges all items at a time.
type survey struct {
	*Columns
	now int64 // seconds since 1970
	err error // the first one
}

// expr is judgement.expr for all items.
func (s *survey) expr(e *expr) []verdict {
	if e.term != nil {
		out := s.term(e.term)
		for i := range out {
			if e.not {
				out[i] = -out[i]
			}
		}
		return out
	}
	out := s.all(yes)
	if e.any {
		out = s.all(no)
	}
	for i := range e.subs {
		for j, v := range s.expr(&e.subs[i]) {
			if e.any {
				out[j] = max(out[j], v)
			} else {
				out[j] = min(out[j], v)
			}
		}
	}
	return out
}

// all is one verdict on all items.
func (s *survey) all(v verdict) []verdict {
	return slices.Repeat([]verdict{v}, s.Items)
}

func (s *survey) term(t *term) []verdict {
	name := t.field.column(s.Kind)
	if name == "" {
		return s.all(maybe)
	}
	u := unpacker{data: s.Data[name]}
	out := make([]verdict, s.Items)
	if t.field.scale != nil {
		s.numbers(t, &u, out)
	} else {
		s.choices(t, &u, out)
	}
	if s.err == nil && (u.broken || u.rest() > 0) {
		s.err = errBroken
	}
	return out
}

// parts judges what stands for one item or many.
func (s *survey) parts(t *term) func(*unpacker) verdict {
	if t.field.text != nil {
		return t.spoken
	}
	p := part{texts: []string{}}
	facts := Facts{Kind: s.Kind}
	j := judgement{facts: &facts, now: s.now}
	return func(u *unpacker) verdict {
		p.read(u)
		facts.take(t.field, &p)
		return j.term(t)
	}
}

// spoken judges a part that is texts as it is read: there are many of them.
func (t *term) spoken(u *unpacker) verdict {
	head, v := u.octet(), no
	u.broken = u.broken || head&^partKnown != 0
	for range u.count(1) {
		w := u.text()
		for i := range t.values {
			if v == no && t.field.text(w, &t.values[i]) {
				v = yes
			}
		}
	}
	if head&partKnown == 0 {
		return maybe
	}
	return v
}
