package memstore

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// membership and wanted are the keys of what lies in a map each.
type (
	membership struct{ group, device string }
	wanted     struct {
		dsstore.Audience
		key string
	}
)

func (t *tx) Group(name string) (dsstore.Group, error) { return find(t.groups, name) }

func (t *tx) Groups() ([]dsstore.Group, error) {
	return slices.SortedFunc(maps.Values(t.groups), func(a, b dsstore.Group) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func (t *tx) PutGroup(g dsstore.Group) error {
	g.At = stored(g.At)
	return put(t, t.groups, g.Name, g)
}

func (t *tx) DeleteGroup(name string) error {
	return errors.Join(drop(t, t.groups, name), dropAll(t, t.members, func(k membership) bool { return k.group == name }),
		dropAll(t, t.wishes, func(k wanted) bool { return k.Audience == dsstore.Audience{Kind: dsstore.ForGroup, Name: name} }))
}

// dropAll drops what a condition holds for.
func dropAll[K comparable, V any](t *tx, m map[K]V, is func(K) bool) (err error) {
	for k := range m {
		if is(k) {
			err = errors.Join(err, drop(t, m, k))
		}
	}
	return err
}

func (t *tx) PutMember(m dsstore.Member) error {
	m.At = stored(m.At)
	return put(t, t.members, membership{m.Group, m.Device}, m)
}

func (t *tx) DropMember(group, device string) error {
	return drop(t, t.members, membership{group, device})
}

func (t *tx) Members(group string) ([]dsstore.Member, error) {
	return t.membersWhere(func(m dsstore.Member) bool { return m.Group == group }), nil
}

func (t *tx) Memberships(device string) ([]dsstore.Member, error) {
	return t.membersWhere(func(m dsstore.Member) bool { return m.Device == device }), nil
}

func (t *tx) membersWhere(is func(dsstore.Member) bool) (out []dsstore.Member) {
	for _, m := range t.members {
		if is(m) {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Member) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Device, b.Device))
	})
	return out
}

func (t *tx) PutWish(w dsstore.Wish) error {
	w.At = stored(w.At)
	return put(t, t.wishes, wanted{w.For, w.Key}, w)
}

func (t *tx) DropWish(a dsstore.Audience, key string) error {
	return drop(t, t.wishes, wanted{a, key})
}

func (t *tx) Wishes(a dsstore.Audience) (out []dsstore.Wish, err error) {
	for k, w := range t.wishes {
		if k.Audience == a {
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Wish) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}
