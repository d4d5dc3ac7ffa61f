package state

import (
	"fmt"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
)

// Journal remembers the last exchanges, in order.
type Journal struct {
	db    kv.Store
	keys  []string
	next  int
	limit int
}

const journalPrefix = "log/"

// OpenJournal reads what there is, oldest first. limit is how many entries are kept.
func OpenJournal(db kv.Store, limit int) (j *Journal, entries [][]byte, err error) {
	j = &Journal{db: db, limit: limit}
	err = db.View(func(r kv.Reader) error {
		return r.Scan(journalPrefix, func(k string, v []byte) error {
			j.keys = append(j.keys, k)
			entries = append(entries, append([]byte(nil), v...))
			return nil
		})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the log of exchanges: %w", err)
	}
	if n := len(j.keys); n > 0 {
		if _, err := fmt.Sscanf(j.keys[n-1], journalPrefix+"%d", &j.next); err != nil {
			return nil, nil, fmt.Errorf("the log of exchanges is damaged: %w", err)
		}
		j.next++
	}
	return j, entries, nil
}

// Append makes an entry durable and drops the oldest ones beyond the limit.
func (j *Journal) Append(entry []byte) error {
	key := fmt.Sprintf("%s%016d", journalPrefix, j.next)
	err := j.db.Update(func(w kv.Writer) error {
		for _, k := range j.surplus() {
			if err := w.Delete(k); err != nil {
				return err
			}
		}
		return w.Set(key, entry)
	})
	if err != nil {
		return fmt.Errorf("cannot write the log of exchanges: %w", err)
	}
	j.keys = append(j.keys[len(j.surplus()):], key)
	j.next++
	return nil
}

// surplus are the keys that make room for one more, a few at a time.
func (j *Journal) surplus() []string {
	n := min(max(0, len(j.keys)+1-j.limit), 8)
	return j.keys[:n]
}
