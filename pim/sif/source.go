package sif

import (
	"slices"
	"strconv"
	"strings"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// source is an item that is converted. What nobody has asked for at the end is kept as extras.
type source struct {
	root node
	used map[string]bool
}

// peek is the text of the first field of a name that says something, "" if there is none.
func (s *source) peek(name string) string {
	for i := range s.root.subs {
		if n := &s.root.subs[i]; n.name == name && !n.blank() && len(n.subs) == 0 {
			return n.text
		}
	}
	return ""
}

// text is peek for those who convert the field.
func (s *source) text(name string) string {
	s.used[name] = true
	return s.peek(name)
}

// word is a number, a truth value or a date.
func (s *source) word(name string) string { return strings.TrimSpace(s.text(name)) }

func (s *source) number(name string) int {
	n, _ := strconv.Atoi(s.word(name))
	return n
}

// truth: clients write 1, Horde's server True.
func (s *source) truth(name string) bool {
	v := s.word(name)
	return v == "1" || strings.EqualFold(v, "true")
}

// separated are the words of a list. The separator is the one of the country that Windows is set to.
func separated(v string) []string {
	var out []string
	for _, e := range strings.FieldsFunc(v, func(c rune) bool { return c == ',' || c == ';' || c == '\n' }) {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}

// use says that fields need not be kept.
func (s *source) use(names ...string) {
	for _, name := range names {
		s.used[name] = true
	}
}

// property is a property with the text of a field, none if there is no text.
func (s *source) property(element, name string) []contentline.Line {
	v := s.text(element)
	if v == "" {
		return nil
	}
	return []contentline.Line{line(name, contentline.Escape(v))}
}

// categories is the property, none if there are none.
func (s *source) categories() []contentline.Line {
	list := separated(s.text("Categories"))
	if len(list) == 0 {
		return nil
	}
	for i := range list {
		list[i] = contentline.Escape(list[i])
	}
	return []contentline.Line{line("CATEGORIES", strings.Join(list, ","))}
}

// prefix begins the names of properties that keep fields of SIF.
const prefix = "X-SIF-"

// spelled are the names of fields whose property tells them in capitals only.
var spelled = func() map[string]string {
	out := map[string]string{}
	for name := range strings.FieldsSeq(`ActualWork Attendees BillingInformation BusinessLabel BusinessWebPage Color Companies ComputerNetworkName
		CustomerID Exceptions Folder Gender GovernmentIDNumber Height Hobby HomeLabel IMAddress Importance Initials Language Left MeetingStatus
		Mileage NoAging OrganizationalIDNumber OtherLabel PersonalWebPage ReminderInterval ReminderOptions ReminderRepeatCount ReminderSoundFile
		ReplyTime Sensitivity Status TeamTask Timezone Top TotalWork Width YomiCompanyName`) {
		out[strings.ToUpper(name)] = name
	}
	return out
}()

// extras are the fields that nobody has asked for, as properties.
func (s *source) extras() []contentline.Line {
	var out []contentline.Line
	for i := range s.root.subs {
		if n := &s.root.subs[i]; !s.used[n.name] && !n.blank() {
			out = append(out, extra(n))
		}
	}
	return out
}

// extra is a field as a property. X-NAME is its name if the property alone does not tell, X-XML says that it has fields in it.
func extra(n *node) contentline.Line {
	capitals := strings.Map(func(c rune) rune {
		if c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' {
			return c
		}
		return '-'
	}, strings.ToUpper(n.name))
	l := contentline.Line{Name: prefix + capitals, Value: contentline.Escape(n.text)}
	if spelled[capitals] != n.name {
		l.Params = append(l.Params, contentline.Param{Name: "X-NAME", Values: []string{n.name}})
	}
	if len(n.subs) > 0 {
		l.Params = append(l.Params, contentline.Param{Name: "X-XML", Values: []string{"1"}})
		l.Value = contentline.Escape(n.markup())
	}
	return l
}

// restoreExtras adds the fields that are kept as properties, but none that is there already.
func restoreExtras(into *node, props []contentline.Line) {
	known := len(into.subs)
	for i := range props {
		n, ok := fromExtra(&props[i])
		if ok && !slices.ContainsFunc(into.subs[:known], func(m node) bool { return m.name == n.name }) {
			into.subs = append(into.subs, n)
		}
	}
}

func fromExtra(l *contentline.Line) (node, bool) {
	capitals, ok := strings.CutPrefix(l.Name, prefix)
	n := node{name: spelled[capitals], text: l.Text()}
	if name := l.Param("X-NAME"); name != "" {
		n.name = name
	}
	if l.Param("X-XML") == "" || !ok {
		return n, ok && isName(n.name)
	}
	inner, ok := read([]byte("<x>" + n.text + "</x>"))
	n.subs, n.text = inner.subs, ""
	return n, ok && isName(n.name)
}

// isName tells whether a file that anybody may have written names something that can be an element.
func isName(s string) bool {
	root, ok := read([]byte("<" + s + "/>"))
	return ok && root.name == s && root.kind == "" && len(root.subs) == 0 && !strings.ContainsAny(s, " \t\r\n/=\"'")
}
