package memstore

import (
	"slices"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (t *tx) PutEvent(device string, e dsstore.Event) error {
	list := slices.Clone(t.events[device])
	e.At = stored(e.At)
	e.First, e.Times = e.At, 1
	if n := len(list); n > 0 && list[n-1].Same(e) {
		list[n-1].At = e.At
		list[n-1].Times++
	} else {
		list = append(list, e)
	}
	return put(t, t.events, device, list[max(0, len(list)-dsstore.KeepEvents):])
}

func (t *tx) Events(device string) ([]dsstore.Event, error) {
	list := slices.Clone(t.events[device])
	slices.SortStableFunc(list, func(a, b dsstore.Event) int { return a.At.Compare(b.At) })
	return list, nil
}

func (t *tx) PutPresence(device string, p dsstore.Presence) error {
	p.Since = stored(p.Since)
	return put(t, t.presence, device, p)
}

func (t *tx) Presence(device string) (dsstore.Presence, error) { return t.presence[device], nil }
