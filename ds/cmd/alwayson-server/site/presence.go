package site

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/mqtt"
)

// presences notes which devices are connected to the broker. It is for administrators; nothing depends on it.
type presences struct {
	store  dsstore.Store
	prefix string
	log    *slog.Logger
	wake   chan struct{}

	mu  sync.Mutex
	new map[string]dsstore.Presence // by device, not in the store yet; guarded by mu
}

// manyPresences bounds what waits to be noted: a broker that lets strangers publish must not fill the memory.
const manyPresences = 100_000

func newPresences(store dsstore.Store, prefix string, log *slog.Logger) *presences {
	return &presences{store: store, prefix: prefix, log: log, wake: make(chan struct{}, 1), new: make(map[string]dsstore.Presence)}
}

// What devices, or the broker for them, say of themselves.
const online, offline = "online", "offline"

// received takes what a device, or the broker for it, has published.
func (p *presences) received(m mqtt.Message) {
	device, said := mqtt.PresentDevice(p.prefix, m.Topic), string(m.Payload)
	if device == "" || said != online && said != offline {
		return
	}
	p.mu.Lock()
	if len(p.new) < manyPresences {
		p.new[device] = dsstore.Presence{Online: said == online, Since: time.Now()}
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run writes what was received, some at a time, until ctx ends.
func (p *presences) run(ctx context.Context) {
	for {
		select {
		case <-p.wake:
		case <-ctx.Done():
			return
		}
		if err := p.write(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("cannot note which devices are connected", "reason", err)
		}
	}
}

func (p *presences) write(ctx context.Context) error {
	p.mu.Lock()
	all := p.new
	p.new = make(map[string]dsstore.Presence)
	p.mu.Unlock()
	changed, err := p.changed(ctx, all)
	if err != nil || len(changed) == 0 {
		return err
	}
	return p.store.Update(ctx, func(tx dsstore.Tx) error {
		for device, now := range changed {
			if err := tx.PutPresence(device, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// changed are those of our devices that are not known yet: the broker repeats itself whenever we connect.
func (p *presences) changed(ctx context.Context, all map[string]dsstore.Presence) (map[string]dsstore.Presence, error) {
	out := make(map[string]dsstore.Presence)
	return out, p.store.View(ctx, func(tx dsstore.Tx) error {
		for device, now := range all {
			_, err := tx.Device(device)
			if errors.Is(err, dsstore.ErrNotFound) {
				continue
			}
			known, e := tx.Presence(device)
			if err = errors.Join(err, e); err != nil {
				return err
			}
			if known.Since.IsZero() || known.Online != now.Online {
				out[device] = now
			}
		}
		return nil
	})
}
