package agent_test

import (
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
)

// pushed is a device at a whole site, with its broker.
func pushed(t *testing.T) (*site.Site, *device) {
	t.Helper()
	return pushedWith(t, func(*agent.Options) {})
}

// pushedWith is pushed with other options.
func pushedWith(t *testing.T, change func(*agent.Options)) (*site.Site, *device) {
	t.Helper()
	return pushedAt(t, site.Options{DataDir: t.TempDir()}, change)
}

// pushedAt is pushedWith at a site with other options.
func pushedAt(t *testing.T, o site.Options, change func(*agent.Options)) (*site.Site, *device) {
	t.Helper()
	s := siteWith(t, o)
	if err := site.PutUser(t.Context(), s.Store(), "ana", "", false); err != nil {
		t.Fatal(err)
	}
	secret, err := site.Enrol(t.Context(), s.Store(), "ana", "d")
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(t)
	d.o.Secret = secret
	d.o.Push = agent.Push{Broker: s.BrokerURL(), Prefix: "alwayson", User: "d", MinPause: 10 * time.Millisecond, MaxPause: 100 * time.Millisecond}
	change(&d.o)
	d.start(s.URL())
	d.on()
	d.until("push connected", func(s control.Status) bool { return s.Push.State == "connected" && idle(s) })
	d.fence()
	return s, d
}

// siteAt is a whole site.
func siteAt(t *testing.T) *site.Site { return siteWith(t, site.Options{DataDir: t.TempDir()}) }

func siteWith(t *testing.T, o site.Options) *site.Site {
	t.Helper()
	s, err := site.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// fence is an exchange by hand; what came before it is in the log when it returns.
func (d *device) fence() {
	d.t.Helper()
	if x, err := d.c.Sync(d.t.Context(), true); err != nil || x.Error != "" {
		d.t.Fatal(x.Error, err)
	}
}

// since is what was exchanged after the first n exchanges, without fences.
func (d *device) since(n int) (out []control.Exchange) {
	d.t.Helper()
	for _, x := range d.log()[n:] {
		if x.Cause != "asked by the user" {
			out = append(out, x)
		}
	}
	return out
}

func put(t *testing.T, s *site.Site, guid, body string) {
	t.Helper()
	_, err := s.Server().Put(t.Context(), dsstore.Collection{User: "ana", Store: "contacts"}, guid,
		pim.Item{Type: pim.TypeVCard, Name: guid + ".vcf", Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOneServerChangeIsOneExchange is G10: what the agent writes is no user's edit, so nothing goes back and nothing turns in circles.
func TestOneServerChangeIsOneExchange(t *testing.T) {
	s, d := pushed(t)
	n := len(d.log())
	put(t, s, "g1", card("u1", "Ana"))
	d.until("received", func(s control.Status) bool { return s.Stores[0].Items == 1 && idle(s) })
	d.fence()
	d.fence() // long enough for a wrong hint to have had its effect
	got := d.since(n)
	if len(got) != 1 || got[0].Cause != "server trigger" || got[0].Stores[0].Received != 1 || got[0].Stores[0].Sent != 0 {
		t.Errorf("%+v", got)
	}
}

// TestSwitchingOnIsOneExchange is T1 and T5.
func TestSwitchingOnIsOneExchange(t *testing.T) {
	s, d := pushed(t)
	d.off()
	put(t, s, "g1", card("u1", "Ana")) // T4: no reaction to the server either
	d.write("2.vcf", card("u2", "Ben"))
	d.until("waiting", func(s control.Status) bool { return s.Stores[0].Pending == 1 })
	n := len(d.log())
	d.on()
	d.until("equal", func(s control.Status) bool { return s.Stores[0].Items == 2 && idle(s) })
	d.fence()
	got := d.since(n)
	if len(got) != 1 || got[0].Stores[0].Received != 1 || got[0].Stores[0].Sent != 1 || got[0].Stores[0].Alert != int(ds.AlertTwoWay) {
		t.Errorf("%+v", got)
	}
}

func card(uid, name string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + uid + "\r\nFN:" + name + "\r\nEND:VCARD\r\n"
}

// TestPresence: the administrator sees who is connected, also after an agent was stopped in good order, of which the broker says nothing by itself.
func TestPresence(t *testing.T) {
	s, d := pushed(t)
	until := func(online bool) {
		deadline := time.After(10 * time.Second)
		for {
			var p dsstore.Presence
			err := s.Store().View(t.Context(), func(tx dsstore.Tx) (err error) { p, err = tx.Presence("d"); return err })
			if err != nil {
				t.Fatal(err)
			}
			if p.Online == online && !p.Since.IsZero() {
				return
			}
			select {
			case <-deadline:
				t.Fatalf("online: %v, want %v", p.Online, online)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	until(true)
	d.stop()
	until(false)
}
