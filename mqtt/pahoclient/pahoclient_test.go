package pahoclient_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/mqtt/broker"
	"github.com/alwayson-sync/alwayson/mqtt/pahoclient"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// site is a broker that can be stopped and started again at the same address.
type site interface {
	url() string
	start(t *testing.T)
	stop(t *testing.T)
}

type embedded struct {
	dir, addr string
	b         *broker.Broker
}

func (e *embedded) url() string { return "mqtt://" + e.addr }

func (e *embedded) start(t *testing.T) {
	t.Helper()
	var err error
	e.b, err = broker.Start(broker.Options{Addr: e.addr, StoreDir: e.dir, Authorize: func(user, password string) (broker.Rights, bool) {
		if user == "server" {
			return broker.Rights{}, password == "right"
		}
		return broker.Rights{Publish: []string{"alwayson/" + user + "/presence"}, Subscribe: []string{"alwayson/" + user + "/notify"}}, password == "right"
	}})
	if err != nil {
		t.Fatal(err)
	}
	e.addr = e.b.Addr()
}

func (e *embedded) stop(*testing.T) { e.b.Close() }

// mosquitto is the broker that most sites run.
type mosquitto struct {
	dir, port string
	cmd       *exec.Cmd
}

func newMosquitto(t *testing.T) *mosquitto {
	t.Helper()
	pimtest.Program(t, "/usr/sbin/mosquitto", "mosquitto")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := &mosquitto{dir: t.TempDir(), port: strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
	for _, user := range []string{"server", "d1"} {
		flags := []string{"-b", filepath.Join(m.dir, "passwd"), user, "right"}
		if user == "server" {
			flags = append([]string{"-c"}, flags...)
		}
		if out, err := exec.Command("mosquitto_passwd", flags...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	m.write(t, "acl", "user server\ntopic readwrite #\nuser d1\ntopic read alwayson/d1/notify\ntopic write alwayson/d1/presence\n")
	m.write(t, "conf", fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous false\npassword_file %s/passwd\nacl_file %s/acl\n"+
		"persistence true\npersistence_location %s/\nautosave_on_changes true\nautosave_interval 1\n", m.port, m.dir, m.dir, m.dir))
	if os.Getuid() == 0 { // it changes to a user of its own
		if err := os.Chmod(m.dir, 0o777); err != nil { //nolint:gosec // a temporary folder of this test
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(m.dir), 0o755); err != nil { //nolint:gosec // likewise
			t.Fatal(err)
		}
	}
	return m
}

func (m *mosquitto) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // Mosquitto's own user reads it
		t.Fatal(err)
	}
}

func (m *mosquitto) url() string { return "mqtt://127.0.0.1:" + m.port }

func (m *mosquitto) start(t *testing.T) {
	t.Helper()
	m.cmd = exec.Command("/usr/sbin/mosquitto", "-c", filepath.Join(m.dir, "conf"))
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

func (m *mosquitto) stop(*testing.T) {
	m.cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended
	m.cmd.Wait()                       //nolint:errcheck // by the signal
}

// each runs a test with each broker.
func each(t *testing.T, test func(t *testing.T, s site)) {
	t.Run("embedded", func(t *testing.T) { with(t, &embedded{dir: t.TempDir()}, test) })
	t.Run("mosquitto", func(t *testing.T) { with(t, newMosquitto(t), test) })
}

func with(t *testing.T, s site, test func(t *testing.T, s site)) {
	s.start(t)
	var once sync.Once
	defer once.Do(func() { s.stop(t) })
	test(t, s)
}

// peer is a client with what happened to it.
type peer struct {
	t        *testing.T
	c        *pahoclient.Client
	received chan mqtt.Message
	up       chan bool
	lost     chan error
	end      func()
}

func dial(t *testing.T, url, id, user, password string, change func(*mqtt.Config)) *peer {
	t.Helper()
	p := &peer{t: t, received: make(chan mqtt.Message, 100), up: make(chan bool, 100), lost: make(chan error, 1000)}
	c := mqtt.Config{Broker: url, ClientID: id, Credentials: func() (string, string) { return user, password }, MinPause: 10 * time.Millisecond, MaxPause: 50 * time.Millisecond,
		Received: func(m mqtt.Message) { p.received <- m }, Connected: func(present bool) { p.up <- present }, Lost: func(err error) { p.lost <- err }}
	if change != nil {
		change(&c)
	}
	var err error
	if p.c, err = pahoclient.New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.c.Run(ctx) }()
	p.end = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(p.end)
	return p
}

func take[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
	}
	panic("not reached")
}

const notify = "alwayson/d1/notify"

