package site

import (
	"fmt"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
)

// TestHistoryOfTheServer: what was overwritten and deleted is listed, and a datastore is had back as it was.
func TestHistoryOfTheServer(t *testing.T) {
	s, err := Start(t.Context(), Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	c := dsstore.Collection{User: "ana", Store: "contacts"}
	put := func(guid, body string) {
		t.Helper()
		if _, err := s.Server().Put(t.Context(), c, guid, pim.Item{Type: pim.TypeVCard, Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		put(fmt.Sprint("g", i), fmt.Sprint("first ", i))
	}
	before := time.Now()
	put("g0", "second")
	put("g0", "third")
	if err := s.Server().Remove(t.Context(), c, "g1"); err != nil {
		t.Fatal(err)
	}
	list, err := History(t.Context(), s.Store(), "ana", "contacts")
	if err != nil || len(list) != 3 || list[0].Item != "g1" || list[0].Reason != "deleted on the server" {
		t.Fatalf("%+v %v", list, err)
	}
	if n, err := Restore(t.Context(), s.Store(), "ana", "contacts", 0, before); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	want := map[string]string{"g0": "first 0", "g1": "first 1", "g2": "first 2"}
	err = s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		return dsstore.Each(tx, c, func(it dsstore.Item, body []byte) error {
			if want[it.GUID] != string(body) {
				t.Errorf("%s is %q", it.GUID, body)
			}
			delete(want, it.GUID)
			return nil
		})
	})
	if err != nil || len(want) > 0 {
		t.Error(want, err)
	}
	if _, err := Restore(t.Context(), s.Store(), "ana", "contacts", 4711, time.Time{}); err == nil {
		t.Error("a version that does not exist was restored")
	}
}
