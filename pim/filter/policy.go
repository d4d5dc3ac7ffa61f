package filter

import (
	"fmt"
	"strings"
)

// Policy is how much of a message travels. The zero Policy says nothing: the whole of it, or what the account says.
type Policy struct {
	Body            Body
	BodyLimit       int64 // octets of text that are wanted, 0 for no limit
	Attachments     Attachments
	AttachmentLimit int64 // octets up to which an attachment is wanted; only with UpTo
}

// Body is how much of the text is wanted: body:headers, body:text (one form of it) or body:full (all forms, as HTML beside plain text).
type Body string

// The choices; "" is none.
const (
	Headers Body = "headers"
	Text    Body = "text"
	Full    Body = "full"
)

// Attachments is which attachments are wanted: attachments:none, attachments:all or a size.
type Attachments string

// The choices; "" is none.
const (
	NoAttachments  Attachments = "none"
	AllAttachments Attachments = "all"
	UpTo           Attachments = "size"
)

// String is the policy as it stands in a filter, e.g. "body:text body:50k attachments:none"; "" for the zero Policy.
func (p Policy) String() string {
	var out []string
	if p.Body != "" {
		out = append(out, "body:"+string(p.Body))
	}
	if p.BodyLimit > 0 {
		out = append(out, "body:"+printSize(p.BodyLimit))
	}
	switch p.Attachments {
	case "":
	case UpTo:
		out = append(out, "attachments:"+printSize(p.AttachmentLimit))
	default:
		out = append(out, "attachments:"+string(p.Attachments))
	}
	return strings.Join(out, " ")
}

// clean drops what has no meaning.
func (p Policy) clean() Policy {
	if p.Attachments != UpTo || p.AttachmentLimit <= 0 {
		p.AttachmentLimit = 0
	}
	if p.Attachments == UpTo && p.AttachmentLimit == 0 {
		p.Attachments = NoAttachments
	}
	p.BodyLimit = max(p.BodyLimit, 0)
	return p
}

// direct takes a directive. It holds for all of the filter, so that it must not stand in a group.
func (p *parser) direct(start int, name string, words []word) error {
	problem := ""
	switch {
	case p.depth > 1:
		problem = "it says how much of a message travels and cannot stand in parentheses or be negated"
	case len(words) > 1:
		problem = "it takes one value"
	case name == "body":
		problem = p.policy.setBody(words[0].text)
	default:
		problem = p.policy.setAttachments(words[0].text)
	}
	if problem != "" {
		return p.fail(start, "%s", problem)
	}
	return nil
}

func (p *Policy) setBody(word string) (problem string) {
	b := Body(strings.ToLower(word))
	switch b {
	case Headers, Text, Full:
		if p.Body != "" && p.Body != b {
			return fmt.Sprintf("the filter says body:%s already", p.Body)
		}
		p.Body = b
		return ""
	}
	n, problem := readSize(word)
	switch {
	case problem != "" || n == 0:
		return "it is none of body:headers, body:text, body:full and a size like body:50k"
	case p.BodyLimit != 0 && p.BodyLimit != n:
		return fmt.Sprintf("the filter says body:%s already", printSize(p.BodyLimit))
	}
	p.BodyLimit = n
	return ""
}

func (p *Policy) setAttachments(word string) (problem string) {
	next := Policy{Attachments: Attachments(strings.ToLower(word))}
	switch next.Attachments {
	case NoAttachments, AllAttachments:
	default:
		n, problem := readSize(word)
		if problem != "" || n == 0 {
			return "it is none of attachments:none, attachments:all and a size like attachments:2m"
		}
		next.Attachments, next.AttachmentLimit = UpTo, n
	}
	if p.Attachments != "" && (p.Attachments != next.Attachments || p.AttachmentLimit != next.AttachmentLimit) {
		return "the filter says otherwise already"
	}
	p.Attachments, p.AttachmentLimit = next.Attachments, next.AttachmentLimit
	return ""
}
