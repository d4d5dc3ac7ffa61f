package site

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// SettingInfo is what an administrator wants of a device, and how far it has come (S8).
type SettingInfo struct {
	Version int64      `json:"version"`
	Device  string     `json:"device"`
	Key     string     `json:"key"`
	Value   string     `json:"value"`
	Own     bool       `json:"own,omitempty"` // it shall be as the device's own configuration says
	For     string     `json:"for,omitempty"` // of whom it is wanted now
	By      string     `json:"by"`
	At      time.Time  `json:"at"`
	State   string     `json:"state"` // pending, applied, failed
	Reason  string     `json:"reason,omitempty"`
	Settled *time.Time `json:"settled,omitempty"`
}

// SettingsChange is what a change of settings means to a device.
type SettingsChange struct {
	Device string   `json:"device"`
	Keys   []string `json:"keys"`   // that change; none if all is as it is wanted already
	Effect string   `json:"effect"` // nothing, none, open, sync, restart
	// Overruled are keys in which something else holds for the device, with whom that is wanted of; see Precedence.
	Overruled []string `json:"overruled,omitempty"`
}

// Settings lists what is wanted of a device, or with history all that was.
func Settings(ctx context.Context, store dsstore.Store, device string, history bool) (list []SettingInfo, err error) {
	list = []SettingInfo{}
	err = store.View(ctx, func(tx dsstore.Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return notFound(err, "there is no device "+device)
		}
		read := tx.Settings
		if history {
			read = tx.SettingsHistory
		}
		all, err := read(device)
		held, e := newWishing(tx, "").holding(&d)
		for _, s := range all {
			i := settingInfo(s)
			if w, ok := held[s.Key]; ok && !history {
				i.For = w.For.String()
			}
			list = append(list, i)
		}
		return errors.Join(err, e)
	})
	return list, err
}

func settingInfo(s dsstore.Setting) SettingInfo {
	i := SettingInfo{Version: s.Version, Device: s.Device, Key: s.Key, Value: shown(s.Key, s.Value), Own: s.Own, By: s.By, At: s.At, State: string(s.State), Reason: s.Reason}
	if !s.Settled.IsZero() {
		i.Settled = &s.Settled
	}
	return i
}

// shown is a value as administrators may see it.
func shown(key, value string) string {
	if row, ok := mo.Find(key); ok {
		return row.Shown(value)
	}
	return value
}

// SetSettings changes what devices shall be set to (S1), on behalf of somebody: all of it or none; nil takes back what was wanted of exactly those. A value
// that a device has already is not wanted anew (S9). Devices are told by themselves, also those that are away now. With preview it only tells what it would
// mean to each.
func SetSettings(ctx context.Context, store dsstore.Store, by string, whom Whom, values map[string]*string, preview bool) (out []SettingsChange, err error) {
	if err := checkValues(values); err != nil {
		return nil, err
	}
	run := store.Update
	if preview {
		run = store.View
	}
	err = run(ctx, func(tx dsstore.Tx) error {
		a, devices, err := whom.audience(tx)
		if err != nil {
			return err
		}
		w := newWishing(tx, by)
		w.preview = preview
		if err := w.want(a, values); err != nil {
			return err
		}
		out, err = w.overAll(devices, a, values)
		return err
	})
	return out, err
}

// overAll has devices follow a change, and tells where a wish that goes before it holds.
func (w *wishing) overAll(devices []dsstore.Device, a dsstore.Audience, values map[string]*string) (out []SettingsChange, err error) {
	keys := slices.Collect(maps.Keys(values))
	out = []SettingsChange{}
	for i := range devices {
		c, held, err := w.follow(&devices[i], keys)
		if err != nil {
			return nil, err
		}
		for _, key := range slices.Sorted(slices.Values(keys)) {
			if before := held[key].For; values[key] != nil && before != a {
				c.Overruled = append(c.Overruled, key+" by "+before.String())
			}
		}
		out = append(out, c)
	}
	return out, nil
}

// OpenSession asks a device to open a session in which nothing is synchronized (S3), on behalf of somebody. It is kept among the device's settings, as
// mo.OpenSession: pending until the device has been reached. One that is pending already is not asked for again.
func OpenSession(ctx context.Context, store dsstore.Store, by, device string) (out SettingInfo, err error) {
	err = store.Update(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.Device(device); err != nil {
			return notFound(err, "there is no device "+device)
		}
		all, err := tx.Settings(device)
		if err != nil {
			return err
		}
		s := dsstore.Setting{Device: device, Key: mo.OpenSession, By: by, At: time.Now(), State: dsstore.SettingPending}
		if i := slices.IndexFunc(all, func(s dsstore.Setting) bool { return s.Key == mo.OpenSession && s.State == dsstore.SettingPending }); i >= 0 {
			s = all[i]
		} else if s.Version, err = tx.WantSetting(s); err != nil {
			return err
		}
		out = settingInfo(s)
		return nil
	})
	return out, err
}

// settingsRequest is the body of a change.
type settingsRequest struct {
	Values  map[string]*string `json:"values"` // null takes back what was wanted
	User    string             `json:"user"`
	Preview bool               `json:"preview"`
}

func putSettings(c *call, whom func(settingsRequest) Whom) (any, error) {
	var in settingsRequest
	if err := c.body(&in); err != nil {
		return nil, err
	}
	return SetSettings(c.Context(), c.site.store, "@"+c.who.Name, whom(in), in.Values, in.Preview)
}
