// Package form is what a peer that is none of ours can take and keep of an item, as its device information says: items are converted for it
// at the edge, and what it could not keep is brought back when it returns them.
package form

import (
	"bytes"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/internal/email"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/merge"
	"github.com/alwayson-sync/alwayson/pim/sif"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

// Form is that of one datastore of a peer. A nil Form is that of our own ends, which keep files as they are. It may be used by one
// goroutine at a time.
type Form struct {
	kind    pim.Kind
	wire    wire
	listed  bool // the peer has told what it takes
	holds   func(property string) bool
	objects bool // messages and folders are objects (protocol.md C.13)
	// fields are those of SIF that the peer writes, and so keeps.
	fields map[string]bool
	// reduce leaves out of a body what the peer does not want to be sent; nil if it wants all.
	reduce func([]byte) []byte
}

// wire is how a peer takes items.
type wire int

const (
	modern wire = iota // as they are kept
	old                // vCard 2.1 and vCalendar 1.0 only
	inSIF              // Funambol's and Sync4j's XML
)

// Of is the form that a peer tells of its datastore at uri. Messages that are sent as they are kept have none. A peer that tells nothing
// gets the form of what it sends, the modern one until then, and is believed to keep everything but the UID.
func Of(inf *syncml.DevInf, uri string, k pim.Kind) *Form {
	if k == pim.Mail {
		return mailForm(inf, uri)
	}
	f := &Form{kind: k, holds: func(name string) bool { return name != "UID" }, fields: map[string]bool{}}
	if inf == nil {
		return f
	}
	for i := range inf.DataStores {
		if d := &inf.DataStores[i]; strings.TrimPrefix(d.SourceRef, "./") == strings.TrimPrefix(uri, "./") {
			f.wire, f.listed = preferred(d, k)
			f.learn(d.CTCaps, f.typeOf(k))
		}
	}
	f.learn(inf.CTCaps, f.typeOf(k)) // 1.0 and 1.1 have them here
	return f
}

// mailForm is the form of a datastore of messages: objects, if it prefers them or takes nothing else.
func mailForm(inf *syncml.DevInf, uri string) *Form {
	if inf == nil {
		return nil
	}
	for i := range inf.DataStores {
		d := &inf.DataStores[i]
		plain := slices.ContainsFunc(d.Rx, func(c syncml.ContentType) bool { return c.Type == pim.TypeMessage })
		objects := slices.ContainsFunc(d.Rx, func(c syncml.ContentType) bool { return c.Type == email.TypeEmail })
		if strings.TrimPrefix(d.SourceRef, "./") == strings.TrimPrefix(uri, "./") && (d.RxPref.Type == email.TypeEmail || objects && !plain && d.RxPref.Type != pim.TypeMessage) {
			return &Form{objects: true}
		}
	}
	return nil
}

// Objects tells whether messages and folders travel as objects, with the folder they lie in as their parent.
func (f *Form) Objects() bool { return f != nil && f.objects }

// preferred is how a datastore takes items of a kind: not as they are kept only if it prefers that, or takes nothing else. listed is false
// if it names no type that we know.
func preferred(d *syncml.DataStore, k pim.Kind) (w wire, listed bool) {
	takes := func(typ string) bool {
		return typ != "" && (d.RxPref.Type == typ || slices.ContainsFunc(d.Rx, func(c syncml.ContentType) bool { return c.Type == typ }))
	}
	current, phones, xml := takes(k.ContentType()), takes(OldType(k)), takes(sif.TypeOf(k))
	switch {
	case xml && (d.RxPref.Type == sif.TypeOf(k) || !current && !phones):
		return inSIF, true
	case phones && (d.RxPref.Type == OldType(k) || !current):
		return old, true
	}
	return modern, current
}

// OldType is the content type of the old form of contacts, events and tasks, "" for other kinds.
func OldType(k pim.Kind) string {
	switch k {
	case pim.Contacts:
		return versit.TypeVCard
	case pim.Calendar, pim.Tasks:
		return versit.TypeVCalendar
	}
	return ""
}

// OldVersion is the version of OldType.
func OldVersion(k pim.Kind) string {
	if k == pim.Contacts {
		return "2.1"
	}
	return "1.0"
}

func (f *Form) typeOf(k pim.Kind) string {
	switch f.wire {
	case old:
		return OldType(k)
	case inSIF:
		return "" // its fields are learned from what the peer sends
	}
	return k.ContentType()
}

// learn notes which properties the peer lists for a content type. A name like X-* stands for many.
func (f *Form) learn(caps []syncml.CTCap, typ string) {
	names, starts := map[string]bool{}, []string{}
	if typ == "" {
		return
	}
	for _, c := range caps {
		if c.Type.Type != typ {
			continue
		}
		for _, p := range c.Properties {
			if start, ok := strings.CutSuffix(p.Name, "*"); ok {
				starts = append(starts, strings.ToUpper(start))
			}
			names[strings.ToUpper(p.Name)] = true
		}
	}
	if len(names) == 0 {
		return
	}
	f.holds = func(name string) bool {
		return names[name] || slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(name, s) })
	}
}

