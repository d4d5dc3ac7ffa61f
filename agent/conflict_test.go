package agent_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/ds"
)

// TestTheServerWinsIfTheStoreSaysSo: there is one version, and the one that lost can be had back on this device.
func TestTheServerWinsIfTheStoreSaysSo(t *testing.T) {
	s, d := pushedWith(t, func(o *agent.Options) { o.Stores[0].Conflicts = ds.ConflictsServer })
	contradict(t, s, d)
	d.contact("g1", card("u1", "Ana there"))
	if list, err := d.c.Conflicts(t.Context()); err != nil || len(list) != 0 || len(d.files()) != 1 {
		t.Errorf("%+v %v, %v", list, err, d.files())
	}
	former, err := d.c.History(t.Context(), "contacts")
	if err != nil || len(former) == 0 || former[0].Item != "g1.vcf" || former[0].Reason != "overwritten by the server" {
		t.Errorf("%+v %v", former, err)
	}
}
