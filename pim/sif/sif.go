// Package sif converts between the items of Funambol's and Sync4j's clients, which are XML with the fields of Outlook, and what modern
// programs write: vCard 3.0, iCalendar 2.0 and plain text. Fields that the modern form has no property for are kept as X-SIF-… (sources:
// recorded sessions in corpus/syncml-xml/horde and corpus/syncml-wbxml/cfunambol; Funambol windows-client, SIFFields.h and vocl).
package sif

import (
	"slices"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// The content types (protocol.md C.14). On the wire their items are in base64.
const (
	TypeContact = "text/x-s4j-sifc"
	TypeEvent   = "text/x-s4j-sife"
	TypeTask    = "text/x-s4j-sift"
	TypeNote    = "text/x-s4j-sifn"
)

// roots are the names of the outermost elements.
var roots = map[string]string{TypeContact: "contact", TypeEvent: "appointment", TypeTask: "task", TypeNote: "note"}

// Is tells whether a content type is one of SIF.
func Is(typ string) bool { return roots[typ] != "" }

// TypeOf is the content type of SIF for a kind, "" if there is none.
func TypeOf(k pim.Kind) string {
	switch k {
	case pim.Contacts:
		return TypeContact
	case pim.Calendar:
		return TypeEvent
	case pim.Tasks:
		return TypeTask
	case pim.Notes:
		return TypeNote
	}
	return ""
}

// Modern converts an item in SIF. Other items, and what cannot be read, come back as they are.
func Modern(typ string, body []byte) (string, []byte) {
	if !Is(typ) {
		return typ, body
	}
	root, ok := read(body)
	if !ok || root.name != roots[typ] {
		return typ, body
	}
	s := &source{root: root, used: map[string]bool{"SIFVersion": true}}
	switch typ {
	case TypeContact:
		return pim.TypeVCard, component("VCARD", modernContact(s)).Bytes()
	case TypeEvent:
		return pim.TypeICalendar, calendar(modernEvent(s)).Bytes()
	case TypeTask:
		return pim.TypeICalendar, calendar(modernTask(s)).Bytes()
	}
	return pim.TypePlain, modernNote(s)
}

// Old converts an item to SIF. Items of other types, and files without a card, an event or a task, come back as they are. What SIF cannot
// say is left out; package merge brings it back when the item returns.
func Old(typ string, body []byte) (string, []byte) {
	switch typ {
	case pim.TypeVCard:
		if c := find(body, "VCARD"); c != nil {
			return TypeContact, write(oldContact(c))
		}
	case pim.TypeICalendar:
		if e := entryOf(body); e != nil && e.whole.Name == "VEVENT" {
			return TypeEvent, write(oldEvent(e))
		} else if e != nil {
			return TypeTask, write(oldTask(e))
		}
	case pim.TypePlain:
		return TypeNote, write(oldNote(body))
	}
	return typ, body
}

// Elements are the names of the fields that stand in an item, also of the empty ones: a client writes all that it keeps. Nil if the item
// cannot be read.
func Elements(body []byte) []string {
	root, _ := read(body)
	var out []string
	for _, n := range root.subs {
		out = append(out, n.name)
	}
	return out
}

// Only is an item without the fields that a client does not keep. An item that cannot be read comes back as it is.
func Only(body []byte, keeps func(element string) bool) []byte {
	root, ok := read(body)
	if !ok {
		return body
	}
	root.subs = slices.DeleteFunc(root.subs, func(n node) bool { return !keeps(n.name) })
	return write(&root)
}

// Common tells whether every client keeps a field, so that one which is not there was emptied. All others are known only from a client that
// writes them.
func Common(element string) bool {
	switch element {
	case "FirstName", "LastName", "CompanyName", "MobileTelephoneNumber", "HomeTelephoneNumber", "BusinessTelephoneNumber", "Email1Address",
		"Subject", "Body", "Start", "End", "AllDayEvent":
		return true
	}
	return false
}

// find is the first component of a name at the top of a file.
func find(body []byte, name string) *contentline.Component {
	for _, c := range contentline.ParseTree(body).Subs {
		if c.Name == name {
			return c
		}
	}
	return nil
}

func component(name string, props []contentline.Line, subs ...*contentline.Component) *contentline.Component {
	return &contentline.Component{Name: name, Begin: line("BEGIN", name), Props: props, Subs: subs, End: line("END", name)}
}

func calendar(entry *contentline.Component) *contentline.Component {
	return component("VCALENDAR", []contentline.Line{line("VERSION", "2.0"), line("PRODID", "-//AlwaysOn//SIF//EN")}, entry)
}

// line is a property whose value is escaped already. Types, if any, become the values of TYPE.
func line(name, value string, types ...string) contentline.Line {
	l := contentline.Line{Name: name, Value: value}
	if len(types) > 0 {
		l.Params = []contentline.Param{{Name: "TYPE", Values: types}}
	}
	return l
}
