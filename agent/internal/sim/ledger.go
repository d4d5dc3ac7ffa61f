package sim

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/pim"
)

// ledger remembers what users wrote and did, and so what must be there in the end. Each thing a user writes has a mark of its own, "e" with
// a number, as the value of one property. A mark is needed until a user who saw it writes over it or deletes the item.
type ledger struct {
	count  int
	uids   int
	status map[string]*mark
	lines  map[string]bool  // each line that a user ever wrote
	twins  map[string]bool  // UIDs that were written on several devices, so that there may be as many, or one of them in the history only
	rest   string           // of each message
	copied map[string]bool  // UIDs of which the server said that it keeps conflict copies
	moved  map[string]bool  // marks of items that a user moved or flagged, which may revive a deleted item
	places map[string]place // where he moved them, and how he flagged them
	// restored are UIDs of items of which a former version was put back: of each version something may be there again, or in a history only.
	restored map[string]bool
	// loose: a user let his device replace what the server has. From then on it is enough that everything is there or in a history.
	loose bool
	// yielded are marks that lost a conflict for the policy of a device.
	yielded map[string]bool
}

type mark struct {
	by       string
	replaced string // by which mark, "deleted" for a deletion; "" while it is needed
	over     string // the mark that it was written over, "" if none; that may be replaced by another one, written elsewhere
	uid      string // the line that names its item
	// deleters are who deleted it, and was is what replaced was before.
	deleters []string
	was      string
	// deletions are the marks that they saw together with it.
	deletions [][]string
}

func newLedger(p *Plan) *ledger {
	rest := "\r\nText\r\n"
	if p.Partial {
		rest = parts
	}
	return &ledger{rest: rest, status: map[string]*mark{}, lines: map[string]bool{}, twins: map[string]bool{}, copied: map[string]bool{}, moved: map[string]bool{}, places: map[string]place{},
		restored: map[string]bool{}, yielded: map[string]bool{}}
}

// entry is an item as somebody sees it.
type entry struct {
	key  string
	rev  int64
	item pim.Item
}

func (l *ledger) write(by, uid string) string {
	l.count++
	m := fmt.Sprintf("e%d", l.count)
	l.status[m] = &mark{by: by, uid: uid}
	return m
}

// properties that hold marks, by kind.
var properties = map[pim.Kind][]string{pim.Contacts: {"NOTE", "TEL", "EMAIL"}, pim.Mail: {"X-Note", "X-Tel", "X-Mail"}}

// words are what filters look for.
var words = []string{"red", "green", "blue"}

// names are how many names of files there are: items that have nothing to do with each other are called alike on different devices.
const names = 4

// create makes an item that nobody has.
func (l *ledger) create(by string, kind pim.Kind, word int) (body []byte, name string) {
	l.uids++
	uid, name := fmt.Sprintf("u%d", l.uids), fmt.Sprintf("n%d", l.uids%names)
	var text string
	if kind == pim.Mail {
		id := "Message-ID: <" + uid + ">"
		text = id + "\r\nSubject: " + words[word%len(words)] + "\r\nX-Note: " + l.write(by, id) + "\r\n" + l.rest
	} else {
		id := "UID:" + uid
		text = "BEGIN:VCARD\r\nVERSION:4.0\r\n" + id + "\r\nFN:Name " + uid + "\r\nCATEGORIES:" + words[word%len(words)] + "\r\nNOTE:" + l.write(by, id) + "\r\nEND:VCARD\r\n"
		name += ".vcf"
	}
	l.know(text)
	return []byte(text), name
}

func (l *ledger) know(text string) {
	for line := range strings.Lines(text) {
		l.lines[line] = true
	}
}

// edit is an edit of an item as its user saw it: n chooses what he changes.
func (l *ledger) edit(by string, kind pim.Kind, seen pim.Item, n int) []byte {
	props := properties[kind]
	prop, m := props[n%len(props)], l.write(by, uid(seen.Body))
	lines := slices.Collect(strings.Lines(string(seen.Body)))
	line := prop + ":" + m + "\r\n"
	if kind == pim.Mail {
		line = prop + ": " + m + "\r\n"
	}
	at := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, prop+":") })
	if at >= 0 {
		for _, old := range marks([]byte(lines[at])) {
			l.status[m].over = old
			l.supersede(old, m)
			l.moveOn(old, m, placeOf(seen))
		}
		lines[at] = line
	} else {
		lines = slices.Insert(lines, 1, line)
	}
	body := strings.Join(lines, "")
	l.know(body)
	return []byte(body)
}

// recolor is an edit that changes the word that filters look for, too.
func (l *ledger) recolor(by string, kind pim.Kind, seen pim.Item, n int) []byte {
	body := string(l.edit(by, kind, seen, n))
	for _, word := range words {
		body = strings.ReplaceAll(body, word+"\r\n", words[n%len(words)]+"\r\n")
	}
	l.know(body)
	return []byte(body)
}

func (l *ledger) supersede(old, by string) {
	switch s := l.status[old]; {
	case s == nil:
	case s.replaced == "":
		s.replaced = by
	case s.replaced == "deleted" && s.was == "": // it stays written over if its deletion is rejected
		s.was = by
	}
}

// yield is for marks of a version that lost for the policy of a device: they may be in the history only, and what they were written over may live on.
func (l *ledger) yield(lost []string) {
	for _, m := range lost {
		l.yielded[m] = true
	}
}

