// Package scope tells what of a collection a device shall have under its filter, and in which form: what comes, what changes, what leaves
// the device without being deleted (F, M8). Server and notifier ask it alike.
package scope

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// Scope is what a device wants of one collection. The zero Scope is everything, whole.
type Scope struct {
	Kind   pim.Kind
	Filter filter.Filter
	// Travel is wanted besides, as long as its time lasts (M9).
	Travel *filter.Filter
	Until  time.Time
	// Stay: what is out of the filter stays on the device; the filter only fetches (INCLUSIVE, protocol.md E.1).
	Stay bool
	// Fields are the properties that travel of cards and calendar objects; nil for all.
	Fields filter.Fields
	// LUID: only this item is wanted, e.g. one message whole (protocol.md E.3).
	LUID string
}

// Of is the scope of a device as its filter was set in the store. A filter of a newer version that cannot be read leaves all in scope.
func Of(tx dsstore.Tx, device string, c dsstore.Collection, k pim.Kind, now time.Time) (Scope, error) {
	f, err := tx.Filter(device, c)
	if err != nil {
		return Scope{}, err
	}
	return New(f, k, now), nil
}

// New is the scope that a stored filter makes at now.
func New(f dsstore.Filter, k pim.Kind, now time.Time) Scope {
	s := Scope{Kind: k}
	if parsed, err := filter.Parse(f.Text); err == nil {
		s.Filter = parsed
	}
	if f.Travel != "" && now.Before(f.Until) {
		if t, err := filter.Parse(f.Travel); err == nil {
			s.Travel, s.Until = &t, f.Until
		}
	}
	return s
}

// Everything tells whether nothing is left out, and everything travels whole.
func (s *Scope) Everything() bool {
	return s.Filter.Everything() && s.LUID == "" && s.Fields == nil && s.Filter.Policy() == (filter.Policy{})
}

// String names the scope: a device that got what it has under another one may lack something, or have too much.
func (s *Scope) String() string {
	text := s.Filter.String()
	if s.Travel != nil {
		text += " | " + s.Travel.String()
	}
	if s.Stay {
		text += " | stay"
	}
	if s.Fields != nil {
		text += fmt.Sprint(" | ", s.Fields)
	}
	if s.LUID != "" {
		text += " | luid " + s.LUID
	}
	return text
}

// Verdict is what is to be done about an item on a device.
type Verdict int

// The verdicts.
const (
	Nothing Verdict = iota
	Add
	Replace
	Delete // it was deleted
	Leave  // it is out of scope now, and leaves the device only
)

// Difference is what a scope would change on a device: items that come, come again in another form, and leave it.
type Difference struct {
	Come   int `json:"come"`
	Change int `json:"change"`
	Leave  int `json:"leave"`
}

// Count counts an item by what is to be done about it.
func (d *Difference) Count(v Verdict) {
	switch v {
	case Add:
		d.Come++
	case Replace:
		d.Change++
	case Leave, Delete:
		d.Leave++
	}
}

// Judge decides about one item. look may be nil if the scope looks at nothing.
func (s *Scope) Judge(p *dsstore.Pending, look *Look, now time.Time) Verdict {
	held := p.Mapping.LUID != ""
	if p.Item.Deleted {
		if held {
			return Delete
		}
		return Nothing
	}
	if s.LUID != "" {
		return s.judgeOne(p)
	}
	in := s.wants(p, look, now)
	switch {
	case !in && held && !s.Stay:
		return Leave
	case !in, p.Known && !held && p.Mapping.Rev >= p.Item.Rev: // refused, and the same as then
		return Nothing
	case !held:
		return Add
	case p.Mapping.Rev < p.Item.Rev, s.better(p, look, now):
		return Replace
	}
	return Nothing
}

// judgeOne is for a scope of one item: it comes again, and whole.
func (s *Scope) judgeOne(p *dsstore.Pending) Verdict {
	if s.LUID == p.Mapping.LUID {
		return Replace
	}
	return Nothing
}

// wants tells whether an item belongs on the device. Folders always do: they are no burden.
func (s *Scope) wants(p *dsstore.Pending, look *Look, now time.Time) bool {
	if look == nil || p.Item.Type == pim.TypeFolder {
		return true
	}
	return look.match(s.Filter, now) || s.Travel != nil && look.match(*s.Travel, now)
}

// better tells whether the device has a part of an item of which more or less is wanted now.
func (s *Scope) better(p *dsstore.Pending, look *Look, now time.Time) bool {
	return p.Mapping.Variant != "" && p.Mapping.Variant != s.Policy(look, now).String()
}

// Policy is how much of an item is wanted: what is wanted for travel comes before the rest.
func (s *Scope) Policy(look *Look, now time.Time) mail.Policy {
	switch {
	case s.LUID != "":
		return mail.Policy{}
	case s.Travel != nil && look != nil && look.match(*s.Travel, now):
		return policy(s.Travel.Policy())
	}
	return policy(s.Filter.Policy())
}

