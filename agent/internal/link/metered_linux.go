package link

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

// answering is how long NetworkManager may take to answer. It is asked when something is about to be sent only.
const answering = time.Second

// managed is what NetworkManager says of the connection that is in use; not known without it.
func managed() (metered, known bool) {
	ctx, cancel := context.WithTimeout(context.Background(), answering)
	defer cancel()
	bus, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return false, false
	}
	defer bus.Close() //nolint:errcheck // nothing is left to be said
	var says dbus.Variant
	// Nobody starts a program for this: without it, nothing is known.
	call := bus.Object("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager").
		CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, "org.freedesktop.NetworkManager", "Metered")
	if call.Store(&says) != nil {
		return false, false
	}
	n, _ := says.Value().(uint32)
	return verdict(n)
}

// verdict reads an NMMetered: 1 is yes, 2 no, 3 and 4 are guesses at them.
func verdict(n uint32) (metered, known bool) { return n == 1 || n == 3, n >= 1 && n <= 4 }
