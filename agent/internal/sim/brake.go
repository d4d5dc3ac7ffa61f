package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
)

// brake is that of each device.
func (w *World) brake() reconcile.Brake {
	return reconcile.Brake{Count: w.plan.Brake, Percent: 25}
}

// rows are those of the items, without folders.
func (d *device) rows() (out []state.Row) {
	err := d.index(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if row.Type != pim.TypeFolder {
				out = append(out, row)
			}
			return nil
		})
	})
	if err != nil {
		return nil
	}
	return out
}

// index reads what the agent has noted of the store. No agent need run.
func (d *device) index(read func(*state.Tx) error) error {
	index, err := state.OpenItems(store{d}, storeName)
	if err != nil {
		return err
	}
	return index.View(read)
}

// deleted are the items that a user deleted here and the server has, and those that the server has deleted and are here, as far as the user of
// the device has not approved it; all is how many items there are.
func (d *device) deleted() (gone, doomed []state.Row, all int) {
	rows := d.rows()
	gone, doomed = deletedOf(rows, func(row state.Row) bool { return d.approved[row.LUID] })
	return gone, doomed, len(rows)
}

// unapproved are those that the agent has noted no approval of. The user's may have failed, and then he can still reject.
func (d *device) unapproved() (gone, doomed []state.Row) {
	return deletedOf(d.rows(), func(row state.Row) bool { return row.Approved })
}

func deletedOf(rows []state.Row, approved func(state.Row) bool) (gone, doomed []state.Row) {
	for _, row := range rows {
		switch {
		case approved(row):
		case row.Gone && row.Shared:
			gone = append(gone, row)
		case row.Doomed && !row.Gone:
			doomed = append(doomed, row)
		}
	}
	return gone, doomed
}

// braked is a store of a device with an eye on what is deleted without approval.
type braked struct {
	*replica.Replica
	d *device
}

