package sqlstore

import (
	"database/sql"
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

const settingColumns = `version, device, key, value, by_whom, at, state, reason, settled, own, secret`

func (t *tx) WantSetting(s dsstore.Setting) (version int64, err error) {
	err = errors.Join(
		t.exec(`UPDATE settings SET holds = 0 WHERE device = ? AND key = ? AND holds = 1`, s.Device, s.Key),
		t.exec(`INSERT INTO settings (device, key, value, by_whom, at, state, reason, settled, own, secret, holds) VALUES (?, ?, ?, ?, ?, 'pending', '', 0, ?, ?, 1)`,
			s.Device, s.Key, t.sealed(s.Secret, s.Device, s.Value), s.By, unix(s.At), s.Own, s.Secret),
		t.exec(`DELETE FROM settings WHERE device = ?1 AND holds = 0 AND version <= (SELECT version FROM settings WHERE device = ?1 AND holds = 0 ORDER BY version DESC LIMIT 1 OFFSET ?2)`,
			s.Device, dsstore.KeepSettings))
	if err != nil {
		return 0, err
	}
	return version, t.row(`SELECT MAX(version) FROM settings WHERE device = ?`, []any{s.Device}, &version)
}

func (t *tx) SettleSetting(version int64, state dsstore.SettingState, reason string, at time.Time) error {
	return t.exec(`UPDATE settings SET state = ?, reason = ?, settled = ? WHERE version = ?`, string(state), reason, unix(at), version)
}

func (t *tx) Settings(device string) ([]dsstore.Setting, error) {
	return t.settings(`SELECT `+settingColumns+` FROM settings WHERE device = ? AND holds = 1 ORDER BY key`, device)
}

func (t *tx) SettingsHistory(device string) ([]dsstore.Setting, error) {
	return t.settings(`SELECT `+settingColumns+` FROM settings WHERE device = ? ORDER BY version DESC`, device)
}

func (t *tx) settings(query, device string) ([]dsstore.Setting, error) {
	return collect(t, query, []any{device}, func(r *sql.Rows, s *dsstore.Setting) error {
		var at, settled int64
		err := r.Scan(&s.Version, &s.Device, &s.Key, &s.Value, &s.By, &at, &s.State, &s.Reason, &settled, &s.Own, &s.Secret)
		s.At, s.Settled = fromUnix(at), fromUnix(settled)
		return errors.Join(err, t.unsealed(s.Secret, s.Device, &s.Value))
	})
}

func (t *tx) Unsettled() ([]dsstore.Unsettled, error) {
	return collect(t, `SELECT device, MAX(version) FROM settings WHERE holds = 1 AND state = 'pending' GROUP BY device ORDER BY device`, nil,
		func(r *sql.Rows, u *dsstore.Unsettled) error { return r.Scan(&u.Device, &u.Newest) })
}

func (t *tx) Management(device string) (m dsstore.Management, err error) {
	err = t.row(`SELECT own_nonce, device_nonce, session FROM management WHERE device = ?`, []any{device}, &m.OwnNonce, &m.DeviceNonce, &m.Session)
	if errors.Is(err, dsstore.ErrNotFound) {
		err = nil
	}
	return m, err
}

func (t *tx) PutManagement(device string, m dsstore.Management) error {
	return t.exec(`INSERT OR REPLACE INTO management (device, own_nonce, device_nonce, session) VALUES (?, ?, ?, ?)`, device, m.OwnNonce, m.DeviceNonce, int64(m.Session))
}
