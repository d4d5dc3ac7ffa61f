package egress

import (
	"context"
	"slices"

	"github.com/alwayson-sync/alwayson/agent/internal/link"
)

// NotAllowed says that nothing is sent because of where the device is, or how it is.
type NotAllowed struct {
	What    string // is so: network wwan0 is metered
	Until   string // it goes on by itself then
	Setting string // that says so
	// ByHand is what to type to synchronize nevertheless.
	ByHand    string
	Elsewhere bool // that will change, or the device has another interface, which is allowed
}

func (e *NotAllowed) Error() string { return e.What }

// OfNetwork tells whether another network helps.
func (e *NotAllowed) OfNetwork() bool { return e.Until == elsewhere }

const (
	elsewhere  = "in another one"
	anyNetwork = "alwayson sync --any-network"
)

// NoMetered is the Metered of who wants nothing to be sent by itself over a network that is.
const NoMetered = "no"

// Allows is a *NotAllowed if nothing may be sent over the network that the device is in, or as it is.
func (w *Way) Allows(ctx context.Context) error {
	if ctx.Value(anyway{}) != nil {
		return nil
	}
	if not := w.Withheld(); not != nil {
		return not
	}
	return nil
}

// Withheld is why nothing may be sent by itself, nil if it may.
func (w *Way) Withheld() *NotAllowed {
	if not := w.ofNetwork(); not != nil || w.o.Withholds == nil {
		return not
	}
	if why := w.o.Withholds(); why != "" {
		return &NotAllowed{What: why, Until: "when there is more power", Setting: "power.battery", ByHand: "alwayson sync", Elsewhere: true}
	}
	return nil
}

func (w *Way) ofNetwork() *NotAllowed {
	if len(w.allowed) == 0 && w.o.Metered != NoMetered {
		return nil
	}
	here := w.Here()
	for _, i := range here.Ways {
		if !w.allowed.Allow(i) {
			return &NotAllowed{What: "network " + i.Name + " is not allowed", Until: elsewhere, Setting: "network.allowed", ByHand: anyNetwork,
				Elsewhere: slices.ContainsFunc(here.Others, w.allowed.Allow)}
		}
	}
	if w.o.Metered == NoMetered && here.IsMetered() {
		return &NotAllowed{What: "network " + here.String() + " is metered", Until: elsewhere, Setting: "network.metered", ByHand: anyNetwork, Elsewhere: true}
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
