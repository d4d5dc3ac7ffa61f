package filter

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alwayson-sync/alwayson/pim"
)

// FromCGI reads a record of a peer, as it is behind the escaping of XML (protocol.md E.2). The empty record is everything. The error is
// ErrUnsupported or ErrSyntax: a filter that is not understood must not be passed over, for it decides what is deleted.
func FromCGI(record string, kind pim.Kind) (Filter, error) {
	r := cgiReader{text: record, kind: kind}
	if len(record) > maxText || !utf8.ValidString(record) {
		return Filter{}, r.malformed("it is longer than %d octets or no UTF-8", maxText)
	}
	if r.skip(); r.pos == len(record) {
		return Filter{}, nil
	}
	e, err := r.expr(0)
	if err != nil {
		return Filter{}, err
	}
	if r.pos < len(record) {
		return Filter{}, r.malformed("there is more than an expression")
	}
	return Filter{cond: e}, nil
}

// LUID is the item that a record asks for by its identifier on the peer that filters, to get it whole. Such a record is for the caller:
// FromCGI does not support it.
func LUID(record string) (id string, ok bool) {
	r := cgiReader{text: record}
	c, err := r.clause()
	return c.value, err == nil && c.name == luid && c.op == "EQ" && !c.null && r.pos == len(record)
}

const luid = "&LUID;"

// cgiReader reads a record from left to right.
type cgiReader struct {
	text string
	pos  int
	kind pim.Kind
}

func (r *cgiReader) malformed(format string, args ...any) error {
	return fmt.Errorf("%w at octet %d: %s", ErrSyntax, r.pos+1, fmt.Sprintf(format, args...))
}

func (r *cgiReader) skip() {
	for r.pos < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.pos]) >= 0 {
		r.pos++
	}
}

// take passes one of some texts over, with the blanks behind it; case does not matter.
func (r *cgiReader) take(texts ...string) bool {
	for _, s := range texts {
		if rest := r.text[r.pos:]; len(rest) >= len(s) && strings.EqualFold(rest[:len(s)], s) {
			r.pos += len(s)
			r.skip()
			return true
		}
	}
	return false
}

func (r *cgiReader) expr(depth int) (expr, error) {
	var subs []expr
	for {
		e, err := r.and(depth)
		if err != nil {
			return e, err
		}
		if subs = append(subs, e); !r.take("&OR;", "|") {
			return anyOf(subs...), nil
		}
	}
}

func (r *cgiReader) and(depth int) (expr, error) {
	var subs []expr
	for {
		e, err := r.term(depth)
		if err != nil {
			return e, err
		}
		subs = append(subs, e)
		if rest := r.text[r.pos:]; len(rest) >= 4 && strings.EqualFold(rest[:4], "&OR;") || !r.take("&AND;", "&amp;", "&") {
			return all(subs...), nil
		}
	}
}

func (r *cgiReader) term(depth int) (expr, error) {
	if r.skip(); !r.take("(") {
		c, err := r.clause()
		if err != nil {
			return expr{}, err
		}
		return r.meaning(c)
	}
	if depth > maxDepth {
		return expr{}, r.malformed("parentheses lie more than %d deep in each other", maxDepth)
	}
	e, err := r.expr(depth + 1)
	if err == nil && !r.take(")") {
		err = r.malformed("a closing parenthesis is missing")
	}
	return e, err
}

// signs are operators that Synthesis writes in another form; longer ones first.
var signs = []struct{ sign, op string }{
	{"<>", "NE"}, {"<=", "LE"}, {">=", "GE"}, {"=", "EQ"}, {"<", "LT"}, {">", "GT"}, {"%", "CON"}, {"$", "NCON"},
}

func (r *cgiReader) clause() (c clause, err error) {
	if c.name = r.name(); c.name == "" {
		return c, r.malformed("a name is missing")
	}
	if c.op, err = r.operator(); err != nil {
		return c, err
	}
	if r.skip(); r.take("&NULL;", "&UNASSIGNED;") { // the items of this program have no empty properties
		c.null = true
		return c, nil
	}
	raw := r.text[r.pos:]
	if end := strings.IndexAny(raw, "&|)"); end >= 0 {
		raw = raw[:end]
	}
	r.pos += len(raw)
	raw = strings.Trim(raw, " \t\r\n")
	if c.value, err = cgiUnescape(raw); err != nil {
		return c, r.malformed("the value %q has a wrong escape", raw)
	}
	c.null = c.value == ""
	return c, nil
}

