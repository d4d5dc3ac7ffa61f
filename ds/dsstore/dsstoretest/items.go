package dsstoretest

import (
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (b *bench) items() {
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(put(tx, "g", "u", "1"), put(tx, "h", "v", "2"), put(tx, "g", "u", "3"),
			tx.Keep(contacts, dsstore.Item{GUID: "g", Hash: hash("4")}, []byte("4"), "why"))
	})
	want := dsstore.Item{GUID: "g", Rev: 3, Type: "text/vcard", Hash: hash("3"), Size: 1, UID: "u", Alike: "like u", Modified: moment, By: "a"}
	b.view(func(tx dsstore.Tx) error {
		got, _ := tx.Item(contacts, "g")
		b.same("item", got, want)
		list, _ := tx.List(contacts)
		b.same("by revision", fmt.Sprint(list[0].GUID, list[1].GUID), "hg")
		for _, text := range []string{"1", "3", "4"} {
			body, err := tx.Body(hash(text))
			b.same("body", string(body), text)
			b.same("error", err, nil)
		}
		_, e := tx.Body(hash("none"))
		b.missing("body", e)
		_, e = tx.Item(contacts, "none")
		b.missing("item", e)
		_, e = tx.Item(dsstore.Collection{User: "x"}, "g")
		b.missing("item of another", e)
		return nil
	})
	b.update(func(tx dsstore.Tx) error {
		want.Deleted = true
		rev, err := tx.PutItem(contacts, want, nil) // a body the store has
		b.same("revision", rev, 4)
		return err
	})
	b.view(func(tx dsstore.Tx) error {
		list, err := tx.List(contacts)
		b.same("live items", fmt.Sprintf("%d %s", len(list), list[0].GUID), "1 h")
		return err
	})
}

func (b *bench) identity() {
	b.update(func(tx dsstore.Tx) error {
		gone := dsstore.Item{GUID: "gone", Type: "text/vcard", UID: "u", Alike: "like u", Deleted: true, Hash: hash("1")}
		_, err := tx.PutItem(contacts, gone, nil)
		return errors.Join(err, put(tx, "g", "u", "1"), put(tx, "h", "u", "2"), put(tx, "i", "", "2"))
	})
	names := func(list []dsstore.Item, err error) (out string) {
		b.same("error", err, nil)
		for _, it := range list {
			out += it.GUID + " "
		}
		return out
	}
	b.view(func(tx dsstore.Tx) error {
		b.same("same UID", names(tx.Same(contacts, "text/vcard", "u", hash("9"))), "g h ")
		b.same("same content", names(tx.Same(contacts, "text/vcard", "", hash("2"))), "h i ")
		b.same("another type", names(tx.Same(contacts, "text/plain", "u", hash("2"))), "")
		b.same("alike", names(tx.Alike(contacts, "text/vcard", "like u")), "g h ")
		b.same("alike in nothing", names(tx.Alike(contacts, "text/vcard", "")), "")
		return nil
	})
}

func (b *bench) mappings() {
	m := dsstore.Mapping{GUID: "g", LUID: "1", Rev: 2, Hash: hash("x"), Variant: "v", Base: "b"}
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutMapping("d", contacts, m), tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "refused", Rev: 1}),
			tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "refused2", Rev: 1}), tx.PutMapping("e", contacts, dsstore.Mapping{GUID: "h", LUID: "1"}))
	})
	b.view(func(tx dsstore.Tx) error {
		got, err := tx.ByLUID("d", contacts, "1")
		b.same("by LUID", got, m)
		got, _ = tx.ByGUID("d", contacts, "g")
		b.same("by GUID", got, m)
		got, _ = tx.ByGUID("d", contacts, "refused")
		b.same("refused", got.Rev, 1)
		_, e := tx.ByLUID("d", contacts, "")
		b.missing("no LUID", e)
		return err
	})
	b.update(func(tx dsstore.Tx) error {
		return tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "other", LUID: "1"})
	})
	b.view(func(tx dsstore.Tx) error {
		got, err := tx.ByLUID("d", contacts, "1")
		b.same("the LUID belongs to", got.GUID, "other")
		_, e := tx.ByGUID("d", contacts, "g")
		b.missing("former owner", e)
		return err
	})
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.DeleteMapping("d", contacts, "other"), tx.ClearMappings("e", contacts), tx.DeleteMapping("x", contacts, "none"))
	})
	b.view(func(tx dsstore.Tx) error {
		_, e := tx.ByLUID("d", contacts, "1")
		b.missing("deleted", e)
		_, e = tx.ByLUID("e", contacts, "1")
		b.missing("cleared", e)
		return nil
	})
}

