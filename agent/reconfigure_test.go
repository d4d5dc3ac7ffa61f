package agent_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// elsewhere is the same server at another address.
func (s *endpoint) elsewhere() string {
	other := httptest.NewServer(s.http.Config.Handler)
	s.t.Cleanup(other.Close)
	return other.URL
}

// change takes changed options into use.
func (d *device) change(fn func(*agent.Options)) error {
	fn(&d.o)
	return d.agent.Reconfigure(d.t.Context(), d.o, "settings changed by a test")
}

// TestAnotherAddress is S11 to S16: the session and the transport are broken, the device connects with the new values, initializes, and makes an
// incremental sync in a new session, in which it goes on.
func TestAnotherAddress(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.write("1.vcf", card("1", "Ana"))
	d.start(s.http.URL)
	before := d.on()
	former := s.requests.Load()
	if err := d.change(func(o *agent.Options) { o.Server = s.elsewhere() }); err != nil {
		t.Fatal(err)
	}
	now := d.until("in a new session", func(s control.Status) bool { return idle(s) && s.Session.ID != before.Session.ID })
	x := d.last()
	if x.Cause != string(session.CauseSettings) || len(x.Stores) != 1 || x.Stores[0].Alert != int(ds.AlertTwoWay) || x.Stores[0].Sent+x.Stores[0].Received != 0 {
		t.Errorf("an incremental sync was wanted: %+v", x)
	}
	if now.Ended == nil || now.Ended.Ending != string(ds.Closed) || now.Ended.Reason != "settings changed by a test" || now.Server != d.o.Server {
		t.Errorf("%+v", now)
	}
	s.http.Close()
	d.write("2.vcf", card("2", "Ben"))
	d.until("synchronized at the new address", func(s control.Status) bool { return idle(s) && s.Stores[0].Items == 2 })
	if s.requests.Load() == former || s.session().ID != now.Session.ID {
		t.Errorf("the server has session %+v, want %s", s.session(), now.Session.ID)
	}
}

