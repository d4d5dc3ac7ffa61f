package sim

import (
	"path"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/pim"
)

// items are the items that the user of a device sees, by key.
func (d *device) items() (out []entry) {
	if d.disk.gone {
		return nil
	}
	return d.there()
}

// there are all items on the disk of a device, mounted or not.
func (d *device) there() (out []entry) {
	for _, key := range d.disk.keys() {
		if f := d.disk.files[key]; f != nil {
			out = append(out, entry{key: key, item: f.item})
		}
	}
	return out
}

// pick chooses one of what is there; nil if nothing is.
func pick(list []entry, n int) *entry {
	if len(list) == 0 {
		return nil
	}
	return &list[n%len(list)]
}

// touched is what the watcher tells the agent, if it watches.
func (d *device) touched(keys ...string) {
	for _, key := range keys {
		if d.proc != nil && !d.deaf {
			d.proc.notice(key)
		}
	}
}

func (d *device) userAdds(n, m int) {
	if d.disk.gone {
		return
	}
	body, name := d.w.ledger.create(d.id, d.disk.kind, n)
	d.write(path.Join(folders[m%len(folders)], name), body)
}

// folders that users put items in.
var folders = []string{"", "", "work", "home", "work/old"}

// write makes a new file, under another name if there is one of this name.
func (d *device) write(key string, body []byte) {
	for d.disk.files[key] != nil {
		key = path.Join(path.Dir(key), "y"+path.Base(key))
	}
	it := pim.Item{Type: d.disk.kind.ContentType(), Folder: strings.TrimSuffix(path.Dir(key), "."), Body: body}
	d.disk.put(key, it, 0)
	d.w.did(d.id, "writes", &entry{key: key, item: it})
	d.touched(key)
}

// userEdits writes over a file in place, or as editors do that write a new one and rename it.
func (d *device) userEdits(n, m int) {
	e := pick(d.items(), n)
	if e == nil {
		return
	}
	d.overwrite(e, d.w.ledger.edit(d.id, d.disk.kind, e.item, m), m)
}

func (d *device) userRecolors(n, m int) {
	if e := pick(d.items(), n); e != nil {
		d.overwrite(e, d.w.ledger.recolor(d.id, d.disk.kind, e.item, m), m)
	}
}

func (d *device) overwrite(e *entry, body []byte, m int) {
	it, inode := e.item, uint64(0)
	if it.Body = body; m%2 == 0 {
		inode = d.disk.files[e.key].stamp.Inode
	}
	if isPartial(it) { // what lives on, or revives, is the message of which it is a part
		d.w.ledger.touch(e.item.Body)
		d.w.ledger.yield(without(marks(body), marks(e.item.Body)))
	}
	if d.edited = append(d.edited, *e); d.unnoted(e.key) {
		d.strays[e.key] = true
		d.eitherVersion(e)
	}
	d.disk.put(e.key, it, inode)
	d.w.did(d.id, "edits", &entry{key: e.key, item: it})
	d.touched(e.key)
}

// userDeletes leaves the last item: an emptied store is a case of its own, and nothing is deleted for it.
func (d *device) userDeletes(n, _ int) {
	list := d.items()
	if len(list) < 2 {
		return
	}
	e := pick(list, n)
	d.w.ledger.remove(d.id, e.item.Body)
	if d.unnoted(e.key) {
		d.w.ledger.revive(e.item.Body)
	}
	d.removed = append(d.removed, *e)
	d.disk.remove(e.key)
	d.w.did(d.id, "deletes", e)
	d.touched(e.key)
}

// userWipes deletes several items at once, by mistake or not.
func (d *device) userWipes(n, m int) {
	for range m%3 + 2 {
		d.userDeletes(n, 0)
	}
}

// unnoted tells whether an agent was killed, or could not go on, after it wrote a file and before it noted that. If such a file is gone when somebody
// looks, nobody can tell whether what was to be written ever was there, and it may come again: better that than a deletion that was none (design.md 5).
// The same holds for one that the agent was about to take away: nobody can tell whether it did, or its user.
func (d *device) unnoted(key string) bool {
	if d.strays[key] {
		return true
	}
	if d.proc == nil {
		return slices.Contains(d.planned(), key)
	}
	return slices.Contains(d.proc.leftover, key)
}

// eitherVersion is for an edit of which nobody can tell which of two versions its user saw: both live on.
func (d *device) eitherVersion(seen *entry) {
	if d.w.ledger.copied[uid(seen.item.Body)] {
		d.w.ledger.touch(seen.item.Body)
	}
}

// doubt is for files that were deleted or edited before the agent noted that it wrote them, and that it has not noted to the end. They are no more
// in doubt when the server has heard of what their user made of them.
func (d *device) doubt(heard bool) {
	planned := d.planned()
	for to, from := range d.origins {
		d.strays[to] = d.strays[to] || slices.Contains(planned, from)
	}
	for _, e := range d.removed {
		if slices.Contains(planned, e.key) || d.strays[e.key] {
			d.w.ledger.revive(e.item.Body)
		}
	}
	for _, e := range d.edited {
		if slices.Contains(planned, e.key) || d.strays[e.key] {
			d.strays[e.key] = true // until the server knows of the edit
			d.eitherVersion(&e)
		}
	}
	d.forget()
	if len(planned) == 0 && heard {
		clear(d.strays)
	}
}

