package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parser reads a filter from left to right.
//
//	filter := [any]
//	any    := all { "or" all }
//	all    := one { ["and"] one }
//	one    := {"-" | "not:"} ( term | "(" any ")" )
type parser struct {
	text   string
	pos    int // in octets
	depth  int
	policy Policy
}

// maxDepth bounds how deep groups and negations lie in each other.
const maxDepth = 32

// fail is an error about the term from start to where the parser stands.
func (p *parser) fail(start int, format string, args ...any) *Error {
	term := strings.TrimSpace(p.text[start:max(start, p.pos)])
	if len(term) > 60 {
		term = strings.ToValidUTF8(term[:60], "") + "…"
	}
	return &Error{Term: term, Pos: utf8.RuneCountInString(p.text[:start]) + 1, Problem: fmt.Sprintf(format, args...)}
}

func (p *parser) filter() (Filter, error) {
	switch {
	case len(p.text) > maxText:
		return Filter{}, &Error{Pos: maxText + 1, Problem: fmt.Sprintf("it is longer than %d octets", maxText)}
	case !utf8.ValidString(p.text):
		return Filter{}, &Error{Pos: 1, Problem: "it is no UTF-8"}
	}
	e, _, err := p.any()
	if err != nil {
		return Filter{}, err
	}
	if p.skip(); p.pos < len(p.text) {
		start := p.pos
		p.pos++
		return Filter{}, p.fail(start, "there is no opening parenthesis for it")
	}
	return Filter{cond: e, policy: p.policy}, nil
}

// any reads alternatives; found is false if there is no condition, only directives or nothing.
func (p *parser) any() (e expr, found bool, err error) {
	var subs []expr
	for {
		p.skip()
		start := p.pos
		e, found, err := p.all()
		if err != nil {
			return expr{}, false, err
		}
		more := p.word("or")
		if !found && (more || len(subs) > 0) {
			return expr{}, false, p.fail(start, "there must be a condition on both sides of or")
		}
		if subs = append(subs, e); !more {
			return anyOf(subs...), found, nil
		}
	}
}

func (p *parser) all() (e expr, found bool, err error) {
	var subs []expr
	for {
		e, kind, err := p.one(false)
		switch {
		case err != nil:
			return expr{}, false, err
		case kind == nothing:
			return all(subs...), len(subs) > 0, nil
		case kind == condition:
			subs = append(subs, e)
		}
		p.word("and")
	}
}

// What one has read.
const (
	nothing = iota
	condition
	directive
)

// one reads a term or a group, perhaps negated.
func (p *parser) one(not bool) (e expr, kind int, err error) {
	p.skip()
	start := p.pos
	if p.pos == len(p.text) || p.text[p.pos] == ')' || p.at("or") {
		if not {
			return e, nothing, p.fail(start, "there must be a term behind a minus")
		}
		return e, nothing, nil
	}
	if p.depth++; p.depth > maxDepth {
		return e, nothing, p.fail(start, "groups lie more than %d deep in each other", maxDepth)
	}
	defer func() { p.depth-- }()
	switch {
	case p.take("-") || p.take("not:"):
		e, kind, err = p.one(true)
		return negated(e), kind, err
	case p.take("("):
		return p.group(start)
	}
	return p.term()
}

// group reads what stands in parentheses.
func (p *parser) group(start int) (expr, int, error) {
	e, found, err := p.any()
	switch {
	case err != nil:
		return e, nothing, err
	case !p.take(")"):
		return e, nothing, p.fail(start, "there is no closing parenthesis for it")
	case !found:
		return e, nothing, p.fail(start, "the parentheses are empty")
	}
	return e, condition, nil
}

// skip passes white space over.
func (p *parser) skip() {
	p.pos = len(p.text) - len(strings.TrimLeftFunc(p.text[p.pos:], unicode.IsSpace))
}

// take passes a text over if it comes next; case does not matter.
func (p *parser) take(s string) bool {
	rest := p.text[p.pos:]
	if len(rest) < len(s) || !strings.EqualFold(rest[:len(s)], s) {
		return false
	}
	p.pos += len(s)
	return true
}

// at tells whether a word of its own comes next.
func (p *parser) at(word string) bool {
	old := p.pos
	defer func() { p.pos = old }()
	return p.word(word)
}

// word passes a word of its own over if it comes next.
func (p *parser) word(word string) bool {
	old := p.pos
	p.skip()
	if !p.take(word) {
		p.pos = old
		return false
	}
	next, _ := utf8.DecodeRuneInString(p.text[p.pos:])
	if p.pos < len(p.text) && !unicode.IsSpace(next) && next != '(' && next != ')' && next != '-' {
		p.pos = old
		return false
	}
	return true
}
