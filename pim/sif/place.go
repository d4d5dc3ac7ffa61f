package sif

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// slot is a field for one of several properties of a name, told apart by their types. Outlook has one field for each. The types are
// those of Evolution, whose contacts have the same fields.
type slot struct {
	element string
	types   []string
}

// The order decides where a property goes that fits several.
var (
	numbers = []slot{
		{"CarTelephoneNumber", []string{"CAR"}}, {"PagerNumber", []string{"PAGER"}}, {"RadioTelephoneNumber", []string{"X-EVOLUTION-RADIO"}},
		{"TelexNumber", []string{"X-EVOLUTION-TELEX"}}, {"CallbackTelephoneNumber", []string{"X-EVOLUTION-CALLBACK"}},
		{"AssistantTelephoneNumber", []string{"X-EVOLUTION-ASSISTANT"}}, {"CompanyMainTelephoneNumber", []string{"X-EVOLUTION-COMPANY"}},
		{"HomeFaxNumber", []string{"HOME", "FAX"}}, {"BusinessFaxNumber", []string{"WORK", "FAX"}}, {"OtherFaxNumber", []string{"FAX"}},
		{"MobileTelephoneNumber", []string{"CELL"}}, {"HomeTelephoneNumber", []string{"HOME"}}, {"Home2TelephoneNumber", []string{"HOME"}},
		{"BusinessTelephoneNumber", []string{"WORK"}}, {"Business2TelephoneNumber", []string{"WORK"}},
		{"PrimaryTelephoneNumber", []string{"PREF"}}, {"OtherTelephoneNumber", nil},
	}
	pages     = []slot{{"HomeWebPage", []string{"HOME"}}, {"WebPage", nil}}
	addresses = []slot{{"HomeAddress", []string{"HOME"}}, {"BusinessAddress", []string{"WORK"}}, {"OtherAddress", nil}}
)

// modernPlaces are numbers, addresses, e-mail addresses and pages. Outlook's BusinessWebPage is WebPage once more.
func modernPlaces(s *source) []contentline.Line {
	var out []contentline.Line
	for _, n := range numbers {
		if v := s.word(n.element); v != "" {
			out = append(out, line("TEL", contentline.Escape(v), n.types...))
		}
	}
	for i := 1; i <= 3; i++ {
		out = append(out, s.mail("Email"+strconv.Itoa(i)+"Address")...)
	}
	for _, a := range addresses {
		if v := strings.Join(parts(s, a.element, addressParts), ";"); strings.Trim(v, ";") != "" {
			out = append(out, line("ADR", v, a.types...))
		}
	}
	for _, p := range pages {
		if v := s.word(p.element); v != "" {
			out = append(out, line("URL", contentline.Escape(v), p.types...))
		}
	}
	if strings.TrimSpace(s.peek("BusinessWebPage")) == strings.TrimSpace(s.peek("WebPage")) {
		s.use("BusinessWebPage")
	}
	return out
}

// mail is an e-mail address. Its type says how messages travel: SMTP, or EX inside of an Exchange server.
func (s *source) mail(element string) []contentline.Line {
	v, kind := s.word(element), s.word(element+"Type")
	switch {
	case v == "":
		return nil
	case kind == "" || strings.EqualFold(kind, "SMTP"):
		return []contentline.Line{line("EMAIL", contentline.Escape(v), "INTERNET")}
	}
	return []contentline.Line{line("EMAIL", contentline.Escape(v), "X-"+strings.Map(letter, strings.ToUpper(kind)))}
}

func letter(c rune) rune {
	if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
		return c
	}
	return -1
}

func oldPlaces(out *node, c *contentline.Component) {
	tel := place(c, "TEL", numbers)
	for _, n := range numbers {
		out.put(n.element, strings.TrimPrefix(text(tel[n.element]), "tel:"))
	}
	putMail(out, c)
	adr := place(c, "ADR", addresses)
	for _, a := range addresses {
		putParts(out, a.element, addressParts, adr[a.element])
	}
	url := place(c, "URL", pages)
	for _, p := range pages {
		out.put(p.element, text(url[p.element]))
	}
}

// place finds a field for each property of a name, as long as there is a free one that all types of its own fit.
func place(c *contentline.Component, name string, slots []slot) map[string]*contentline.Line {
	out := map[string]*contentline.Line{}
	for i := range c.Props {
		l := &c.Props[i]
		if l.Name != name || strings.TrimSpace(l.Text()) == "" {
			continue
		}
		types := plainTypes(l)
		for _, s := range slots {
			if out[s.element] == nil && s.fits(types) {
				out[s.element] = l
				break
			}
		}
	}
	return out
}

// fits tells whether a field is for properties of these types. A fax is nobody's voice.
func (s *slot) fits(types []string) bool {
	if slices.Contains(types, "FAX") && !slices.Contains(s.types, "FAX") {
		return false
	}
	return !slices.ContainsFunc(s.types, func(t string) bool { return !slices.Contains(types, plainType(t)) })
}

// plainTypes are types without the name of the program that made them up.
func plainTypes(l *contentline.Line) []string {
	out := l.Types()
	for i := range out {
		out[i] = plainType(out[i])
	}
	return out
}

func plainType(t string) string {
	for _, start := range []string{"X-EVOLUTION-", "X-FUNAMBOL-", "X-"} {
		if rest, ok := strings.CutPrefix(t, start); ok {
			return rest
		}
	}
	return t
}

// putMail gives the first three e-mail addresses.
func putMail(out *node, c *contentline.Component) {
	var lines [3]*contentline.Line
	n := 0
	for i := range c.Props {
		if l := &c.Props[i]; l.Name == "EMAIL" && strings.TrimSpace(l.Text()) != "" && n < len(lines) {
			lines[n] = l
			n++
		}
	}
	for i, l := range lines {
		element, kind := "Email"+strconv.Itoa(i+1)+"Address", ""
		if l != nil {
			kind = "SMTP"
		}
		if l != nil && slices.Contains(l.Types(), "X-EX") {
			kind = "EX"
		}
		out.put(element, text(l))
		out.put(element+"Type", kind)
	}
}
