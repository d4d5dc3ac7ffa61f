package filter

import (
	"slices"
	"strings"
)

// The judges of terms, by field: one value each.

// spoken judges by the item's texts of a field: one that is as wanted is enough.
func spoken(j *judgement, t *term, v *value) verdict {
	return verdictOf(slices.ContainsFunc(j.facts.Words[t.field.name], func(w string) bool { return t.field.text(w, v) }))
}

func contains(w string, v *value) bool { return strings.Contains(w, v.fold) }
func equals(w string, v *value) bool   { return w == v.fold }

// address compares with texts like "Ana Silva <ana@a.example>" or bare addresses. "@a.example" is that domain, "ana@a.example" that address,
// and what has no @ between two texts is looked for everywhere.
func address(w string, v *value) bool {
	local, domain, at := strings.Cut(v.fold, "@")
	if !at || domain == "" {
		return strings.Contains(w, v.fold)
	}
	if open := strings.LastIndexByte(w, '<'); open >= 0 {
		w = strings.TrimSuffix(w[open+1:], ">")
	}
	if local == "" {
		return strings.HasSuffix(w, v.fold)
	}
	return w == v.fold
}

// digits compares the digits of numbers; a value without any is looked for as it is.
func digits(w string, v *value) bool {
	want := onlyDigits(v.fold)
	if want == "" {
		return contains(w, v)
	}
	return strings.Contains(onlyDigits(w), want)
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// cutoff is the second that a time value means now.
func (j *judgement) cutoff(v *value) int64 {
	if v.rolls {
		return j.now - v.n
	}
	return v.n
}

// scale is how a field compares a number of an item with a value: it holds from the value on, or below it.
type scale struct {
	of    func(*Facts) *Moment
	below bool
	last  bool    // the value itself still counts as below
	none  verdict // on an item that has no such number
}

func ends(f *Facts) *Moment   { return f.End }
func begins(f *Facts) *Moment { return f.Begin }
func dueAt(f *Facts) *Moment  { return f.Due }
func sizeOf(f *Facts) *Moment { return &Moment{f.Size, f.Size} }

func measure(j *judgement, t *term, v *value) verdict {
	s := t.field.scale
	m := s.of(j.facts)
	if m == nil {
		return s.none
	}
	edge := s.edge(j, v)
	if early := s.point(m[0], edge); early == s.point(m[1], edge) {
		return early
	}
	return maybe
}

// edge is the least number that does not count as below a value.
func (s *scale) edge(j *judgement, v *value) int64 {
	if s.last {
		return j.cutoff(v) + 1
	}
	return j.cutoff(v)
}

// point is the verdict on a number.
func (s *scale) point(n, edge int64) verdict { return verdictOf(n < edge == s.below) }

func status(j *judgement, _ *term, v *value) verdict {
	if v.text == "open" {
		return -known(j.facts.Done)
	}
	return known(j.facts.Done)
}

func flag(j *judgement, _ *term, v *value) verdict { return verdictOf(j.facts.Flags.Has(byte(v.n))) }
func has(j *judgement, _ *term, _ *value) verdict  { return known(j.facts.Attachment) }

// folder: a folder above a wanted one is needed to reach it.
func folder(j *judgement, _ *term, v *value) verdict {
	path := fold(j.facts.Folder)
	switch {
	case path == "":
		return verdictOf(v.fold == "/" || v.fold == top(j.facts.Kind))
	case within(path, v.fold):
		return yes
	case j.facts.IsFolder && within(v.fold, path):
		return maybe
	}
	return no
}