func device(c *mqtt.Config) { c.Topics = []string{notify} }

// TestAMessageArrives, also one that was sent while the device was away, and over a restart of the broker.
func TestAMessageArrives(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		srv := dial(t, s.url(), "srv", "server", "right", nil)
		take(t, "connection of the server", srv.up)
		d := dial(t, s.url(), "d1", "d1", "right", device)
		if take(t, "connection", d.up) {
			t.Error("the broker remembers a device that was never there")
		}
		send(t, srv, "1")
		d.gets("1")
		d.end()
		send(t, srv, "2")
		d = dial(t, s.url(), "d1", "d1", "right", device)
		if !take(t, "connection", d.up) {
			t.Error("the broker forgot the device")
		}
		d.gets("2")
		s.stop(t)
		take(t, "loss", d.lost)
		if err := d.c.Publish(t.Context(), mqtt.Message{Topic: notify}); !errors.Is(err, mqtt.ErrDisconnected) {
			t.Errorf("published without a broker: %v", err)
		}
		s.start(t)
		d.c.Kick()
		take(t, "connection", d.up)
		take(t, "connection of the server", srv.up)
		send(t, srv, "3")
		d.gets("3")
	})
}

func send(t *testing.T, p *peer, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := p.c.Publish(ctx, mqtt.Message{Topic: notify, Payload: []byte(text)}); err != nil {
		t.Fatal(err)
	}
}

// gets waits for a message; earlier ones may come again (QoS 1).
func (p *peer) gets(text string) {
	p.t.Helper()
	for {
		if m := take(p.t, "message "+text, p.received); string(m.Payload) == text {
			return
		}
	}
}

// TestRefusalsHaveNames: what trying again does not cure.
func TestRefusalsHaveNames(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		wait := dial(t, s.url(), "srv", "server", "right", nil)
		take(t, "connection", wait.up) // the broker is up
		p := dial(t, s.url(), "d1", "d1", "wrong", device)
		if err := take(t, "refusal", p.lost); !errors.Is(err, mqtt.ErrCredentials) {
			t.Errorf("wrong password: %v", err)
		}
		p.end()
		if m, ok := s.(*mosquitto); ok && m != nil {
			return // it grants every subscription and delivers nothing
		}
		p = dial(t, s.url(), "d1", "d1", "right", func(c *mqtt.Config) { c.Topics = []string{"alwayson/d2/notify"} })
		if err := take(t, "refusal", p.lost); !errors.Is(err, mqtt.ErrSubscription) {
			t.Errorf("foreign topic: %v", err)
		}
	})
}

// TestAnotherDeviceWithOurID: they throw each other out; both are told.
func TestAnotherDeviceWithOurID(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		a := dial(t, s.url(), "d1", "d1", "right", device)
		take(t, "connection", a.up)
		dial(t, s.url(), "d1", "d1", "right", device)
		for range 50 {
			if errors.Is(take(t, "loss that is named", a.lost), mqtt.ErrTakenOver) {
				return
			}
		}
		t.Error("50 losses, and none of them was named")
	})
}

// TestAWillIsSent when the connection breaks, and not when it ends well.
func TestAWillIsSent(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		l := link(t, s.url())
		srv := dial(t, s.url(), "srv", "server", "right", func(c *mqtt.Config) { c.Topics = []string{"alwayson/+/presence"} })
		take(t, "connection", srv.up)
		d := dial(t, "mqtt://"+l.addr, "d1", "d1", "right", func(c *mqtt.Config) {
			c.Will = &mqtt.Message{Topic: "alwayson/d1/presence", Payload: []byte("offline"), Retain: true}
		})
		take(t, "connection", d.up)
		l.cut()
		srv.gets("offline")
	})
}

// TestAWishMayBeRefused: what is only wished for comes if the broker allows it, and costs no connection if it does not.
func TestAWishMayBeRefused(t *testing.T) {
	each(t, func(t *testing.T, s site) {
		wish := func(c *mqtt.Config) { c.Wishes = []string{"alwayson/+/presence"} }
		srv := dial(t, s.url(), "srv", "server", "right", wish)
		take(t, "connection", srv.up)
		d := dial(t, s.url(), "d1", "d1", "right", wish)
		take(t, "connection", d.up)
		if err := d.c.Publish(t.Context(), mqtt.Message{Topic: "alwayson/d1/presence", Payload: []byte("online"), Retain: true}); err != nil {
			t.Error(err)
		}
		srv.gets("online")
	})
}

