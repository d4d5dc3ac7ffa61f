// Package form is what a peer that is none of ours can take and keep of an item, as its device information says: items are converted for it
// at the edge, and what it could not keep is brought back when it returns them.
package form

import (
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/ds/internal/email"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/merge"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

// Form is that of one datastore of a peer. A nil Form is that of our own ends, which keep files as they are.
type Form struct {
	old     bool // vCard 2.1 and vCalendar 1.0 only
	holds   func(property string) bool
	objects bool // messages and folders are objects (protocol.md C.13)
	// reduce leaves out of a body what the peer does not want to be sent; nil if it wants all.
	reduce func([]byte) []byte
}

// Of is the form that a peer tells of its datastore at uri. Kinds whose items are kept as they are have none. A peer that tells nothing
// gets the modern form and is believed to keep everything but the UID.
func Of(inf *syncml.DevInf, uri string, k pim.Kind) *Form {
	if k == pim.Notes {
		return nil
	}
	if k == pim.Mail {
		return mailForm(inf, uri)
	}
	f := &Form{holds: func(name string) bool { return name != "UID" }}
	if inf == nil {
		return f
	}
	for i := range inf.DataStores {
		if d := &inf.DataStores[i]; strings.TrimPrefix(d.SourceRef, "./") == strings.TrimPrefix(uri, "./") {
			f.old = onlyOld(d, k)
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

// onlyOld tells whether a datastore prefers the old form of a kind, or takes no other.
func onlyOld(d *syncml.DataStore, k pim.Kind) bool {
	modern, old := k.ContentType(), OldType(k)
	takes := func(typ string) bool {
		return d.RxPref.Type == typ || slices.ContainsFunc(d.Rx, func(c syncml.ContentType) bool { return c.Type == typ })
	}
	return takes(old) && (d.RxPref.Type == old || !takes(modern))
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
	if f.old {
		return OldType(k)
	}
	return k.ContentType()
}

// learn notes which properties the peer lists for a content type. A name like X-* stands for many.
func (f *Form) learn(caps []syncml.CTCap, typ string) {
	names, starts := map[string]bool{}, []string{}
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

// Only narrows what the peer is sent, and with it what it can have deleted: nothing that it never saw.
func (f *Form) Only(sent func(property string) bool, reduce func([]byte) []byte) {
	if f != nil {
		holds := f.holds
		f.holds = func(name string) bool { return holds(name) && sent(name) }
		f.reduce = reduce
	}
}

// Take converts what the peer sent to the form in which items are kept.
func (f *Form) Take(it *pim.Item) {
	if f != nil {
		it.Type, it.Body = versit.Modern(it.Type, it.Body)
	}
}

// Give converts an item to the form that the peer takes.
func (f *Form) Give(it *pim.Item) {
	if f.Objects() {
		giveObject(it)
		return
	}
	if f != nil && f.reduce != nil {
		it.Body = f.reduce(it.Body)
	}
	if f != nil && f.old {
		it.Type, it.Body = versit.Old(it.Type, it.Body)
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
	given := pim.Item{Type: original.Type, Body: original.Body}
	f.Give(&given)
	f.Take(&given)
	return merge.Restore(original.Body, given.Body, returned.Body, f.holds)
}
