package pahoclient_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/alwayson-sync/alwayson/mqtt"
)

// free is a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// webSockets is a broker over web sockets, in the clear and over TLS. Frames are cut where no packet ends.
func webSockets(t *testing.T) (ws, wss string, roots *x509.CertPool) {
	t.Helper()
	e := &embedded{dir: t.TempDir()}
	e.start(t)
	t.Cleanup(func() { e.stop(t) })
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	h := http.NewServeMux()
	h.HandleFunc("/mqtt", func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{Subprotocols: []string{"mqtt"}}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		wg.Add(1)
		defer wg.Done()
		bridge(conn, e.addr)
	})
	plain, secure := httptest.NewServer(h), httptest.NewTLSServer(h)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	roots = x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	return "ws" + strings.TrimPrefix(plain.URL, "http") + "/mqtt", "wss" + strings.TrimPrefix(secure.URL, "https") + "/mqtt", roots
}

// bridge connects a web socket with the broker.
func bridge(conn *websocket.Conn, broker string) {
	defer conn.Close()
	b, err := net.Dial("tcp", broker)
	if err != nil {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	defer b.Close()
	wg.Go(func() {
		defer conn.Close()
		buf := make([]byte, 3)
		for {
			n, err := b.Read(buf)
			if err != nil || conn.WriteMessage(websocket.BinaryMessage, buf[:n]) != nil {
				return
			}
		}
	})
	for {
		_, r, err := conn.NextReader()
		if err != nil {
			return
		}
		if _, err := io.Copy(b, r); err != nil {
			return
		}
	}
}

// reached notes by which address a client is connected.
type reached struct {
	mu sync.Mutex
	by string
}

func (r *reached) note(broker string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by = broker
}

func (r *reached) is() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by
}

// TestTheNextAddressWhereTheNetworkLetsNothingThrough: refused, no web socket; then one that works, with messages both ways.
func TestTheNextAddressWhereTheNetworkLetsNothingThrough(t *testing.T) {
	ws, wss, roots := webSockets(t)
	refused := "mqtts://127.0.0.1:" + free(t)
	for _, last := range []string{ws, wss} {
		var r reached
		d := dial(t, refused, "server", "server", "right", func(c *mqtt.Config) {
			device(c)
			c.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
			c.Brokers = func() []string {
				return []string{refused, strings.TrimSuffix(wss, "mqtt") + "nothing", last}
			}
			c.Reached = r.note
		})
		take(t, "connection", d.up)
		if r.is() != last {
			t.Errorf("reached by %s, want %s", r.is(), last)
		}
		send(t, d, "by "+last)
		d.gets("by " + last)
		d.end()
	}
}

// TestWhatIsInTheWayOfEachAddress is said once, and the first address first.
func TestWhatIsInTheWayOfEachAddress(t *testing.T) {
	refused := "mqtts://127.0.0.1:" + free(t)
	_, wss, _ := webSockets(t)
	d := dial(t, refused, "d1", "", "", func(c *mqtt.Config) { c.Brokers = func() []string { return []string{refused, wss} } })
	err := take(t, "loss", d.lost).Error()
	if !strings.HasPrefix(err, "cannot reach the broker: dial tcp ") || !strings.Contains(err, "connection refused; "+wss+": ") || !strings.Contains(err, "certificate") ||
		strings.Count(err, "cannot reach the broker") != 1 {
		t.Error(err)
	}
}

// TestABrokerThatRefusesUsIsNotAskedTwice: credentials are not tried at its other addresses.
func TestABrokerThatRefusesUsIsNotAskedTwice(t *testing.T) {
	e := &embedded{dir: t.TempDir()}
	e.start(t)
	defer e.stop(t)
	second := link(t, e.url())
	d := dial(t, e.url(), "d1", "d1", "wrong", func(c *mqtt.Config) {
		c.Brokers = func() []string { return []string{e.url(), "mqtt://" + second.addr} }
	})
	if err := take(t, "refusal", d.lost); !errors.Is(err, mqtt.ErrCredentials) {
		t.Error(err)
	}
	second.mu.Lock()
	defer second.mu.Unlock()
	if len(second.conns) != 0 {
		t.Error("the second address was tried")
	}
}
