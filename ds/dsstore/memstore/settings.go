package memstore

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// wish is a setting with whether it holds.
type wish struct {
	dsstore.Setting
	holds bool
}

func (t *tx) WantSetting(s dsstore.Setting) (int64, error) {
	s.At, s.State = stored(s.At), dsstore.SettingPending
	for _, all := range t.settings {
		for _, w := range all {
			s.Version = max(s.Version, w.Version)
		}
	}
	s.Version++
	all := slices.Clone(t.settings[s.Device])
	former := 0
	for i := range all {
		all[i].holds = all[i].holds && all[i].Key != s.Key
		if !all[i].holds {
			former++
		}
	}
	all = slices.DeleteFunc(all, func(w wish) bool {
		old := !w.holds && former > dsstore.KeepSettings
		if old {
			former--
		}
		return old
	})
	return s.Version, put(t, t.settings, s.Device, append(all, wish{s, true}))
}

func (t *tx) SettleSetting(version int64, state dsstore.SettingState, reason string, at time.Time) error {
	for device, all := range t.settings {
		for i := range all {
			if all[i].Version == version {
				all = slices.Clone(all)
				all[i].State, all[i].Reason, all[i].Settled = state, reason, stored(at)
				return put(t, t.settings, device, all)
			}
		}
	}
	return nil
}

func (t *tx) Settings(device string) (out []dsstore.Setting, err error) {
	for _, w := range t.settings[device] {
		if w.holds {
			out = append(out, w.Setting)
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Setting) int { return cmp.Compare(a.Key, b.Key) })
	return out, nil
}

func (t *tx) SettingsHistory(device string) (out []dsstore.Setting, err error) {
	for _, w := range slices.Backward(t.settings[device]) {
		out = append(out, w.Setting)
	}
	return out, nil
}

func (t *tx) Unsettled() (out []dsstore.Unsettled, err error) {
	for _, device := range slices.Sorted(maps.Keys(t.settings)) {
		u := dsstore.Unsettled{Device: device}
		for _, w := range t.settings[device] {
			if w.holds && w.State == dsstore.SettingPending {
				u.Newest = max(u.Newest, w.Version)
			}
		}
		if u.Newest != 0 {
			out = append(out, u)
		}
	}
	return out, nil
}

func (t *tx) Management(device string) (dsstore.Management, error) { return t.management[device], nil }

func (t *tx) PutManagement(device string, m dsstore.Management) error {
	return put(t, t.management, device, m)
}
