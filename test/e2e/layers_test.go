package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestLayers: a machine's configuration for everybody, the user's file and the environment are one configuration, over which an administrator sets; the command line
// tells where each value comes from.
func TestLayers(t *testing.T) {
	system := t.TempDir()
	for name, text := range map[string]string{"alwayson.toml": "[brake]\ncount = 33\n", "conf.d/log.toml": "[log]\nlevel = \"warn\"\n"} {
		path := filepath.Join(system, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ALWAYSON_SYSTEM", system)
	t.Setenv("ALWAYSON_SESSION_POLL", "11m")
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}, Mosquitto: true})
	d := w.Devices[0]
	d.On()
	until(t, d, "in sync", inSync)
	shows := func(want ...string) {
		t.Helper()
		out, err := d.Command("settings", "show", "--origin")
		flat := strings.Join(strings.Fields(out), " ")
		for _, line := range want {
			if err != nil || !strings.Contains(flat, line) {
				t.Errorf("%q is not in %s, %v", line, out, err)
			}
		}
	}
	shows("session.poll 11m environment ALWAYSON_SESSION_POLL", "brake.count 33 system "+system+"/alwayson.toml", "log.level warn system "+system+"/conf.d/log.toml",
		"session.backoff 50ms file "+d.Config(), "session.probe 30s default")
	p := &pushed{t, w}
	p.set("--all", "log.level=debug", "session.poll=5m")
	p.becomes("laptop", "session.poll", "applied", "")
	shows("session.poll 5m administrator", "log.level debug administrator")
	d.Kill()
	t.Setenv("ALWAYSON_SESSION_POLL", "12m")
	d.Start()
	until(t, d, "in sync again", inSync)
	shows("session.poll 12m environment", "log.level debug administrator")
}