// Only narrows what the peer is sent, and with it what it can have deleted: nothing that it never saw. A text has no properties.
func (f *Form) Only(sent func(property string) bool, reduce func([]byte) []byte) {
	if f != nil && f.kind != pim.Notes {
		holds := f.holds
		f.holds = func(name string) bool { return holds(name) && sent(name) }
		f.reduce = reduce
	}
}

// Sent notes what the peer sends: a peer that has not told what it takes is given the same, and the fields that stand in an item in SIF are
// those that it keeps. Take calls it.
func (f *Form) Sent(typ string, body []byte) {
	switch {
	case f == nil || f.objects || typ == "":
		return
	case typ == sif.TypeOf(f.kind):
		for _, name := range sif.Elements(body) {
			f.fields[name] = true
		}
		if !f.listed {
			f.wire = inSIF
		}
	case typ == OldType(f.kind) && !f.listed:
		f.wire = old
	}
}

// Take converts what the peer sent to the form in which items are kept.
func (f *Form) Take(it *pim.Item) {
	if f != nil {
		f.Sent(it.Type, it.Body)
		it.Type, it.Body = kept(it.Type, it.Body)
	}
}

func kept(typ string, body []byte) (string, []byte) {
	if sif.Is(typ) {
		return sif.Modern(typ, body)
	}
	return versit.Modern(typ, body)
}

// Give converts an item to the form that the peer takes.
func (f *Form) Give(it *pim.Item) {
	switch {
	case f == nil:
		return
	case f.objects:
		giveObject(it)
		return
	case f.reduce != nil:
		it.Body = f.reduce(it.Body)
	}
	switch f.wire {
	case old:
		it.Type, it.Body = versit.Old(it.Type, it.Body)
	case inSIF:
		it.Type, it.Body = sif.Old(it.Type, it.Body)
	}
}

func giveObject(it *pim.Item) {
	switch it.Type {
	case pim.TypeMessage:
		it.Type, it.Body = email.TypeEmail, email.Encode(email.Of(*it))
	case pim.TypeFolder:
		it.Body = email.EncodeFolder(email.FolderOf(*it))
	}
}

// Restore is what an item becomes that the peer had as original and returned, after Take, as returned: what it could not keep is there
// again. Items of different types have nothing in common.
func (f *Form) Restore(original, returned pim.Item) []byte {
	if f == nil || f.objects || original.Type != returned.Type {
		return returned.Body
	}
	held := f.held(original)
	switch {
	case f.kind != pim.Notes:
		return merge.Restore(original.Body, held, returned.Body, f.holds)
	case bytes.Equal(held, returned.Body):
		return original.Body
	}
	return returned.Body
}

// held is what the peer has of an item, as it would return it.
func (f *Form) held(original pim.Item) []byte {
	it := pim.Item{Type: original.Type, Body: original.Body}
	f.Give(&it)
	if sif.Is(it.Type) {
		it.Body = sif.Only(it.Body, func(element string) bool { return f.fields[element] || sif.Common(element) })
	}
	_, body := kept(it.Type, it.Body)
	return body
}
