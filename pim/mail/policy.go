package mail

import (
	"fmt"
	"strconv"
	"strings"
)

// Body is how much of the text of a message is wanted.
type Body int

// The choices. Headers leaves out attachments, too, whatever their policy. Text keeps one form of each text, the plain one if there
// is one; Full keeps all forms, e.g. HTML beside plain text.
const (
	Full Body = iota
	Text
	Headers
)

var bodyNames = [...]string{Full: "full", Text: "text", Headers: "headers"}

// Attachments is which attachments are wanted: All, None, or those of at most so many octets each after transfer decoding.
// Pictures in a text count as attachments.
type Attachments int64

// The choices beside a size.
const (
	All  Attachments = 0
	None Attachments = -1
)

// Policy is how much of a message a device wants. The zero Policy is all of it.
type Policy struct {
	Body Body
	// BodyLimit is how many octets of text are wanted, counted as they lie in the message; 0 is no limit. Forms of one text count once.
	BodyLimit   int64
	Attachments Attachments
}

// String is p in the words of the filter language, e.g. "body:text body:65536 attachments:none". ParsePolicy reads it.
func (p Policy) String() string {
	p = p.clean()
	s := "body:" + bodyNames[p.Body]
	if p.Body == Headers {
		return s
	}
	if p.BodyLimit > 0 {
		s += " body:" + strconv.FormatInt(p.BodyLimit, 10)
	}
	switch p.Attachments {
	case All:
		return s + " attachments:all"
	case None:
		return s + " attachments:none"
	}
	return s + " attachments:" + strconv.FormatInt(int64(p.Attachments), 10)
}

// clean makes values out of range what they come nearest to.
func (p Policy) clean() Policy {
	if p.Body < Full || p.Body > Headers {
		p.Body = Headers
	}
	if p.Body == Headers {
		return Policy{Body: Headers}
	}
	return Policy{p.Body, max(p.BodyLimit, 0), max(p.Attachments, None)}
}

// whole tells whether nothing is ever left out under p.
func (p Policy) whole() bool { return p == Policy{} }

// wants tells whether an attachment of a size is wanted.
func (p Policy) wants(size int64) bool {
	return p.Attachments == All || p.Attachments > 0 && size <= int64(p.Attachments)
}

// ParsePolicy reads what String writes. Words may be missing; unknown ones are an error.
func ParsePolicy(s string) (Policy, error) {
	var p Policy
	for word := range strings.FieldsSeq(s) {
		key, value, _ := strings.Cut(word, ":")
		if !p.set(key, value) {
			return Policy{}, fmt.Errorf("cannot read body policy %q: %q is none of body:headers|text|full, body:OCTETS, attachments:none|all|OCTETS", s, word)
		}
	}
	return p.clean(), nil
}

func (p *Policy) set(key, value string) bool {
	n, err := strconv.ParseInt(value, 10, 64)
	number := err == nil && n > 0
	switch key + ":" + value {
	case "body:full":
		p.Body = Full
	case "body:text":
		p.Body = Text
	case "body:headers":
		p.Body = Headers
	case "attachments:all":
		p.Attachments = All
	case "attachments:none":
		p.Attachments = None
	default:
		switch {
		case key == "body" && number:
			p.BodyLimit = n
		case key == "attachments" && number:
			p.Attachments = Attachments(n)
		default:
			return false
		}
	}
	return true
}
