package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert/certtest"
	"github.com/alwayson-sync/alwayson/agent/internal/egress/proxytest"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/agent/internal/power"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/session"
)

func proxySecret(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "proxy-secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestServerAndBrokerAreReachedThroughAProxy is S18: both go through it, in the clear and over TLS, with and without password.
func TestServerAndBrokerAreReachedThroughAProxy(t *testing.T) {
	ca := certtest.New(t)
	roots := &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	secure := &tls.Config{Certificates: []tls.Certificate{ca.Server(t)}, MinVersion: tls.VersionTLS12}
	for name, c := range map[string]struct {
		proxy    *proxytest.Proxy
		tls      *tls.Config
		password string
	}{
		"http":               {proxytest.HTTP(t, nil), nil, ""},
		"http, to TLS":       {proxytest.HTTP(t, nil), secure, "right"},
		"socks":              {proxytest.SOCKS(t), nil, "right"},
		"socks, to TLS":      {proxytest.SOCKS(t), secure, ""},
		"http with password": {proxytest.HTTP(t, nil), nil, "right"},
	} {
		t.Run(name, func(t *testing.T) {
			network := agent.Network{Proxy: c.proxy.URL}
			if c.password != "" {
				c.proxy.User, c.proxy.Password = "ana", c.password
				network.ProxySecretFile = proxySecret(t, "ana:"+c.password)
			}
			s, d := pushedAt(t, site.Options{DataDir: t.TempDir(), TLS: c.tls}, func(o *agent.Options) {
				o.Network, o.TLS, o.Push.TLS = network, roots, roots
			})
			put(t, s, "g1", card("u1", "Ana"))
			now := d.until("pushed", func(s control.Status) bool { return s.Stores[0].Items == 1 && idle(s) && s.Push.LastTrigger != nil })
			if now.Proxy != c.proxy.URL {
				t.Errorf("%+v", now)
			}
			through := strings.Join(c.proxy.Through(), " ")
			for _, address := range []string{s.URL(), s.BrokerURL()} {
				if _, host, _ := strings.Cut(address, "://"); !strings.Contains(through, strings.TrimSuffix(host, "/ds")) {
					t.Errorf("%s was not reached through the proxy but %s", address, through)
				}
			}
		})
	}
}

// impatient tries again soon, and gives up soon.
func impatient() session.Config {
	c := session.DefaultConfig()
	c.Backoff, c.MaxPause, c.Probe = 10*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	return c
}

// TestAProxyThatRefusesIsNoServerThatRefuses is S18 and A8: it is named, nothing is asked of the user but what helps, the server is shown nothing, and
// the proxy the wrong password once.
func TestAProxyThatRefusesIsNoServerThatRefuses(t *testing.T) {
	_, d := pushed(t)
	before, err := d.c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := proxytest.HTTP(t, nil)
	p.User, p.Password = "ana", "right"
	file := proxySecret(t, "ana:wrong")
	if err := d.change(func(o *agent.Options) {
		o.Session = impatient()
		o.Network = agent.Network{Proxy: p.URL, ProxySecretFile: file}
	}); err != nil {
		t.Fatal(err)
	}
	d.write("1.vcf", card("u1", "Ana"))
	lost := d.until("lost", func(s control.Status) bool { return s.State == "lost" && strings.Contains(s.Push.Reason, p.URL) })
	if !strings.Contains(lost.Summary, "the proxy "+p.URL+" refuses user and password") || !strings.Contains(lost.Advice, file) || lost.Problem != "" ||
		lost.Push.State != "connecting" || lost.Push.NeedsCredentials {
		t.Errorf("%+v", lost)
	}
	if x := d.last(); x.Problem != control.Unreachable || !strings.Contains(x.Error, "refuses user and password") {
		t.Errorf("%+v", x)
	}
	if p.Refused() != 1 || len(p.Through()) != 0 {
		t.Errorf("shown %d times, through to %v", p.Refused(), p.Through())
	}
	if err := os.WriteFile(file, []byte("ana:right\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := d.until("in sync again", func(s control.Status) bool {
		return idle(s) && s.Stores[0].Items == 1 && s.Push.State == "connected"
	})
	if now.Session.ID == before.Session.ID || now.Advice != "" {
		t.Errorf("%+v", now)
	}
}

// manage lets settings of the network change, by what is written in a configuration file.
func (d *device) manage(server string) *managed.Settings {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "alwayson.toml")
	text := "device = \"d\"\nstate = \"" + d.o.StateDir + "\"\n[account]\nserver = \"" + server + "\"\nuser = \"ana\"\nsecret_file = \"secret\"\n" +
		"[session]\nprobation = \"1s\"\n[[store]]\nname = \"contacts\"\nkind = \"contacts\"\ndir = \"" + d.dir + "\"\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
	s, err := managed.Open(path, time.Now)
	if err != nil {
		d.t.Fatal(err)
	}
	o := d.o
	d.o.Managed = &agent.Managed{Settings: s, Options: func() (agent.Options, error) {
		o.Managed, o.Server, o.Network = d.o.Managed, server, agent.Network(s.Config().Network)
		return o, nil
	}}
	return s
}

