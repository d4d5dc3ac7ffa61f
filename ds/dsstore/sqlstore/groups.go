package sqlstore

import (
	"database/sql"
	"errors"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) Group(name string) (g dsstore.Group, err error) {
	var at int64
	err = t.row(`SELECT name, by_whom, at FROM device_groups WHERE name = ?`, []any{name}, &g.Name, &g.By, &at)
	g.At = fromUnix(at)
	return g, err
}

func (t *tx) Groups() ([]dsstore.Group, error) {
	return collect(t, `SELECT name, by_whom, at FROM device_groups ORDER BY name`, nil, func(r *sql.Rows, g *dsstore.Group) error {
		var at int64
		err := r.Scan(&g.Name, &g.By, &at)
		g.At = fromUnix(at)
		return err
	})
}

func (t *tx) PutGroup(g dsstore.Group) error {
	return t.exec(`INSERT OR REPLACE INTO device_groups (name, by_whom, at) VALUES (?, ?, ?)`, g.Name, g.By, unix(g.At))
}

func (t *tx) DeleteGroup(name string) error {
	return errors.Join(t.exec(`DELETE FROM device_groups WHERE name = ?`, name), t.exec(`DELETE FROM members WHERE of_group = ?`, name),
		t.dropWishes(dsstore.Audience{Kind: dsstore.ForGroup, Name: name}))
}

func (t *tx) PutMember(m dsstore.Member) error {
	return t.exec(`INSERT OR REPLACE INTO members (of_group, device, by_whom, at) VALUES (?, ?, ?, ?)`, m.Group, m.Device, m.By, unix(m.At))
}

func (t *tx) DropMember(group, device string) error {
	return t.exec(`DELETE FROM members WHERE of_group = ? AND device = ?`, group, device)
}

func (t *tx) Members(group string) ([]dsstore.Member, error) {
	return t.members(`SELECT of_group, device, by_whom, at FROM members WHERE of_group = ? ORDER BY device`, group)
}

func (t *tx) Memberships(device string) ([]dsstore.Member, error) {
	return t.members(`SELECT of_group, device, by_whom, at FROM members WHERE device = ? ORDER BY of_group`, device)
}

func (t *tx) members(query, of string) ([]dsstore.Member, error) {
	return collect(t, query, []any{of}, func(r *sql.Rows, m *dsstore.Member) error {
		var at int64
		err := r.Scan(&m.Group, &m.Device, &m.By, &at)
		m.At = fromUnix(at)
		return err
	})
}

func (t *tx) PutWish(w dsstore.Wish) error {
	return t.exec(`INSERT OR REPLACE INTO wishes (kind, name, key, value, secret, by_whom, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		string(w.For.Kind), w.For.Name, w.Key, t.sealed(w.Secret, w.For.String(), w.Value), w.Secret, w.By, unix(w.At))
}

func (t *tx) DropWish(a dsstore.Audience, key string) error {
	return t.exec(`DELETE FROM wishes WHERE kind = ? AND name = ? AND key = ?`, string(a.Kind), a.Name, key)
}

func (t *tx) dropWishes(a dsstore.Audience) error {
	return t.exec(`DELETE FROM wishes WHERE kind = ? AND name = ?`, string(a.Kind), a.Name)
}

func (t *tx) Wishes(a dsstore.Audience) ([]dsstore.Wish, error) {
	return collect(t, `SELECT key, value, secret, by_whom, at FROM wishes WHERE kind = ? AND name = ? ORDER BY key`, []any{string(a.Kind), a.Name},
		func(r *sql.Rows, w *dsstore.Wish) error {
			var at int64
			err := r.Scan(&w.Key, &w.Value, &w.Secret, &w.By, &at)
			w.For, w.At = a, fromUnix(at)
			return errors.Join(err, t.unsealed(w.Secret, a.String(), &w.Value))
		})
}
