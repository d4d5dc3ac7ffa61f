package agent_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

const inside = "ALWAYSON_TEST_NAMESPACE"

// TestTheDefaultRouteDecides is S18 with the kernel's own network: while the default route leads over an interface that is not allowed nothing is sent,
// and as soon as it leads over another one it goes on.
func TestTheDefaultRouteDecides(t *testing.T) {
	if os.Getenv(inside) == "" {
		out, err := testenv.InNamespace(t, inside+"=1").CombinedOutput()
		if t.Logf("%s", out); err != nil {
			t.Error(err)
		}
		return
	}
	ip := func(commands ...string) {
		t.Helper()
		for _, c := range commands {
			if out, err := exec.Command("ip", strings.Fields(c)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %v: %s", c, err, out)
			}
		}
	}
	ip("link set lo up")
	for name, addr := range map[string]string{"cheap": "198.51.100.2/24", "dear": "203.0.113.2/24"} {
		ip("link add "+name+" type veth peer name far-"+name, "link set far-"+name+" up", "link set "+name+" up", "addr add "+addr+" dev "+name)
	}
	ip("route add default via 198.51.100.1")
	_, d := pushedWith(t, func(o *agent.Options) {
		o.Network.Allowed = "!dear !far-*"
		o.Session = session.DefaultConfig()
		o.Session.Backoff, o.Session.MaxPause = time.Hour, time.Hour
	})
	ip("route del default", "route add default via 203.0.113.1")
	d.until("waiting", func(s control.Status) bool {
		return s.State == "retrying" && s.NotAllowed && s.Network == "dear" && strings.Contains(s.Push.Reason, "network dear is not allowed")
	})
	d.write("1.vcf", card("u1", "Ana"))
	ip("route del default", "route add default via 198.51.100.1")
	d.until("in sync", func(s control.Status) bool {
		return idle(s) && s.Network == "cheap" && s.Stores[0].Items == 1 && s.Push.State == "connected"
	})
}
