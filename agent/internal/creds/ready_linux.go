package creds

import (
	"context"
	"slices"

	"github.com/godbus/dbus/v5"
)

// The Secret Service; see https://specifications.freedesktop.org/secret-service-spec/latest/.
const (
	secrets     = "org.freedesktop.secrets"
	secretsPath = dbus.ObjectPath("/org/freedesktop/secrets")
	service     = "org.freedesktop.Secret.Service"
	collection  = "org.freedesktop.Secret.Collection"
	login       = secretsPath + "/collection/login"
)

// Ready tells whether an account can be read or written in the keyring without a question to the user. It starts no bus and asks for no password.
func Ready(ctx context.Context, account string) error {
	bus, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return errNoBus()
	}
	defer bus.Close()
	if err := bus.Auth(nil); err != nil {
		return errNoBus()
	}
	if err := bus.Hello(); err != nil {
		return errNoBus()
	}
	return lookAt(ctx, bus, account)
}

func lookAt(ctx context.Context, bus *dbus.Conn, account string) error {
	at, err := chosen(ctx, bus)
	if err != nil {
		return err
	}
	locked, err := property[bool](ctx, bus, at, collection, "Locked")
	if err != nil {
		return errNoService(err)
	}
	if locked {
		return errLocked()
	}
	var open, shut []dbus.ObjectPath
	attributes := map[string]string{"service": Service, "username": account}
	if err := bus.Object(secrets, secretsPath).CallWithContext(ctx, service+".SearchItems", 0, attributes).Store(&open, &shut); err != nil {
		return errNoService(err)
	}
	if len(open) == 0 && len(shut) > 0 {
		return errLocked()
	}
	return nil
}

// chosen is the collection that the library uses: login, else the default.
func chosen(ctx context.Context, bus *dbus.Conn) (dbus.ObjectPath, error) {
	all, err := property[[]dbus.ObjectPath](ctx, bus, secretsPath, service, "Collections")
	if err != nil {
		return "", errNoService(err)
	}
	if slices.Contains(all, login) {
		return login, nil
	}
	var at dbus.ObjectPath
	if err := bus.Object(secrets, secretsPath).CallWithContext(ctx, service+".ReadAlias", 0, "default").Store(&at); err != nil {
		return "", errNoService(err)
	}
	if at == "/" {
		return "", &Error{Problem: Unreachable, What: "the keyring of this desktop has not been set up yet",
			Advice: "open its program once and make a keyring, the default one"}
	}
	return at, nil
}

func property[T any](ctx context.Context, bus *dbus.Conn, at dbus.ObjectPath, of, name string) (value T, err error) {
	err = bus.Object(secrets, at).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, of, name).Store(&value)
	return value, err
}

func errNoBus() error {
	return &Error{Problem: Unreachable, What: "the keyring cannot be reached: there is no desktop session here (no session bus)",
		Advice: "log in to the desktop, or name a file in the configuration (secret_file in place of keyring) and type alwayson login"}
}

func errNoService(err error) error {
	return &Error{Problem: Unreachable, What: "no keyring answers in this desktop session (" + err.Error() + ")",
		Advice: "start one (GNOME Keyring, KWallet, KeePassXC), or name a file in the configuration (secret_file in place of keyring) and type alwayson login"}
}
