package filter

import (
	"slices"
	"strings"
)

// expr is a condition. A leaf has a term; else it is all of subs, or any of them. Negation stands at leaves only. Of two forms with one
// meaning, the functions below make the same one: nested lists are flat, and alternatives of one field are a list of values.
type expr struct {
	term *term
	not  bool
	any  bool
	subs []expr
}

// term is one condition on one field.
type term struct {
	field  *field
	prop   string // of the property, in upper case, if the field is "property"
	op     string // how the property is compared
	values []value
}

// value is one value of a term.
type value struct {
	text  string // canonical
	fold  string // as it is compared, see fold
	n     int64  // octets, a flag's letter, seconds since 1970, or if it rolls seconds before now
	rolls bool   // the time goes with now
}

func (e *expr) everything() bool { return e.term == nil && len(e.subs) == 0 }

// some tells whether a leaf satisfies ok.
func (e *expr) some(ok func(*expr) bool) bool {
	if e.term != nil {
		return ok(e)
	}
	for i := range e.subs {
		if e.subs[i].some(ok) {
			return true
		}
	}
	return false
}

// negated is the contrary of e.
func negated(e expr) expr {
	if e.term != nil {
		e.not = !e.not
		return e
	}
	subs := make([]expr, len(e.subs))
	for i := range e.subs {
		subs[i] = negated(e.subs[i])
	}
	return group(!e.any, subs)
}

func all(subs ...expr) expr   { return group(false, subs) }
func anyOf(subs ...expr) expr { return group(true, subs) }

// group makes a list of conditions in its canonical form.
func group(any bool, subs []expr) expr {
	out := expr{any: any}
	seen := map[string]bool{}
	at := map[string]int{} // leaves that can take more values, by all but their values
	for _, s := range flat(any, subs) {
		if key := s.mergeable(any); key != "" {
			if i, ok := at[key]; ok {
				out.subs[i] = out.subs[i].with(s.term.values)
				continue
			}
			at[key] = len(out.subs)
		} else if text := s.text(false); seen[text] {
			continue
		} else {
			seen[text] = true
		}
		out.subs = append(out.subs, s)
	}
	if len(out.subs) == 1 {
		return out.subs[0]
	}
	return out
}

// flat takes lists of the same sort apart.
func flat(any bool, subs []expr) []expr {
	var out []expr
	for _, s := range subs {
		if s.term == nil && s.any == any && len(s.subs) > 0 {
			out = append(out, s.subs...)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// mergeable is equal for leaves whose values may stand in one term: a or b is a,b; and -a -b is -a,b.
func (e *expr) mergeable(any bool) string {
	if e.term == nil || e.not == any || e.term.field.single {
		return ""
	}
	return e.term.field.name + "\x00" + e.term.prop + "\x00" + e.term.op
}

// with is a leaf with more values.
func (e expr) with(values []value) expr {
	t := *e.term
	t.values = slices.Clone(t.values)
	for _, v := range values {
		t.add(v)
	}
	e.term = &t
	return e
}

// add adds a value that is not there yet.
func (t *term) add(v value) {
	if !slices.ContainsFunc(t.values, func(w value) bool { return w.text == v.text }) {
		t.values = append(t.values, v)
	}
}

// text prints a condition. Alternatives that are not all of the filter stand in parentheses.
func (e *expr) text(top bool) string {
	if e.term != nil {
		return e.leaf()
	}
	var parts []string
	for i := range e.subs {
		parts = append(parts, e.subs[i].text(e.any))
	}
	if !e.any {
		return strings.Join(parts, " ")
	}
	s := strings.Join(parts, " or ")
	if top {
		return s
	}
	return "(" + s + ")"
}

func (e *expr) leaf() string {
	var b strings.Builder
	if e.not {
		b.WriteByte('-')
	}
	b.WriteString(e.term.field.name + ":" + e.term.prop + e.term.op)
	for i, v := range e.term.values {
		if i > 0 {
			b.WriteByte(',')
		}
		if v.text != "" || len(e.term.values) > 1 { // property:URL= alone needs no quotes
			b.WriteString(quoted(v.text))
		}
	}
	return b.String()
}
