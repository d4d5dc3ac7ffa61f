package e2e

import (
	"context"
	"errors"
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
	incremental(t, d)
}

// incremental looks through the log of a device: no exchange but the first is a slow sync.
func incremental(t *testing.T, d *testenv.Device) {
	t.Helper()
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

// pushed is a world of managed devices.
type pushed struct {
	*testing.T
	w *testenv.World
}

// admin asks for settings of devices.
func (p *pushed) set(args ...string) { p.w.Admin(append([]string{"settings", "set"}, args...)...) }

// becomes waits until the server knows what became of a setting.
func (p *pushed) becomes(device, key, state, reason string) {
	p.Helper()
	testenv.Ask(p, device+": "+key+" is not "+state, func(context.Context) error {
		out := p.w.Admin("settings", "show", device)
		for line := range strings.Lines(out) {
			if strings.HasPrefix(line, key+" ") && strings.Contains(line, " "+state) && strings.Contains(line, reason) {
				return nil
			}
		}
		return errors.New(out)
	})
}

// exchanges is how many a device has made.
func exchanges(t *testing.T, d *testenv.Device) int {
	t.Helper()
	list, err := d.Control.Log(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestPushedSettings goes from the administrator's command to the device and back, over Mosquitto (S1, S6, S7, S8): what concerns no data causes no exchange (1.11: S22), what a
// device shall keep starts a sync (1.10: S4, S20), another way to the server breaks the session (1.9: S11, S12, S13, S14, S16), what is wanted already is not
// wanted anew (S9), what does not work is taken back, and the administrator learns of it (S10).
func TestPushedSettings(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop", "phone"}, Mosquitto: true})
	p := &pushed{t, w}
	laptop, phone := w.Devices[0], w.Devices[1]
	for _, d := range w.Devices {
		d.On()
		until(t, d, "in sync at first", inSync)
	}
	p.set("--all", "session.probation=2s")
	p.becomes("phone", "session.probation", "applied", "")

	n := exchanges(t, laptop) // 1.11: nothing extra happens
	before := until(t, laptop, "in sync", inSync)
	p.set("--user", "ana", "log.level=debug", "brake.count=30")
	for _, d := range []string{"laptop", "phone"} {
		p.becomes(d, "log.level", "applied", "")
		p.becomes(d, "brake.count", "applied", "")
	}
	if out, err := laptop.Command("settings", "show", "log", "--origin"); err != nil || !strings.Contains(out, "administrator") {
		t.Error(out, err)
	}
	if now := until(t, laptop, "in sync", inSync); exchanges(t, laptop) != n || now.Session.ID != before.Session.ID {
		t.Errorf("%d exchanges for nothing, session %s", exchanges(t, laptop)-n, now.Session.ID)
	}

	p.set("--device", "laptop", "store.contacts.filter=name:ana") // 1.10
	p.becomes("laptop", "store.contacts.filter", "applied", "")
	until(t, laptop, "filtered", func(s control.Status) bool {
		return inSync(s) && s.Session.ID == before.Session.ID && exchanges(t, laptop) > n
	})

	elsewhere := strings.Replace(before.Server, "127.0.0.1", "localhost", 1) // 1.9
	p.set("--device", "laptop", "account.server="+elsewhere)
	p.becomes("laptop", "account.server", "applied", "")
	now := until(t, laptop, "in sync elsewhere", func(s control.Status) bool {
		return inSync(s) && s.Server == elsewhere && s.Session.ID != before.Session.ID
	})
	if now.Ended == nil || now.Ended.Reason != "settings changed by the administrator" {
		t.Errorf("%+v", now.Ended)
	}

	port := testenv.FreePort(t) // S10
	p.set("--device", "laptop", "push.broker=mqtt://127.0.0.1:"+port, "account.server=http://127.0.0.1:"+port+"/ds")
	p.becomes("laptop", "account.server", "failed", "cannot reach the server")
	p.becomes("laptop", "push.broker", "failed", "cannot reach")
	until(t, laptop, "back", func(s control.Status) bool { return inSync(s) && s.Server == elsewhere })
	if out := w.Admin("why", "laptop", "-n", "100"); !strings.Contains(out, "wanted: account.server, push.broker") || !strings.Contains(out, "returned from ./DS/1/AlwaysOn/PushBroker") {
		t.Error(out)
	}

	p.set("--device", "laptop", "network.proxy=http://127.0.0.1:"+port) // S18
	p.becomes("laptop", "network.proxy", "failed", "the proxy http://127.0.0.1:"+port+" cannot be reached")
	p.set("--device", "laptop", "push.heartbeat=45s", "network.proxy=none")
	p.becomes("laptop", "network.proxy", "applied", "")
	p.becomes("laptop", "push.heartbeat", "applied", "")
	until(t, laptop, "without a proxy", func(s control.Status) bool { return inSync(s) && s.Proxy == "none" })

	p.set("--device", "laptop", "store.nothing.filter=name:ana", "session.poll=11m") // together or not at all
	p.becomes("laptop", "store.nothing.filter", "failed", "")
	p.becomes("laptop", "session.poll", "failed", "")
	if out, err := laptop.Command("settings", "show", "session.poll"); err != nil || strings.Contains(out, "11m") {
		t.Error(out, err)
	}

	phone.Kill() // S8: it gets it when it is back
	p.set("--user", "ana", "locked=log.level store.contacts.filter", "log.level=warn")
	p.becomes("laptop", "locked", "applied", "")
	p.becomes("phone", "log.level", "pending", "")
	phone.Start()
	p.becomes("phone", "log.level", "applied", "")
	if out, err := phone.Command("settings", "set", "log.level", "debug"); err == nil || !strings.Contains(out, "locked by the administrator") {
		t.Error(out, err)
	}
	if out, err := phone.Command("filter", "set", "contacts", "name:ben"); err == nil || !strings.Contains(out, "locked by the administrator") {
		t.Error(out, err)
	}
	if out := w.Admin("settings", "history", "phone"); strings.Count(out, "log.level") < 2 {
		t.Error(out)
	}
	if out := w.Admin("settings", "preview", "--device", "phone", "log.level=warn"); !strings.Contains(out, "nothing") { // S9
		t.Error(out)
	}
}

// TestEveryRoadLeadsToTheSame is S6: a push, the command line and an edit of the file have the same outcome in each of the flows 1.9, 1.10 and 1.11.
func TestEveryRoadLeadsToTheSame(t *testing.T) {
	w := testenv.New(t, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}, Mosquitto: true})
	d := w.Devices[0]
	d.On()
	first := until(t, d, "in sync at first", inSync)
	for _, name := range []string{"ana", "ben"} {
		if err := os.WriteFile(d.Dir+"/contacts/"+name+".vcf", []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:"+name+"\r\nFN:"+name+"\r\nEND:VCARD\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	until(t, d, "both sent", func(s control.Status) bool { return inSync(s) && s.Stores[0].Items == 2 })
	elsewhere := strings.Replace(first.Server, "127.0.0.1", "localhost", 1)
	roads := map[string]func(key, value string){
		"push": func(key, value string) { w.Admin("settings", "set", "--device", "laptop", key+"="+value) },
		"command line": func(key, value string) {
			if out, err := d.Command("settings", "set", key, value); err != nil {
				t.Fatal(err, out)
			}
		},
		"file": func(key, value string) { edit(t, d, key, value) },
	}
	for _, name := range []string{"push", "command line", "file"} {
		set := roads[name]
		for round, v := range []struct{ level, filter, server string }{{"debug", "name:ana", elsewhere}, {"info", "", first.Server}} {
			what := fmt.Sprintf("%s, round %d: ", name, round)
			before, n := until(t, d, what+"at rest", inSync), exchanges(t, d)
			set("log.level", v.level)
			holds(t, d, "log.level", v.level)
			if now := until(t, d, what+"1.11", inSync); now.Session.ID != before.Session.ID || exchanges(t, d) != n {
				t.Errorf("%s1.11: %d exchanges, session %s", what, exchanges(t, d)-n, now.Session.ID)
			}
			set("store.contacts.filter", v.filter)
			now := until(t, d, what+"1.10", func(s control.Status) bool { return inSync(s) && (s.Stores[0].Items == 1) == (v.filter != "") })
			if now.Session.ID != before.Session.ID {
				t.Errorf("%s1.10: session %s", what, now.Session.ID)
			}
			set("account.server", v.server)
			until(t, d, what+"1.9", func(s control.Status) bool {
				return inSync(s) && s.Server == v.server && s.Session.ID != before.Session.ID
			})
		}
	}
	incremental(t, d)
}

// edit changes a setting in the configuration file as an editor does. In the file that the tests write each table is there once.
func edit(t *testing.T, d *testenv.Device, key, value string) {
	t.Helper()
	text, err := os.ReadFile(d.Config())
	if err != nil {
		t.Fatal(err)
	}
	i := strings.LastIndex(key, ".")
	table, name := "["+key[:i]+"]", key[i+1:]
	if strings.HasPrefix(key, "store.") {
		table = "[[store]]"
	}
	var out []string
	for _, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, name+" = ") {
			out = append(out, line)
		}
		if line == table {
			out = append(out, fmt.Sprintf("%s = %q", name, value))
		}
	}
	all := strings.Join(out, "\n")
	if !strings.Contains(all, table) {
		all = table + "\n" + fmt.Sprintf("%s = %q\n", name, value) + all[strings.Index(all, "[account]"):]
		all = strings.Split(string(text), "[account]")[0] + all
	}
	if err := os.WriteFile(d.Config()+".new", []byte(all), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.Config()+".new", d.Config()); err != nil {
		t.Fatal(err)
	}
}

// holds waits until a setting of a device has a value.
func holds(t *testing.T, d *testenv.Device, key, value string) {
	t.Helper()
	testenv.Ask(t, key+" is not "+value, func(ctx context.Context) error {
		list, err := d.Control.Settings(ctx)
		for _, s := range list {
			if s.Key == key && s.Value != value {
				err = fmt.Errorf("%s = %s", key, s.Value)
			}
		}
		return err
	})
}
