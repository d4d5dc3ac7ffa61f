package site

import (
	"errors"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// settled says of all wishes for a device what became of them.
func (w *apiWorld) settled(device string, state dsstore.SettingState) {
	w.Helper()
	err := w.Store().Update(w.Context(), func(tx dsstore.Tx) error {
		all, err := tx.Settings(device)
		for _, s := range all {
			err = errors.Join(err, tx.SettleSetting(s.Version, state, "", time.Now()))
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// values are settings by key, "-" takes one back.
func values(list ...string) map[string]*string {
	m := map[string]*string{}
	for i := 0; i < len(list); i += 2 {
		if m[list[i]] = &list[i+1]; list[i+1] == "-" {
			m[list[i]] = nil
		}
	}
	return m
}

// TestWhatHoldsIsNotWantedAnew is S9; only the switch of Always-On is, which the user may have flipped back, and to open a session, which may have ended.
func TestWhatHoldsIsNotWantedAnew(t *testing.T) {
	w := newAPIWorld(t)
	set := func() []string {
		t.Helper()
		out, err := SetSettings(t.Context(), w.Store(), "@root", Whom{Device: "ana-phone"}, values("log.level", "debug", mo.Switch, "true"), false)
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
	w.settled("ana-phone", dsstore.SettingApplied)
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
