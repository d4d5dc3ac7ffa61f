package agent_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/session"
)

func paused(s control.Status) bool { return s.AlwaysOn && s.State == "paused" && s.Running == "" }

// TestAPause: nothing is exchanged by itself, edits wait, also over a restart; it ends at its time, and what waited goes out.
func TestAPause(t *testing.T) {
	s := newEndpoint(t)
	d := newDevice(t)
	d.start(s.http.URL)
	var refused *control.Error
	if _, err := d.c.Pause(t.Context(), time.Time{}); !errors.As(err, &refused) || refused.Problem != control.NotOn {
		t.Errorf("paused while off: %v", err)
	}
	first := d.on()
	now, err := d.c.Pause(t.Context(), time.Time{})
	if err != nil || !paused(now) || now.Until != nil || now.Session == nil || now.Session.ID != first.Session.ID {
		t.Fatalf("%+v, %v", now, err)
	}
	d.write("ana.vcf", card("u1", "Ana"))
	d.until("waiting", func(s control.Status) bool {
		return paused(s) && s.Stores[0].Pending == 1 && s.Advice == "alwayson resume"
	})
	d.agent.On(t.Context()) // what is on is on
	d.stop()
	d.write("ben.vcf", card("u2", "Ben"))
	d.start(s.http.URL)
	d.until("paused after a restart", func(s control.Status) bool { return paused(s) && s.Stores[0].Pending == 2 })
	if x := d.last(); x.Cause != string(session.CauseSwitchOn) {
		t.Errorf("the last exchange is %+v", x)
	}
	if _, err := d.c.Pause(t.Context(), time.Now().Add(-time.Second)); err == nil {
		t.Error("a pause that is over was taken")
	}
	end := time.Now().Add(500 * time.Millisecond)
	if now, err = d.c.Pause(t.Context(), end); err != nil || now.Until == nil || !now.Until.Equal(end) {
		t.Fatalf("%+v, %v", now, err)
	}
	d.until("in sync by itself", func(s control.Status) bool { return idle(s) && s.Until == nil })
	if x := d.last(); x.Cause != string(session.CauseResume) || x.At.Before(end) {
		t.Errorf("the last exchange is %+v, the pause ended at %v", x, end)
	}
}

// TestAPauseIsEndedByTheUser: who asks by hand is served meanwhile, as while off.
func TestAPauseIsEndedByTheUser(t *testing.T) {
	s := newEndpoint(t)
	d := newDevice(t)
	d.start(s.http.URL)
	d.on()
	if _, err := d.c.Pause(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	d.write("ana.vcf", card("u1", "Ana"))
	if x, err := d.c.Sync(t.Context(), true); err != nil || x.Error != "" || x.Stores[0].Sent != 1 {
		t.Fatalf("by hand: %+v, %v", x, err)
	}
	d.until("paused still", func(s control.Status) bool { return paused(s) && s.Stores[0].Pending == 0 && s.Until != nil })
	if _, err := d.c.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.until("in sync", idle)
}