// TestALinkThatSwallowsEverythingIsNoticed by keep-alive.
func TestALinkThatSwallowsEverythingIsNoticed(t *testing.T) {
	e := &embedded{dir: t.TempDir()}
	e.start(t)
	defer e.stop(t)
	l := link(t, e.url())
	d := dial(t, "mqtt://"+l.addr, "d1", "d1", "right", func(c *mqtt.Config) { c.KeepAlive = time.Second })
	take(t, "connection", d.up)
	l.swallow()
	take(t, "loss", d.lost)
}

// TestAChangeOfTheNetworkIsNoKeepAlive: the connection over the former network hangs, and the next one stands at once (L8). Many changes
// are no second device of the same name.
func TestAChangeOfTheNetworkIsNoKeepAlive(t *testing.T) {
	e := &embedded{dir: t.TempDir()}
	e.start(t)
	defer e.stop(t)
	former := link(t, e.url())
	d := dial(t, "mqtt://"+former.addr, "d1", "d1", "right", func(c *mqtt.Config) {
		device(c)
		c.KeepAlive = time.Hour // the broker may close one of so many connections in a row by itself, and that is tried again
	})
	take(t, "connection", d.up)
	former.swallow()
	former.heal()
	for range 5 {
		d.c.Kick()
		if err := take(t, "loss", d.lost); errors.Is(err, mqtt.ErrTakenOver) {
			t.Fatal(err)
		}
		take(t, "connection", d.up)
	}
	server := dial(t, e.url(), "server", "server", "right", nil)
	take(t, "connection", server.up)
	if err := server.c.Publish(t.Context(), mqtt.Message{Topic: notify, Payload: []byte("now")}); err != nil {
		t.Fatal(err)
	}
	take(t, "message", d.received)
}

// TestABrokerThatSaysNothingHoldsNobodyUp: neither a change of the network nor the end waits for its answer.
func TestABrokerThatSaysNothingHoldsNobodyUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, scheme := range []string{"mqtt://", "mqtts://"} {
		d := dial(t, scheme+l.Addr().String(), "d1", "d1", "right", nil)
		for range 2 {
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			d.c.Kick()
			if err := take(t, "loss", d.lost); !strings.Contains(err.Error(), "network has changed") {
				t.Error(err)
			}
		}
		d.end()
	}
}

// TestTheBrokerProvesWhoItIs: the certificate is checked against the host's name.
func TestTheBrokerProvesWhoItIs(t *testing.T) {
	for _, c := range []struct {
		host string
		ok   bool
	}{{"", true}, {"localhost", false}} {
		e := &embedded{dir: t.TempDir()}
		e.start(t)
		defer e.stop(t)
		s := httptest.NewUnstartedServer(nil)
		s.StartTLS()
		defer s.Close()
		l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12})
		if err != nil {
			t.Fatal(err)
		}
		addr := forward(t, l, e.url()).addr
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		d := dial(t, "mqtts://"+addr, "d1", "d1", "right", func(m *mqtt.Config) {
			m.TLS = &tls.Config{RootCAs: roots, ServerName: c.host, MinVersion: tls.VersionTLS12}
		})
		if c.ok {
			take(t, "connection", d.up)
		} else if err := take(t, "loss", d.lost); !strings.Contains(err.Error(), "certificate") {
			t.Error(err)
		}
		d.end()
	}
}

// proxy is a link between client and broker that can be cut, or swallow everything.
type proxy struct {
	addr  string
	mu    sync.Mutex
	conns []net.Conn
	dead  chan struct{} // closed: what stands swallows everything
}

func (p *proxy) swallow() { close(p.current()) }

// heal lets new connections through; those that swallow go on swallowing.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dead = make(chan struct{})
}

func (p *proxy) current() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func link(t *testing.T, broker string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return forward(t, l, broker)
}

// forward connects what comes in with the broker.
func forward(t *testing.T, l net.Listener, broker string) *proxy {
	t.Helper()
	p := &proxy{addr: l.Addr().String(), dead: make(chan struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", broker[len("mqtt://"):])
			if err != nil {
				c.Close()
				continue
			}
			dead := p.current()
			p.mu.Lock()
			p.conns = append(p.conns, c, b)
			p.mu.Unlock()
			wg.Go(func() { pump(b, c, dead) })
			wg.Go(func() { pump(c, b, dead) })
		}
	})
	t.Cleanup(func() { l.Close(); p.cut(); wg.Wait() })
	return p
}

func pump(to, from net.Conn, dead <-chan struct{}) {
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if err != nil {
			to.Close()
			return
		}
		select {
		case <-dead:
			continue
		default:
		}
		if _, err := to.Write(buf[:n]); err != nil {
			from.Close()
			return
		}
	}
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