func (r *cgiReader) name() string {
	if r.take(luid) {
		return luid
	}
	rest := r.text[r.pos:]
	end := strings.IndexFunc(rest, func(c rune) bool { return !inName(c) && c != '[' && c != ']' })
	if end < 0 {
		end = len(rest)
	}
	r.pos += end
	r.skip()
	return rest[:end]
}

func (r *cgiReader) operator() (string, error) {
	for op := range contrary {
		if r.take("&" + op + ";") {
			return op, nil
		}
	}
	for _, s := range signs {
		if r.take(s.sign) {
			return s.op, nil
		}
	}
	if strings.IndexAny(r.text[r.pos:], ":*^") == 0 {
		return "", fmt.Errorf("%w: octet %d is an extension of the operators", ErrUnsupported, r.pos+1)
	}
	return "", r.malformed("an operator is missing")
}

// cgiUnescape undoes %XX. A plus is a plus.
func cgiUnescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		n, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
		if err != nil || i+2 >= len(s) {
			return "", strconv.ErrSyntax
		}
		b.WriteByte(byte(n))
		i += 2
	}
	if !utf8.ValidString(b.String()) {
		return "", strconv.ErrSyntax
	}
	return b.String(), nil
}

// synthesis are keywords of one family of programs that say how much is wanted (protocol.md E.2).
var synthesis = []string{"MAXSIZE", "MAXCOUNT", "NOATT", "DBOPTIONS"}

// meaning is the condition that a clause says.
func (r *cgiReader) meaning(c clause) (expr, error) {
	name := strings.ToUpper(c.name)
	switch {
	case slices.Contains(synthesis, name), c.name == luid:
		return expr{}, fmt.Errorf("%w: it asks for %s", ErrUnsupported, c.name)
	case name == "SINCE" || name == "BEFORE":
		if !slices.Contains(dated, r.kind) || !strings.EqualFold(strings.TrimPrefix(c.op, "i"), "EQ") {
			return expr{}, r.malformed("%s has no such meaning here", c.name)
		}
		return r.since(strings.ToLower(name), c.value, 0)
	case r.kind == pim.Mail && slices.Contains([]string{"RECEIVED", "MODIFIED", "CREATED", "DATE"}, name) && !c.null:
		return r.messageTime(c)
	}
	for _, not := range []bool{false, true} { // status:open rather than -status:done
		for i := range cgiRows {
			if e, ok, err := r.row(&cgiRows[i], c, not); ok {
				return e, err
			}
		}
	}
	return r.property(name, c)
}

// leaf is a term of a field.
func (r *cgiReader) leaf(field, text string, not bool) (expr, error) {
	t, problem := fieldNamed(field).term([]word{{text: text, quoted: true}})
	if problem != "" {
		return expr{}, r.malformed("%s", problem)
	}
	return expr{term: t, not: not}, nil
}

// since is a term of a time of OMA DS, moved by some seconds.
func (r *cgiReader) since(field, text string, later int64) (expr, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, ok := parseTime(text)
		if !ok {
			return expr{}, r.malformed("%q is no time", text)
		}
		at = time.Unix(t.second, 0)
	}
	v, ok := absolute(at.Add(time.Duration(later) * time.Second))
	if !ok {
		return expr{}, r.malformed("%q is no time", text)
	}
	return r.leaf(field, v.text, false)
}

// messageTime reads comparisons with the time of a message, e.g. of the mail client that protocol.md E.3 tells of.
func (r *cgiReader) messageTime(c clause) (expr, error) {
	switch strings.TrimPrefix(c.op, "i") {
	case "GE":
		return r.since("since", c.value, 0)
	case "GT":
		return r.since("since", c.value, 1)
	case "LT":
		return r.since("before", c.value, 0)
	case "LE":
		return r.since("before", c.value, 1)
	}
	return expr{}, fmt.Errorf("%w: %s can be compared by GE, GT, LE and LT", ErrUnsupported, c.name)
}
