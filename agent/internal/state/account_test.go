package state_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/session"
)

func TestAnAccountComesBack(t *testing.T) {
	db := &memkv.Store{}
	if a, err := state.LoadAccount(db); err != nil || a.Session.On {
		t.Errorf("a new account: %+v, %v", a, err)
	}
	want := state.Account{Nonce: "n", Session: session.Record{On: true, State: session.Idle, ID: "L1", Since: time.Unix(1, 0).UTC()}}
	if err := state.SaveAccount(db, want); err != nil {
		t.Fatal(err)
	}
	if got, err := state.LoadAccount(db); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestAStateOfANewerVersionIsRefused(t *testing.T) {
	db := &memkv.Store{}
	for range 2 {
		if err := state.Check(db); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Update(func(w kv.Writer) error { return w.Set("schema", []byte("99")) }); err != nil {
		t.Fatal(err)
	}
	if err := state.Check(db); err == nil || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("error %v", err)
	}
}
