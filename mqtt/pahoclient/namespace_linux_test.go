package pahoclient_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"

	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/mqtt/broker"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

const inside = "ALWAYSON_TEST_NAMESPACE"

// TestPortOfHTTPS: a broker that shares port 443 with others is told what is spoken (ALPN); elsewhere nothing is said of that.
func TestPortOfHTTPS(t *testing.T) {
	if os.Getenv(inside) == "" {
		out, err := testenv.InNamespace(t, inside+"=1").CombinedOutput()
		if t.Logf("%s", out); err != nil {
			t.Error(err)
		}
		return
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certified.Certificate())
	offered := make(chan []string, 10)
	for addr, want := range map[string][]string{"127.0.0.1:443": {"mqtt"}, "127.0.0.1:8883": nil} {
		conf := &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1", "mqtt"},
			GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) { offered <- h.SupportedProtos; return nil, nil }}
		b, err := broker.Start(broker.Options{Addr: addr, StoreDir: t.TempDir(), TLS: conf})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		d := dial(t, "mqtts://"+addr, "d1", "", "", func(c *mqtt.Config) { c.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12} })
		take(t, "connection", d.up)
		if got := take(t, "hello", offered); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
		d.end()
	}
}