func (b *bench) forget() {
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "g", LUID: "1"}), tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "h", LUID: "2"}),
			tx.Forget("d", contacts), tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "g", LUID: "1"}))
	})
	b.view(func(tx dsstore.Tx) error {
		_, err := tx.ByLUID("d", contacts, "1")
		b.same("made anew", err, nil)
		_, e := tx.ByLUID("d", contacts, "2")
		b.missing("forgotten", e)
		_, e = tx.ByGUID("d", contacts, "h")
		b.missing("forgotten", e)
		_, e = tx.Former("d", contacts, "1")
		b.missing("former that is anew", e)
		got, err := tx.Former("d", contacts, "2")
		b.same("former", got.GUID, "h")
		return err
	})
	b.update(func(tx dsstore.Tx) error { return tx.ForgetFormer("d", contacts) })
	b.view(func(tx dsstore.Tx) error {
		_, e := tx.Former("d", contacts, "2")
		b.missing("former", e)
		_, err := tx.ByLUID("d", contacts, "1")
		return err
	})
}

// some stores items in all the states that matter to a device.
func (b *bench) some() {
	b.update(func(tx dsstore.Tx) error {
		var errs []error
		for _, guid := range []string{"new", "held", "changed", "refused", "gone", "never", "refused-gone", "forgotten"} { // revisions 1 to 8
			errs = append(errs, put(tx, guid, guid, guid))
		}
		for guid, luid := range map[string]string{"held": "1", "changed": "2", "gone": "3", "refused": "", "refused-gone": "", "forgotten": "8"} {
			it, err := tx.Item(contacts, guid)
			errs = append(errs, err, tx.PutMapping("d", contacts, dsstore.Mapping{GUID: guid, LUID: luid, Rev: it.Rev}))
		}
		errs = append(errs, put(tx, "changed", "u", "more")) // 9
		for _, guid := range []string{"gone", "never", "refused-gone"} {
			it, err := tx.Item(contacts, guid)
			it.Deleted = true
			_, e := tx.PutItem(contacts, it, nil) // 10 to 12
			errs = append(errs, err, e)
		}
		return errors.Join(errs...)
	})
}

func (b *bench) pending() {
	b.some()
	b.view(func(tx dsstore.Tx) error {
		list, err := tx.Pending("d", contacts, 0, 100)
		b.same("pending", guids(list), `new@1, changed@9 held "2"@3, gone@10 deleted held "3"@5`)
		b.same("with its mapping", list[1].Mapping, dsstore.Mapping{GUID: "changed", LUID: "2", Rev: 3})
		list, _ = tx.Pending("d", contacts, 1, 1)
		b.same("a page", guids(list), `changed@9 held "2"@3`)
		n, _ := tx.CountPending("d", contacts, 1)
		b.same("count", n, 2)
		list, _ = tx.Pending("other", contacts, 0, 100)
		b.same("of a new device", guids(list), `new@1, held@2, refused@4, forgotten@8, changed@9`)
		list, _ = tx.Pending("d", dsstore.Collection{User: "nobody"}, 0, 100)
		b.same("of nobody", guids(list), "")
		return err
	})
	b.update(func(tx dsstore.Tx) error { return tx.Forget("d", contacts) })
	b.view(func(tx dsstore.Tx) error {
		list, err := tx.Pending("d", contacts, 0, 100)
		b.same("in a slow sync", guids(list), `new@1, held@2, refused@4, forgotten@8, changed@9`)
		return err
	})
}