// TestAProxyThatDoesNotWorkIsTakenBack is S10 and S18: the device returns by itself, and the administrator is told why.
func TestAProxyThatDoesNotWorkIsTakenBack(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.o.Session = impatient()
	settings := d.manage(s.http.URL)
	d.start(s.http.URL)
	d.on()
	good := proxytest.HTTP(t, nil)
	if effect, err := settings.Set(managed.Pushed, map[string]*string{"network.proxy": &good.URL}); err != nil || effect.String() != "restart" {
		t.Fatal(effect, err)
	}
	d.until("in use", func(s control.Status) bool { return s.Proxy == good.URL && idle(s) && len(good.Through()) > 0 })
	p := proxytest.SOCKS(t)
	p.Deny = func(string) bool { return true }
	if _, err := settings.Set(managed.Pushed, map[string]*string{"network.proxy": &p.URL}); err != nil {
		t.Fatal(err)
	}
	spoilt := d.until("tried", func(s control.Status) bool {
		return s.Proxy == p.URL && strings.Contains(s.Summary, "refuses to connect")
	})
	if idle(spoilt) {
		t.Errorf("%+v", spoilt)
	}
	d.until("back", func(s control.Status) bool { return s.Proxy == good.URL && idle(s) })
	if why := settings.Report()["network.proxy"]; !strings.Contains(why, "the proxy "+p.URL+" refuses to connect") {
		t.Errorf("told: %q", why)
	}
}

// places are networks into which a device is carried.
type places struct {
	here atomic.Pointer[link.Network]
	hint chan string
}

func newPlaces(o *agent.Options) *places {
	p := &places{hint: make(chan string, 10)}
	p.here.Store(network("eth0"))
	o.Here = func() link.Network { return *p.here.Load() }
	o.Link = func(ctx context.Context, hint func(string)) {
		for {
			select {
			case reason := <-p.hint:
				hint(reason)
			case <-ctx.Done():
				return
			}
		}
	}
	return p
}

func network(name string) *link.Network {
	n := &link.Network{Ways: []link.Interface{{Name: name}}, Gateway: "192.0.2.1"}
	if strings.HasPrefix(name, "wl") {
		n.Ways[0].Kind = link.Wifi
	}
	return n
}

func (p *places) move(name string) {
	p.here.Store(network(name))
	p.hint <- link.Changed
}

// TestANetworkThatIsNotAllowed is S18: in it the session waits and says why, nothing leaves unless the user says so, and in an allowed one it goes on at once.
func TestANetworkThatIsNotAllowed(t *testing.T) {
	var p *places
	s, d := pushedWith(t, func(o *agent.Options) {
		p = newPlaces(o)
		o.Network.Allowed = "eth* !eth9"
		o.Session = session.DefaultConfig()
		o.Session.Backoff, o.Session.MaxPause = time.Hour, time.Hour // nothing but the network lets it go on
		o.Push.MaxPause = time.Hour
	})
	p.move("wwan0")
	waits := d.until("waiting", func(s control.Status) bool {
		return s.State == "retrying" && s.NotAllowed && s.Push.State == "connecting" && strings.Contains(s.Push.Reason, "wwan0")
	})
	if !strings.Contains(waits.Summary, "network wwan0 is not allowed") || waits.Advice != "alwayson sync --any-network" || waits.Network != "wwan0" {
		t.Errorf("%+v", waits)
	}
	if x := d.last(); x.Problem != control.Unreachable || !strings.Contains(x.Error, "network wwan0 is not allowed") {
		t.Errorf("%+v", x)
	}
	d.write("1.vcf", card("u1", "Ana"))
	put(t, s, "g2", card("u2", "Ben"))
	n := len(d.log())
	var refused *control.Error
	if _, err := d.c.Sync(t.Context(), true); !errors.As(err, &refused) || refused.Problem != control.Unreachable || !strings.Contains(refused.Text, "--any-network") {
		t.Errorf("by hand: %v", err)
	}
	if got := len(d.log()); got != n {
		t.Errorf("%d more exchanges", got-n)
	}
	if x, err := d.c.SyncWith(t.Context(), control.SyncRequest{Wait: true, AnyNetwork: true}); err != nil || x.Error != "" || x.Stores[0].Sent != 1 || x.Stores[0].Received != 1 {
		t.Errorf("%+v %v", x, err)
	}
	d.write("3.vcf", card("u3", "Cem")) // the next one is not by hand
	d.until("waiting again", func(s control.Status) bool { return s.State == "retrying" && s.Stores[0].Pending == 1 })
	p.move("eth1")
	now := d.until("in sync", func(s control.Status) bool { return idle(s) && s.Push.State == "connected" && s.Stores[0].Items == 3 })
	if now.NotAllowed || now.Network != "eth1" {
		t.Errorf("%+v", now)
	}
}

