package sqlstore_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
)

// TestCredentialsAreSealed: the file alone is worth nothing, and a wrong key is told.
func TestCredentialsAreSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s, err := sqlstore.OpenSealed(t.Context(), path, [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	want := dsstore.Device{ID: "d", User: "ana", Credential: "the-credential", Former: "the-former-one"}
	key := dsstore.Wish{For: dsstore.Audience{Kind: dsstore.ForAll}, Key: "push.key_file", Value: "the-private-key", Secret: true}
	if err := s.Update(t.Context(), func(tx dsstore.Tx) error {
		_, err := tx.WantSetting(dsstore.Setting{Device: "d", Key: key.Key, Value: key.Value, Secret: true})
		return errors.Join(err, tx.PutDevice(want), tx.PutWish(key))
	}); err != nil {
		t.Fatal(err)
	}
	check := func(key byte, good bool) {
		t.Helper()
		s, err := sqlstore.OpenSealed(t.Context(), path, [32]byte{key})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		err = s.View(t.Context(), func(tx dsstore.Tx) error {
			d, err := tx.Device("d")
			if err == nil && (d.Credential != want.Credential || d.Former != want.Former) {
				t.Errorf("got %+v", d)
			}
			return err
		})
		if (err == nil) != good {
			t.Errorf("key %d: %v", key, err)
		}
	}
	check(1, true)
	check(2, false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil || bytes.Contains(file, []byte("the-credential")) || bytes.Contains(file, []byte("the-former-one")) || bytes.Contains(file, []byte(key.Value)) {
		t.Errorf("the file holds the credential, %v", err)
	}
}