func (b *bench) scope() {
	b.some()
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutFacts(contacts, "new", []byte("f")), tx.PutFacts(contacts, "none", []byte("f")), tx.PutFacts(contacts, "held", []byte("f")), put(tx, "held", "u", "h"))
	})
	b.view(func(tx dsstore.Tx) error {
		list, err := tx.Scope("d", contacts, 0, 100)
		b.same("scope", guids(list),
			`new@1, refused@4 held ""@4, forgotten@8 held "8"@8, changed@9 held "2"@3, gone@10 deleted held "3"@5, held@13 held "1"@2`)
		b.same("facts", string(list[0].Facts), "f")
		b.same("facts of a former version", list[5].Facts == nil, true)
		noted := ""
		e := tx.EachNoted(contacts, 8, 4, func(n dsstore.Noted) { noted += fmt.Sprintf("%s@%d %t %q, ", n.GUID, n.Rev, n.Deleted, n.Facts) })
		b.same("noted", noted, `changed@9 false "", gone@10 true "", never@11 true "", refused-gone@12 true "", `)
		b.same("error", e, nil)
		return err
	})
}

func (b *bench) links() {
	l := dsstore.Link{ClientLast: "1", ClientNext: "2", ServerLast: "3", ServerNext: "4", Running: 201, Scope: "s", Roll: moment, Done: 7}
	f := dsstore.Filter{Text: "t", By: "@ana", At: moment, Travel: "r", Until: moment}
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutLink("d", contacts, l), tx.PutFilter("d", contacts, f))
	})
	b.view(func(tx dsstore.Tx) error {
		gotLink, _ := tx.Link("d", contacts)
		b.same("link", gotLink, l)
		got, _ := tx.Filter("d", contacts)
		b.same("filter", got, f)
		got, err := tx.Filter("e", contacts)
		b.same("no filter", got, dsstore.Filter{})
		for after, want := range map[time.Time]string{moment.Add(-time.Second): "[d]", moment: "[]"} {
			devices, last, _ := tx.Filtered(after)
			b.same("filtered", devices, want)
			b.same("last", last.Equal(moment), true)
		}
		for at, want := range map[time.Time]string{moment.Add(-time.Second): "[]", moment: "[d]"} {
			devices, _ := tx.Rolled(at)
			b.same("rolled", devices, want)
		}
		return err
	})
}

func (b *bench) deleteDevice() {
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutDevice(dsstore.Device{ID: "d", User: "ana"}), tx.PutMapping("d", contacts, dsstore.Mapping{GUID: "g", LUID: "1"}),
			tx.PutEvent("d", dsstore.Event{What: dsstore.Notified, At: moment}), tx.PutPresence("d", dsstore.Presence{Online: true, Since: moment}),
			tx.PutLink("d", contacts, dsstore.Link{ClientNext: "1"}), tx.PutFilter("d", contacts, dsstore.Filter{Text: "t"}),
			tx.PutSession(dsstore.Session{ID: "s", Device: "d"}), want(tx, "d", "log.level", "debug", nil),
			tx.PutMember(dsstore.Member{Group: "g", Device: "d"}), tx.PutWish(dsstore.Wish{For: dsstore.Audience{Kind: dsstore.ForDevice, Name: "d"}, Key: "log.level"}))
	})
	b.update(func(tx dsstore.Tx) error { return tx.DeleteDevice("d") })
	b.view(func(tx dsstore.Tx) error {
		_, e := tx.Device("d")
		b.missing("device", e)
		_, e = tx.ByGUID("d", contacts, "g")
		b.missing("mapping", e)
		l, _ := tx.Link("d", contacts)
		f, _ := tx.Filter("d", contacts)
		events, _ := tx.Events("d")
		presence, _ := tx.Presence("d")
		b.same("events and presence", fmt.Sprintf("%d %t", len(events), presence.Online), "0 false")
		settings, _ := tx.SettingsHistory("d")
		b.same("settings", len(settings), 0)
		members, _ := tx.Members("g")
		wishes, _ := tx.Wishes(dsstore.Audience{Kind: dsstore.ForDevice, Name: "d"})
		b.same("memberships and wishes", fmt.Sprint(len(members), len(wishes)), "0 0")
		b.same("link and filter", fmt.Sprintf("%t %q", l.Known(), f.Text), `false ""`)
		_, err := tx.Session("s")
		return err
	})
}