// TestNetworksThatThisDeviceHasNotAreTakenBack is S10 for network.allowed; what the device has, but does not use now, is what was wished.
func TestNetworksThatThisDeviceHasNotAreTakenBack(t *testing.T) {
	push := func(allowed string) (*device, *places, *managed.Settings) {
		s, d := newEndpoint(t), newDevice(t)
		d.o.Session = impatient()
		p := newPlaces(&d.o)
		here := network("eth0")
		here.Others = []link.Interface{{Name: "wlp3s0", Kind: link.Wifi}}
		p.here.Store(here)
		settings := d.manage(s.http.URL)
		d.start(s.http.URL)
		d.on()
		if _, err := settings.Set(managed.Pushed, map[string]*string{"network.allowed": &allowed}); err != nil {
			t.Fatal(err)
		}
		d.until("not allowed", func(s control.Status) bool { return s.NotAllowed })
		return d, p, settings
	}
	d, _, settings := push("eth9")
	d.until("back", func(s control.Status) bool { return !s.NotAllowed && idle(s) })
	if why := settings.Report()["network.allowed"]; !strings.Contains(why, "network eth0 is not allowed") {
		t.Errorf("told: %q", why)
	}
	d.stop()
	d, p, settings := push("wifi")
	until, on := settings.OnProbation()
	if !on {
		t.Error("no probation")
	}
	time.AfterFunc(time.Until(until.Add(100*time.Millisecond)), func() { p.move("wlp3s0") })
	d.until("in sync over the other one", func(s control.Status) bool { return s.Network == "wlp3s0" && idle(s) })
	if report := settings.Report(); len(report) != 0 || settings.Config().Network.Allowed != "wifi" {
		t.Errorf("%v, %q", report, settings.Config().Network.Allowed)
	}
}

// gate is an address of a broker that lets nobody through while it is shut.
type gate struct {
	l     net.Listener
	calls atomic.Int32
	alive atomic.Uint32 // seconds, of the last one that was let through
	to    atomic.Pointer[string]
}

func newGate(t *testing.T) *gate {
	t.Helper()
	g := new(gate)
	var err error
	if g.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := g.l.Accept()
			if err != nil {
				return
			}
			g.calls.Add(1)
			if to := g.to.Load(); to != nil {
				wg.Go(func() { g.pass(conn, *to) })
				continue
			}
			conn.Close() //nolint:errcheck // that is what it is for
		}
	})
	t.Cleanup(func() { g.l.Close(); wg.Wait() })
	return g
}

func (g *gate) url() string { return "mqtt://" + g.l.Addr().String() }

func (g *gate) open(broker string) {
	to := strings.TrimPrefix(broker, "mqtt://")
	g.to.Store(&to)
}

// pass reads the keep-alive of a CONNECT packet (MQTT 3.1.1 section 3.1) on its way.
func (g *gate) pass(conn net.Conn, to string) {
	defer conn.Close() //nolint:errcheck // of a test
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // of a test
	packet := make([]byte, 4096)
	n, err := conn.Read(packet)
	if err != nil {
		return
	}
	if i := strings.Index(string(packet[:n]), "MQTT\x04"); i >= 0 {
		g.alive.Store(uint32(packet[i+6])<<8 | uint32(packet[i+7]))
	}
	if _, err := server.Write(packet[:n]); err != nil {
		return
	}
	go func() {
		io.Copy(conn, server) //nolint:errcheck // of a test
		conn.Close()          //nolint:errcheck // of a test
	}()
	io.Copy(server, conn) //nolint:errcheck // of a test
}

