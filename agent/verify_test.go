package agent_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// TestThePollComparesNowAndThen: nobody asks for it, and it is no user's exchange.
func TestThePollComparesNowAndThen(t *testing.T) {
	_, d := pushedWith(t, func(o *agent.Options) {
		o.Session = session.DefaultConfig()
		o.Session.Poll, o.Verify = 20*time.Millisecond, 200*time.Millisecond
	})
	d.write("p07.vcf", card("u7", "Person"))
	d.until("compared", func(s control.Status) bool { return s.Stores[0].Compared != nil && idle(s) })
	if !slices.ContainsFunc(d.log(), func(x control.Exchange) bool { return x.Cause == "comparison of both sides" }) {
		t.Error("it is not in the log")
	}
}

// TestADifferenceIsNotInSync: the status says so, also after a restart, until it is repaired: here by a slow sync, which the agent makes by
// itself. The log and the reasons tell of it, and nothing is lost.
func TestADifferenceIsNotInSync(t *testing.T) {
	s, d := crowd(t)
	spoil(t, s)
	if list, err := d.c.Verify(t.Context()); err != nil || len(list[0].Differ) != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	now, err := d.c.Status(t.Context())
	if err != nil || now.InSync() || now.Stores[0].Differ != 1 || now.Stores[0].Differing[0] != "p07.vcf" || !strings.Contains(now.Summary, "contacts differs from the server") {
		t.Errorf("%+v %v", now, err)
	}
	d.stop()
	d.start(s.URL())
	now = d.until("equal again", func(s control.Status) bool { return idle(s) && s.Stores[0].Compared.After(*now.Stores[0].Compared) })
	repaired := func(x control.Exchange) bool {
		return x.Cause == "repair of a difference" && x.Stores[0].Alert == int(ds.AlertSlow)
	}
	if !slices.ContainsFunc(d.log(), repaired) {
		t.Errorf("%+v", d.log())
	}
	why, err := d.c.Why(t.Context())
	for _, want := range []string{"contacts differs from the server in p07.vcf; a slow sync follows", "contacts and the server are equal again"} {
		if err != nil || !slices.ContainsFunc(why, func(w control.Why) bool { return strings.Contains(w.Why, want) }) {
			t.Errorf("it is not told that %s: %+v %v", want, why, err)
		}
	}
	if list, err := d.c.Verify(t.Context()); err != nil || len(list[0].Differ) != 0 || list[0].Items != 40 {
		t.Errorf("%+v %v", list, err)
	}
	d.both(s, 40, 40)
}
