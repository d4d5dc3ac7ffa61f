package sqlstore

import (
	"database/sql"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) User(name string) (dsstore.User, error) {
	u := dsstore.User{Name: name}
	err := t.row(`SELECT password, admin FROM users WHERE name = ?`, []any{name}, &u.Password, &u.Admin)
	return u, err
}

func (t *tx) Users() ([]dsstore.User, error) {
	return collect(t, `SELECT name, password, admin FROM users ORDER BY name`, nil, func(r *sql.Rows, u *dsstore.User) error {
		return r.Scan(&u.Name, &u.Password, &u.Admin)
	})
}

func (t *tx) PutUser(u dsstore.User) error {
	return t.exec(`INSERT INTO users (name, password, admin) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET password = excluded.password, admin = excluded.admin`, u.Name, u.Password, u.Admin)
}

const deviceColumns = `id, user_name, credential, former, changed_at, nonce, former_nonce, devinf, seen`

func (t *tx) scanDevice(scan func(...any) error, d *dsstore.Device) error {
	var changed, seen int64
	err := scan(&d.ID, &d.User, &d.Credential, &d.Former, &changed, &d.Nonce, &d.FormerNonce, &d.DevInf, &seen)
	d.ChangedAt, d.Seen = fromUnix(changed), fromUnix(seen)
	return errors.Join(err, t.unseal(d.ID, &d.Credential), t.unseal(d.ID, &d.Former))
}

func (t *tx) Device(id string) (dsstore.Device, error) {
	var d dsstore.Device
	err := t.scanDevice(func(dest ...any) error {
		return t.row(`SELECT `+deviceColumns+` FROM devices WHERE id = ?`, []any{id}, dest...)
	}, &d)
	return d, err
}

func (t *tx) Devices(user string) ([]dsstore.Device, error) {
	query, args := of("user_name", user)
	return collect(t, `SELECT `+deviceColumns+` FROM devices`+query+` ORDER BY id`, args,
		func(r *sql.Rows, d *dsstore.Device) error { return t.scanDevice(r.Scan, d) })
}

// of is the condition that a column has a value, none if that is "". One statement for both could not use the index of the column.
func of(column, value string) (condition string, args []any) {
	if value == "" {
		return "", nil
	}
	return " WHERE " + column + " = ?", []any{value}
}

func (t *tx) PutDevice(d dsstore.Device) error {
	return t.exec(`INSERT OR REPLACE INTO devices (`+deviceColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.User, t.seal(d.ID, d.Credential), t.seal(d.ID, d.Former), unix(d.ChangedAt), d.Nonce, d.FormerNonce, d.DevInf, unix(d.Seen))
}

func (t *tx) DeleteDevice(id string) error {
	for _, q := range []string{`DELETE FROM mappings WHERE device = ?`, `DELETE FROM links WHERE device = ?`, `DELETE FROM filters WHERE device = ?`,
		`DELETE FROM deletions WHERE device = ?`, `DELETE FROM events WHERE device = ?`, `DELETE FROM presence WHERE device = ?`, `DELETE FROM settings WHERE device = ?`,
		`DELETE FROM management WHERE device = ?`, `DELETE FROM members WHERE device = ?`, `DELETE FROM wishes WHERE kind = 'device' AND name = ?`, `DELETE FROM devices WHERE id = ?`} {
		if err := t.exec(q, id); err != nil {
			return err
		}
	}
	return nil
}

const sessionColumns = `id, device, opened, renewed, lease, ending, ended, reason`

func scanSession(scan func(...any) error, s *dsstore.Session) error {
	var opened, renewed, lease, ended int64
	err := scan(&s.ID, &s.Device, &opened, &renewed, &lease, &s.Ending, &ended, &s.Reason)
	s.Opened, s.Renewed, s.Ended = fromUnix(opened), fromUnix(renewed), fromUnix(ended)
	s.Lease = time.Duration(lease)
	return err
}

func (t *tx) Session(id string) (dsstore.Session, error) {
	var s dsstore.Session
	err := scanSession(func(dest ...any) error {
		return t.row(`SELECT `+sessionColumns+` FROM sessions WHERE id = ?`, []any{id}, dest...)
	}, &s)
	return s, err
}

func (t *tx) Sessions(device string) ([]dsstore.Session, error) {
	query, args := of("device", device)
	return collect(t, `SELECT `+sessionColumns+` FROM sessions`+query+` ORDER BY opened DESC`, args,
		func(r *sql.Rows, s *dsstore.Session) error { return scanSession(r.Scan, s) })
}

func (t *tx) PutSession(s dsstore.Session) error {
	return t.exec(`INSERT OR REPLACE INTO sessions (`+sessionColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		s.ID, s.Device, unix(s.Opened), unix(s.Renewed), int64(s.Lease), string(s.Ending), unix(s.Ended), s.Reason)
}
