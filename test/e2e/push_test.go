package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

// TestKillsInTheMiddleOfAPush kills the server, the broker or the device 200 times while settings are pushed that belong together: the device has both as before or both as after,
// never one of each, and ends up with what was wanted last; the server knows that it has.
func TestKillsInTheMiddleOfAPush(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}, Mosquitto: true})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	d := w.Devices[0]
	d.On()
	until(t, d, "in sync at first", inSync)
	for n := range kills {
		w.Admin("settings", "set", "--device", "laptop", fmt.Sprintf("session.poll=%dm", n+10), fmt.Sprintf("session.verify=%dm", n+10))
		p := w.Processes()[r.IntN(3)]
		<-time.After(time.Duration(r.IntN(60)) * time.Millisecond) // the moment must not follow from anything
		p.Kill()
		p.Start()
		pair(t, d)
		if n%25 == 24 {
			testenv.Ask(t, "the last settings are not in use", func(context.Context) error {
				out := w.Admin("settings", "show", "laptop")
				got, err := time.ParseDuration(pair(t, d))
				if err != nil || got != time.Duration(n+10)*time.Minute || strings.Contains(out, " pending ") || strings.Contains(out, " failed ") {
					return fmt.Errorf("the device has %v, the server says\n%s", got, out)
				}
				return nil
			})
		}
	}
	noSlowSync(t, d)
}

// pair is what both settings of the device are.
func pair(t *testing.T, d *testenv.Device) (value string) {
	t.Helper()
	testenv.Ask(t, "the agent does not answer", func(ctx context.Context) error {
		list, err := d.Control.Settings(ctx)
		values := map[string]string{}
		for _, s := range list {
			values[s.Key] = s.Value
		}
		if value = values["session.poll"]; err == nil && values["session.verify"] != value && value != "30m" {
			t.Errorf("half of a push is in use: %v", values)
		}
		return err
	})
	return value
}
