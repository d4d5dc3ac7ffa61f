package sif

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// field is a field of one text. Where programs have different names for its property, the others follow the one that is written.
type field struct {
	element    string
	properties []string
}

var texts = []field{
	{"JobTitle", []string{"TITLE"}}, {"Profession", []string{"ROLE"}}, {"NickName", []string{"NICKNAME"}}, {"Body", []string{"NOTE"}},
	{"AssistantName", []string{"X-EVOLUTION-ASSISTANT", "X-ASSISTANT", "X-MS-ASSISTANT", "X-KADDRESSBOOK-X-ASSISTANTSNAME"}},
	{"ManagerName", []string{"X-EVOLUTION-MANAGER", "X-MANAGER", "X-MS-MANAGER", "X-FUNAMBOL-MANAGER", "X-KADDRESSBOOK-X-MANAGERSNAME"}},
	{"Spouse", []string{"X-EVOLUTION-SPOUSE", "X-SPOUSE", "X-MS-SPOUSE", "X-FUNAMBOL-SPOUSE", "X-KADDRESSBOOK-X-SPOUSESNAME"}},
	{"Children", []string{"X-CHILDREN", "X-FUNAMBOL-CHILDREN"}}, {"InternetFreeBusyAddress", []string{"FBURL"}},
	{"YomiFirstName", []string{"X-PHONETIC-FIRST-NAME"}}, {"YomiLastName", []string{"X-PHONETIC-LAST-NAME"}},
}

var dates = []field{
	{"Birthday", []string{"BDAY"}},
	{"Anniversary", []string{"X-EVOLUTION-ANNIVERSARY", "ANNIVERSARY", "X-ANNIVERSARY", "X-MS-ANNIVERSARY", "X-FUNAMBOL-ANNIVERSARY",
		"X-KADDRESSBOOK-X-ANNIVERSARY"}},
}

// Fields that are parts of one property, in its order. Funambol, too, takes the third part of ORG for the office.
var (
	nameParts    = []string{"LastName", "FirstName", "MiddleName", "Title", "Suffix"}
	companyParts = []string{"CompanyName", "Department", "OfficeLocation"}
	addressParts = []string{"PostOfficeBox", "Extended", "Street", "City", "State", "PostalCode", "Country"}
)

// misspelled are names of fields in use beside the right ones: Horde's WorkAddress, and two of .NET clients.
func correct(root *node) {
	for i := range root.subs {
		n := &root.subs[i]
		if part, ok := strings.CutPrefix(n.name, "WorkAddress"); ok {
			n.name = "BusinessAddress" + part
		}
		switch n.name {
		case "EmailAddress":
			n.name = "Email1Address"
		case "Anniversay":
			n.name = "Anniversary"
		}
	}
}

// modernContact makes a card. Subject is the name once more, as Outlook computes it.
func modernContact(s *source) []contentline.Line {
	correct(&s.root)
	name := parts(s, "", nameParts)
	shown := s.text("FileAs")
	subject := s.text("Subject")
	props := []contentline.Line{line("VERSION", "3.0"), line("N", strings.Join(name, ";")),
		line("FN", contentline.Escape(displayed(shown, subject, s.peek("FirstName"), s.peek("LastName"), s.peek("CompanyName"))))}
	if company := strings.TrimRight(strings.Join(parts(s, "", companyParts), ";"), ";"); company != "" {
		props = append(props, line("ORG", company))
	}
	for _, f := range texts {
		props = append(props, s.property(f.element, f.properties[0])...)
	}
	for _, f := range dates {
		if v := s.word(f.element); v != "" {
			props = append(props, line(f.properties[0], contentline.Escape(dashed(v))))
		}
	}
	props = append(props, s.categories()...)
	props = append(props, modernPlaces(s)...)
	props = append(props, s.photo()...)
	props = append(props, s.class()...)
	return append(props, s.extras()...)
}

// displayed is the name to show: every card must have one.
func displayed(fileAs, subject, first, last, company string) string {
	for _, v := range []string{fileAs, subject, first + " " + last, company} {
		if v = strings.TrimSpace(v); v != "" {
			return v
		}
	}
	return ""
}

// parts are fields as the parts of a value.
func parts(s *source, start string, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = contentline.Escape(s.text(start + name))
	}
	return out
}

func (s *source) photo() []contentline.Line {
	s.use("Photo")
	i := slices.IndexFunc(s.root.subs, func(n node) bool { return n.name == "Photo" && !n.blank() })
	if i < 0 {
		return nil
	}
	n := &s.root.subs[i]
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.text), ""))
	if err != nil {
		s.used["Photo"] = false // whatever it is, it is kept
		return nil
	}
	l := line("PHOTO", base64.StdEncoding.EncodeToString(data))
	l.Params = []contentline.Param{{Name: "ENCODING", Values: []string{"b"}}}
	if n.kind != "" {
		l.Params = append(l.Params, contentline.Param{Name: "TYPE", Values: []string{n.kind}})
	}
	return []contentline.Line{l}
}

// oldContact makes a contact with all fields that clients keep: one that is not named, they would leave as it is.
func oldContact(c *contentline.Component) *node {
	out := &node{name: "contact"}
	out.put("SIFVersion", "1.0")
	putParts(out, "", nameParts, c.Prop("N"))
	putParts(out, "", companyParts, c.Prop("ORG"))
	for _, f := range texts {
		out.put(f.element, text(first(c, f.properties)))
	}
	for _, f := range dates {
		out.put(f.element, dashed(text(first(c, f.properties))))
	}
	putCategories(out, c)
	oldPlaces(out, c)
	putPhoto(out, c)
	putClass(out, c)
	// At the end, because Outlook makes one of the names.
	out.put("FileAs", displayed(text(c.Prop("FN")), "", out.get("FirstName"), out.get("LastName"), out.get("CompanyName")))
	restoreExtras(out, c.Props)
	return out
}

// first is the first property that has one of the names.
func first(c *contentline.Component, names []string) *contentline.Line {
	for _, name := range names {
		if l := c.Prop(name); l != nil {
			return l
		}
	}
	return nil
}

func text(l *contentline.Line) string {
	if l == nil {
		return ""
	}
	return l.Text()
}

func putParts(out *node, start string, names []string, l *contentline.Line) {
	values := make([]string, len(names))
	if l != nil {
		copy(values, l.Parts())
	}
	for i, name := range names {
		out.put(start+name, values[i])
	}
}

// putCategories joins all categories in the manner of Outlook. One with a separator in it becomes two.
func putCategories(out *node, c *contentline.Component) {
	var all []string
	for i := range c.Props {
		if c.Props[i].Name == "CATEGORIES" {
			all = append(all, separated(strings.Join(c.Props[i].List(), ","))...)
		}
	}
	out.put("Categories", strings.Join(all, ", "))
}

func putPhoto(out *node, c *contentline.Component) {
	n := node{name: "Photo"}
	if l := c.Prop("PHOTO"); l != nil {
		if data, ok := l.Binary(); ok && len(data) > 0 {
			n.kind, n.text = l.Param("TYPE"), base64.StdEncoding.EncodeToString(data)
		}
	}
	out.subs = append(out.subs, n)
}
