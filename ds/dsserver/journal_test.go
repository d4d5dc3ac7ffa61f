package dsserver_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// journal lists what the server has noted of a device.
func (w *world) journal(device string) (out string) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.Events(device)
		for _, e := range list {
			out += fmt.Sprintf("%s: %s: %s ×%d\n", e.What, e.Why, e.Outcome, e.Times)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestTheServerSaysWhatExchangesHaveDone, and why they were made, as far as it can know.
func TestTheServerSaysWhatExchangesHaveDone(t *testing.T) {
	w := newWorld(t)
	at := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	asked := false
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(), Asked: func(string) (time.Time, bool) { return at, asked }})
	a := w.device("a")
	a.mem.put("1", card("u", "Ana"))
	a.sync()
	a.sync()
	a.sync()
	w.put("contacts", "", "text/vcard", card("v", "Ben"))
	asked = true
	a.sync()
	asked = false
	a.mem.put("1", card("u", "Ana Maria"))
	a.loseOut = 1
	if _, err := a.run(dsclient.Sync, 0); err == nil {
		t.Error("the answer was not lost")
	}
	a.client.Secret = "wrong"
	a.run(dsclient.Sync, 0) //nolint:errcheck // it is refused
	got := w.journal("a")
	for _, want := range []string{
		"exchange: by itself: opened a session; contacts (slow sync): took 1, gave 0 ×1\nexchange: by itself: contacts: no changes ×2\n" +
			"exchange: notified at 2026-11-25 12:00:00: contacts: took 0, gave 1 ×1\n",
		"refused: by itself: its credentials are wrong ×1\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the journal says\n%swant\n%s", got, want)
		}
	}
	if w.device("b"); w.journal("b") != "" {
		t.Error("something is told of a device that was never there")
	}
}
