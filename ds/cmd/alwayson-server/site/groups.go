package site

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

var groupName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// WishInfo is a setting that is wanted of a group.
type WishInfo struct {
	Key   string    `json:"key"`
	Value string    `json:"value"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// GroupInfo is a group of devices that administrators set together.
type GroupInfo struct {
	Name     string     `json:"name"`
	By       string     `json:"by"`
	At       time.Time  `json:"at"`
	Devices  []string   `json:"devices"`
	Settings []WishInfo `json:"settings"`
}

// Groups lists all groups by name, or the one that is named.
func Groups(ctx context.Context, store dsstore.Store, name string) (list []GroupInfo, err error) {
	list = []GroupInfo{}
	err = store.View(ctx, func(tx dsstore.Tx) error {
		groups, err := tx.Groups()
		for _, g := range groups {
			if name != "" && g.Name != name {
				continue
			}
			i, e := groupInfo(tx, g)
			err = errors.Join(err, e)
			list = append(list, i)
		}
		return err
	})
	if err == nil && name != "" && len(list) == 0 {
		err = noGroup(name)
	}
	return list, err
}

func noGroup(name string) error {
	return Mistake(fmt.Sprintf("there is no group %s; alwayson-server group add %s makes it", name, name))
}

func groupInfo(tx dsstore.Tx, g dsstore.Group) (GroupInfo, error) {
	i := GroupInfo{Name: g.Name, By: g.By, At: g.At, Devices: []string{}, Settings: []WishInfo{}}
	members, err := tx.Members(g.Name)
	for _, m := range members {
		i.Devices = append(i.Devices, m.Device)
	}
	wishes, e := tx.Wishes(dsstore.Audience{Kind: dsstore.ForGroup, Name: g.Name})
	for _, w := range wishes {
		i.Settings = append(i.Settings, WishInfo{w.Key, shown(w.Key, w.Value), w.By, w.At})
	}
	return i, errors.Join(err, e)
}

// AddGroup makes a group without devices.
func AddGroup(ctx context.Context, store dsstore.Store, by, name string) error {
	if !groupName.MatchString(name) {
		return Mistake(fmt.Sprintf("group name %q must have 1 to 64 letters, digits, dots, - or _", name))
	}
	return store.Update(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.Group(name); !errors.Is(err, dsstore.ErrNotFound) {
			return errors.Join(err, Mistake(fmt.Sprintf("group %s is there already", name)))
		}
		return tx.PutGroup(dsstore.Group{Name: name, By: by, At: time.Now()})
	})
}

// RemoveGroup forgets a group and what is wanted of it. Its devices are set to what they would be without it.
func RemoveGroup(ctx context.Context, store dsstore.Store, by, name string) ([]SettingsChange, error) {
	return regroup(ctx, store, by, name, func(tx dsstore.Tx) (string, []dsstore.Device, error) {
		members, err := membersOf(tx, name)
		if err != nil {
			return "", nil, err
		}
		return "left", members, tx.DeleteGroup(name)
	})
}

// Join puts devices into a group: they are set to what is wanted of it.
func Join(ctx context.Context, store dsstore.Store, by, name string, ids ...string) ([]SettingsChange, error) {
	return regroup(ctx, store, by, name, func(tx dsstore.Tx) (string, []dsstore.Device, error) {
		devices, err := named(tx, ids)
		for _, d := range devices {
			err = errors.Join(err, tx.PutMember(dsstore.Member{Group: name, Device: d.ID, By: by, At: time.Now()}))
		}
		return "joined", devices, err
	})
}

// Leave takes devices out of a group: they are set to what they would be without it.
func Leave(ctx context.Context, store dsstore.Store, by, name string, ids ...string) ([]SettingsChange, error) {
	return regroup(ctx, store, by, name, func(tx dsstore.Tx) (string, []dsstore.Device, error) {
		devices, err := named(tx, ids)
		for _, d := range devices {
			err = errors.Join(err, tx.DropMember(name, d.ID))
		}
		return "left", devices, err
	})
}

// regroup changes who is in a group, all of it or nothing, and has the devices follow that it concerns. Who did it stands in the journal of each.
func regroup(ctx context.Context, store dsstore.Store, by, name string, change func(dsstore.Tx) (verb string, devices []dsstore.Device, err error)) (out []SettingsChange, err error) {
	err = store.Update(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.Group(name); err != nil {
			return notFound(err, noGroup(name).Error())
		}
		wishes, err := tx.Wishes(dsstore.Audience{Kind: dsstore.ForGroup, Name: name})
		if err != nil {
			return err
		}
		keys := make([]string, len(wishes))
		for i, w := range wishes {
			keys[i] = w.Key
		}
		verb, devices, err := change(tx)
		if err != nil {
			return err
		}
		w := newWishing(tx, by)
		out = []SettingsChange{}
		for i := range devices {
			c, _, err := w.follow(&devices[i], keys)
			err = errors.Join(err, tx.PutEvent(c.Device, dsstore.Event{What: dsstore.Grouped, Why: verb + " " + name, Outcome: "by " + by, At: w.now}))
			if err != nil {
				return err
			}
			out = append(out, c)
		}
		return nil
	})
	return out, err
}

// membersOf are the devices of a group.
func membersOf(tx dsstore.Tx, group string) ([]dsstore.Device, error) {
	if _, err := tx.Group(group); err != nil {
		return nil, notFound(err, noGroup(group).Error())
	}
	members, err := tx.Members(group)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(members))
	for i, m := range members {
		ids[i] = m.Device
	}
	return named(tx, ids)
}

func named(tx dsstore.Tx, ids []string) (list []dsstore.Device, err error) {
	for _, id := range ids {
		d, err := tx.Device(id)
		if err != nil {
			return nil, notFound(err, "there is no device "+id)
		}
		list = append(list, d)
	}
	return list, nil
}

func putGroup(c *call) (any, error) {
	return nil, AddGroup(c.Context(), c.site.store, "@"+c.who.Name, c.PathValue("name"))
}

func getGroup(c *call) (any, error) {
	list, err := Groups(c.Context(), c.site.store, c.PathValue("name"))
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func deleteGroup(c *call) (any, error) {
	return RemoveGroup(c.Context(), c.site.store, "@"+c.who.Name, c.PathValue("name"))
}

// member puts a device into a group or takes it out.
func member(change func(ctx context.Context, store dsstore.Store, by, name string, devices ...string) ([]SettingsChange, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		return change(c.Context(), c.site.store, "@"+c.who.Name, c.PathValue("name"), c.PathValue("id"))
	}
}