// TestTheBrokerIsReachedByAnotherAddress is S18: where the network does not let the device reach the broker, the next address is tried; what works is
// remembered for that network over a restart, and a better one is tried from time to time.
func TestTheBrokerIsReachedByAnotherAddress(t *testing.T) {
	first, second := newGate(t), newGate(t)
	var p *places
	s, d := pushedWith(t, func(o *agent.Options) {
		p = newPlaces(o)
		second.open(o.Push.Broker)
		o.Push.Broker, o.Push.Fallbacks = first.url(), []string{second.url()}
	})
	via := func(want string) func(s control.Status) bool {
		return func(s control.Status) bool {
			return s.Push.State == "connected" && s.Push.Via == want && s.Push.Broker == first.url() && idle(s)
		}
	}
	d.until("connected by the second", via(second.url()))
	put(t, s, "g1", card("u1", "Ana"))
	d.until("pushed", func(s control.Status) bool { return s.Stores[0].Items == 1 && s.Push.LastTrigger != nil && idle(s) })
	calls := first.calls.Load()
	d.stop()
	d.start(d.o.Server)
	d.until("connected after a restart", via(second.url()))
	if now := first.calls.Load(); now != calls {
		t.Errorf("the first one was tried %d times more", now-calls)
	}
	p.move("wlan0")
	d.until("connected in another network", func(s control.Status) bool { return via(second.url())(s) && first.calls.Load() == calls+1 })
	p.move("eth0")
	d.until("connected in the former network", func(s control.Status) bool { return via(second.url())(s) && s.Network == "eth0" })
	if now := first.calls.Load(); now != calls+1 {
		t.Errorf("the first one was tried %d times more", now-calls)
	}
	first.open(s.BrokerURL())
	if err := d.change(func(o *agent.Options) { o.Push.Climb, o.Push.Heartbeat = time.Millisecond, 7*time.Second }); err != nil {
		t.Fatal(err)
	}
	d.until("connected by the first", via(""))
	if first.alive.Load() != 7 {
		t.Errorf("the heartbeat is %d s", first.alive.Load())
	}
}

// TestAnotherHeartbeatIsAnotherConnectionToTheBroker and nothing else: the session stays (S18).
func TestAnotherHeartbeatIsAnotherConnectionToTheBroker(t *testing.T) {
	g := newGate(t)
	_, d := pushedWith(t, func(o *agent.Options) {
		g.open(o.Push.Broker)
		o.Push.Broker = g.url()
	})
	before, err := d.c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if g.alive.Load() != 50 {
		t.Errorf("the heartbeat is %d s", g.alive.Load())
	}
	if err := d.change(func(o *agent.Options) { o.Push.Heartbeat = time.Minute }); err != nil {
		t.Fatal(err)
	}
	now := d.until("connected with it", func(s control.Status) bool {
		return s.Push.State == "connected" && g.alive.Load() == 60 && idle(s)
	})
	if now.Session.ID != before.Session.ID {
		t.Errorf("session %s, want %s", now.Session.ID, before.Session.ID)
	}
}

// TestAFallbackIsNotShownWhatTheBrokerRefused is A10: credentials are refused by the broker, not by an address of it.
func TestAFallbackIsNotShownWhatTheBrokerRefused(t *testing.T) {
	second := newGate(t)
	_, d := pushedWith(t, func(o *agent.Options) { second.open(o.Push.Broker); o.Push.Fallbacks = []string{second.url()} })
	if err := d.change(func(o *agent.Options) { o.Push.Password = "wrong" }); err != nil {
		t.Fatal(err)
	}
	now := d.until("refused", func(s control.Status) bool { return s.Push.State == "refused" })
	if !now.Push.NeedsCredentials || second.calls.Load() != 0 || !slices.Contains([]string{"alwayson login", "alwayson login --push"}, now.Push.Advice) {
		t.Errorf("%+v, %d calls", now.Push, second.calls.Load())
	}
}

