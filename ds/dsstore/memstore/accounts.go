package memstore

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) User(name string) (dsstore.User, error) { return find(t.users, name) }

func (t *tx) Users() ([]dsstore.User, error) {
	return slices.SortedFunc(maps.Values(t.users), func(a, b dsstore.User) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func (t *tx) PutUser(u dsstore.User) error { return put(t, t.users, u.Name, u) }

func (t *tx) Device(id string) (dsstore.Device, error) { return find(t.devices, id) }

func (t *tx) Devices(user string) ([]dsstore.Device, error) {
	all := slices.SortedFunc(maps.Values(t.devices), func(a, b dsstore.Device) int { return cmp.Compare(a.ID, b.ID) })
	return slices.DeleteFunc(all, func(d dsstore.Device) bool { return user != "" && d.User != user }), nil
}

func (t *tx) PutDevice(d dsstore.Device) error {
	d.ChangedAt, d.Seen, d.DevInf = stored(d.ChangedAt), stored(d.Seen), slices.Clone(d.DevInf)
	return put(t, t.devices, d.ID, d)
}

func (t *tx) DeleteDevice(id string) error {
	for p := range t.links {
		if err := t.dropPlace(p, id); err != nil {
			return err
		}
	}
	for p := range t.mappings {
		if err := t.dropPlace(p, id); err != nil {
			return err
		}
	}
	for p := range t.filters {
		if err := t.dropPlace(p, id); err != nil {
			return err
		}
	}
	return errors.Join(drop(t, t.events, id), drop(t, t.presence, id), drop(t, t.settings, id), drop(t, t.management, id), drop(t, t.devices, id),
		dropAll(t, t.members, func(k membership) bool { return k.device == id }),
		dropAll(t, t.wishes, func(k wanted) bool { return k.Audience == dsstore.Audience{Kind: dsstore.ForDevice, Name: id} }))
}

func (t *tx) dropPlace(p place, device string) error {
	if p.device != device {
		return nil
	}
	if err := drop(t, t.links, p); err != nil {
		return err
	}
	if err := drop(t, t.mappings, p); err != nil {
		return err
	}
	return drop(t, t.filters, p)
}

func (t *tx) Session(id string) (dsstore.Session, error) { return find(t.sessions, id) }

func (t *tx) Sessions(device string) ([]dsstore.Session, error) {
	var out []dsstore.Session
	for _, s := range t.sessions {
		if device == "" || s.Device == device {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b dsstore.Session) int {
		return cmp.Or(b.Opened.Compare(a.Opened), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

func (t *tx) PutSession(s dsstore.Session) error {
	s.Opened, s.Renewed, s.Ended = stored(s.Opened), stored(s.Renewed), stored(s.Ended)
	return put(t, t.sessions, s.ID, s)
}

func (t *tx) Filter(device string, c dsstore.Collection) (dsstore.Filter, error) {
	return t.filters[place{device, c}], nil
}

func (t *tx) PutFilter(device string, c dsstore.Collection, f dsstore.Filter) error {
	f.At, f.Until = stored(f.At), stored(f.Until)
	return put(t, t.filters, place{device, c}, f)
}

func (t *tx) Filtered(after time.Time) (devices []string, last time.Time, err error) {
	last = stored(after)
	set := map[string]bool{}
	for p, f := range t.filters {
		if f.At.After(stored(after)) {
			set[p.device] = true
			if f.At.After(last) {
				last = f.At
			}
		}
	}
	return slices.Sorted(maps.Keys(set)), last, nil
}

func (t *tx) Rolled(now time.Time) ([]string, error) {
	set := map[string]bool{}
	for p, l := range t.links {
		if !l.Roll.IsZero() && !l.Roll.After(now) {
			set[p.device] = true
		}
	}
	return slices.Sorted(maps.Keys(set)), nil
}
