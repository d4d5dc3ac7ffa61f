package dsstoretest

import (
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (b *bench) groups() {
	sales := dsstore.Group{Name: "sales", By: "@root", At: moment}
	of := func(group, device string) dsstore.Member {
		return dsstore.Member{Group: group, Device: device, By: "@root", At: moment}
	}
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutGroup(sales), tx.PutGroup(dsstore.Group{Name: "lab"}), tx.PutMember(of("sales", "d")), tx.PutMember(of("sales", "d")),
			tx.PutMember(of("sales", "c")), tx.PutMember(of("lab", "d")), tx.PutMember(of("lab", "e")), tx.DropMember("lab", "e"), tx.DropMember("lab", "none"))
	})
	b.view(func(tx dsstore.Tx) error {
		got, err := tx.Group("sales")
		b.same("group", got, sales)
		_, e := tx.Group("none")
		b.missing("group", e)
		all, _ := tx.Groups()
		b.same("groups", fmt.Sprint(len(all), " ", all[0].Name, " ", all[1] == got), "2 lab true")
		members, _ := tx.Members("sales")
		b.same("members", members, []dsstore.Member{of("sales", "c"), of("sales", "d")})
		memberships, _ := tx.Memberships("d")
		b.same("memberships", memberships, []dsstore.Member{of("lab", "d"), of("sales", "d")})
		return err
	})
	b.update(func(tx dsstore.Tx) error { return tx.DeleteGroup("lab") })
	b.view(func(tx dsstore.Tx) error {
		_, e := tx.Group("lab")
		b.missing("deleted", e)
		memberships, err := tx.Memberships("d")
		b.same("of the deleted one", memberships, []dsstore.Member{of("sales", "d")})
		return err
	})
}

func (b *bench) wishes() {
	wish := func(kind dsstore.AudienceKind, name, value string) dsstore.Wish {
		return dsstore.Wish{For: dsstore.Audience{Kind: kind, Name: name}, Key: "log.level", Value: value, By: "@root", At: moment}
	}
	poll := dsstore.Wish{For: dsstore.Audience{Kind: dsstore.ForGroup, Name: "x"}, Key: "session.poll", Value: "5m", Secret: true, By: "@ana", At: moment.Add(time.Second)}
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutWish(wish(dsstore.ForGroup, "x", "info")), tx.PutWish(poll), tx.PutWish(wish(dsstore.ForGroup, "x", "debug")),
			tx.PutWish(wish(dsstore.ForUser, "x", "warn")), tx.PutWish(wish(dsstore.ForAll, "", "error")), tx.PutWish(wish(dsstore.ForDevice, "x", "info")),
			tx.DropWish(dsstore.Audience{Kind: dsstore.ForDevice, Name: "x"}, "log.level"), tx.DropWish(dsstore.Audience{Kind: dsstore.ForDevice, Name: "x"}, "none"))
	})
	held := func(a dsstore.Audience, want ...dsstore.Wish) {
		b.t.Helper()
		b.view(func(tx dsstore.Tx) error {
			got, err := tx.Wishes(a)
			b.same(a.String(), got, want)
			return err
		})
	}
	held(poll.For, wish(dsstore.ForGroup, "x", "debug"), poll)
	held(dsstore.Audience{Kind: dsstore.ForUser, Name: "x"}, wish(dsstore.ForUser, "x", "warn"))
	held(dsstore.Audience{Kind: dsstore.ForAll}, wish(dsstore.ForAll, "", "error"))
	held(dsstore.Audience{Kind: dsstore.ForDevice, Name: "x"})
	b.update(func(tx dsstore.Tx) error {
		return errors.Join(tx.PutGroup(dsstore.Group{Name: "x"}), tx.DeleteGroup("x"))
	})
	held(poll.For)
	held(dsstore.Audience{Kind: dsstore.ForUser, Name: "x"}, wish(dsstore.ForUser, "x", "warn"))
}