// TestAPortalIsNoServer is pain 18: what a network answers that wants the user to sign in is told as that, spends no credentials, breaks no session, and
// when it lets the device through, everything goes on by itself.
func TestAPortalIsNoServer(t *testing.T) {
	var asked atomic.Int32
	portal := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer portal.Close()
	s, d := newEndpoint(t), newDevice(t)
	p := newPlaces(&d.o)
	var shut atomic.Pointer[http.HandlerFunc]
	served := s.http.Config.Handler
	s.http.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := shut.Load(); h != nil {
			(*h)(w, r)
			return
		}
		served.ServeHTTP(w, r)
	})
	d.o.Session = impatient()
	d.o.Session.Attempts = 2
	d.start(s.http.URL)
	d.on()
	before := d.until("in sync", idle)
	for name, h := range map[string]http.HandlerFunc{
		"wants you to go to": http.RedirectHandler(strings.Replace(portal.URL, "127.0.0.1", "localhost", 1), http.StatusTemporaryRedirect).ServeHTTP,
		"shows a page":       func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html><form>") }, //nolint:errcheck // of a test
		"says so itself":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNetworkAuthenticationRequired) },
	} {
		shut.Store(&h)
		for range 3 { // more attempts than a lost link is given
			n := len(d.log())
			p.move("wlan0")
			d.until("tried", func(control.Status) bool { return len(d.log()) > n })
		}
		waits := d.until(name, func(s control.Status) bool { return s.State == "retrying" && s.Portal })
		if !strings.Contains(waits.Summary, "wants you to sign in") || !strings.Contains(waits.Summary, name) || !strings.Contains(waits.Advice, "browser") ||
			waits.Problem != "" || waits.Session.ID != before.Session.ID || waits.Next == nil || time.Until(*waits.Next) > time.Minute {
			t.Errorf("%s: %+v", name, waits)
		}
		if x := d.last(); x.Problem != control.Unreachable || !strings.Contains(x.Error, "wants you to sign in") {
			t.Errorf("%s: %+v", name, x)
		}
		shut.Store(nil)
		p.move("wlan0")
		now := d.until("in sync again", func(s control.Status) bool { return idle(s) && !s.Portal })
		if now.Session.ID != before.Session.ID || now.Advice != "" {
			t.Errorf("%s: %+v", name, now)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the portal got what the server should get, %d times", n)
	}
}

// TestMeteredAndBattery is pain 17 and 16: what they withhold is said, with what to type; it waits, by hand it goes, and when it is over it goes on.
func TestMeteredAndBattery(t *testing.T) {
	var charge atomic.Int32
	charge.Store(100)
	s, d := newEndpoint(t), newDevice(t)
	p := newPlaces(&d.o)
	d.o.Session = impatient()
	d.o.Network.Metered, d.o.Battery = "no", power.No
	d.o.Power = func() power.Facts { return power.Facts{Battery: true, Percent: int(charge.Load())} }
	d.start(s.http.URL)
	d.on()
	metered := network("eth1")
	metered.Metered = true
	for name, c := range map[string]struct {
		begin, end func()
		hand       control.SyncRequest
		typed      string
	}{
		"network eth1 is metered": {func() { p.here.Store(metered) }, func() { p.move("eth0") }, control.SyncRequest{Wait: true, AnyNetwork: true}, "alwayson sync --any-network"},
		"the battery is at 9 %":   {func() { charge.Store(9) }, func() { charge.Store(80) }, control.SyncRequest{Wait: true}, "alwayson sync"},
	} {
		before := d.until("in sync", idle).Stores[0].Items
		c.begin()
		d.write(name+"1.vcf", card(name, "Ana"))
		waits := d.until(name, func(s control.Status) bool {
			return s.Withheld == name && (s.State == "retrying" || s.State == "lost") && s.Stores[0].Pending == 1
		})
		if !strings.HasPrefix(waits.Summary, name+"; nothing is lost") || waits.Advice != c.typed || waits.Problem != "" {
			t.Errorf("%+v", waits)
		}
		requests := s.requests.Load()
		if x, err := d.c.SyncWith(t.Context(), c.hand); err != nil || x.Error != "" || x.Stores[0].Sent != 1 {
			t.Errorf("%s, by hand: %+v %v", name, x, err)
		}
		if s.requests.Load() == requests {
			t.Error("nothing was sent by hand")
		}
		d.write(name+"2.vcf", card(name+"2", "Ben"))
		d.until("waiting again", func(s control.Status) bool { return s.State == "retrying" && s.Stores[0].Pending == 1 })
		c.end()
		if now := d.until("on again", idle); now.Withheld != "" || now.Advice != "" || now.Stores[0].Items != before+2 || now.Stores[0].Pending != 0 {
			t.Errorf("%s: %+v", name, now)
		}
	}
}