func (b *bench) journal() {
	at := func(i int) time.Time { return moment.Add(time.Duration(i) * time.Second) }
	b.update(func(tx dsstore.Tx) error {
		e := dsstore.Event{What: dsstore.NotNotified, Why: "a change", Outcome: "no session"}
		var errs []error
		for i := range 3 {
			e.At = at(i)
			errs = append(errs, tx.PutEvent("d", e))
		}
		errs = append(errs, tx.PutEvent("d", dsstore.Event{What: dsstore.Exchanged, Why: "w", Outcome: "o", At: at(5)}),
			tx.PutEvent("d", dsstore.Event{What: dsstore.Notified, Why: "w", At: at(4)}), tx.PutEvent("e", dsstore.Event{What: dsstore.Notified, At: at(9)}),
			tx.PutPresence("d", dsstore.Presence{Online: true, Since: moment}))
		return errors.Join(errs...)
	})
	b.view(func(tx dsstore.Tx) error {
		list, err := tx.Events("d")
		b.same("events", list, []dsstore.Event{{What: dsstore.NotNotified, Why: "a change", Outcome: "no session", First: at(0), At: at(2), Times: 3},
			{What: dsstore.Notified, Why: "w", First: at(4), At: at(4), Times: 1}, {What: dsstore.Exchanged, Why: "w", Outcome: "o", First: at(5), At: at(5), Times: 1}})
		p, _ := tx.Presence("d")
		b.same("presence", p, dsstore.Presence{Online: true, Since: moment})
		p, _ = tx.Presence("e")
		b.same("no presence", p, dsstore.Presence{})
		return err
	})
	b.update(func(tx dsstore.Tx) (err error) {
		for i := range 3 * dsstore.KeepEvents {
			err = errors.Join(err, tx.PutEvent("d", dsstore.Event{What: dsstore.Notified, Why: fmt.Sprint(i), At: at(10 + i)}))
		}
		return err
	})
	b.view(func(tx dsstore.Tx) error {
		list, err := tx.Events("d")
		b.same("bounded", len(list), dsstore.KeepEvents)
		b.same("the last", list[len(list)-1].Why, fmt.Sprint(3*dsstore.KeepEvents-1))
		other, _ := tx.Events("e")
		b.same("of others", len(other), 1)
		return err
	})
}

func (b *bench) columns() {
	mails := dsstore.Collection{User: "ana", Store: "mail"}
	some := func(text string) map[string]string {
		return map[string]string{"from": text, "rev": text + "!"}
	}
	block := func(after, upto int64, form int) dsstore.Block {
		return dsstore.Block{After: after, Upto: upto, Items: 3, Form: form}
	}
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(put(tx, "g", "u", "1"), put(tx, "h", "v", "2"), put(tx, "i", "w", "3"), tx.PutBlock(mails, block(0, 10, 1), some("a")),
			tx.PutBlock(contacts, block(0, 1, 2), some("b")), tx.PutBlock(contacts, block(1, 2, 2), some("c")))
	})
	state := func(want string) {
		b.t.Helper()
		b.view(func(tx dsstore.Tx) error {
			got := ""
			list, err := tx.Blocks(contacts)
			for _, x := range list {
				data, err := tx.Column(contacts, x.Upto, "from")
				got += fmt.Sprintf("%d-%d %d %d %s %v, ", x.After, x.Upto, x.Items, x.Form, data, err)
			}
			b.same("blocks", got, want)
			return err
		})
	}
	state("0-1 3 2 b <nil>, 1-2 3 2 c <nil>, ")
	b.view(func(tx dsstore.Tx) error {
		_, e := tx.Column(contacts, 2, "none")
		b.missing("column", e)
		_, e = tx.Column(contacts, 3, "from")
		b.missing("block", e)
		behind, _ := tx.Behind(2, 1)
		b.same("behind", behind, map[dsstore.Collection]int64{contacts: 3})
		behind, _ = tx.Behind(2, 2)
		b.same("that far behind", len(behind), 0)
		behind, err := tx.Behind(1, 3)
		b.same("of another form", behind, map[dsstore.Collection]int64{contacts: 3})
		return err
	})
	b.update(func(tx dsstore.Tx) error { return tx.PutBlock(contacts, block(0, 3, 2), some("d")) })
	state("0-3 3 2 d <nil>, ")
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutBlock(contacts, block(1, 3, 2), some("in d")), tx.PutBlock(contacts, block(1, 4, 2), some("e")))
	})
	state("0-3 3 2 d <nil>, 1-4 3 2 e <nil>, ")
	b.update(func(tx dsstore.Tx) error { return tx.PutBlock(contacts, block(2, 4, 3), some("f")) })
	state("2-4 3 3 f <nil>, ")
}
