package filter

import (
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// cgiRow is how a field is said in OMA DS. The names of properties are those of the items, or of the e-mail objects of OMA DS.
type cgiRow struct {
	kinds []pim.Kind
	field string
	prop  string
	op    string   // of the term that is not negated
	also  []string // other operators of the same meaning that peers may write
	value string   // instead of the term's, if only this one is meant
	word  string   // the term's value that it stands for
}

var (
	fetched = []string{"CON", "iEQ", "EQ"} // for what is compared whole anyway
	parts   = []string{"CON"}
	exactly = []string{"EQ"}
)

var cgiRows = []cgiRow{
	{kinds: mails, field: "from", prop: "from", op: "iCON", also: fetched},
	{kinds: mails, field: "to", prop: "to", op: "iCON", also: fetched},
	{kinds: mails, field: "subject", prop: "subject", op: "iCON", also: parts},
	{kinds: mails, field: "flag", prop: "read", op: "iEQ", also: exactly, value: "true", word: "seen"},
	{kinds: mails, field: "flag", prop: "replied", op: "iEQ", also: exactly, value: "true", word: "answered"},
	{kinds: mails, field: "flag", prop: "flagged", op: "iEQ", also: exactly, value: "true", word: "flagged"},
	{kinds: mails, field: "flag", prop: "forwarded", op: "iEQ", also: exactly, value: "true", word: "forwarded"},
	{kinds: mails, field: "flag", prop: "deleted", op: "iEQ", also: exactly, value: "true", word: "trashed"},
	{kinds: mails, field: "flag", prop: "draft", op: "iEQ", also: exactly, value: "true", word: "draft"},
	{kinds: mails, field: "has", prop: "attachment", op: "iEQ", also: exactly, value: "true", word: "attachment"},
	{kinds: cards, field: "name", prop: "FN", op: "iCON", also: parts},
	{kinds: cards, field: "email", prop: "EMAIL", op: "iCON", also: fetched},
	{kinds: cards, field: "phone", prop: "TEL", op: "iCON", also: fetched},
	{kinds: cards, field: "org", prop: "ORG", op: "iCON", also: parts},
	{kinds: events, field: "subject", prop: "SUMMARY", op: "iCON", also: parts},
	{kinds: events, field: "location", prop: "LOCATION", op: "iCON", also: parts},
	{kinds: sorted, field: "category", prop: "CATEGORIES", op: "iCON", also: fetched},
	{kinds: []pim.Kind{pim.Tasks}, field: "due", prop: "DUE", op: "LE"},
	{kinds: []pim.Kind{pim.Tasks}, field: "status", prop: "STATUS", op: "iEQ", also: exactly, value: "COMPLETED", word: "done"},
	{kinds: []pim.Kind{pim.Tasks}, field: "status", prop: "STATUS", op: "iNE", value: "COMPLETED", word: "open"},
	{kinds: every, field: "folder", prop: "folder", op: "iEQ", also: exactly},
	{kinds: every, field: "larger", prop: "size", op: "GT"},
	{kinds: every, field: "smaller", prop: "size", op: "LT"},
	{kinds: every, field: "text", prop: "text", op: "iCON", also: parts},
}

// contrary operators.
var contrary = map[string]string{
	"EQ": "NE", "NE": "EQ", "iEQ": "iNE", "iNE": "iEQ", "CON": "NCON", "NCON": "CON", "iCON": "iNCON", "iNCON": "iCON",
	"GT": "LE", "LE": "GT", "LT": "GE", "GE": "LT", "iGT": "iLE", "iLE": "iGT", "iLT": "iGE", "iGE": "iLT",
}

// cgiOf are the operators of property terms.
var cgiOf = map[string]string{"=": "iEQ", "==": "EQ", "~": "iCON", "~~": "CON", "<": "iLT", "<=": "iLE", ">": "iGT", ">=": "iGE"}

// rowFor is how a value of a field is said, nil if it cannot be.
func rowFor(kind pim.Kind, field string, v *value) *cgiRow {
	for i := range cgiRows {
		r := &cgiRows[i]
		if r.field == field && slices.Contains(r.kinds, kind) && (r.word == "" || r.word == v.text) {
			return r
		}
	}
	return nil
}

// knownProperties are those that may be compared beside the rows above.
var knownProperties = map[pim.Kind][]string{
	pim.Contacts: strings.Fields("ADR BDAY CATEGORIES CLASS EMAIL FN GEO LABEL LANG MAILER N NICKNAME NOTE ORG REV ROLE TEL TITLE TZ UID URL"),
	pim.Calendar: strings.Fields("ATTENDEE CATEGORIES CLASS COMMENT CONTACT CREATED DESCRIPTION DTEND DTSTAMP DTSTART DURATION GEO LAST-MODIFIED " +
		"LOCATION ORGANIZER PRIORITY RESOURCES RRULE SEQUENCE STATUS SUMMARY TRANSP UID URL"),
	pim.Tasks: strings.Fields("ATTENDEE CATEGORIES CLASS COMMENT COMPLETED CONTACT CREATED DESCRIPTION DTSTAMP DTSTART DUE DURATION GEO LAST-MODIFIED " +
		"LOCATION ORGANIZER PERCENT-COMPLETE PRIORITY RESOURCES RRULE SEQUENCE STATUS SUMMARY UID URL"),
	pim.Mail: strings.Fields("CC FROM IMPORTANCE LIST-ID MESSAGE-ID REPLY-TO SENDER SUBJECT TO"),
}

func knownProperty(kind pim.Kind, name string) bool {
	return slices.Contains(knownProperties[kind], name) || strings.HasPrefix(name, "X-") && len(knownProperties[kind]) > 0
}

// Capabilities are what device information says of filters for a kind: the keywords and the names of properties for FilterCap
// (protocol.md A.3).
func Capabilities(kind pim.Kind) (keywords, properties []string) {
	if slices.Contains(dated, kind) {
		keywords = []string{"SINCE", "BEFORE"}
	}
	for _, r := range cgiRows {
		if slices.Contains(r.kinds, kind) && !slices.Contains(properties, r.prop) {
			properties = append(properties, r.prop)
		}
	}
	if kind == pim.Mail {
		properties = append(properties, "received", "modified")
	}
	for _, p := range knownProperties[kind] {
		if !slices.ContainsFunc(properties, func(q string) bool { return strings.EqualFold(p, q) }) {
			properties = append(properties, p)
		}
	}
	return keywords, properties
}
