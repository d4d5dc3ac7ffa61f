package site

import (
	"context"
	"fmt"
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
}

// Settings lists what is wanted of a device, or with history all that was.
func Settings(ctx context.Context, store dsstore.Store, device string, history bool) (list []SettingInfo, err error) {
	list = []SettingInfo{}
	err = store.View(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.Device(device); err != nil {
			return notFound(err, "there is no device "+device)
		}
		read := tx.Settings
		if history {
			read = tx.SettingsHistory
		}
		all, err := read(device)
		for _, s := range all {
			list = append(list, settingInfo(s))
		}
		return err
	})
	return list, err
}

func settingInfo(s dsstore.Setting) SettingInfo {
	i := SettingInfo{Version: s.Version, Device: s.Device, Key: s.Key, Value: s.Value, By: s.By, At: s.At, State: string(s.State), Reason: s.Reason}
	if !s.Settled.IsZero() {
		i.Settled = &s.Settled
	}
	return i
}

// Whom a change of settings is for: a device, or all devices of a user, or all.
type Whom struct {
	Device, User string
	All          bool
}

// SetSettings changes what devices shall be set to (S1), on behalf of somebody: all of it or none. A value that is wanted already is not wanted anew (S9). Devices are told by
// themselves, also those that are away now. With preview it only tells what it would mean to each.
func SetSettings(ctx context.Context, store dsstore.Store, by string, whom Whom, values map[string]string, preview bool) (out []SettingsChange, err error) {
	for key, value := range values {
		row, ok := mo.Find(key)
		if !ok {
			return nil, Mistake("there is no setting " + key)
		}
		if err := row.Check(value); err != nil {
			return nil, Mistake(fmt.Sprintf("%s: %v", key, err))
		}
	}
	run := store.Update
	if preview {
		run = store.View
	}
	err = run(ctx, func(tx dsstore.Tx) error {
		devices, err := whom.devices(tx)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, d := range devices {
			c, err := setOne(tx, by, d.ID, values, now, preview)
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

func (w Whom) devices(tx dsstore.Tx) ([]dsstore.Device, error) {
	if w.Device != "" {
		d, err := tx.Device(w.Device)
		return []dsstore.Device{d}, notFound(err, "there is no device "+w.Device)
	}
	if w.User == "" && !w.All {
		return nil, Mistake("say which devices: one, those of a user, or all")
	}
	list, err := tx.Devices(w.User)
	if err == nil && len(list) == 0 {
		err = Mistake("there is no such device")
	}
	return list, err
}

// setOne changes what one device shall be set to.
func setOne(tx dsstore.Tx, by, device string, values map[string]string, now time.Time, preview bool) (SettingsChange, error) {
	c := SettingsChange{Device: device, Keys: []string{}, Effect: "nothing"}
	known := map[string]dsstore.Setting{}
	all, err := tx.Settings(device)
	if err != nil {
		return c, err
	}
	for _, s := range all {
		known[s.Key] = s
	}
	most := mo.None
	for _, key := range slices.Sorted(maps.Keys(values)) {
		row, _ := mo.Find(key)
		if s, ok := known[key]; ok && row.Same(s.Value, values[key]) && holds(&s) {
			continue
		}
		most = max(most, row.Effect)
		c.Keys, c.Effect = append(c.Keys, key), most.String()
		if preview {
			continue
		}
		if _, err := tx.WantSetting(dsstore.Setting{Device: device, Key: key, Value: values[key], By: by, At: now}); err != nil {
			return c, err
		}
	}
	return c, nil
}

// holds tells whether a wish need not be repeated. The switch of Always-On may have been flipped back by the user, whom the server does not see.
func holds(s *dsstore.Setting) bool {
	return s.State == dsstore.SettingPending || s.State == dsstore.SettingApplied && s.Key != mo.Switch
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
	Values  map[string]string `json:"values"`
	User    string            `json:"user"`
	Preview bool              `json:"preview"`
}

func putSettings(c *call, whom func(settingsRequest) Whom) (any, error) {
	var in settingsRequest
	if err := c.body(&in); err != nil {
		return nil, err
	}
	return SetSettings(c.Context(), c.site.store, "@"+c.who.Name, whom(in), in.Values, in.Preview)
}
