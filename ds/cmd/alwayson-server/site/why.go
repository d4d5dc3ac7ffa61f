package site

import (
	"context"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// WhyInfo is something that happened with a device, or did not: a notification, an exchange, a refusal.
type WhyInfo struct {
	At      time.Time  `json:"at"`
	What    string     `json:"what"`
	Why     string     `json:"why"`
	Outcome string     `json:"outcome,omitempty"`
	Times   int        `json:"times"`           // how often in a row
	Since   *time.Time `json:"since,omitempty"` // when the first of those was
}

// Why lists what happened with a device and why, oldest first.
func Why(ctx context.Context, store dsstore.Store, device string) ([]WhyInfo, error) {
	list := []WhyInfo{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		if _, err := tx.Device(device); err != nil {
			return notFound(err, "there is no device "+device)
		}
		events, err := tx.Events(device)
		for _, e := range events {
			w := WhyInfo{At: e.At, What: string(e.What), Why: e.Why, Outcome: e.Outcome, Times: e.Times}
			if e.Times > 1 {
				w.Since = &e.First
			}
			list = append(list, w)
		}
		return err
	})
	return list, err
}
