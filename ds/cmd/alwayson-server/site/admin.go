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
		return fmt.Errorf("user name %q must have 1 to 128 characters, no spaces and no colon", name)
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
		return "", err
	}
	secret = newSecret()
	return secret, store.Update(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.User(user); err != nil {
			return notFound(err, "there is no user "+user)
		}
		if _, err := tx.Device(device); !errors.Is(err, dsstore.ErrNotFound) {
			return errors.Join(err, fmt.Errorf("device %s is there already; alwayson-server device secret %s gives it a new secret", device, device))
		}
		return tx.PutDevice(dsstore.Device{ID: device, User: user, Credential: syncml.Credential(user, secret), ChangedAt: time.Now()})
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

func notFound(err error, text string) error {
	if errors.Is(err, dsstore.ErrNotFound) {
		return errors.New(text)
	}
	return err
}

// newSecret has 130 random bits, in letters that a person can type.
func newSecret() string { return strings.ToLower(rand.Text()) }
