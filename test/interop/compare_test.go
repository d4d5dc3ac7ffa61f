package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim/contentline"
)

// diff compares the items of both sides, property by property.
func diff(t testing.TB, store string, device, server map[string]string) {
	t.Helper()
	if d := cmp.Diff(canonical(store, device), canonical(store, server)); d != "" {
		t.Errorf("%s differ (-device +server):\n%s", store, d)
	}
}

// canonical is every item as the list of what it says, the items in order.
func canonical(store string, items map[string]string) []string {
	var out []string
	for _, body := range items {
		if store == "notes" {
			// SyncEvolution writes the line ends of its system, and none at the end.
			out = append(out, strings.TrimRight(strings.ReplaceAll(body, "\r\n", "\n"), "\n"))
			continue
		}
		out = append(out, properties(body))
	}
	slices.Sort(out)
	return out
}

// noise are properties that SyncEvolution writes on its own account, or never passes on.
var noise = map[string]string{
	"PRODID": "its own name", "REV": "the time it wrote the card", "VERSION": "3.0 and 2.1 alike", "DTSTAMP": "the time it sent the event",
	"UID": "cards lose it", "X-EVOLUTION-FILE-AS": "made from N", "LAST-MODIFIED": "the time it wrote the event", "CREATED": "likewise",
	"SEQUENCE": "counts its own edits", "CLASS": "PUBLIC if there was none", "TRANSP": "OPAQUE if there was none",
	"CALSCALE": "the only one there is", "METHOD": "PUBLISH if there was none", "PERCENT-COMPLETE": "0 if there was none",
	"PRIORITY": "0 if there was none", "X-LIC-LOCATION": "as TZID",
}

// properties is an item as a sorted list of properties with their values.
func properties(body string) string {
	var out, path []string
	for _, l := range contentline.Parse([]byte(body)) {
		switch {
		case l.Name == "BEGIN":
			path = append(path, strings.ToUpper(l.Value))
		case l.Name == "END" && len(path) > 0:
			path = path[:len(path)-1]
		case noise[l.Name] != "" || slices.Contains(path, "VTIMEZONE"):
		default:
			if v := value(&l); v != "" {
				out = append(out, fmt.Sprintf("%s %s%v=%s", strings.Join(path, "/"), l.Name, types(&l), v))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// value is what a property says; "" if nothing.
func value(l *contentline.Line) string {
	if data, ok := l.Binary(); ok {
		return fmt.Sprintf("%d octets %x", len(data), data[:min(len(data), 16)])
	}
	switch l.Name {
	case "BDAY":
		return strings.ReplaceAll(l.Text(), "-", "")
	case "N", "ADR", "ORG", "GEO":
		return strings.TrimRight(strings.Join(l.Parts(), ";"), ";") // all parts are written, also empty ones
	}
	return strings.TrimSpace(l.Text())
}

// types are the kinds of a number or an address; defaults are left out by some and written by others.
func types(l *contentline.Line) []string {
	var out []string
	for _, t := range l.Types() {
		switch t {
		case "VOICE", "INTERNET", "PREF", "BASE64", "B", "JPEG", "QUOTED-PRINTABLE":
		default:
			out = append(out, t)
		}
	}
	return out
}
