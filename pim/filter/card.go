package filter

import (
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// card notes the facts of a vCard.
func (f *Facts) card(body []byte) {
	for _, c := range contentline.ParseTree(body).Subs {
		if c.Name != "VCARD" {
			continue
		}
		f.Read = true
		for i := range c.Props {
			f.cardLine(&c.Props[i])
		}
	}
}

func (f *Facts) cardLine(l *contentline.Line) {
	switch l.Name {
	case "FN", "NICKNAME":
		f.say("name", l.Text())
	case "N":
		f.name(l.Parts())
	case "EMAIL":
		f.say("email", strings.TrimPrefix(l.Text(), "mailto:"))
	case "TEL":
		f.say("phone", l.Text())
	case "ORG":
		f.say("org", strings.Join(l.Parts(), " "))
	case "CATEGORIES":
		f.say("category", categories(l)...)
	}
}

// name notes a structured name as people say it, and as it is sorted: of family, given, additional, prefix, suffix.
func (f *Facts) name(parts []string) {
	for len(parts) < 3 {
		parts = append(parts, "")
	}
	f.say("name", strings.Join([]string{parts[1], parts[2], parts[0]}, " "), strings.Join(parts, " "))
}

// categories are those of a line; vCard 2.1 and vCalendar 1.0 separate them by semicolons.
func categories(l *contentline.Line) []string {
	var out []string
	for _, c := range l.List() {
		for s := range strings.SplitSeq(c, ";") {
			out = append(out, s)
		}
	}
	return out
}
