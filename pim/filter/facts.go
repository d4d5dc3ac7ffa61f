package filter

import (
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// Facts is what filters look at of an item, without its body, so that a store can keep it and judge thousands of items quickly. It is made
// for JSON and holds until the item, its flags or its folder change. The zero Facts is an item of which nothing is known: in scope.
type Facts struct {
	Version  int       `json:"v"` // see Stale
	Kind     pim.Kind  `json:"k"`
	IsFolder bool      `json:"d,omitempty"`
	Folder   string    `json:"f,omitempty"` // slash-separated path
	Flags    pim.Flags `json:"l,omitempty"`
	Size     int64     `json:"s,omitempty"` // octets of the body
	// Read is whether the body could be understood. If it could not, what follows is empty and means nothing.
	Read bool `json:"r,omitempty"`
	// Begin and End are the time of an event or task with all its recurrences; both are when a message was received. Nil if there is none.
	Begin *Moment `json:"b,omitempty"`
	End   *Moment `json:"e,omitempty"`
	Due   *Moment `json:"u,omitempty"`
	// Words are texts by the name of their field, folded for comparison.
	Words      map[string][]string `json:"w,omitempty"`
	Attachment *bool               `json:"a,omitempty"` // nil if it cannot be told
	Done       *bool               `json:"o,omitempty"` // nil if it is no task
}

// Moment is the earliest and the latest second since 1970 in UTC at which something is. They differ where the item gives no zone, or one
// that only a time zone database knows: the package reads none, for it would not say the same on every device.
type Moment [2]int64

// factsVersion goes up whenever FactsOf says something else of an item.
const factsVersion = 1

// Stale tells whether facts were made by another version of this package, or never: take them from the item again.
func (f Facts) Stale() bool { return f.Version != factsVersion }

// never is the second at which what has no end ends.
const never = 1<<63 - 1

// FactsOf reads an item. It never fails. For a partial message they are those of the part.
func FactsOf(item pim.Item, kind pim.Kind) Facts {
	f := Facts{Version: factsVersion, Kind: kind, Folder: item.Folder, Flags: item.Flags, Size: int64(len(item.Body))}
	switch {
	case item.Type == pim.TypeFolder:
		f.IsFolder = true
	case kind == pim.Mail:
		f.message(item.Body)
	case kind == pim.Contacts:
		f.card(item.Body)
	case kind == pim.Calendar || kind == pim.Tasks:
		f.calendar(item.Body)
	case kind == pim.Notes:
		f.Read = true
	}
	return f
}

// maxWords bounds what facts keep of one text, in octets: what is beyond is not looked at.
const maxWords = 1000

// say notes texts of a field.
func (f *Facts) say(field string, texts ...string) {
	for _, s := range texts {
		if len(s) > maxWords {
			s = s[:maxWords]
		}
		if s = fold(strings.ToValidUTF8(s, "\uFFFD")); s == "" {
			continue
		}
		if f.Words == nil {
			f.Words = map[string][]string{}
		}
		f.Words[field] = append(f.Words[field], s)
	}
}
