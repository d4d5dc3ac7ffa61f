package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
)

// FuzzLoad reads configuration files: each is good, or its mistakes are named.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("device = \"d\"\n[account]\nserver = \"http://127.0.0.1/ds\"\nuser = \"u\"\nsecret_file = \"s\"\n[session]\nbackoff = \"1s\"\n[[store]]\nname = \"contacts\"\nkind = \"contacts\"\ndir = \"c\"\n"))
	f.Add([]byte("devise = 1\n"))
	f.Add([]byte("[session]\nbackoff = \"-1s\"\n"))
	path := filepath.Join(f.TempDir(), "alwayson.toml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := config.Load(path)
		var mistakes *config.Error
		if err != nil && (!errors.As(err, &mistakes) || len(mistakes.Mistakes) == 0) {
			t.Errorf("%v names no mistake", err)
		}
	})
}
