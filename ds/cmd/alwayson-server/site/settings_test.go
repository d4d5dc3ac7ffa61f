package site

import (
	"errors"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// settle says of all wishes for a device that they were applied.
func (w *apiWorld) settle(device string) {
	w.Helper()
	err := w.Store().Update(w.Context(), func(tx dsstore.Tx) error {
		all, err := tx.Settings(device)
		for _, s := range all {
			err = errors.Join(err, tx.SettleSetting(s.Version, dsstore.SettingApplied, "", time.Now()))
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// TestWhatHoldsIsNotWantedAnew is S9; only the switch of Always-On is, which the user may have flipped back, and to open a session, which may have ended.
func TestWhatHoldsIsNotWantedAnew(t *testing.T) {
	w := newAPIWorld(t)
	set := func() []string {
		t.Helper()
		out, err := SetSettings(t.Context(), w.Store(), "@root", Whom{Device: "ana-phone"}, map[string]string{"log.level": "debug", mo.Switch: "true"}, false)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Keys
	}
	open := func() int64 {
		t.Helper()
		s, err := OpenSession(t.Context(), w.Store(), "@root", "ana-phone")
		if err != nil || s.State != string(dsstore.SettingPending) || s.Key != mo.OpenSession {
			t.Fatal(s, err)
		}
		return s.Version
	}
	if first, again := set(), set(); len(first) != 2 || len(again) != 0 {
		t.Errorf("%v, then %v", first, again)
	}
	first := open()
	if again := open(); again != first {
		t.Errorf("version %d while %d is pending", again, first)
	}
	w.settle("ana-phone")
	if again := set(); len(again) != 1 || again[0] != mo.Switch {
		t.Errorf("%v", again)
	}
	if again := open(); again <= first {
		t.Errorf("version %d after %d", again, first)
	}
	if _, err := OpenSession(t.Context(), w.Store(), "@root", "nobody"); err == nil {
		t.Error("a device that there is not was asked")
	}
}