// forget is for an exchange that begins, or has ended.
func (d *device) forget() {
	d.removed, d.edited = nil, nil
	clear(d.origins)
}

// planned are the keys of files that the agent meant to write, or to take away.
func (d *device) planned() (keys []string) {
	var list []state.Intent
	err := d.index(func(t *state.Tx) (err error) {
		if list, err = t.Intents(); err != nil {
			return err
		}
		return t.All(func(row state.Row) error {
			if row.Doomed && row.Approved { // it was about to take it away from this device only
				keys = append(keys, row.Key)
			}
			return nil
		})
	})
	for _, i := range list {
		if err == nil {
			keys = append(keys, i.Row.Key)
		}
	}
	return keys
}

// userRenames gives a file another name in its folder.
func (d *device) userRenames(n, m int) {
	if e := pick(d.items(), n); e != nil {
		d.move(e, path.Join(e.item.Folder, strings.Repeat("x", m%3+1)+path.Base(e.key)))
	}
}

// userMoves puts a file into another folder.
func (d *device) userMoves(n, m int) {
	if e := pick(d.items(), n); e != nil {
		d.w.ledger.move(e.item.Body, place{folders[m%len(folders)], e.item.Flags})
		d.move(e, path.Join(folders[m%len(folders)], path.Base(e.key)))
		e.item.Folder = folders[m%len(folders)]
		d.makes(e.item)
	}
}

// makes notes an item as the user of the device has made it.
func (d *device) makes(it pim.Item) { d.made[uid(it.Body)] = describe(it) }

func (d *device) move(e *entry, to string) {
	if d.disk.files[to] == nil {
		d.strays[to] = d.unnoted(e.key)
		d.follow(e.key, to)
		d.disk.rename(e.key, to)
		d.w.did(d.id, "moves to "+to, e)
		d.touched(e.key, to)
	}
}

// follow notes where a file lay when the exchange began, or when the agent wrote it since: it may have no note of that yet.
func (d *device) follow(key, to string) {
	from, ok := d.origins[key]
	if !ok {
		from = key
	}
	delete(d.origins, key)
	d.origins[to] = from
}

// userFlags marks a message.
func (d *device) userFlags(n, m int) {
	if e := pick(d.items(), n); e != nil && d.disk.kind == pim.Mail {
		d.w.ledger.move(e.item.Body, place{e.item.Folder, flagSets[m%len(flagSets)]})
		d.disk.setFlags(e.key, flagSets[m%len(flagSets)])
		d.w.did(d.id, "flags "+string(flagSets[m%len(flagSets)]), e)
		e.item.Flags = flagSets[m%len(flagSets)]
		d.makes(e.item)
		d.touched(e.key)
	}
}

var flagSets = []pim.Flags{"", "S", "RS", "F", "FS"}

// userRemovesFolder removes a folder without anything in it.
func (d *device) userRemovesFolder(n, _ int) {
	folder := folders[n%len(folders)]
	if folder != "" && !d.disk.gone && d.disk.deleteFolder(folder) == nil {
		d.touched(folder + "/")
	}
}

// userImports writes an item that another device has, and this one not yet.
func (d *device) userImports(n, m int) {
	other := d.w.devices[m%len(d.w.devices)]
	e := pick(other.wholes(), n)
	if e == nil || d.disk.gone || slices.ContainsFunc(d.items(), func(x entry) bool { return uid(x.item.Body) == uid(e.item.Body) }) {
		return
	}
	d.w.ledger.twin(e.item.Body)
	d.write(path.Base(e.key), e.item.Body)
}

// The same on the server's own pages.

func (s *server) userAdds(n, m int) {
	body, name := s.w.ledger.create("server", s.w.plan.Kind, n)
	s.put("", pim.Item{Type: s.w.plan.Kind.ContentType(), Folder: folders[m%len(folders)], Name: name, Body: body})
}

// documents are the live items that are no folders.
func (s *server) documents() []entry {
	return slices.DeleteFunc(s.live(), func(e entry) bool { return e.item.Type == pim.TypeFolder })
}

func (s *server) userEdits(n, m int) {
	if e := pick(s.documents(), n); e != nil {
		e.item.Body = s.w.ledger.edit("server", s.w.plan.Kind, e.item, m)
		s.put(e.key, e.item)
	}
}

func (s *server) userRecolors(n, m int) {
	if e := pick(s.documents(), n); e != nil {
		e.item.Body = s.w.ledger.recolor("server", s.w.plan.Kind, e.item, m)
		s.put(e.key, e.item)
	}
}

func (s *server) userWipes(n, m int) {
	for range m%3 + 2 {
		s.userDeletes(n, 0)
	}
}

func (s *server) userDeletes(n, _ int) {
	if e := pick(s.documents(), n); e != nil {
		s.w.ledger.remove("server", e.item.Body)
		s.remove(e.key)
	}
}

func (s *server) userMoves(n, m int) {
	if e := pick(s.documents(), n); e != nil {
		e.item.Folder = folders[m%len(folders)]
		s.w.ledger.move(e.item.Body, placeOf(e.item))
		s.put(e.key, e.item)
	}
}

func (s *server) userFlags(n, m int) {
	if e := pick(s.documents(), n); e != nil && s.w.plan.Kind == pim.Mail {
		e.item.Flags = flagSets[m%len(flagSets)]
		s.w.ledger.move(e.item.Body, placeOf(e.item))
		s.put(e.key, e.item)
	}
}
