package clientcert_test

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert/certtest"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
)

// server requires certificates of an authority.
func server(t *testing.T, ca *certtest.CA) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // the client looks at the answer
		io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Server(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool()}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func post(t *testing.T, url string, c *clientcert.Certificate, ca *certtest.CA) (string, error) {
	t.Helper()
	client := &http.Client{Transport: clientcert.NewTransport(c, &tls.Config{RootCAs: ca.Pool()}, new(egress.Way))}
	defer client.CloseIdleConnections()
	res, err := client.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 20000)))
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// TestARefusedCertificateIsNamed is A10: what the other side refuses is no failure of the link, and the reason says what to do.
func TestARefusedCertificateIsNamed(t *testing.T) {
	ca, other := certtest.New(t), certtest.New(t)
	s := server(t, ca)
	hour := time.Hour
	for _, c := range []struct {
		name string
		cert *clientcert.Certificate
		want string
	}{
		{"good", open(t, ca, -hour, hour), ""},
		{"expired", open(t, ca, -2*hour, -hour), "client certificate expired on "},
		{"not yet valid", open(t, ca, hour, 2*hour), "client certificate is not valid before "},
		{"of another authority", open(t, other, -hour, hour), "does not know the authority that signed it"},
		{"none", nil, "requires a client certificate, and this device has none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 50 { // the alert comes while the request is under way
				who, err := post(t, s.URL, c.cert, ca)
				var refused *dsclient.CertificateError
				switch {
				case c.want == "" && (err != nil || who != "device"):
					t.Fatal(who, err)
				case c.want != "" && (!errors.As(err, &refused) || !strings.Contains(refused.What, c.want) || refused.Remedy == ""):
					t.Fatal(err)
				}
			}
		})
	}
}

func open(t *testing.T, ca *certtest.CA, from, to time.Duration) *clientcert.Certificate {
	t.Helper()
	cert, key := ca.Client(t, t.TempDir(), "device", time.Now().Add(from), time.Now().Add(to))
	c, err := clientcert.Open(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestARenewedCertificateIsRead without a restart, and what does not fit together in the middle of a renewal is not used.
func TestARenewedCertificateIsRead(t *testing.T) {
	ca, dir := certtest.New(t), t.TempDir()
	s := server(t, ca)
	now := time.Now()
	certFile, keyFile := ca.Client(t, dir, "former", now.Add(-time.Hour), now.Add(time.Hour))
	c, err := clientcert.Open(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	id := c.ID(now)
	key, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	ca.Client(t, dir, "later", now.Add(-time.Hour), now.Add(2*time.Hour))
	later, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	write(t, keyFile, key)
	if who, err := post(t, s.URL, c, ca); err != nil || who != "former" || !strings.Contains(c.Problem(now), "do not belong together") {
		t.Errorf("in the middle of a renewal: %s %v, %q", who, err, c.Problem(now))
	}
	write(t, keyFile, later)
	if who, err := post(t, s.URL, c, ca); err != nil || who != "later" || c.ID(now) == id || c.Problem(now) != "" {
		t.Errorf("after it: %s %v, %q", who, err, c.Problem(now))
	}
}

// TestTheIDChangesWhenTheTimeComes so that a certificate that was refused too early is tried again.
func TestTheIDChangesWhenTheTimeComes(t *testing.T) {
	c := open(t, certtest.New(t), time.Hour, 2*time.Hour)
	if c.ID(time.Now()) == c.ID(time.Now().Add(90*time.Minute)) {
		t.Error("the same")
	}
}

// TestFilesThatCannotBeUsedAreNamed before anything runs.
func TestFilesThatCannotBeUsedAreNamed(t *testing.T) {
	ca, a, b := certtest.New(t), t.TempDir(), t.TempDir()
	now := time.Now()
	cert, key := ca.Client(t, a, "a", now, now.Add(time.Hour))
	_, otherKey := ca.Client(t, b, "b", now, now.Add(time.Hour))
	open := filepath.Join(b, "open.pem")
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, open, text)
	if err := os.Chmod(open, 0o644); err != nil { //nolint:gosec // that is what must be refused
		t.Fatal(err)
	}
	for _, c := range []struct{ name, cert, key, want string }{
		{"no certificate", filepath.Join(a, "none"), key, "there is no such file"},
		{"no key", cert, filepath.Join(a, "none"), "there is no such file"},
		{"another key", cert, otherKey, "do not belong together"},
		{"no PEM", key, cert, "no PEM"},
		{"a key for all to read", cert, open, "chmod 600"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := clientcert.Open(c.cert, c.key)
			var file *clientcert.FileError
			if !errors.As(err, &file) || !strings.Contains(err.Error(), c.want) {
				t.Error(err)
			}
		})
	}
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