// policy is what the words of a filter mean for a message. What it does not say is wanted.
func policy(p filter.Policy) mail.Policy {
	out := mail.Policy{BodyLimit: p.BodyLimit}
	switch p.Body {
	case filter.Headers:
		out.Body = mail.Headers
	case filter.Text:
		out.Body = mail.Text
	}
	switch p.Attachments {
	case filter.NoAttachments:
		out.Attachments = mail.None
	case filter.UpTo:
		out.Attachments = mail.Attachments(p.AttachmentLimit)
	}
	return out
}

// NextChange is when time alone changes what is wanted of an item; not ok if never.
func (s *Scope) NextChange(look *Look, now time.Time) (at time.Time, ok bool) {
	if look == nil {
		return at, false
	}
	if s.Filter.Rolls() {
		at, ok = s.Filter.NextChangeFacts(look.facts, now)
	}
	return at, ok
}

// Look is what a filter looks at of one item.
type Look struct {
	facts filter.Facts
	item  *pim.Item // nil unless the filter looks at the text
	kind  pim.Kind
}

func (l *Look) match(f filter.Filter, now time.Time) bool {
	if l.item != nil {
		return f.Match(*l.item, l.kind, now)
	}
	return f.MatchFacts(l.facts, now)
}

// Look gets what the filter looks at of an item; nil if it looks at nothing. What was not noted before is read from the body, and noted if
// the transaction can write.
func (s *Scope) Look(tx dsstore.Tx, c dsstore.Collection, p *dsstore.Pending, note bool) (*Look, error) {
	if p.Item.Deleted || s.Filter.Everything() && s.Travel == nil {
		return nil, nil
	}
	l := &Look{kind: s.Kind}
	noted := p.Facts != nil && json.Unmarshal(p.Facts, &l.facts) == nil && !l.facts.Stale()
	text := s.Filter.NeedsBody() || s.Travel != nil && s.Travel.NeedsBody()
	if noted && !text {
		return l, nil
	}
	body, err := tx.Body(p.Item.Hash)
	if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
		return nil, err
	}
	it := pim.Item{Type: p.Item.Type, Folder: p.Item.Folder, Name: p.Item.Name, Flags: p.Item.Flags, Body: body}
	if text {
		l.item = &it
	}
	if noted {
		return l, nil
	}
	l.facts = filter.FactsOf(it, s.Kind)
	if !note {
		return l, nil
	}
	facts, err := json.Marshal(l.facts)
	if err != nil {
		return nil, err
	}
	return l, tx.PutFacts(c, p.Item.GUID, facts)
}

// Page is how many items are looked at at a time.
const Page = 256

// Stale tells whether a device got what it has under another scope, or so long ago that time has changed what it shall have: all must be
// looked at.
func (s *Scope) Stale(l dsstore.Link, now time.Time) bool {
	return s.String() != l.Scope || !l.Roll.IsZero() && !now.Before(l.Roll)
}

// Due tells whether a device has something to fetch from a collection: changes, or what its filter brings or takes away. Filtered means that
// it is not only changes. It reads only.
func Due(tx dsstore.Tx, device string, c dsstore.Collection, k pim.Kind, l dsstore.Link, now time.Time) (due, filtered bool, err error) {
	s, due, stale, err := pending(tx, device, c, k, l, now)
	if due || !stale || err != nil {
		return due, false, err
	}
	due, err = s.any(tx, tx.Scope, device, c, 0, now)
	return due, due, err
}

// pending tells whether a device has changes to fetch from a collection; if not, whether it is stale.
func pending(tx dsstore.Tx, device string, c dsstore.Collection, k pim.Kind, l dsstore.Link, now time.Time) (s Scope, due, stale bool, err error) {
	if s, err = Of(tx, device, c, k, now); err != nil {
		return s, false, false, err
	}
	rev, err := tx.Rev(c)
	if err == nil && rev > l.Done {
		due, err = s.any(tx, tx.Pending, device, c, l.Done, now)
	}
	return s, due, s.Stale(l, now), err
}

type lister func(device string, c dsstore.Collection, after int64, limit int) ([]dsstore.Pending, error)

// any tells whether anything of a list is to be done. It begins with few items: usually one of them is the answer.
func (s *Scope) any(tx dsstore.Tx, list lister, device string, c dsstore.Collection, after int64, now time.Time) (bool, error) {
	for limit := 8; ; limit = min(2*limit, Page) {
		page, err := list(device, c, after, limit)
		if err != nil || len(page) == 0 {
			return false, err
		}
		for i := range page {
			look, err := s.Look(tx, c, &page[i], false)
			if err != nil {
				return false, err
			}
			if s.Judge(&page[i], look, now) != Nothing {
				return true, nil
			}
		}
		after = page[len(page)-1].Item.Rev
	}
}
