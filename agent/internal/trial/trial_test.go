package trial_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent/internal/trial"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// TestRun: it counts both sides, names a datastore that is not there, and leaves everything as it was: no session, no item, no file.
func TestRun(t *testing.T) {
	store := memstore.New()
	server := dsserver.New(dsserver.Options{Store: store, Datastores: dsserver.DefaultDatastores()})
	web := httptest.NewServer(server)
	defer web.Close()
	err := store.Update(t.Context(), func(tx dsstore.Tx) error {
		return errors.Join(tx.PutUser(dsstore.User{Name: "ana"}), tx.PutDevice(dsstore.Device{ID: "laptop", User: "ana", Credential: syncml.Credential("ana", "s")}))
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		_, err := server.Put(t.Context(), dsstore.Collection{User: "ana", Store: "contacts"}, "", pim.Item{Type: pim.TypeVCard, Body: fmt.Appendf(nil, "BEGIN:VCARD\nUID:%d\nEND:VCARD\n", i)})
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.vcf"), []byte("BEGIN:VCARD\nUID:1\nEND:VCARD\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stores := []trial.Store{{Name: "people", Remote: "contacts", Kind: pim.Contacts, Dir: dir}, {Name: "mail", Remote: "mail", Kind: pim.Mail, Dir: filepath.Join(dir, "none")},
		{Name: "other", Remote: "other", Kind: pim.Notes, Dir: filepath.Join(dir, "none2")}}
	client := &dsclient.Client{Transport: &dsclient.HTTP{Client: web.Client()}, URL: web.URL, DeviceID: "laptop", User: "ana", Secret: "s", Version: "test", Now: time.Now}
	got, err := trial.Run(t.Context(), client, stores)
	if err != nil {
		t.Fatal(err)
	}
	want := []trial.Outcome{{Store: "people", Here: 1, There: 3}, {Store: "mail"}, {Store: "other", There: -1, Missing: true}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	err = store.View(t.Context(), func(tx dsstore.Tx) error {
		sessions, err := tx.Sessions("laptop")
		if len(sessions) != 1 || sessions[0].Ending != ds.Closed {
			t.Errorf("sessions: %+v", sessions)
		}
		items, e := tx.List(dsstore.Collection{User: "ana", Store: "contacts"})
		if len(items) != 3 {
			t.Errorf("%d items", len(items))
		}
		return errors.Join(err, e)
	})
	if err != nil {
		t.Error(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%v %v", files, err)
	}

	client.Secret = "wrong"
	var auth *dsclient.AuthError
	if got, err := trial.Run(t.Context(), client, stores); !errors.As(err, &auth) || !slices.ContainsFunc(got, func(o trial.Outcome) bool { return o.Here == 1 }) {
		t.Errorf("%v %v", got, err)
	}
}
