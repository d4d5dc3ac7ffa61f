package e2e

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// until asks a device for its status until it is as wanted.
func until(t *testing.T, d *testenv.Device, what string, is func(control.Status) bool) (s control.Status) {
	t.Helper()
	testenv.Ask(t, what, func(ctx context.Context) (err error) {
		if s, err = d.Control.Status(ctx); err == nil && !is(s) {
			err = fmt.Errorf("%+v", s)
		}
		return err
	})
	return s
}

func inSync(s control.Status) bool {
	return s.State == "idle" && s.InSync() && s.Push.State == "connected"
}

// TestSettingsThatDoNotWorkAreTakenBack is S10 by the roads of the command line and the file, with the process killed meanwhile: the device returns by
// itself to the server and the broker that it had, and nothing is lost.
func TestSettingsThatDoNotWorkAreTakenBack(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}, Mosquitto: true})
	d := w.Devices[0]
	d.On()
	set := func(key, value string) {
		t.Helper()
		if out, err := d.Command("settings", "set", key, value); err != nil {
			t.Fatal(err, out)
		}
	}
	set("session.probation", "2s")
	before := until(t, d, "in sync at first", inSync)
	port := testenv.FreePort(t)
	file, err := os.ReadFile(d.Config())
	if err != nil {
		t.Fatal(err)
	}
	edit := func(from, to string) {
		t.Helper()
		if err := os.WriteFile(d.Config(), []byte(strings.Replace(string(file), from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range []struct {
		name  string
		spoil func()
		is    func(control.Status) bool // as it was spoilt
	}{
		{"wrong server by hand", func() { set("account.server", "http://127.0.0.1:"+port+"/ds") }, func(s control.Status) bool { return s.Server != before.Server }},
		{"no server at all, in the file", func() { edit(before.Server, "https://nowhere.invalid/ds") }, func(s control.Status) bool { return s.Server != before.Server }},
		{"wrong broker by hand", func() { set("push.broker", "mqtt://127.0.0.1:"+port) }, func(s control.Status) bool { return s.Push.Broker != before.Push.Broker }},
		{"wrong user", func() { set("account.user", "ben") }, func(s control.Status) bool { return s.User != "ana" }},
	} {
		c.spoil()
		until(t, d, c.name+": spoilt", c.is)
		if i%2 == 0 {
			d.Kill()
			d.Start()
		}
		if err := os.WriteFile(d.Dir+fmt.Sprintf("/contacts/%d.vcf", i), fmt.Appendf(nil, "BEGIN:VCARD\r\nUID:%d\r\nEND:VCARD\r\n", i), 0o600); err != nil {
			t.Fatal(err)
		}
		now := until(t, d, c.name+": back", func(s control.Status) bool { return inSync(s) && !c.is(s) && s.Stores[0].Items == i+1 })
		if now.User != "ana" {
			t.Errorf("%s: %+v", c.name, now)
		}
	}
	list, err := d.Control.Log(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range list[1:] {
		for _, s := range x.Stores {
			if s.Alert == 201 {
				t.Errorf("a slow sync: %+v", x)
			}
		}
	}
}
