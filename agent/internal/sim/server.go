package sim

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

const (
	user  = "ana"
	lease = 24 * time.Hour
)

var collection = dsstore.Collection{User: user, Store: storeName}

// server is the real server on a store in memory, and its clock.
type server struct {
	w     *World
	store *memstore.Store
	ds    *dsserver.Server
	packs *scope.Keeper
	skew  time.Duration
	fails int // commits from now
}

func newServer(w *World) *server {
	s := &server{w: w, store: memstore.New()}
	s.store.Fault = s.fault
	s.restart()
	return s
}

// restart is a server that has forgotten everything it did not store.
func (s *server) restart() {
	s.ds = dsserver.New(dsserver.Options{Store: s.store, Datastores: []dsserver.Datastore{{URI: storeName, Kind: s.w.plan.Kind}}, Lease: lease,
		Brake: reconcile.Brake{Count: s.w.plan.ServerBrake, Percent: 25}, Now: s.now})
	s.packs = &scope.Keeper{Store: s.store, Kinds: map[string]pim.Kind{storeName: s.w.plan.Kind}, Slack: 3, Items: 20}
}

func (s *server) now() time.Time { return s.w.now().Add(s.skew) }

func (s *server) fault() error {
	if s.fails == 0 {
		return nil
	}
	s.fails--
	return errors.New("the disk of the server is full")
}

// handle answers a message of a device.
func (s *server) handle(device string, body []byte) ([]byte, error) {
	s.w.say(device, "server", body)
	before, rev := s.contested(), s.rev()
	answer, err := s.ds.Handle(ctx, body, syncml.WBXML)
	if err != nil {
		s.w.logf("  server: cannot answer %s: %v", device, err)
		return nil, fmt.Errorf("HTTP 500: %w", err)
	}
	s.w.say("server", device, answer)
	s.noteConflicts(device, body, answer, before)
	s.checkBrake(device, body, rev)
	return answer, nil
}

// update is a change that no device makes.
func (s *server) update(fn func(dsstore.Tx) error) {
	s.surely("write", func() error { return s.store.Update(ctx, fn) })
}

// surely does what must not fail: faults are for what devices send.
func (s *server) surely(what string, do func() error) {
	fails := s.fails
	s.fails = 0
	if err := do(); err != nil {
		s.w.fail("server", "the server cannot %s: %v", what, err)
	}
	s.fails = fails
}

func (s *server) view(fn func(dsstore.Tx) error) {
	if err := s.store.View(ctx, fn); err != nil {
		s.w.fail("server", "the server cannot read: %v", err)
	}
}

func (s *server) enrol(d *device) {
	s.update(func(tx dsstore.Tx) error {
		return tx.PutDevice(dsstore.Device{ID: d.id, User: user, Credential: syncml.Credential(user, d.secret), ChangedAt: s.now()})
	})
}

// newSecret changes the secret of a device, as an administrator does.
func (s *server) newSecret(d *device, secret string) {
	s.update(func(tx dsstore.Tx) error {
		rec, err := tx.Device(d.id)
		rec.Former, rec.Credential, rec.ChangedAt = rec.Credential, syncml.Credential(user, secret), s.now()
		return errors.Join(err, tx.PutDevice(rec))
	})
}

// accepts tells whether the server takes a secret of a device.
func (s *server) accepts(d *device, secret string) (ok bool) {
	s.view(func(tx dsstore.Tx) error {
		rec, err := tx.Device(d.id)
		ok = rec.Credential == syncml.Credential(user, secret)
		return err
	})
	return ok
}

func (s *server) setFilter(d *device, text string) {
	s.update(func(tx dsstore.Tx) error {
		return s.ds.SetFilter(tx, d.id, collection, dsstore.Filter{Text: text, By: "@admin", At: s.now()})
	})
}

func (s *server) sweep() {
	s.surely("sweep", func() error {
		n, err := s.ds.Sweep(ctx)
		s.w.logf("  server: %d sessions have run out", n)
		return errors.Join(err, s.packs.Round(ctx))
	})
}

// live lists the items with their bodies.
func (s *server) live() (out []entry) {
	s.view(func(tx dsstore.Tx) error {
		return dsstore.Each(tx, collection, func(it dsstore.Item, body []byte) error {
			out = append(out, entry{key: it.GUID, rev: it.Rev, item: pim.Item{Type: it.Type, Folder: it.Folder, Name: it.Name, Flags: it.Flags, Body: body}})
			return nil
		})
	})
	return out
}

// put and remove are what a user of the server's own pages does.
func (s *server) put(guid string, it pim.Item) {
	s.w.did("server", "puts", &entry{key: guid, item: it})
	s.surely("put", func() error {
		_, err := s.ds.Put(ctx, collection, guid, it)
		return err
	})
}

func (s *server) remove(guid string) {
	s.w.did("server", "removes", &entry{key: guid})
	s.surely("remove", func() error { return s.ds.Remove(ctx, collection, guid) })
}

// session is the open logical session of a device, and how many there are.
func (s *server) session(d *device) (id string, open int) {
	now := s.now()
	s.view(func(tx dsstore.Tx) error {
		list, err := tx.Sessions(d.id)
		for _, l := range list {
			if l.Open(now) {
				id, open = l.ID, open+1
			}
		}
		return err
	})
	return id, open
}

// strays tells whether all that a device is to lose is what it has written itself outside of its former filter, too: that may stay, see scope.Survey.
func (s *server) strays(tx dsstore.Tx, d *device, l dsstore.Link) bool {
	now, err := scope.Of(tx, d.id, collection, s.w.plan.Kind, s.now())
	if err != nil {
		return false
	}
	former := scope.New(dsstore.Filter{Text: l.Scope}, s.w.plan.Kind, s.now())
	list, err := tx.Scope(d.id, collection, 0, math.MaxInt32)
	for i := range list {
		p := &list[i]
		look, e := now.Look(tx, collection, p, false)
		if verdict := now.Judge(p, look, s.now()); e != nil || verdict != scope.Nothing && (verdict != scope.Leave || former.Judge(p, look, s.now()) != scope.Leave) {
			return false
		}
	}
	return err == nil
}

// due tells whether a device would be notified, and with what plan, as package notify finds out.
func (s *server) due(d *device) (due bool, plan *engine.Plan) {
	id, _ := s.session(d)
	s.view(func(tx dsstore.Tx) error {
		l, err := tx.Link(d.id, collection)
		if err != nil || id == "" || !l.Known() {
			return err
		}
		var filtered *scope.Scope
		due, filtered, err = scope.NewSurvey(tx, s.now()).Due(d.id, collection, s.w.plan.Kind, l)
		if want, _, e := scope.Due(tx, d.id, collection, s.w.plan.Kind, l, s.now()); e != nil || due && !want || !due && want && !s.strays(tx, d, l) {
			s.w.fail("server", "columns say that it is %t that %s has something to fetch; looking at each item says %t (%v)", due, d.id, want, e)
		}
		if filtered != nil {
			plan = &engine.Plan{Types: map[string]ds.Alert{"./" + storeName: ds.AlertOneWayFromServer}, Only: true}
		}
		return err
	})
	return due, plan
}
