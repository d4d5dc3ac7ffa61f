// Package match finds out what an item is by looking into it: the identity that two copies of one item share, and whether one may be a
// copy of another that lost something on the way. It only reads; a broken item has no identity and is an item all the same.
package match

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// Identity is what the content of an item says it is.
type Identity struct {
	UID string // UID of a card or calendar object, Message-ID of a mail; "" if there is none
	// Alike is what copies have in common even if a device dropped the UID: a person's name, an event's summary and begin, the words of
	// a note. Two items with the same one need not be copies; Akin tells more. "" if there is none.
	Alike string
}

// Identify looks into a body of the given content type.
func Identify(typ string, body []byte) Identity {
	switch typ {
	case pim.TypeMessage, "message/x-rfc822":
		return Identity{UID: messageID(body)}
	case pim.TypePlain:
		return Identity{Alike: digest(words(body))}
	}
	return identifyLines(contentline.Pick(body, looked))
}

// UID is that of a card or calendar object, "" if it has none: what Identify says, with less work.
func UID(body []byte) string { return identifyLines(contentline.Pick(body, named)).UID }

// named are the properties that say where a UID stands.
var named = map[string]bool{"BEGIN": true, "END": true, "UID": true}

// identifyLines is for cards and calendar objects. Alarms and the like do not count.
func identifyLines(lines []contentline.Line) Identity {
	var id Identity
	found := map[string]string{}
	depth := 0
	for i := range lines {
		l := &lines[i]
		switch {
		case l.Name == "BEGIN":
			depth++
			if strings.EqualFold(l.Value, "VTIMEZONE") || strings.EqualFold(l.Value, "VALARM") {
				depth += aside
			}
		case l.Name == "END":
			depth--
			if strings.EqualFold(l.Value, "VTIMEZONE") || strings.EqualFold(l.Value, "VALARM") {
				depth -= aside
			}
		case depth >= aside:
		case l.Name == "UID" && id.UID == "":
			id.UID = strings.TrimSpace(l.Text())
		case found[l.Name] == "" && telling[l.Name]:
			found[l.Name] = said(l)
		}
	}
	id.Alike = alike(found)
	return id
}

// aside marks lines of components that say nothing of what the item is.
const aside = 1000

// telling are the properties by which people recognize an item.
var telling = map[string]bool{"N": true, "FN": true, "SUMMARY": true, "DTSTART": true, "DUE": true, "RECURRENCE-ID": true}

// looked are the properties that an identity is made of, and what says where they stand.
var looked = func() map[string]bool {
	names := maps.Clone(telling)
	for _, name := range []string{"BEGIN", "END", "UID"} {
		names[name] = true
	}
	return names
}()

func alike(found map[string]string) string {
	switch {
	case found["N"] != "":
		return digest("n " + found["N"])
	case found["FN"] != "":
		return digest("n " + found["FN"])
	case found["SUMMARY"] != "":
		return digest(strings.Join([]string{"s", found["SUMMARY"], found["DTSTART"], found["DUE"], found["RECURRENCE-ID"]}, "\x00"))
	}
	return ""
}

func digest(s string) string {
	if s == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}

// words are a text without what devices do to white space.
func words(body []byte) string { return strings.Join(strings.Fields(string(body)), " ") }

// said is a value without what devices do to its form: case, white space, empty parts at its end, dashes in dates.
func said(l *contentline.Line) string {
	if data, ok := l.Binary(); ok {
		return digest(string(data))
	}
	v := l.Text()
	switch l.Name {
	case "N", "ADR", "ORG", "GEO":
		parts := l.Parts()
		for i := range parts {
			parts[i] = strings.TrimSpace(parts[i])
		}
		v = strings.TrimRight(strings.Join(parts, ";"), ";")
	case "BDAY", "ANNIVERSARY", "DTSTART", "DTEND", "DUE":
		v = strings.NewReplacer("-", "", ":", "").Replace(v)
	case "TEL":
		v = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(v)
	}
	return strings.ToLower(strings.Join(strings.Fields(v), " "))
}

// Akin tells whether one of two items may be a copy of the other: for each property that both have, one has all the values of the other.
// What only one of them has may have been dropped on the way.
func Akin(typ string, a, b []byte) bool {
	if typ == pim.TypePlain {
		return words(a) == words(b)
	}
	pa, pb := properties(a), properties(b)
	for name, va := range pa {
		if vb := pb[name]; len(vb) > 0 && !within(va, vb) && !within(vb, va) {
			return false
		}
	}
	return true
}

func within(a, b []string) bool {
	return !slices.ContainsFunc(a, func(v string) bool { return !slices.Contains(b, v) })
}

// ofTheWriter are properties that tell of a program or a moment and not of the item.
var ofTheWriter = map[string]bool{
	"": true, "BEGIN": true, "END": true, "VERSION": true, "PRODID": true, "REV": true, "UID": true, "DTSTAMP": true, "CREATED": true,
	"LAST-MODIFIED": true, "SEQUENCE": true, "X-EVOLUTION-FILE-AS": true,
}

// properties are the values of an item by name.
func properties(body []byte) map[string][]string {
	out := map[string][]string{}
	inside := ""
	for _, l := range contentline.Parse(body) {
		switch {
		case l.Name == "BEGIN":
			inside = strings.ToUpper(l.Value)
		case ofTheWriter[l.Name] || inside == "VTIMEZONE" || inside == "STANDARD" || inside == "DAYLIGHT":
		default:
			if v := said(&l); v != "" {
				out[inside+" "+l.Name] = append(out[inside+" "+l.Name], v)
			}
		}
	}
	return out
}

// header bounds how far the Message-ID is looked for.
const header = 64 << 10

// messageID is the value of the first such field, unfolded.
func messageID(body []byte) string {
	const name = "message-id:"
	rest := body[:min(len(body), header)]
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if len(line) >= len(name) && strings.EqualFold(string(line[:len(name)]), name) {
			return unfold(line[len(name):], rest)
		}
	}
	return ""
}

// unfold adds the lines that go on with a blank.
func unfold(v, rest []byte) string {
	out := strings.TrimSuffix(string(v), "\r")
	for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
		var line []byte
		line, rest, _ = bytes.Cut(rest[1:], []byte("\n"))
		out += strings.TrimSuffix(string(line), "\r")
	}
	return strings.TrimSpace(out)
}