// Changes fails the world if they have more deletions than the brake allows.
func (b braked) Changes(ctx context.Context, all bool) iter.Seq2[dsclient.Change, error] {
	brake := b.d.w.brake()
	if brake.Count == 0 {
		return b.Replica.Changes(ctx, all)
	}
	return func(yield func(dsclient.Change, error) bool) {
		gone, _, items := b.d.deleted()
		waits := map[string]bool{}
		for _, row := range gone {
			waits[row.LUID] = true
		}
		told := 0
		for c, err := range b.Replica.Changes(ctx, all) {
			if c.Op == dsclient.Delete && waits[c.LUID] {
				told++
			}
			if brake.Holds(told, items) {
				b.d.w.fail("brake", "%s: %d deletions of %d items are told, and nobody has approved them", b.d.id, told, items)
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

// Apply notes what the server tells to be only leaving the device, and has.
func (b braked) Apply(ctx context.Context, changes []dsclient.Change) ([]dsclient.Result, error) {
	for _, c := range changes {
		if c.Op == dsclient.Delete {
			b.d.leaving[c.LUID] = c.Soft && (b.d.lives(c.LUID) || slices.ContainsFunc(b.d.rows(), func(row state.Row) bool { return row.LUID == c.LUID && b.d.leaves(row) }))
		}
	}
	return b.Replica.Apply(ctx, changes)
}

// settle carries out the server's deletions. Those that are too many must stay until the user has approved them.
func (p *process) settle() {
	_, doomed, items := p.d.deleted()
	doomed = slices.DeleteFunc(doomed, func(row state.Row) bool { return p.d.leaves(row) || !p.d.hasAsSeen(row) })
	if !p.d.w.brake().Holds(len(doomed), items) {
		doomed = nil
	}
	if err := p.replica.Settle(ctx); err != nil {
		p.d.w.logf("  %s: deletions wait: %v", p.d.id, err)
	}
	for _, row := range doomed {
		if p.d.disk.files[row.Key] == nil && !p.d.tookAway(row.Key) {
			p.d.w.fail("brake", "%s: %s is deleted with %d of %d items, and nobody has approved it", p.d.id, row.Key, len(doomed), items)
		}
	}
}

// hasAsSeen tells whether an item is as the agent saw it last: what its user has edited or taken away since is not deleted.
func (d *device) hasAsSeen(row state.Row) bool {
	f := d.disk.files[row.Key]
	return f != nil && sha256.Sum256(f.item.Body) == row.Hash
}

// tookAway tells whether the user has just deleted or moved a file himself.
func (d *device) tookAway(key string) bool {
	moved := slices.Contains(slices.Collect(maps.Values(d.origins)), key)
	return moved || slices.ContainsFunc(d.removed, func(e entry) bool { return e.key == key })
}

// leaves tells whether an item only leaves the device: the server has it, or had it when it said so, and somebody has deleted it or written over it since.
func (d *device) leaves(row state.Row) bool { return d.leaving[row.LUID] || d.onServer(row) }

// lives tells whether the server has an item, in whatever version.
func (d *device) lives(luid string) bool {
	guid := d.guid(luid)
	return slices.ContainsFunc(d.w.server.documents(), func(e entry) bool { return e.key == guid })
}

func (d *device) onServer(row state.Row) bool {
	return slices.ContainsFunc(d.w.server.documents(), func(e entry) bool { return sha256.Sum256(e.item.Body) == row.Hash })
}

// decides is alwayson hold approve, or reject.
func (d *device) decides(approve bool) {
	d.whenUp(func(p *process) {
		if !p.replica.Held().Any() {
			return
		}
		p.do(func() error {
			if approve {
				return p.approve()
			}
			return p.reject()
		})
	})
}

func (p *process) approve() error {
	h := p.replica.Held()
	gone, doomed, _ := p.d.deleted()
	if h.There > 0 {
		p.d.approve(gone)
	}
	if h.Here > 0 {
		p.d.approve(doomed)
	}
	p.d.w.logf("  %s: the user approves %d deletions here and %d there", p.d.id, h.Here, h.There)
	return p.replica.Approve(ctx)
}

func (d *device) approve(rows []state.Row) {
	for _, row := range rows {
		d.approved[row.LUID] = true
	}
}

// reject keeps what is held.
func (p *process) reject() error {
	h := p.replica.Held()
	gone, doomed := p.d.unapproved()
	p.d.w.logf("  %s: the user rejects %d deletions here and %d there", p.d.id, h.Here, h.There)
	if h.There > 0 {
		p.d.synced = false // a slow sync brings back what was deleted here
	}
	slow, err := p.replica.Reject()
	if err != nil {
		return err
	}
	if h.There > 0 {
		p.d.keepsThere(gone)
	}
	if h.Here > 0 {
		p.d.keepsHere(doomed)
	}
	if slow {
		p.ask(session.Wanted{Cause: session.CauseUser, Force: true}, nil)
	}
	return nil
}

// keepsThere tells the ledger what shall live on although it was deleted on the device: what the server has of it, with copies of conflicts, which may be
// all that is left.
func (d *device) keepsThere(rows []state.Row) {
	uids := map[string]bool{}
	all := d.w.server.documents()
	for _, row := range rows {
		uids[uid(d.w.server.lastOf(d.guid(row.LUID)))] = true
	}
	for _, e := range all {
		if uids[uid(e.item.Body)] && !d.deletesToo(e.key, rows) {
			d.w.ledger.keep(d.id, e.item.Body)
		}
	}
}

// lastOf is the last body of an item, also of one that was deleted, nil if there never was one.
func (s *server) lastOf(guid string) (body []byte) {
	s.view(func(tx dsstore.Tx) error {
		it, err := tx.Item(collection, guid)
		if err == nil {
			body, err = tx.Body(it.Hash)
		}
		if errors.Is(err, dsstore.ErrNotFound) {
			return nil
		}
		return err
	})
	return body
}

// guid is what the server calls an item of a device, or called it before a slow sync, "" if neither knows. The device may know it first.
func (d *device) guid(luid string) (guid string) {
	d.w.server.view(func(tx dsstore.Tx) error {
		m, err := tx.ByLUID(d.id, collection, luid)
		if err != nil {
			m, err = tx.Former(d.id, collection, luid)
		}
		if err == nil {
			guid = m.GUID
		}
		return nil // what the server does not know of is no matter
	})
	maps := d.maps()
	if i := slices.IndexFunc(maps, func(m dsclient.MapEntry) bool { return m.LUID == luid }); guid == "" && i >= 0 {
		guid = maps[i].GUID
	}
	return guid
}

// maps are those that the server has not confirmed.
func (d *device) maps() (out []dsclient.MapEntry) {
	err := d.index(func(t *state.Tx) (err error) {
		out, err = t.Maps()
		return err
	})
	if err != nil {
		return nil
	}
	return out
}

// deletesToo tells whether the user of a device has deleted an item of the server besides those of these rows, and nobody has looked yet: that he still wants.
func (d *device) deletesToo(guid string, rows []state.Row) bool {
	same := func(row state.Row) bool { return d.guid(row.LUID) == guid }
	return !slices.ContainsFunc(rows, same) && slices.ContainsFunc(d.rows(), func(row state.Row) bool { return d.lacks(row, guid) })
}

// deletesAgain tells whether the user of a device has deleted an item of the server, and nobody has looked yet.
func (d *device) deletesAgain(guid string) bool {
	return slices.ContainsFunc(d.rows(), func(row state.Row) bool { return !row.Gone && d.lacks(row, guid) })
}

// lacks tells whether a row is that of an item of the server, and its file is gone.
func (d *device) lacks(row state.Row, guid string) bool {
	return d.disk.files[row.Key] == nil && d.guid(row.LUID) == guid
}

// keepsHere tells the ledger what shall live on although the server has deleted it.
func (d *device) keepsHere(rows []state.Row) {
	for _, row := range rows {
		for _, e := range d.there() { // also while the store is not mounted
			if e.key == row.Key || sha256.Sum256(e.item.Body) == row.Hash { // perhaps it was moved, and nobody has looked yet
				d.w.ledger.keep("", e.item.Body)
				d.w.ledger.twin(e.item.Body) // it is written anew, perhaps on several devices
				d.kept[uid(e.item.Body)] = true
			}
		}
	}
}

// do does something with the store when no exchange works with it, as engine.Do does.
func (p *process) do(fn func() error) {
	p.todo = append(p.todo, fn)
	p.doAll()
}

func (p *process) doAll() {
	if p.gone() || p.m.Running() || len(p.todo) == 0 {
		return
	}
	todo := p.todo
	p.todo = nil
	for _, fn := range todo {
		if err := fn(); err != nil {
			p.d.w.logf("  %s: %v", p.d.id, err)
		}
	}
	p.lookAtAll()
	if !p.gone() && p.replica.Counts().Pending > 0 {
		p.handle(session.Wanted{Cause: session.CauseLocal})
	}
}

// held are the deletions of a device that wait on the server.
func (s *server) held(d *device) (out []dsstore.Deletion) {
	s.view(func(tx dsstore.Tx) error {
		list, err := tx.Deletions(d.id, collection)
		out = slices.DeleteFunc(list, func(x dsstore.Deletion) bool { return !x.Held })
		return err
	})
	return out
}

// decides is alwayson-server hold approve, or reject.
func (s *server) decides(d *device, approve bool) {
	list := s.held(d)
	if len(list) == 0 {
		return
	}
	s.w.logf("  server: the deletions of %d items on %s are decided: %t", len(list), d.id, approve)
	if !approve {
		s.keeps(d, list)
	}
	s.update(func(tx dsstore.Tx) error {
		_, err := dsserver.DecideHeld(tx, d.id, collection, approve, s.now())
		return err
	})
}

// keeps tells the ledger what shall live on although a device has deleted it, unless it came there again and was deleted once more.
func (s *server) keeps(d *device, list []dsstore.Deletion) {
	for _, e := range s.documents() {
		if slices.ContainsFunc(list, func(x dsstore.Deletion) bool { return x.GUID == e.key }) && !d.deletesAgain(e.key) {
			s.w.ledger.keep(d.id, e.item.Body)
		}
	}
}

func (s *server) rev() (rev int64) {
	s.view(func(tx dsstore.Tx) (err error) {
		rev, err = tx.Rev(collection)
		return err
	})
	return rev
}

// checkBrake fails the world if a message has deleted more than the brake of the server allows. What the user of the device has looked at may go.
func (s *server) checkBrake(device string, body []byte, since int64) {
	brake := reconcile.Brake{Count: s.w.plan.ServerBrake, Percent: 25}
	if brake.Count == 0 || bytes.Contains(body, []byte("approved=1")) {
		return
	}
	gone, live := 0, 0
	s.view(func(tx dsstore.Tx) error {
		return tx.EachNoted(collection, 0, math.MaxInt32, func(n dsstore.Noted) {
			switch {
			case !n.Deleted:
				live++
			case n.Rev > since:
				gone++
			}
		})
	})
	if brake.Holds(gone, live+gone) {
		s.w.fail("brake", "%s deletes %d of %d items on the server, and nobody has approved it", device, gone, live+gone)
	}
}
