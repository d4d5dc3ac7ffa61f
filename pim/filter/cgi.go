package filter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/pim"
)

// TypeCGI is the grammar of filters in OMA DS 1.2 (protocol.md E).
const TypeCGI = "syncml:filtertype-cgi"

// Errors of filters from a peer. Callers inspect them with errors.Is and answer with a status.
var (
	// ErrUnsupported: the filter is well formed and asks for what this program cannot do (406).
	ErrUnsupported = errors.New("this filter is not supported")
	// ErrType: the filter is about a content type that the store does not have, or in another grammar than TypeCGI (415).
	ErrType = errors.New("this type of filter is not supported")
	// ErrSyntax: the filter is malformed, or names a keyword or property that does not exist (422).
	ErrSyntax = errors.New("the filter is malformed")
	// ErrInexpressible: a filter of ours has no form in OMA DS. The text says which term, and why.
	ErrInexpressible = errors.New("the filter has no form in OMA DS")
)

// CheckType looks at the types of a filter as it comes from a peer: of its record, and of what it is about. Empty ones are good. ErrType.
func CheckType(grammar, contentType string, kind pim.Kind) error {
	grammar, contentType = strings.ToLower(grammar), strings.ToLower(contentType)
	if grammar != "" && grammar != TypeCGI && grammar != "syncml::filtertype-cgi" { // Nokia writes two colons: protocol.md E.3
		return fmt.Errorf("%w: its grammar is %q", ErrType, grammar)
	}
	types := map[pim.Kind]string{
		pim.Contacts: "text/vcard text/x-vcard", pim.Calendar: "text/calendar text/x-vcalendar", pim.Tasks: "text/calendar text/x-vcalendar",
		pim.Notes: "text/plain text/x-vnote", pim.Mail: "message/rfc822 application/vnd.omads-email+xml",
	}
	if base, _, _ := strings.Cut(contentType, ";"); base != "" && !strings.Contains(" "+types[kind]+" ", " "+strings.TrimSpace(base)+" ") {
		return fmt.Errorf("%w: it is about %s in a store of %s", ErrType, contentType, kind)
	}
	return nil
}

// ToCGI is the conditions of a filter as a record of OMA DS, "" for everything. Relative times become those of now. It says no more and no
// less than the filter, save that peers look for addresses, numbers and categories as parts of a text, and count a cancelled task as open.
// The error is ErrInexpressible, or that of Validate. The policy is no part of it, see Policy.Fields.
func (f Filter) ToCGI(kind pim.Kind, now time.Time) (string, error) {
	if err := (Filter{cond: f.cond}).Validate(kind); err != nil {
		return "", err
	}
	w := cgiWriter{kind: kind, now: now.Unix()}
	record := w.expr(&f.cond, false, true)
	if w.err != nil {
		return "", w.err
	}
	return record, nil
}

// cgiWriter writes a record and remembers the first error.
type cgiWriter struct {
	kind pim.Kind
	now  int64
	err  error
}

// expr writes a condition. Lists of the other sort in a list stand in parentheses, for not everybody knows that AND binds tighter. choice
// tells whether it is an alternative to something else, and bare that it needs no parentheses.
func (w *cgiWriter) expr(e *expr, choice, bare bool) string {
	if e.term != nil {
		return w.leaf(e, choice, bare)
	}
	var parts []string
	for i := range e.subs {
		s := &e.subs[i]
		parts = append(parts, w.expr(s, choice || e.any, s.term != nil && e.any != s.not))
	}
	return joined(parts, e.any, bare)
}

func joined(parts []string, any, bare bool) string {
	operator := "&AND;"
	if any {
		operator = "&OR;"
	}
	s := strings.Join(parts, operator)
	if bare || len(parts) == 1 {
		return s
	}
	return "(" + s + ")"
}

// leaf writes a term: one clause for each value.
func (w *cgiWriter) leaf(e *expr, choice, bare bool) string {
	var parts []string
	for i := range e.term.values {
		c, why := w.clause(e, &e.term.values[i], choice || len(e.term.values) > 1 && !e.not)
		if why != "" && w.err == nil {
			w.err = fmt.Errorf("%w: %s: %s", ErrInexpressible, e.leaf(), why)
		}
		parts = append(parts, c.String())
	}
	return joined(parts, !e.not, bare)
}

// clause is name, operator and value of a record.
type clause struct {
	name, op, value string
	null            bool // the value is none at all
}

func (c clause) String() string {
	if c.null {
		return c.name + "&" + c.op + ";&NULL;"
	}
	return c.name + "&" + c.op + ";" + cgiEscape(c.value)
}

// cgiEscape escapes what would end a value, and blanks, which some strip.
func cgiEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte("&|()%", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// clause translates one value of a term; why tells why it cannot be.
func (w *cgiWriter) clause(e *expr, v *value, choice bool) (c clause, why string) {
	switch e.term.field.name {
	case "since", "before":
		return w.time(e, v, choice)
	case "property":
		return w.property(e, v)
	}
	row := rowFor(w.kind, e.term.field.name, v)
	if row == nil {
		return c, "the standard has no name for it"
	}
	op := row.op
	if e.not {
		op = contrary[op]
	}
	c = clause{name: row.prop, op: op, value: v.text}
	switch {
	case row.value != "":
		c.value = row.value
	case row.field == "due":
		c.value = w.stamp(v, w.now-v.n)
	case row.op == "GT" || row.op == "LT":
		c.value = fmt.Sprint(v.n)
	}
	return c, ""
}

// stamp is the time of a value; rolled is the one for now, if it rolls.
func (w *cgiWriter) stamp(v *value, rolled int64) string {
	at := v.n
	if v.rolls {
		at = rolled
	}
	return time.Unix(at, 0).UTC().Format(stamp)
}

// time writes since and before. Where they are alternatives, peers take the keywords for a condition on everything (protocol.md E.2).
func (w *cgiWriter) time(e *expr, v *value, choice bool) (c clause, why string) {
	c = clause{name: strings.ToUpper(e.term.field.name), op: "EQ", value: w.stamp(v, w.now-v.n)}
	if w.kind != pim.Mail {
		switch {
		case e.not:
			return c, "the standard cannot negate it for what begins and ends"
		case choice:
			return c, "the standard cannot say it as an alternative"
		}
		return c, ""
	}
	if e.not { // a message has one time
		c.name = map[string]string{"SINCE": "BEFORE", "BEFORE": "SINCE"}[c.name]
	}
	if choice {
		c.op = map[string]string{"SINCE": "GE", "BEFORE": "LT"}[c.name]
		c.name = "received"
	}
	return c, ""
}

// property writes a comparison.
func (w *cgiWriter) property(e *expr, v *value) (c clause, why string) {
	c = clause{name: e.term.prop, op: cgiOf[e.term.op], value: v.text, null: v.text == ""}
	if c.null {
		c.op = "EQ"
	}
	switch {
	case !knownProperty(w.kind, e.term.prop):
		return c, "no peer knows the property"
	case e.not && strings.ContainsAny(e.term.op, "<>"):
		return c, "the standard cannot negate it for items without the property"
	case e.not:
		c.op = contrary[c.op]
	}
	return c, ""
}
