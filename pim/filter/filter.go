// Package filter decides which items a device has: it reads, prints and evaluates the filter language, and translates it to and from the
// filters of OMA DS. It is pure: time is handed in, and what it cannot read of an item is in scope.
//
//	from:@customer.example since:14d body:full attachments:all
//
// A filter is a list of terms, all of which must hold; "or" and parentheses make alternatives, and "or" binds weaker. A value may be a list
// with commas, of which one must hold; quotes hold blanks: subject:"weekly report". A minus or "not:" negates a term or a group. Texts
// are compared without regard to case. FieldNames lists the fields of a kind, and Policy tells what body: and attachments: say.
//
// What cannot be judged is in scope: an item that cannot be read, an event without a date, a field that the kind does not have. That holds
// for the negation, too: neither from:@a.example nor -from:@a.example hides a message whose header is garbage (pains.md 24). A property
// that an item could have and does not have is known to be absent: a card without e-mail is not in email:ana.
package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// Filter says which items of a store a device wants, and how much of a message. The zero Filter is everything. It is a value: it never
// changes and may be used from several goroutines.
type Filter struct {
	cond   expr
	policy Policy
}

// maxText bounds a filter; nobody types 16 KiB.
const maxText = 16 << 10

// Parse reads a filter; the empty text is everything. The error is an *Error, one sentence for the one who wrote the filter. Fields of all
// kinds are accepted: see Validate.
func Parse(text string) (Filter, error) {
	p := parser{text: text}
	f, err := p.filter()
	if err != nil {
		return Filter{}, err
	}
	return f, nil
}

// Error is what is wrong with the text of a filter.
type Error struct {
	Term    string // as it was written
	Pos     int    // where it begins, in characters from 1
	Problem string
}

func (e *Error) Error() string {
	if e.Term == "" {
		return fmt.Sprintf("cannot read the filter at position %d: %s", e.Pos, e.Problem)
	}
	return fmt.Sprintf("cannot read %s at position %d of the filter: %s", e.Term, e.Pos, e.Problem)
}

// String is the filter in its canonical form, "" for everything. Parse reads the same filter from it.
func (f Filter) String() string {
	out := f.cond.text(true)
	if p := f.policy.String(); p != "" {
		out = strings.TrimSpace(out + " " + p)
	}
	return out
}

// Equal tells whether two filters have the same canonical form.
func (f Filter) Equal(g Filter) bool { return f.String() == g.String() }

// Policy is how much of a message travels.
func (f Filter) Policy() Policy { return f.policy }

// WithPolicy is f with another policy.
func (f Filter) WithPolicy(p Policy) Filter {
	f.policy = p.clean()
	return f
}

// MarshalText is String, for configurations and stores.
func (f Filter) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText is Parse.
func (f *Filter) UnmarshalText(text []byte) (err error) {
	*f, err = Parse(string(text))
	return err
}

// Everything tells whether no item is out of scope.
func (f Filter) Everything() bool { return f.cond.everything() }

// NeedsBody tells whether Facts are not enough to judge an item: there is a term over its whole text or any property of it.
func (f Filter) NeedsBody() bool {
	return f.cond.some(func(l *expr) bool { return l.term.field.needsBody })
}

// Rolls tells whether time alone changes what is in scope (F12).
func (f Filter) Rolls() bool {
	return f.cond.some(func(l *expr) bool { return l.term.values[0].rolls })
}

// Validate tells whether the items of a kind have the fields of the filter. The error names the field, and those that the kind has.
func (f Filter) Validate(kind pim.Kind) error {
	var bad *expr
	f.cond.some(func(l *expr) bool {
		if !slices.Contains(l.term.field.kinds, kind) {
			bad = l
		}
		return bad != nil
	})
	if bad != nil {
		return fmt.Errorf("cannot filter %s by %s; their fields are %s", kind, bad.term.field.name, strings.Join(FieldNames(kind), ", "))
	}
	if kind != pim.Mail && f.policy != (Policy{}) {
		return fmt.Errorf("cannot apply %s to %s: only messages travel in part", f.policy, kind)
	}
	return nil
}

// FieldNames are the names of the fields that a kind has, in the order of the manual.
func FieldNames(kind pim.Kind) []string {
	var out []string
	for i := range fields {
		if slices.Contains(fields[i].kinds, kind) {
			out = append(out, fields[i].name)
		}
	}
	return out
}

// Help is one line about a field, "" if there is none of this name.
func Help(name string) string {
	if f := fieldNamed(name); f != nil {
		return f.help
	}
	return ""
}
