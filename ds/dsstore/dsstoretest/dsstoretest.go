// Package dsstoretest is the contract that every dsstore.Store passes.
package dsstoretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// Run checks a kind of store. open makes an empty one, which Run closes.
func Run(t *testing.T, open func(*testing.T) dsstore.Store) {
	for name, check := range map[string]func(*bench){
		"a transaction applies whole or not at all": (*bench).wholeOrNot,
		"a view cannot write":                       (*bench).viewsRead,
		"accounts":                                  (*bench).accounts,
		"sessions":                                  (*bench).sessions,
		"items":                                     (*bench).items,
		"items of one identity":                     (*bench).identity,
		"mappings":                                  (*bench).mappings,
		"a slow sync forgets mappings":              (*bench).forget,
		"pending":                                   (*bench).pending,
		"scope and facts":                           (*bench).scope,
		"links and filters":                         (*bench).links,
		"columns":                                   (*bench).columns,
		"events and presence":                       (*bench).journal,
		"settings":                                  (*bench).settings,
		"groups":                                    (*bench).groups,
		"wishes for many":                           (*bench).wishes,
		"a device that is deleted leaves nothing": (*bench).deleteDevice,
	} {
		t.Run(name, func(t *testing.T) {
			b := &bench{t: t, s: open(t)}
			check(b)
			if err := b.s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// bench is a store under test with one collection.
type bench struct {
	t *testing.T
	s dsstore.Store
}

var contacts = dsstore.Collection{User: "ana", Store: "contacts"}

// moment is a time as every store keeps it.
var moment = time.UnixMicro(1_700_000_000_123_456)

func (b *bench) update(fn func(tx dsstore.Tx) error) {
	b.t.Helper()
	if err := b.s.Update(context.Background(), fn); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) view(fn func(tx dsstore.Tx) error) {
	b.t.Helper()
	if err := b.s.View(context.Background(), fn); err != nil {
		b.t.Fatal(err)
	}
}

// same compares values as text, which is enough for structs of plain fields.
func (b *bench) same(what string, got, want any) {
	b.t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		b.t.Errorf("%s: got  %s\nwant %s", what, g, w)
	}
}

// missing checks that a look-up finds nothing.
func (b *bench) missing(what string, err error) {
	b.t.Helper()
	if !errors.Is(err, dsstore.ErrNotFound) {
		b.t.Errorf("%s: error %v, want %v", what, err, dsstore.ErrNotFound)
	}
}

// guids lists items as "guid@rev".
func guids(list []dsstore.Pending) string {
	var out []string
	for _, p := range list {
		text := fmt.Sprintf("%s@%d", p.Item.GUID, p.Item.Rev)
		if p.Item.Deleted {
			text += " deleted"
		}
		if p.Known {
			text += fmt.Sprintf(" held %q@%d", p.Mapping.LUID, p.Mapping.Rev)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// put stores an item whose body is its name.
func put(tx dsstore.Tx, guid, uid, body string) error {
	it := dsstore.Item{GUID: guid, Type: "text/vcard", UID: uid, Alike: "like " + uid, Hash: hash(body), Size: int64(len(body)), Modified: moment, By: "a"}
	_, err := tx.PutItem(contacts, it, []byte(body))
	return err
}

func hash(body string) (h [32]byte) {
	copy(h[:], body)
	return h
}

func (b *bench) wholeOrNot() {
	no := errors.New("no")
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(put(tx, "g", "u", "old"), tx.PutUser(dsstore.User{Name: "ana"}))
	})
	err := b.s.Update(context.Background(), func(tx dsstore.Tx) error {
		return errors.Join(put(tx, "g", "u", "new"), put(tx, "h", "u", "more"), tx.PutUser(dsstore.User{Name: "bo"}),
			tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "g", LUID: "1"}), tx.PutLink("d", contacts, dsstore.Link{ClientNext: "x"}),
			tx.DeleteMapping("d", contacts, "none"), no)
	})
	if !errors.Is(err, no) {
		b.t.Errorf("error %v", err)
	}
	b.view(func(tx dsstore.Tx) error {
		list, _ := tx.List(contacts)
		users, _ := tx.Users()
		link, _ := tx.Link("d", contacts)
		rev, err := tx.Rev(contacts)
		b.same("items", len(list), 1)
		b.same("its body", list[0].Hash, hash("old"))
		b.same("users", users, []dsstore.User{{Name: "ana"}})
		b.same("link", link, dsstore.Link{})
		b.same("revision", rev, 1)
		_, e := tx.ByGUID("d", contacts, "g")
		b.missing("mapping", e)
		return err
	})
}

func (b *bench) viewsRead() {
	err := b.s.View(context.Background(), func(tx dsstore.Tx) error { return tx.PutUser(dsstore.User{Name: "ana"}) })
	if err == nil {
		b.t.Error("a view has written")
	}
}

func (b *bench) accounts() {
	d := dsstore.Device{ID: "d", User: "ana", Credential: "c", Former: "f", ChangedAt: moment, Nonce: "n", FormerNonce: "m", DevInf: []byte("inf"), Seen: moment}
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutUser(dsstore.User{Name: "bo", Admin: true}), tx.PutUser(dsstore.User{Name: "ana", Password: "p"}),
			tx.PutDevice(dsstore.Device{ID: "e", User: "bo"}), tx.PutDevice(d))
	})
	b.view(func(tx dsstore.Tx) error {
		users, _ := tx.Users()
		b.same("users", users, []dsstore.User{{Name: "ana", Password: "p"}, {Name: "bo", Admin: true}})
		got, _ := tx.Device("d")
		b.same("device", got, d)
		all, _ := tx.Devices("")
		mine, err := tx.Devices("ana")
		b.same("devices", fmt.Sprint(len(all), len(mine)), "2 1")
		_, e := tx.Device("x")
		b.missing("device", e)
		_, e = tx.User("x")
		b.missing("user", e)
		return err
	})
}

func (b *bench) sessions() {
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutSession(dsstore.Session{ID: "1", Device: "d", Opened: moment, Renewed: moment, Lease: time.Hour}),
			tx.PutSession(dsstore.Session{ID: "2", Device: "d", Opened: moment.Add(time.Second)}), tx.PutSession(dsstore.Session{ID: "3", Device: "e", Opened: moment}))
	})
	ended := dsstore.Session{ID: "1", Device: "d", Opened: moment, Renewed: moment, Lease: time.Hour, Ending: "closed", Ended: moment, Reason: "r"}
	b.update(func(tx dsstore.Tx) error { return tx.PutSession(ended) })
	b.view(func(tx dsstore.Tx) error {
		list, _ := tx.Sessions("d")
		b.same("newest first", fmt.Sprintf("%d %s", len(list), list[0].ID), "2 2")
		all, _ := tx.Sessions("")
		b.same("all", len(all), 3)
		got, err := tx.Session("1")
		b.same("session", got, ended)
		_, e := tx.Session("x")
		b.missing("session", e)
		return err
	})
}
