package replica

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/pim"
)

// conflictMark stands in the name that the server gives to a version which lives on beside the other.
const conflictMark = ".conflict-"

// Conflict is two versions of an item that contradict each other, so that both were kept.
type Conflict struct {
	Key    string // of the version that was kept beside the other
	Other  string // key of the other one, "" if it is gone
	Device string // whose version Key is
	At     time.Time
}

// Conflicts lists them. It may be called at any time.
func (r *Replica) Conflicts() (out []Conflict, err error) {
	keys := map[string]bool{}
	err = r.index.View(func(t *state.Tx) error {
		return t.All(func(row state.Row) error {
			if !row.Gone {
				keys[row.Key] = true
			}
			return nil
		})
	})
	for key := range keys {
		if c, ok := parseConflict(key); ok {
			if !keys[c.Other] {
				c.Other = ""
			}
			out = append(out, c)
		}
	}
	return out, err
}

// parseConflict reads a key like "ana.conflict-phone-20261125-101500.vcf".
func parseConflict(key string) (c Conflict, ok bool) {
	base, rest, ok := strings.Cut(key, conflictMark)
	if !ok {
		return c, false
	}
	ext := path.Ext(rest)
	rest = strings.TrimSuffix(rest, ext)
	if len(rest) < len("-20060102-150405") {
		return c, false
	}
	at, err := time.Parse("-20060102-150405", rest[len(rest)-len("-20060102-150405"):])
	return Conflict{Key: key, Other: base + ext, Device: rest[:len(rest)-len("-20060102-150405")], At: at}, err == nil
}

// Bodies are the two versions of a conflict.
func (r *Replica) Bodies(ctx context.Context, c Conflict) (this, other []byte, err error) {
	item, _, err := r.store.Read(ctx, c.Key)
	if err != nil || c.Other == "" {
		return item.Body, nil, err
	}
	second, _, err := r.store.Read(ctx, c.Other)
	return item.Body, second.Body, err
}

// Resolve leaves one version of a conflict, under the name of the other one. What does not live on is kept in the history.
func (r *Replica) Resolve(ctx context.Context, key string, keepThis bool) error {
	c, ok := parseConflict(key)
	if !ok {
		return fmt.Errorf("%s is no conflict; alwayson conflict list names them", key)
	}
	this, at, err := r.store.Read(ctx, c.Key)
	if err != nil {
		return fmt.Errorf("cannot read %s: %w", key, err)
	}
	other, otherAt, err := r.store.Read(ctx, c.Other)
	if err != nil && !errors.Is(err, pim.ErrNotFound) {
		return fmt.Errorf("cannot read %s: %w", c.Other, err)
	}
	gone := err != nil
	loses := history.Former{Store: r.name, Key: c.Key, Item: this, Reason: "lost in a conflict"}
	if keepThis {
		loses.Key, loses.Item = c.Other, other
	}
	if r.history != nil && !(keepThis && gone) {
		if err := r.history.Keep([]history.Former{loses}); err != nil {
			return err
		}
	}
	b, err := r.store.Update(ctx)
	if err != nil {
		return err
	}
	switch {
	case keepThis && gone:
		_, err = b.Add(c.Other, this)
	case keepThis:
		_, err = b.Replace(c.Other, otherAt.Stamp, this)
	case gone:
		err = fmt.Errorf("there is no other version of %s any more", key)
	}
	if err == nil {
		err = b.Delete(c.Key, at.Stamp)
	}
	return errors.Join(err, b.Commit())
}
