package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// BenchmarkPush measures from the administrator's command to the setting in use on a device with 1,000 contacts, over Mosquitto.
func BenchmarkPush(b *testing.B) {
	for b.Loop() {
		t := &table{b: b}
		pushes(b, t)
		t.print()
	}
}

const manyPushes = 50

func pushes(b *testing.B, t *table) {
	w := testenv.New(b, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}, Mosquitto: true})
	d := w.Devices[0]
	write(b, d.Dir+"/contacts", 1000, vcf, contact)
	start := time.Now()
	d.On()
	inSync(b, d, 1000, start)
	var quick, broken []time.Duration
	server := ""
	for n := range manyPushes {
		value := fmt.Sprintf("%dm", n+1)
		quick = append(quick, pushed(b, w, d, "session.poll="+value, func(ctx context.Context) bool {
			list, err := d.Control.Settings(ctx)
			return err == nil && slices.ContainsFunc(list, func(s control.Setting) bool { return s.Key == "session.poll" && s.Value == value })
		}))
	}
	for range manyPushes {
		s, err := d.Control.Status(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		server = other(s.Server)
		broken = append(broken, pushed(b, w, d, "account.server="+server, func(ctx context.Context) bool {
			now, err := d.Control.Status(ctx)
			return err == nil && now.Server == server && now.InSync() && now.Session != nil && now.Session.ID != s.Session.ID
		}))
	}
	t.percentiles("push of a setting until it is in use, 1,000 contacts", quick, time.Second)
	t.percentiles("push of another address until the incremental sync over it is over", broken, 2*time.Second)
}

// other is the same server by another name.
func other(url string) string {
	if strings.Contains(url, "localhost") {
		return strings.Replace(url, "localhost", "127.0.0.1", 1)
	}
	return strings.Replace(url, "127.0.0.1", "localhost", 1)
}

// pushed is how long it takes from the end of the administrator's command until something is so.
func pushed(b *testing.B, w *testenv.World, d *testenv.Device, setting string, is func(context.Context) bool) time.Duration {
	b.Helper()
	w.Admin("settings", "set", "--device", d.Name, setting)
	start := time.Now()
	for !is(b.Context()) {
		if time.Since(start) > time.Minute {
			b.Fatalf("%s is not in use", setting)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(start)
}

// percentiles adds p50 and p95, which has the goal.
func (t *table) percentiles(what string, all []time.Duration, goal time.Duration) {
	slices.Sort(all)
	t.timed(what+", p95", all[len(all)*95/100], goal, "p50 "+round(all[len(all)/2]))
}
