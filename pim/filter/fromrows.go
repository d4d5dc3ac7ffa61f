package filter

import (
	"slices"
	"strings"
	"time"
)

// row reads a clause by one row of the table, or by its contrary; ok is false if the row is about something else.
func (r *cgiReader) row(row *cgiRow, c clause, not bool) (e expr, ok bool, err error) {
	op := c.op
	if not {
		op = contrary[op]
	}
	if !slices.Contains(row.kinds, r.kind) || !strings.EqualFold(row.prop, c.name) || c.null || !row.means(op) {
		return e, false, nil
	}
	word := c.value
	if row.word != "" {
		same, known := meant(row.value, c.value)
		if !known {
			return e, false, nil
		}
		word, not = row.word, not == same
	}
	if row.field == "due" {
		e, err = r.due(c.value, not)
	} else {
		e, err = r.leaf(row.field, word, not)
	}
	return e, true, err
}

// means tells whether an operator is that of a row. Case does not matter to an order.
func (row *cgiRow) means(op string) bool {
	return row.op == op || slices.Contains(row.also, op) || ordering(row.op) && row.op == strings.TrimPrefix(op, "i")
}

func ordering(op string) bool { return strings.ContainsAny(op, "GL") }

// meant tells whether a value is the one of a row; known is false if it is neither that nor its contrary.
func meant(want, got string) (same, known bool) {
	if want != "true" {
		return true, strings.EqualFold(want, got)
	}
	switch strings.ToLower(got) {
	case "true", "1", "yes":
		return true, true
	case "false", "0", "no":
		return false, true
	}
	return false, false
}

// due reads the last second of a due date; a day is meant whole.
func (r *cgiReader) due(text string, not bool) (expr, error) {
	t, _ := parseTime(text)
	e, err := r.since("since", text, 0)
	if err != nil {
		return e, err
	}
	if text = e.term.values[0].text; !t.day && len(text) == len(time.DateOnly) {
		text += "T00:00:00Z"
	}
	return r.leaf("due", text, not)
}

// property reads a comparison with a property.
func (r *cgiReader) property(name string, c clause) (expr, error) {
	if !knownProperty(r.kind, name) {
		return expr{}, r.malformed("%s have no property %s to filter by", r.kind, c.name)
	}
	for op, cgi := range cgiOf {
		plain := strings.TrimPrefix(cgi, "i") == strings.TrimPrefix(c.op, "i") && ordering(cgi)
		if cgi == c.op || plain {
			return r.compared(name, op, c, false)
		}
		if cgi == contrary[c.op] && !ordering(cgi) {
			return r.compared(name, op, c, true)
		}
	}
	return expr{}, r.malformed("the operator %s is unknown", c.op)
}

func (r *cgiReader) compared(name, op string, c clause, not bool) (expr, error) {
	if c.null && strings.TrimLeft(op, "=") != "" {
		return expr{}, r.malformed("only equality can be asked of no value")
	}
	return r.leaf("property", name+op+c.value, not)
}
