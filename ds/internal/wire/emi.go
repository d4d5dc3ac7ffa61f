// Package wire is how the two ends of this project lie in SyncML: the EMI of the logical session, items in commands,
// and device information. Both dsclient and dsserver use it, so that what one writes the other reads.
package wire

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// Verb is what an EMI of the header says about the logical session (design.md §4).
type Verb string

// The verbs.
const (
	Open    Verb = "open"    // client: open one
	OK      Verb = "ok"      // server: opened
	In      Verb = "in"      // client: this exchange belongs to it
	Close   Verb = "close"   // client: it ends
	Unknown Verb = "unknown" // server: no such session, open anew
	Held    Verb = "held"    // server: credentials refused, the session is kept (A3)
)

// Logical is one statement about the logical session.
type Logical struct {
	Verb  Verb
	ID    string
	Lease time.Duration // only with OK; whole seconds
}

const (
	logicalPrefix = "x-alwayson="
	itemPrefix    = "x-alwayson-item;"
)

// EMI is l as text.
func (l Logical) EMI() string {
	s := logicalPrefix + string(l.Verb)
	if l.ID != "" {
		s += ";id=" + l.ID
	}
	if l.Lease > 0 {
		s += ";lease=" + strconv.FormatInt(int64(l.Lease/time.Second), 10)
	}
	return s
}

// FindLogical is the statement among the EMIs of a header; the zero Logical if there is none.
func FindLogical(emis []string) Logical {
	for _, emi := range emis {
		rest, ok := strings.CutPrefix(strings.TrimSpace(emi), logicalPrefix)
		if !ok {
			continue
		}
		verb, fields, _ := strings.Cut(rest, ";")
		l := Logical{Verb: Verb(verb)}
		for field := range strings.SplitSeq(fields, ";") {
			l.set(field)
		}
		return l
	}
	return Logical{}
}

func (l *Logical) set(field string) {
	switch name, value, _ := strings.Cut(field, "="); name {
	case "id":
		l.ID = value
	case "lease":
		if n, err := strconv.ParseUint(value, 10, 31); err == nil {
			l.Lease = time.Duration(n) * time.Second
		}
	}
}

// itemEMI carries what message/rfc822 and a file name cannot: folder, flags, name. Peers that know nothing of it ignore it.
func itemEMI(it pim.Item) string {
	var b strings.Builder
	b.WriteString(itemPrefix)
	for _, f := range [...]struct{ key, value string }{{"folder", it.Folder}, {"flags", string(it.Flags)}, {"name", it.Name}} {
		if f.value != "" {
			b.WriteString(f.key + "=" + url.QueryEscape(f.value) + ";")
		}
	}
	if b.Len() == len(itemPrefix) {
		return ""
	}
	return b.String()
}

func readItemEMI(emis []string, it *pim.Item) {
	for _, emi := range emis {
		rest, ok := strings.CutPrefix(emi, itemPrefix)
		if !ok {
			continue
		}
		for field := range strings.SplitSeq(rest, ";") {
			setItemField(it, field)
		}
	}
}

func setItemField(it *pim.Item, field string) {
	key, escaped, _ := strings.Cut(field, "=")
	value, err := url.QueryUnescape(escaped)
	if err != nil {
		return // as good as absent: a folder or a name is a convenience, the body is the item
	}
	switch key {
	case "folder":
		it.Folder = cleanFolder(value)
	case "flags":
		it.Flags = pim.NewFlags(value)
	case "name":
		it.Name = value
	}
}

// cleanFolder drops empty, "." and ".." parts: a folder from the wire is never a way out of the store.
func cleanFolder(folder string) string {
	parts := strings.Split(folder, "/")
	kept := parts[:0]
	for _, p := range parts {
		if p != "" && p != "." && p != ".." {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "/")
}

// approved marks a deletion that the user of the device has looked at, because there were many.
const approved = itemPrefix + "approved=1"

// Approve marks a deletion.
func Approve(c *syncml.Change) { c.Items[0].Meta.EMI = []string{approved} }

// Approved tells whether a deletion is marked.
func Approved(m *syncml.Meta) bool { return slices.Contains(m.EMI, approved) }

const conflictsPrefix = "x-alwayson-conflicts="

// ConflictsEMI says in the Alert of a datastore what shall become of conflicts; nil is what every server does.
func ConflictsEMI(p ds.ConflictPolicy) []string {
	if p == "" || p == ds.ConflictsMerge {
		return nil
	}
	return []string{conflictsPrefix + string(p)}
}

// FindConflicts reads what ConflictsEMI wrote. A policy of a later version is passed over: both versions are kept then, at worst.
func FindConflicts(emis []string) ds.ConflictPolicy {
	for _, emi := range emis {
		if v, ok := strings.CutPrefix(emi, conflictsPrefix); ok {
			p, _ := ds.ParseConflictPolicy(v) //nolint:errcheck // see above
			return p
		}
	}
	return ds.ConflictsMerge
}

const expiresPrefix = "x-alwayson-expires="

// ExpiresEMI says when the credentials of a device will age (A9).
func ExpiresEMI(at time.Time) string { return expiresPrefix + strconv.FormatInt(at.Unix(), 10) }

// FindExpires is when the credentials will age; the zero time if a header does not say.
func FindExpires(emis []string) time.Time {
	for _, emi := range emis {
		if v, ok := strings.CutPrefix(emi, expiresPrefix); ok {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
				return time.Unix(n, 0)
			}
		}
	}
	return time.Time{}
}
