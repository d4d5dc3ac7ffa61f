package kv

import (
	"encoding/json"
	"errors"
)

// LoadJSON reads the value of a key as JSON into v, which stays as it is if the key has none.
func LoadJSON(s Store, key string, v any) error {
	return s.View(func(r Reader) error {
		text, err := r.Get(key)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(text, v)
	})
}

// SaveJSON makes v, as JSON, the value of a key.
func SaveJSON(s Store, key string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return s.Update(func(w Writer) error { return w.Set(key, text) })
}
