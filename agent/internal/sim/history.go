package sim

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// book keeps the former versions of a device, as history.Book does.
type book struct {
	d    *device
	list []former // newest last
}

// former is a version that was kept, with those of the same moment.
type former struct {
	history.Former
	at   time.Time
	n    int    // in the list
	back string // see history.Entry
}

// Keep implements replica.Keeper.
func (b *book) Keep(list []history.Former) error {
	if len(list) == 0 {
		return nil
	}
	if err := b.d.access("keep", true); err != nil {
		return err
	}
	at := b.d.now()
	for _, f := range list {
		b.list = append(b.list, former{Former: f, at: at, n: len(b.list)})
	}
	return nil
}

// Room implements replica.Keeper. What there is no room for becomes a deletion of the server, which worlds have anyway.
func (b *book) Room() (int64, error) { return 1 << 30, nil }

// PutBack implements replica.Keeper.
func (b *book) PutBack(id, luid string) error {
	n, err := strconv.Atoi(id)
	if err == nil {
		err = b.d.access("put back", true)
	}
	if err == nil {
		b.list[n].back = luid
	}
	return err
}

// mustHave fails the world if the agent is about to lose what is nowhere else (design.md 3.7). What it deletes may only leave the device, if its
// user wanted that and the server has it.
func (b *book) mustHave(key string, body []byte, deletes bool) {
	kept := slices.ContainsFunc(b.list, func(f former) bool { return bytes.Equal(f.Item.Body, body) })
	if !kept && !(deletes && b.d.unwanted(body) && b.d.w.server.has(body)) {
		b.d.w.fail("history", "%s: %s is lost without a copy: %q", b.d.id, key, body)
	}
}

// has tells whether the server has a version, be it a former one, or the message that it is a part of.
func (s *server) has(body []byte) bool {
	same := func(whole []byte) bool { return bytes.Equal(whole, body) || mail.SameMessage(body, whole) }
	if slices.ContainsFunc(s.documents(), func(e entry) bool { return same(e.item.Body) }) {
		return true
	}
	return slices.ContainsFunc(s.store.History(), func(k memstore.Kept) bool { return same(s.body(k.Hash)) })
}

// unwanted tells whether the filter that its user wanted leaves an item out.
func (d *device) unwanted(body []byte) bool {
	return d.proc.wants.Leaves(storeName, d.w.plan.Kind)(pim.Item{Type: d.w.plan.Kind.ContentType(), Body: body})
}

func (p *process) safety() replica.Safety {
	d := p.d
	s := replica.Safety{Brake: d.w.brake(), Leaves: p.wants.Leaves(storeName, d.w.plan.Kind)}
	if d.w.plan.History {
		s.History = &d.book
	}
	return s
}

// undoable is what was kept of items that did not only leave the device: those put back would be there twice.
func (b *book) undoable() []former {
	return slices.DeleteFunc(slices.Clone(b.list), func(f former) bool { return f.Left })
}

// restores is alwayson restore: one former version, counted from the newest.
func (d *device) restores(n, _ int) {
	if all := d.book.undoable(); n < len(all) {
		d.putBack(all[len(all)-1-n:][:1])
	}
}

// undoes is alwayson undo: all that was replaced last.
func (d *device) undoes(int, int) {
	all := d.book.undoable()
	from := len(all)
	for from > 0 && all[from-1].at.Equal(all[len(all)-1].at) {
		from--
	}
	d.putBack(all[from:])
}

func (d *device) putBack(list []former) {
	list = slices.Clone(list)
	d.whenUp(func(p *process) {
		p.do(func() error {
			for _, f := range list {
				if err := p.putBack(f); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (p *process) putBack(f former) error {
	p.d.w.logf("  %s: the user restores %s: %s", p.d.id, f.Key, itemText(f.Item))
	p.d.w.ledger.restore(f.Item.Body)
	for _, row := range p.d.rows() {
		if now := p.d.disk.files[row.Key]; row.LUID == f.LUID && !row.Gone && now != nil {
			p.d.w.ledger.restore(now.item.Body) // it is written over
		}
	}
	e := history.Entry{ID: strconv.Itoa(f.n), Back: p.d.book.list[f.n].back, Store: f.Store, LUID: f.LUID, Key: f.Key, Type: f.Item.Type, Folder: f.Item.Folder, Flags: f.Item.Flags, Name: f.Item.Name}
	_, err := p.replica.PutBack(ctx, e, f.Item.Body)
	return err
}
