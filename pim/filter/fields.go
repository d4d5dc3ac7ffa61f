package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"

	"github.com/alwayson-sync/alwayson/pim"
)

// field is what a term can look at.
type field struct {
	name      string
	kinds     []pim.Kind
	single    bool // takes one value, because a list of them makes no sense
	needsBody bool // the facts do not tell
	always    bool // is known also of an item that cannot be read
	read      func(word string) (value, string)
	judge     func(j *judgement, t *term, v *value) verdict
	scale     *scale                           // of what is about a number, judged by measure
	text      func(word string, v *value) bool // of what is about texts, judged by spoken
	help      string
}

var (
	every     = []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes}
	mails     = []pim.Kind{pim.Mail}
	cards     = []pim.Kind{pim.Contacts}
	events    = []pim.Kind{pim.Calendar, pim.Tasks}
	dated     = []pim.Kind{pim.Mail, pim.Calendar, pim.Tasks}
	sorted    = []pim.Kind{pim.Contacts, pim.Calendar, pim.Tasks}
	withProps = []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks}
)

// fields is the whole language: a field is a row here, and perhaps one in the tables of cgifields.go.
var fields = []field{
	{name: "from", kinds: mails, read: readWords, judge: spoken, text: address,
		help: "sender: an address, @domain for all of a domain, or a part of name or address"},
	{name: "to", kinds: mails, read: readWords, judge: spoken, text: address, help: "receivers, copies too: as from"},
	{name: "subject", kinds: []pim.Kind{pim.Mail, pim.Calendar, pim.Tasks}, read: readWords, judge: spoken, text: contains, help: "a part of the subject"},
	{name: "name", kinds: cards, read: readWords, judge: spoken, text: contains, help: "a part of the name or nickname"},
	{name: "email", kinds: cards, read: readWords, judge: spoken, text: address, help: "an address, @domain for all of a domain, or a part of an address"},
	{name: "phone", kinds: cards, read: readWords, judge: spoken, text: digits, help: "digits of a number; blanks, dashes and the like do not matter"},
	{name: "org", kinds: cards, read: readWords, judge: spoken, text: contains, help: "a part of the organization"},
	{name: "location", kinds: events, read: readWords, judge: spoken, text: contains, help: "a part of the place"},
	{name: "category", kinds: sorted, read: readWords, judge: spoken, text: equals, help: "a whole category"},
	{name: "since", kinds: dated, single: true, read: readSince, judge: measure, scale: &scale{of: ends},
		help: "received, or ends, at this time or later: 14d, 2w, 6m, 1y, 12h ago, or 2026-11-25; a series ends with its last event, an open task not at all"},
	{name: "before", kinds: dated, single: true, read: readSince, judge: measure, scale: &scale{of: begins, below: true},
		help: "received, or begins, before this time: as since; +30d is in thirty days"},
	{name: "due", kinds: []pim.Kind{pim.Tasks}, single: true, read: readDue, judge: measure, scale: &scale{of: dueAt, below: true, last: true, none: no},
		help: "due within 7d, or on 2026-11-25 or earlier; overdue ones too"},
	{name: "status", kinds: []pim.Kind{pim.Tasks}, read: readStatus, judge: status, help: "open or done; cancelled is done"},
	{name: "flag", kinds: mails, always: true, read: readFlag, judge: flag, help: "seen, answered, flagged, draft, forwarded, trashed, or a keyword's letter"},
	{name: "has", kinds: mails, read: readHas, judge: has, help: "attachment"},
	{name: "folder", kinds: every, always: true, read: readFolder, judge: folder,
		help: "a folder with those in it; / is the top alone, as is inbox for mail"},
	{name: "larger", kinds: every, single: true, always: true, read: readBytes, judge: measure, scale: &scale{of: sizeOf, last: true},
		help: "of more octets: 100k, 5m"},
	{name: "smaller", kinds: every, single: true, always: true, read: readBytes, judge: measure, scale: &scale{of: sizeOf, below: true},
		help: "of fewer octets: 100k, 5m"},
	{name: "property", kinds: withProps, needsBody: true, read: readExact, judge: property,
		help: "NAME=value is the value, NAME~value a part of it, < <= > >= compare; NAME= is none; == and ~~ mind case; header fields of mail"},
	{name: "text", kinds: every, needsBody: true, read: readWords, judge: inText, help: "a part of the whole text"},
}

// fieldNamed is nil if there is no such field.
func fieldNamed(name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

// term reads the values of a term; problem is "" if they are good.
func (f *field) term(words []word) (t *term, problem string) {
	t = &term{field: f}
	if f.name == "property" {
		if words[0].text, problem = t.property(words[0].text); problem != "" {
			return nil, problem
		}
	}
	if f.single && len(words) > 1 {
		return nil, "it takes one value"
	}
	for i, w := range words {
		v, problem := f.read(w.text)
		switch {
		case problem != "":
		case i > 0 && t.prop != "" && !w.quoted && strings.ContainsFunc(w.text, isOperator):
			problem = "it names its property once; for another one write (property:A=x or property:B=y)"
		case v.text == "" && t.op != "=":
			problem = "the value is missing"
		}
		if problem != "" {
			return nil, problem
		}
		t.add(v)
	}
	return t, ""
}

// others are names that people know from elsewhere.
var others = map[string]string{
	"sender": "from", "author": "from", "cc": "to", "bcc": "to", "recipient": "to", "receiver": "to", "title": "subject", "summary": "subject",
	"after": "since", "newer": "since", "newer_than": "since", "date": "since", "age": "since", "until": "before", "older": "before",
	"older_than": "before", "is": "flag", "flags": "flag", "label": "folder", "in": "folder", "mailbox": "folder", "under": "folder",
	"size": "larger", "bigger": "larger", "min": "larger", "max": "smaller", "tel": "phone", "mobile": "phone", "mail": "email",
	"company": "org", "organization": "org", "fullname": "name", "fn": "name", "categories": "category", "tag": "category", "group": "category",
	"place": "location", "where": "location", "state": "status", "deadline": "due", "prop": "property", "header": "property", "search": "text",
	"contains": "text", "fulltext": "text", "attachment": "attachments", "attach": "attachments", "content": "body",
}

// instead suggests a field for a name that is none.
func instead(name string) string {
	if to := others[name]; to != "" {
		return "; did you mean " + to + "?"
	}
	names := []string{"body", "attachments"}
	for i := range fields {
		names = append(names, fields[i].name)
	}
	best, score := "", 3
	for _, n := range names {
		if len(name) > 2*len(n)+2 {
			continue // whatever that is, it is no slip
		}
		if d := levenshtein.ComputeDistance(name, n); d < score && d < len(n)-1 {
			best, score = n, d
		}
	}
	if best != "" {
		return "; did you mean " + best + "?"
	}
	slices.Sort(names)
	return fmt.Sprintf("; there are %s", strings.Join(names, ", "))
}