// TestAnotherAddressWhileSyncing is S17: the running exchange ends first; nothing is lost or doubled, whenever the change comes.
func TestAnotherAddressWhileSyncing(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	d.on()
	addresses := []string{s.elsewhere(), s.http.URL}
	for i := range 20 {
		d.write(string(rune('a'+i))+".vcf", card(string(rune('a'+i)), "Ana"))
		if i%5 == 0 {
			if _, err := d.c.Sync(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.change(func(o *agent.Options) { o.Server = addresses[i%2] }); err != nil {
			t.Fatal(err)
		}
	}
	d.until("in sync", func(s control.Status) bool { return idle(s) && s.Stores[0].Items == 20 })
	for _, x := range d.log()[1:] {
		for _, st := range x.Stores {
			if st.Alert == int(ds.AlertSlow) {
				t.Errorf("slow sync: %+v", x)
			}
		}
	}
	d.fence()
	if x := d.last(); x.Stores[0].Sent+x.Stores[0].Received != 0 {
		t.Errorf("not settled: %+v", x)
	}
}

// TestNothingExtra is S22: what concerns the care of the stores or patience only causes no exchange, and the session stays.
func TestNothingExtra(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	before := d.on()
	requests := s.requests.Load()
	for _, fn := range []func(*agent.Options){
		func(o *agent.Options) { o.Brake = &agent.Brake{Count: 1, Percent: 1} },
		func(o *agent.Options) { o.Session = session.DefaultConfig(); o.Session.Attempts = 3 },
		func(o *agent.Options) {
			o.Stores = []agent.Store{o.Stores[0]}
			o.Stores[0].Conflicts = ds.ConflictsKeepBoth
		},
		func(*agent.Options) {},
	} {
		if err := d.change(fn); err != nil {
			t.Fatal(err)
		}
	}
	now, err := d.c.Status(t.Context())
	if err != nil || now.Session == nil || now.Session.ID != before.Session.ID || now.Running != "" || s.requests.Load() != requests {
		t.Errorf("%+v, %v; %d requests, want %d", now, err, s.requests.Load(), requests)
	}
	d.write("1.vcf", card("1", "Ana"))
	d.write("2.vcf", card("2", "Ben"))
	d.write("3.vcf", card("3", "Cem"))
	d.until("sent", func(s control.Status) bool { return idle(s) && s.Stores[0].Items == 3 })
}

// TestAnotherFilterSyncs is S4, and S19 where the client is the side that sees that a sync is due: a filter in the configuration forces a sync in the session that is there.
func TestAnotherFilterSyncs(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	before := d.on()
	if err := d.change(func(o *agent.Options) {
		o.Stores = []agent.Store{o.Stores[0]}
		o.Stores[0].Filter = "category:work"
	}); err != nil {
		t.Fatal(err)
	}
	d.until("told", func(s control.Status) bool { return idle(s) && d.last().Cause == string(session.CauseFilter) })
	if now := d.until("in sync", idle); now.Session.ID != before.Session.ID {
		t.Errorf("session %s, want %s", now.Session.ID, before.Session.ID)
	}
}

// TestWhatNeedsARestart: what a running agent cannot change stays as it was and is named; the rest is in use. What cannot be used changes nothing.
func TestWhatNeedsARestart(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	before := d.on()
	kind := d.o.Stores[0].Kind
	for name, fn := range map[string]func(*agent.Options){
		"another folder": func(o *agent.Options) { o.Stores = []agent.Store{{Name: "contacts", Kind: kind, Dir: t.TempDir()}} },
		"another store": func(o *agent.Options) {
			o.Stores = append(o.Stores, agent.Store{Name: "more", Kind: kind, Dir: t.TempDir()})
		},
		"no store":       func(o *agent.Options) { o.Stores = nil },
		"another device": func(o *agent.Options) { o.DeviceID = "e" },
	} {
		o := d.o
		fn(&o)
		o.Server = s.elsewhere()
		if err := d.agent.Reconfigure(t.Context(), o, name); !errors.Is(err, agent.ErrRestart) {
			t.Errorf("%s: %v", name, err)
		}
		now := d.until("in use", func(now control.Status) bool {
			return idle(now) && now.Server == o.Server && now.Session.ID != before.Session.ID
		})
		if now.Device != "d" || len(now.Stores) != 1 || now.Stores[0].Dir != d.dir {
			t.Errorf("%s: %+v", name, now)
		}
		before = now
	}
	d.o.CertFile, d.o.KeyFile = "none.pem", "none.key"
	if err := d.agent.Reconfigure(t.Context(), d.o, "a certificate that is not there"); err == nil {
		t.Error("a certificate that is not there was accepted")
	}
	if now, err := d.c.Status(t.Context()); err != nil || now.Session.ID != before.Session.ID || now.Server != before.Server {
		t.Errorf("%+v, %v", now, err)
	}
}

// TestAnotherBroker is S18: triggers come by the new broker, and the session at the server stays.
func TestAnotherBroker(t *testing.T) {
	s, d := pushed(t)
	other := siteAt(t)
	before, err := d.c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := d.change(func(o *agent.Options) { o.Push.Broker = other.BrokerURL() }); err != nil {
		t.Fatal(err)
	}
	d.until("connected there", func(now control.Status) bool {
		return now.Push.State == "refused" && now.Push.Broker == other.BrokerURL()
	})
	if err := d.change(func(o *agent.Options) { o.Push.Broker = s.BrokerURL() }); err != nil {
		t.Fatal(err)
	}
	d.until("connected here", func(now control.Status) bool { return now.Push.State == "connected" && idle(now) })
	put(t, s, "g1", card("u1", "Ana"))
	now := d.until("pushed", func(s control.Status) bool { return s.Stores[0].Items == 1 && idle(s) })
	if now.Session.ID != before.Session.ID {
		t.Errorf("session %s, want %s", now.Session.ID, before.Session.ID)
	}
	if err := d.change(func(o *agent.Options) { o.Push.Broker = "" }); err != nil {
		t.Fatal(err)
	}
	d.until("without a broker", func(s control.Status) bool { return s.Push.State == "none" })
}
