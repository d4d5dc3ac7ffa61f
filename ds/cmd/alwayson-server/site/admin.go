package site

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/mqtt"
)

var userName = regexp.MustCompile(`^[^\s:]{1,128}$`)

// hashing is what one check of a password costs: 19 MiB and some 75 ms, as OWASP advises.
var hashing = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// PutUser makes an account or changes its password. An empty password leaves an account that only its devices sign in to.
func PutUser(ctx context.Context, store dsstore.Store, name, password string, admin bool) error {
	if !userName.MatchString(name) {
		return Mistake(fmt.Sprintf("user name %q must have 1 to 128 characters, no spaces and no colon", name))
	}
	u := dsstore.User{Name: name, Admin: admin}
	if password != "" {
		var err error
		if u.Password, err = argon2id.CreateHash(password, hashing); err != nil {
			return err
		}
	}
	return store.Update(ctx, func(tx dsstore.Tx) error { return tx.PutUser(u) })
}

// Enrol makes a device of a user and returns its secret, which is kept nowhere in a readable form.
func Enrol(ctx context.Context, store dsstore.Store, user, device string) (secret string, err error) {
	if _, err := mqtt.NewTopics("", device); err != nil {
		return "", Mistake(err.Error())
	}
	secret = newSecret()
	return secret, store.Update(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.User(user); err != nil {
			return notFound(err, "there is no user "+user)
		}
		if _, err := tx.Device(device); !errors.Is(err, dsstore.ErrNotFound) {
			return errors.Join(err, Mistake(fmt.Sprintf("device %s is there already; alwayson-server device secret %s gives it a new secret", device, device)))
		}
		d := dsstore.Device{ID: device, User: user, Credential: syncml.Credential(user, secret), ChangedAt: time.Now()}
		return errors.Join(tx.PutDevice(d), newWishing(tx, "@administrator").followEverything(&d))
	})
}

// NewSecret gives a device another secret. The old one is from now on answered with "aged", which keeps the session (A3).
func NewSecret(ctx context.Context, store dsstore.Store, device string) (secret string, err error) {
	secret = newSecret()
	return secret, store.Update(ctx, func(tx dsstore.Tx) error {
		d, err := tx.Device(device)
		if err != nil {
			return notFound(err, "there is no device "+device)
		}
		d.Former, d.Credential, d.ChangedAt = d.Credential, syncml.Credential(d.User, secret), time.Now()
		return tx.PutDevice(d)
	})
}

// Remove forgets a device. Its session has come to its normal end; its items stay with the user.
func Remove(ctx context.Context, store dsstore.Store, device string) error {
	return store.Update(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.Device(device); err != nil {
			return notFound(err, "there is no device "+device)
		}
		all, err := tx.Sessions(device)
		for _, l := range all {
			if err == nil && l.Ending == "" {
				l.Ending, l.Reason, l.Ended = ds.Finalized, "the device was removed", time.Now()
				err = tx.PutSession(l)
			}
		}
		return errors.Join(err, tx.DeleteDevice(device))
	})
}

// UserInfo is what lists tell of an account.
type UserInfo struct {
	Name    string `json:"name"`
	Admin   bool   `json:"admin"`
	Devices int    `json:"devices"`
}

// Users lists the accounts by name.
func Users(ctx context.Context, store dsstore.Store) ([]UserInfo, error) {
	list := []UserInfo{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		users, err := tx.Users()
		for _, u := range users {
			devices, e := tx.Devices(u.Name)
			err = errors.Join(err, e)
			list = append(list, UserInfo{u.Name, u.Admin, len(devices)})
		}
		return err
	})
	return list, err
}

// DeviceInfo is what lists tell of a device. Session is "none", "open", "lapsed", or how the last one ended. Pending is how many
// changes the device has not got, Oldest when the oldest of them was made: how far it is behind (G5). Push is "online" or "offline" at the
// broker since PushSince, "" if that was never heard.
type DeviceInfo struct {
	ID      string     `json:"id"`
	User    string     `json:"user"`
	Seen    time.Time  `json:"seen"`
	Session string     `json:"session"`
	Pending int        `json:"pending"`
	Oldest  *time.Time `json:"pending_since,omitempty"`

	Push      string     `json:"push,omitempty"`
	PushSince *time.Time `json:"push_since,omitempty"`
}

// Devices lists those of a user, or all if user is "".
func Devices(ctx context.Context, store dsstore.Store, user string) ([]DeviceInfo, error) {
	list := []DeviceInfo{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		devices, err := tx.Devices(user)
		for _, d := range devices {
			sessions, e := tx.Sessions(d.ID)
			info := DeviceInfo{ID: d.ID, User: d.User, Seen: d.Seen, Session: lastState(sessions)}
			err = errors.Join(err, e, info.behind(tx), info.present(tx))
			list = append(list, info)
		}
		return err
	})
	return list, err
}

// present looks whether the device is connected to the broker.
func (d *DeviceInfo) present(tx dsstore.Tx) error {
	p, err := tx.Presence(d.ID)
	if err != nil || p.Since.IsZero() {
		return err
	}
	d.Push, d.PushSince = "offline", &p.Since
	if p.Online {
		d.Push = "online"
	}
	return nil
}

// behind looks what waits for the device in the datastores that it synchronizes.
func (d *DeviceInfo) behind(tx dsstore.Tx) error {
	for _, s := range dsserver.DefaultDatastores() {
		c := dsstore.Collection{User: d.User, Store: s.URI}
		l, err := tx.Link(d.ID, c)
		if err != nil {
			return err
		}
		if !l.Known() {
			continue
		}
		n, err := tx.CountPending(d.ID, c, l.Done)
		if err != nil {
			return err
		}
		first, err := tx.Pending(d.ID, c, l.Done, 1)
		if err != nil {
			return err
		}
		d.Pending += n
		if n > 0 && (d.Oldest == nil || first[0].Item.Modified.Before(*d.Oldest)) {
			d.Oldest = &first[0].Item.Modified
		}
	}
	return nil
}

// SessionInfo is what lists tell of a logical session. State is "open", "lapsed", or how it ended.
type SessionInfo struct {
	ID      string    `json:"id"`
	Device  string    `json:"device"`
	State   string    `json:"state"`
	Opened  time.Time `json:"opened"`
	Renewed time.Time `json:"renewed"`
	Reason  string    `json:"reason,omitempty"`
}

// Sessions lists those of a device, or all if device is "", newest first.
func Sessions(ctx context.Context, store dsstore.Store, device string) ([]SessionInfo, error) {
	list := []SessionInfo{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		all, err := tx.Sessions(device)
		for _, l := range all {
			list = append(list, SessionInfo{l.ID, l.Device, state(l), l.Opened, l.Renewed, l.Reason})
		}
		return err
	})
	return list, err
}

func lastState(newestFirst []dsstore.Session) string {
	if len(newestFirst) == 0 {
		return "none"
	}
	return state(newestFirst[0])
}

func state(l dsstore.Session) string {
	switch {
	case l.Ending != "":
		return string(l.Ending)
	case !l.Open(time.Now()):
		return "lapsed" // the server ends it when it looks through the sessions
	}
	return "open"
}

// Mistake says in words what is wrong with what was asked for. Nothing was done.
type Mistake string

func (m Mistake) Error() string { return string(m) }

func notFound(err error, text string) error {
	if errors.Is(err, dsstore.ErrNotFound) {
		return Mistake(text)
	}
	return err
}

// newSecret has 130 random bits, in letters that a person can type.
func newSecret() string { return strings.ToLower(rand.Text()) }
