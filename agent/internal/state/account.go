package state

import (
	"errors"
	"fmt"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// Account is what is remembered of the account as a whole: the logical session (N11), the nonce for the next exchange, and what the
// server said of itself (N2).
type Account struct {
	Session session.Record
	Nonce   string
	DevInf  string // XML
}

// schema is the version of everything in the state. A newer one is refused, never guessed at; 2 is since rows have UIDs, and 1 is read, too.
const schema = 2

const (
	schemaKey  = "schema"
	accountKey = "account"
)

// Check refuses a state that a newer program wrote, and marks a new one. It comes before everything else.
func Check(db kv.Store) error {
	return db.Update(func(w kv.Writer) error {
		v, err := w.Get(schemaKey)
		if errors.Is(err, kv.ErrNotFound) {
			return w.Set(schemaKey, fmt.Append(nil, schema))
		}
		if err != nil {
			return fmt.Errorf("cannot read the state: %w", err)
		}
		var n int
		if _, err := fmt.Sscan(string(v), &n); err != nil || n > schema {
			return fmt.Errorf("the state was written by a newer version (schema %s, this program knows %d): install that version again; nothing was changed", v, schema)
		}
		if n < schema {
			return w.Set(schemaKey, fmt.Append(nil, schema))
		}
		return nil
	})
}

// LoadAccount reads the account; the zero value if there is none yet.
func LoadAccount(db kv.Store) (Account, error) {
	var a Account
	if err := kv.LoadJSON(db, accountKey, &a); err != nil {
		return a, fmt.Errorf("cannot read the state of the account: %w", err)
	}
	return a, nil
}

// SaveAccount makes the account durable.
func SaveAccount(db kv.Store, a Account) error { return kv.SaveJSON(db, accountKey, a) }
