package site

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// Precedence is the rule by which wishes for the same setting of a device are chosen from, for who wonders.
const Precedence = "What is wanted of a device itself goes before what is wanted of its groups (of several, what was wanted last),\n" +
	"that before what is wanted of its user, and that before what is wanted of all. It holds for devices that come later, too;\n" +
	"a device of which nothing is wanted any more is set as its own configuration says."

// wishing works out what follows for devices from what is wanted of them, of their groups, of their users and of all.
type wishing struct {
	tx      dsstore.Tx
	by      string // on behalf of whom
	now     time.Time
	preview bool // nothing is written
	known   map[dsstore.Audience]map[string]dsstore.Wish
}

func newWishing(tx dsstore.Tx, by string) *wishing {
	return &wishing{tx: tx, by: by, now: time.Now(), known: map[dsstore.Audience]map[string]dsstore.Wish{}}
}

// of are the wishes for one audience by key. A fleet has many devices and few audiences.
func (w *wishing) of(a dsstore.Audience) (map[string]dsstore.Wish, error) {
	if held, ok := w.known[a]; ok {
		return held, nil
	}
	list, err := w.tx.Wishes(a)
	held := map[string]dsstore.Wish{}
	for _, wish := range list {
		held[wish.Key] = wish
	}
	w.known[a] = held
	return held, err
}

// want changes what is wanted of an audience; nil takes a wish back.
func (w *wishing) want(a dsstore.Audience, values map[string]*string) error {
	held, err := w.of(a)
	for key, v := range values {
		switch {
		case err != nil:
			return err
		case v == nil:
			if delete(held, key); !w.preview {
				err = w.tx.DropWish(a, key)
			}
		default:
			row, _ := mo.Find(key) // was checked
			held[key] = dsstore.Wish{For: a, Key: key, Value: *v, Secret: row.Secret, By: w.by, At: w.now}
			if !w.preview {
				err = w.tx.PutWish(held[key])
			}
		}
	}
	return err
}

// holding is what is wanted of a device, by key; see Precedence.
func (w *wishing) holding(d *dsstore.Device) (map[string]dsstore.Wish, error) {
	audiences := []dsstore.Audience{{Kind: dsstore.ForAll}, {Kind: dsstore.ForUser, Name: d.User}}
	groups, err := w.tx.Memberships(d.ID)
	for _, m := range groups {
		audiences = append(audiences, dsstore.Audience{Kind: dsstore.ForGroup, Name: m.Group})
	}
	out := map[string]dsstore.Wish{}
	for _, a := range append(audiences, dsstore.Audience{Kind: dsstore.ForDevice, Name: d.ID}) {
		if err != nil {
			return nil, err
		}
		var held map[string]dsstore.Wish
		held, err = w.of(a)
		for key, wish := range held {
			if was, ok := out[key]; !ok || was.For.Kind != a.Kind || !was.At.After(wish.At) {
				out[key] = wish
			}
		}
	}
	return out, err
}

// follow has a device set to what holds for it now, of some keys. A value that it has already is not sent again (S9), but for one that is wanted right
// now and did not come about before.
func (w *wishing) follow(d *dsstore.Device, keys []string) (SettingsChange, map[string]dsstore.Wish, error) {
	c := SettingsChange{Device: d.ID, Keys: []string{}, Effect: "nothing"}
	held, err := w.holding(d)
	if err != nil {
		return c, nil, err
	}
	all, err := w.tx.Settings(d.ID)
	most := mo.None
	for _, key := range slices.Sorted(slices.Values(keys)) {
		next, due := w.next(d, key, held, all)
		row, ok := mo.Find(key)
		if !due || !ok {
			continue
		}
		most = max(most, row.Effect)
		c.Keys, c.Effect = append(c.Keys, key), most.String()
		if err == nil && !w.preview {
			_, err = w.tx.WantSetting(next)
		}
	}
	return c, held, err
}

// next is what a device is to be set to in a key, due if it is not that already.
func (w *wishing) next(d *dsstore.Device, key string, held map[string]dsstore.Wish, all []dsstore.Setting) (next dsstore.Setting, due bool) {
	next = dsstore.Setting{Device: d.ID, Key: key, By: w.by, At: w.now}
	i := slices.IndexFunc(all, func(s dsstore.Setting) bool { return s.Key == key })
	wish, wanted := held[key]
	row, _ := mo.Find(key)
	switch {
	case wanted: // as it was wanted then, also together with what
		next.Value, next.Secret, next.By, next.At = wish.Value, wish.Secret, wish.By, wish.At
		return next, i < 0 || all[i].Own || !row.Same(all[i].Value, wish.Value) || wish.At.Equal(w.now) && !holds(&all[i])
	case i < 0, key == mo.Switch: // nobody ever wanted anything, or it is the user's now
		return next, false
	}
	next.Own = true
	return next, !all[i].Own
}

// holds tells whether a wish need not be repeated. The switch of Always-On may have been flipped back by the user, whom the server does not see, and
// a filter may have been changed by alwayson-server filter.
func holds(s *dsstore.Setting) bool {
	row, ok := mo.Find(s.Key)
	elsewhere := ok && (row.Key == mo.Switch || row.IsFilter())
	return s.State == dsstore.SettingPending || s.State == dsstore.SettingApplied && !elsewhere
}

// followEverything has a device that is new set to all that is wanted of it.
func (w *wishing) followEverything(d *dsstore.Device) error {
	held, err := w.holding(d)
	if err != nil {
		return err
	}
	_, _, err = w.follow(d, slices.Collect(maps.Keys(held)))
	return err
}

// Whom a change of settings is for: a device, or the devices of a group or of a user, or all.
type Whom struct {
	Device, Group, User string
	All                 bool
}

// audience is the same as it is kept, with the devices that it has now.
func (w Whom) audience(tx dsstore.Tx) (a dsstore.Audience, devices []dsstore.Device, err error) {
	switch {
	case w.Device != "":
		d, err := tx.Device(w.Device)
		return dsstore.Audience{Kind: dsstore.ForDevice, Name: w.Device}, []dsstore.Device{d}, notFound(err, "there is no device "+w.Device)
	case w.Group != "":
		devices, err := membersOf(tx, w.Group)
		return dsstore.Audience{Kind: dsstore.ForGroup, Name: w.Group}, devices, err
	case w.User != "":
		if _, err := tx.User(w.User); err != nil {
			return a, nil, notFound(err, "there is no user "+w.User)
		}
		a = dsstore.Audience{Kind: dsstore.ForUser, Name: w.User}
	case w.All:
		a = dsstore.Audience{Kind: dsstore.ForAll}
	default:
		return a, nil, Mistake("say which devices: one, those of a group or of a user, or all")
	}
	devices, err = tx.Devices(w.User)
	return a, devices, err
}

// checkValues refuses settings that there are not, and what cannot be their value.
func checkValues(values map[string]*string) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		row, ok := mo.Find(key)
		if !ok {
			return Mistake("there is no setting " + key)
		}
		if v := values[key]; v != nil {
			if err := row.Check(*v); err != nil {
				return Mistake(fmt.Sprintf("%s: %v", key, err))
			}
		}
	}
	return nil
}
