package engine

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/pim"
)

// hint notes that a store may have changed. Hints for the same store become one.
func (e *Engine) hint(r *replica.Replica, h pim.Hint) {
	e.mu.Lock()
	former, waiting := e.hints[r]
	if waiting {
		h = merge(former, h)
	}
	e.hints[r] = h
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func merge(a, b pim.Hint) pim.Hint {
	if a.Keys == nil || b.Keys == nil {
		return pim.Hint{At: a.At}
	}
	return pim.Hint{At: a.At, Keys: unique(append(a.Keys, b.Keys...))}
}

func unique(keys []string) []string {
	seen := make(map[string]bool, len(keys))
	out := keys[:0]
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			out = append(out, k)
		}
	}
	return out
}

// await waits a moment for so many watches to stand, so that the look that each of them asks for is the first one.
func await(ctx context.Context, standing <-chan struct{}, watches int) {
	late := time.NewTimer(100 * time.Millisecond)
	defer late.Stop()
	for range watches {
		select {
		case <-standing:
		case <-late.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Rewatch is the pause before a watch that failed is tried again; each time all is looked at.
const Rewatch = 30 * time.Second

// watch watches a store until ctx ends. It calls standing once, when the first hint has come or there will be none.
func (e *Engine) watch(ctx context.Context, s Store, standing func()) {
	stands := sync.OnceFunc(standing)
	for ctx.Err() == nil {
		err := s.Watch(ctx, func(h pim.Hint) {
			e.hint(s.Replica, h)
			e.polled(s.Replica.Local(), nil)
			stands()
		})
		if ctx.Err() != nil {
			stands()
			return
		}
		e.polled(s.Replica.Local(), err)
		stands()
		e.hint(s.Replica, pim.Hint{})
		select {
		case <-time.After(Rewatch):
		case <-ctx.Done():
		}
	}
}

// polled notes why a store is not watched, nil if it is. Only a change of that is worth a line in the log.
func (e *Engine) polled(store string, err error) {
	now := reason(err)
	if now == e.Snapshot().Polled[store] {
		return
	}
	if err != nil {
		e.o.Log.Warn("store is polled", "store", store, "reason", err)
	}
	e.update(func() { e.snapshot.Polled = with(e.snapshot.Polled, store, now) })
}

// with is m with another value, "" for none; m belongs to who asked.
func with(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = make(map[string]string)
	}
	if m[key] = value; value == "" {
		delete(m, key)
	}
	return m
}
