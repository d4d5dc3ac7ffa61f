package egress

import (
	"context"
	"slices"

	"github.com/alwayson-sync/alwayson/agent/internal/link"
)

// NotAllowed says that nothing is sent because of the network that the device is in.
type NotAllowed struct {
	Interface string
	Elsewhere bool // the device has another interface, which is allowed
}

func (e *NotAllowed) Error() string { return "network " + e.Interface + " is not allowed" }

// Allows is a *NotAllowed if nothing may be sent over the network that the device is in.
func (w *Way) Allows(ctx context.Context) error {
	if len(w.allowed) == 0 || ctx.Value(anyway{}) != nil {
		return nil
	}
	here := w.Here()
	for _, i := range here.Ways {
		if !w.allowed.Allow(i) {
			return &NotAllowed{Interface: i.Name, Elsewhere: slices.ContainsFunc(here.Others, w.allowed.Allow)}
		}
	}
	return nil
}

// Here is the network that the device is in.
func (w *Way) Here() link.Network {
	if w.o.Here != nil {
		return w.o.Here()
	}
	return link.Here()
}

type anyway struct{}

// Anyway is for what the user wants to be done over whatever network there is.
func Anyway(ctx context.Context) context.Context { return context.WithValue(ctx, anyway{}, true) }
