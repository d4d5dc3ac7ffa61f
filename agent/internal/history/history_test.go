package history

import (
	"errors"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/pim"
)

// TestVersionsAreKeptForAMonth: newest first, by store, with their bodies, and no longer than promised.
func TestVersionsAreKeptForAMonth(t *testing.T) {
	b, err := Open(&memkv.Store{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	b.now = func() time.Time { return now }
	keep := func(store, luid, body string) {
		t.Helper()
		if err := b.Keep([]Former{{Store: store, LUID: luid, Key: luid + ".vcf", Item: pim.Item{Type: pim.TypeVCard, Body: []byte(body)}, Reason: "test"}}); err != nil {
			t.Fatal(err)
		}
	}
	keep("contacts", "a", "one")
	now = now.Add(20 * 24 * time.Hour)
	keep("contacts", "a", "two")
	keep("calendar", "b", "one")
	list, err := b.List("contacts")
	if err != nil || len(list) != 2 || !list[0].At.Equal(now) {
		t.Fatal(list, err)
	}
	if _, body, err := b.Get(list[1].ID); string(body) != "one" || err != nil {
		t.Errorf("%q %v", body, err)
	}
	if err := b.PutBack(list[0].ID, "c"); err != nil {
		t.Fatal(err)
	}
	if e, _, err := b.Get(list[0].ID); e.Back != "c" || e.LUID != "a" || err != nil {
		t.Errorf("what was put back as c is noted as %+v, %v", e, err)
	}
	if err := b.PutBack("none", "c"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("%v", err)
	}
	now = now.Add(11 * 24 * time.Hour)
	if err := b.Prune(); err != nil {
		t.Fatal(err)
	}
	left, err := b.List("")
	if err != nil || len(left) != 2 {
		t.Fatal(left, err)
	}
	for _, e := range left { // "one" is needed by the other store
		if _, _, err := b.Get(e.ID); err != nil {
			t.Error(e, err)
		}
	}
	if _, _, err := b.Get(list[1].ID); !errors.Is(err, ErrNone) {
		t.Errorf("what is older than a month: %v", err)
	}
}
