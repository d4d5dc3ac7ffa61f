package filter

import (
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
)

// verdict is what can be said of a condition. Contraries are negative, all of several is the least of them, one of several the greatest.
type verdict int8

const (
	no    verdict = -1
	maybe verdict = 0
	yes   verdict = 1
)

func verdictOf(b bool) verdict {
	if b {
		return yes
	}
	return no
}

// known is the verdict on what may not be known.
func known(b *bool) verdict {
	if b == nil {
		return maybe
	}
	return verdictOf(*b)
}

// Match tells whether an item of a store of this kind is in scope.
func (f Filter) Match(item pim.Item, kind pim.Kind, now time.Time) bool {
	return f.Everything() || f.judge(item, kind).at(now.Unix())
}

// MatchFacts is Match with what FactsOf said of the item. Terms that need the body (see NeedsBody) cannot be judged: they hide nothing.
func (f Filter) MatchFacts(facts Facts, now time.Time) bool {
	j := judgement{cond: &f.cond, facts: &facts}
	return j.at(now.Unix())
}

// NextChange is the first second after now at which Match says otherwise although nobody changes the item (F12). ok is false if that
// never happens.
func (f Filter) NextChange(item pim.Item, kind pim.Kind, now time.Time) (at time.Time, ok bool) {
	return f.judge(item, kind).next(now.Unix())
}

// NextChangeFacts is NextChange for MatchFacts.
func (f Filter) NextChangeFacts(facts Facts, now time.Time) (at time.Time, ok bool) {
	j := judgement{cond: &f.cond, facts: &facts}
	return j.next(now.Unix())
}

func (f Filter) judge(item pim.Item, kind pim.Kind) *judgement {
	facts := FactsOf(item, kind)
	return &judgement{cond: &f.cond, facts: &facts, content: &content{item: item, kind: kind}}
}

// judgement is one item under one filter.
type judgement struct {
	cond    *expr
	facts   *Facts
	content *content // nil if there are only facts
	now     int64    // seconds since 1970
}

func (j *judgement) at(now int64) bool {
	j.now = now
	return j.expr(j.cond) != no
}

func (j *judgement) expr(e *expr) verdict {
	if e.term != nil {
		if e.not {
			return -j.term(e.term)
		}
		return j.term(e.term)
	}
	if e.any {
		v := no
		for i := range e.subs {
			v = max(v, j.expr(&e.subs[i]))
		}
		return v
	}
	v := yes
	for i := range e.subs {
		v = min(v, j.expr(&e.subs[i]))
	}
	return v
}

func (j *judgement) term(t *term) verdict {
	switch {
	case !slices.Contains(t.field.kinds, j.facts.Kind), j.facts.IsFolder && t.field.name != "folder":
		return maybe
	case !j.facts.Read && !t.field.always, t.field.needsBody && j.content == nil:
		return maybe
	}
	v := no
	for i := range t.values {
		v = max(v, t.field.judge(j, t, &t.values[i]))
	}
	return v
}

// next tries the seconds at which a term that rolls can change its verdict.
func (j *judgement) next(now int64) (time.Time, bool) {
	var times []int64
	j.cond.some(func(l *expr) bool {
		if v := &l.term.values[0]; v.rolls {
			times = append(times, j.turns(l.term.field.name, v)...)
		}
		return false
	})
	slices.Sort(times)
	before := j.at(now)
	for _, t := range times {
		if t > now && j.at(t) != before {
			return time.Unix(t, 0).UTC(), true
		}
	}
	return time.Time{}, false
}

// turns are the seconds at which a rolling value passes a moment of the item.
func (j *judgement) turns(field string, v *value) []int64 {
	moment, late := j.facts.End, int64(1) // since holds up to the second itself
	switch field {
	case "before":
		moment = j.facts.Begin
	case "due":
		moment, late = j.facts.Due, 0
	}
	if moment == nil {
		return nil
	}
	var out []int64
	for _, m := range moment {
		if m != never {
			out = append(out, m+v.n+late)
		}
	}
	return out
}
