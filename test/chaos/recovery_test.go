package chaos

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// BenchmarkRecovery is how long it takes from the hint that the network is back until both sides are equal, for a device with the settings
// that it has by default, edited on both sides during the outage. numbers: below a second.
func BenchmarkRecovery(b *testing.B) {
	for _, c := range []cell{{outage: deviceNet, phase: idle}, {outage: deviceNet, phase: midUpload}, {outage: deviceNet, phase: midDownload}} {
		b.Run(string(c.phase), func(b *testing.B) { recovery(b, c) })
	}
}

func recovery(b *testing.B, c cell) {
	w := newWorld(b, newHouse(b, ""), session.DefaultConfig())
	var times sample
	for b.Loop() {
		w.until("connected", func(s control.Status) bool { return s.Push.State == "connected" && quiet(s) })
		w.lose(c)
		w.edit("n1")
		w.serve("m1")
		if c.phase == idle {
			w.until("retrying", func(s control.Status) bool { return s.Attempts > 0 })
		}
		began := time.Now()
		w.heal(c)
		w.settles()
		times.add(time.Since(began))
	}
	b.ReportMetric(float64(times.quantile(0.5).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times.quantile(0.95).Microseconds())/1000, "p95-ms")
	b.ReportMetric(0, "ns/op")
}

// TestTheNetworkEndsEveryPause is L8: whatever the device waits for, and be it for an hour, it does at once when its network is back. The broker
// stays away, so that nothing else wakes it.
func TestTheNetworkEndsEveryPause(t *testing.T) {
	h := newHouse(t, "")
	for _, tt := range []struct {
		name  string
		cell  cell
		state session.State
	}{
		{"a pause between attempts", cell{length: transient, outage: deviceNet, phase: idle}, session.Retrying},
		{"a pause between probes", cell{length: permanent, outage: deviceNet, phase: idle}, session.Lost},
		{"an answer that never comes", cell{length: transient, outage: deviceNet, phase: midUpload}, session.Syncing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := session.Config{Attempts: 1 << 30, GiveUp: 1000 * time.Hour, Backoff: time.Hour, MaxPause: time.Hour, Probe: time.Hour, Poll: time.Hour}
			if tt.cell.length == permanent {
				c.Attempts = 1
			}
			w := newWorld(t, h, c)
			w.lose(tt.cell)
			w.editBoth(tt.cell, 1)
			w.until(string(tt.state), func(s control.Status) bool { return s.State == string(tt.state) })
			w.cut(brokerOnly)
			began := time.Now()
			w.hint("the network has changed")
			w.settles()
			t.Logf("in sync after %v", time.Since(began).Round(time.Millisecond))
		})
	}
}