// gaveWay tells whether a mark yielded, or what it was written over by before anybody heard of it.
func (l *ledger) gaveWay(m string) bool {
	for m := range l.since(m) {
		if l.yielded[m] {
			return true
		}
	}
	return false
}

// remove is a deletion of an item as its user saw it.
func (l *ledger) remove(by string, seen []byte) {
	for _, m := range marks(seen) {
		s := l.status[m]
		if s.replaced != "deleted" {
			s.was, s.deleters = s.replaced, nil
		}
		s.replaced, s.deleters, s.deletions = "deleted", append(s.deleters, by), append(s.deletions, marks(seen))
	}
}

// overruled tells whether a mark lives on in an item although it was deleted: each time somebody else had edited the item, and edits win over deletions
// by who has not seen them. rest is what of the item lasts.
func (l *ledger) overruled(m *mark, rest []string) bool {
	return m.replaced == "deleted" && m.was == "" && !slices.ContainsFunc(m.deletions, func(seen []string) bool { return l.sawAll(seen, rest) })
}

// lasting are these marks but for those that live on as others: what was written over by something that was deleted then was deleted with it.
func (l *ledger) lasting(list []string) []string {
	return slices.DeleteFunc(list, func(m string) bool {
		last := l.last(m)
		return last != m && l.status[last].replaced != "deleted"
	})
}

// sawAll tells whether who saw some marks has seen each of others, or what that was written over by.
func (l *ledger) sawAll(seen, others []string) bool {
	return !slices.ContainsFunc(others, func(m string) bool {
		for m := range l.since(m) {
			if slices.Contains(seen, m) {
				return false
			}
		}
		return true
	})
}

// last is the mark that a mark was written over by in the end.
func (l *ledger) last(m string) (last string) {
	for m := range l.since(m) {
		last = m
	}
	return last
}

// unheard is what a mark was written over by as long as the server has not heard of it: who edits his half of an item and deletes that before anybody
// hears of it has deleted his half.
func (l *ledger) unheard(m string, heard func(string) bool) (last string) {
	last = m
	for next := range l.since(m) {
		if next != m && heard(next) {
			break
		}
		last = next
	}
	return last
}

// since yields a mark, what that was written over by, and so on. A deletion is none of them.
func (l *ledger) since(m string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := l.status[m]; s != nil && yield(m); s = l.status[m] {
			if m = s.replaced; m == "deleted" {
				m = s.was
			}
		}
	}
}

// keep is somebody's word that what he deleted, or with by "" what anybody deleted, shall live on. It is needed again if nobody else deleted it.
func (l *ledger) keep(by string, body []byte) {
	for _, m := range marks(body) {
		s := l.status[m]
		s.deleters = slices.DeleteFunc(s.deleters, func(who string) bool { return who == by || by == "" })
		if s.replaced == "deleted" && len(s.deleters) == 0 {
			s.replaced = s.was
		}
	}
	l.touch(body) // perhaps the deletion is told already, or was never
}

// place is what of an item is not in its bytes.
type place struct {
	folder string
	flags  pim.Flags
}

func placeOf(it pim.Item) place { return place{it.Folder, it.Flags} }

// move is a move or another flag of an item, also of what somebody else has made of it, of which its user has not heard yet.
func (l *ledger) move(seen []byte, to place) {
	list := marks(seen)
	for m := range l.status {
		if l.madeFrom(m, list) {
			l.moved[m], l.places[m] = true, to
		}
	}
}

// madeFrom tells whether a mark is one of a list, or was written over one, perhaps beside somebody else's.
func (l *ledger) madeFrom(m string, list []string) bool {
	for m != "" && !slices.Contains(list, m) {
		m = l.status[m].over
	}
	return m != ""
}

// moveOn is for what somebody wrote over a mark. If he saw it elsewhere than where it was moved, he has not heard of that, and it moves his edit, too.
func (l *ledger) moveOn(old, m string, seen place) {
	if to, ok := l.places[old]; ok && to != seen {
		l.moved[m], l.places[m] = true, to
	}
}

// touch is for a version that may live on although it was deleted.
func (l *ledger) touch(seen []byte) {
	for _, m := range marks(seen) {
		l.moved[m] = true
	}
}

// revive is a deletion of which nobody can tell what was deleted: any version of the item may come again.
func (l *ledger) revive(seen []byte) {
	for m, s := range l.status {
		if s.uid == uid(seen) {
			l.moved[m] = true
		}
	}
}

// twin is the same item, written by hand or imported on another device, too.
func (l *ledger) twin(body []byte) { l.twins[uid(body)] = true }

// restore is a version that is put back, or that another one is put back over.
func (l *ledger) restore(body []byte) {
	l.restored[uid(body)] = true
	l.keep("", body)
}

// uid is the line that names an item.
func uid(body []byte) string {
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "UID:") || strings.HasPrefix(line, "Message-ID:") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// marks are those in a body.
func marks(body []byte) (out []string) {
	for line := range strings.Lines(string(body)) {
		_, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if len(value) > 1 && value[0] == 'e' && strings.Trim(value[1:], "0123456789") == "" {
			out = append(out, value)
		}
	}
	return out
}

// needed are marks that must be somewhere, in order.
func (l *ledger) needed() (out []string) {
	for n := 1; n <= l.count; n++ {
		if m := fmt.Sprintf("e%d", n); l.status[m].replaced == "" {
			out = append(out, m)
		}
	}
	return out
}
