package state

import (
	"fmt"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
)

// Refusal is a credential that was refused, so that it is not tried again, not even after a restart (A8, A10).
type Refusal struct {
	Credential string // what names it, and does not tell it
	Reason     string
	Advice     string // what the user can do
}

// Refusals by who refused.
type Refusals map[string]Refusal

const refusalsKey = "refusals"

// LoadRefusals reads what was refused.
func LoadRefusals(db kv.Store) (Refusals, error) {
	out := Refusals{}
	if err := kv.LoadJSON(db, refusalsKey, &out); err != nil {
		return nil, fmt.Errorf("cannot read what was refused: %w", err)
	}
	return out, nil
}

// SaveRefusals makes them durable.
func SaveRefusals(db kv.Store, list Refusals) error { return kv.SaveJSON(db, refusalsKey, list) }
