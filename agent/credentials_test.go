package agent_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert/certtest"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/mqtt/broker"
)

// certified is a device with a certificate at a site that requires one, and renew replaces the certificate.
func certified(t *testing.T) (s *site.Site, d *device, renew func(ca *certtest.CA, from, to time.Duration), ca *certtest.CA) {
	t.Helper()
	ca = certtest.New(t)
	dir := t.TempDir()
	renew = func(ca *certtest.CA, from, to time.Duration) {
		ca.Client(t, dir, "d", time.Now().Add(from), time.Now().Add(to))
	}
	cert, key := ca.Client(t, dir, "d", time.Now().Add(-time.Hour), time.Now().Add(90*24*time.Hour))
	roots := &tls.Config{RootCAs: ca.Pool(), MinVersion: tls.VersionTLS12}
	o := site.Options{DataDir: t.TempDir(), TLS: &tls.Config{Certificates: []tls.Certificate{ca.Server(t)}, MinVersion: tls.VersionTLS12,
		ClientCAs: ca.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}}
	s, d = pushedAt(t, o, func(o *agent.Options) {
		o.TLS, o.CertFile, o.KeyFile, o.CertLook = roots, cert, key, 20*time.Millisecond
		o.Push.TLS, o.Push.CertFile, o.Push.KeyFile = roots, cert, key
	})
	return s, d, renew, ca
}

// TestACertificateOpensBothRoads is A10: HTTPS to the server and mqtts to its broker, which both require it.
func TestACertificateOpensBothRoads(t *testing.T) {
	s, d, _, _ := certified(t)
	if !strings.HasPrefix(s.URL(), "https:") || !strings.HasPrefix(s.BrokerURL(), "mqtts:") {
		t.Errorf("%s and %s", s.URL(), s.BrokerURL())
	}
	put(t, s, "g1", card("u1", "Ana"))
	d.until("pushed", func(s control.Status) bool { return s.Stores[0].Items == 1 && idle(s) && s.Push.LastTrigger != nil })
	now, err := d.c.Status(t.Context())
	if err != nil || len(now.Certificates) != 2 || now.Certificates[0].Problem != "" || now.Advice != "" || now.Problem != "" {
		t.Errorf("%+v %v", now, err)
	}
}

// TestARefusedCertificateHolds is A10 and A8: named, one attempt and no more over a restart, the session kept, and a renewed one is taken by itself.
func TestARefusedCertificateHolds(t *testing.T) {
	for _, c := range []struct {
		name     string
		spoil    func(renew func(*certtest.CA, time.Duration, time.Duration), ca *certtest.CA)
		want     string
		restarts bool
	}{
		{"expired", func(renew func(*certtest.CA, time.Duration, time.Duration), ca *certtest.CA) {
			renew(ca, -2*time.Hour, -time.Hour)
		}, "client certificate expired on ", true},
		{"not yet valid", func(renew func(*certtest.CA, time.Duration, time.Duration), ca *certtest.CA) {
			renew(ca, time.Hour, 2*time.Hour)
		}, "is not valid before", false},
		{"of another authority", func(renew func(*certtest.CA, time.Duration, time.Duration), _ *certtest.CA) {
			renew(certtest.New(t), -time.Hour, time.Hour)
		}, "does not know the authority", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, d, renew, ca := certified(t)
			before, err := d.c.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(renew, ca)
			d.write("1.vcf", card("u1", "Ana"))
			held := d.until("held", func(s control.Status) bool { return s.State == "held" })
			if held.Session == nil || held.Session.ID != before.Session.ID || held.Problem != control.Credentials || !strings.Contains(held.Summary, c.want) ||
				!strings.Contains(held.Summary, "nothing is lost") || !strings.Contains(held.Advice, "device.pem") {
				t.Errorf("%+v", held)
			}
			n := len(d.log())
			var refused *control.Error
			if _, err := d.c.Sync(t.Context(), true); !errors.As(err, &refused) || refused.Problem != control.Credentials || !strings.Contains(refused.Text, "read again by itself") {
				t.Errorf("a sync while held: %v", err)
			}
			if c.restarts {
				d.stop()
				d.start(s.URL())
				d.until("held still, and refused by the broker", func(s control.Status) bool {
					return s.State == "held" && s.Push.State == "refused" && strings.Contains(s.Push.Reason, c.want) && s.Push.NeedsCredentials
				})
			}
			if got := len(d.log()); got != n {
				t.Errorf("%d more attempts", got-n)
			}
			renew(ca, -time.Hour, time.Hour)
			mended := d.until("mended", func(s control.Status) bool { return idle(s) && s.Push.State == "connected" })
			if mended.Session.ID != before.Session.ID || mended.Stores[0].Pending != 0 {
				t.Errorf("%+v", mended)
			}
			if x := d.last(); x.Stores[0].Alert != int(ds.AlertTwoWay) {
				t.Errorf("not incremental: %+v", x)
			}
			if !strings.Contains(mended.Summary, "expires within a day") { // A9
				t.Errorf("no warning: %s", mended.Summary)
			}
		})
	}
}

// TestARenewalWhileNobodyRuns is A10: the agent finds it when it starts, and goes on in the session.
func TestARenewalWhileNobodyRuns(t *testing.T) {
	s, d, renew, ca := certified(t)
	renew(ca, -2*time.Hour, -time.Hour)
	d.write("1.vcf", card("u1", "Ana"))
	held := d.until("held", func(s control.Status) bool { return s.State == "held" })
	d.stop()
	renew(ca, -time.Hour, 5*24*time.Hour)
	d.o.CertLook = time.Hour
	d.start(s.URL())
	now := d.until("mended", idle)
	if now.Session.ID != held.Session.ID || !strings.Contains(now.Summary, "the client certificate is valid until") || !strings.Contains(now.Advice, "new certificate") { // A9
		t.Errorf("%+v", now)
	}
}

// TestALoginWhileNobodyRuns is A4 and A8: the new secret is tried once when the agent starts, the old one was not.
func TestALoginWhileNobodyRuns(t *testing.T) {
	s, d, before, _ := aged(t)
	d.stop()
	d.start(s.http.URL)
	requests := s.requests.Load()
	d.until("held still", func(s control.Status) bool { return s.State == "held" })
	d.stop()
	if n := s.requests.Load(); n != requests {
		t.Errorf("%d attempts with the former secret", n-requests)
	}
	d.o.Secret = "new"
	d.start(s.http.URL)
	if now := d.until("in sync", idle); now.Session.ID != before.Session.ID {
		t.Errorf("%+v", now)
	}
}

// TestTheBrokerRefuses is A10, A8: its word is no failure of the link. It is named, the same password is not tried again, not over a restart
// or when the network changes, everything else goes on, and a login mends it.
func TestTheBrokerRefuses(t *testing.T) {
	var attempts atomic.Int32
	b, err := broker.Start(broker.Options{StoreDir: t.TempDir(), Authorize: func(_, password string) (broker.Rights, bool) {
		attempts.Add(1)
		return broker.Rights{}, password == "right"
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s, d := newEndpoint(t), newDevice(t)
	hints := make(chan func(string), 10)
	d.o.Link = func(ctx context.Context, hint func(string)) {
		hints <- hint
		<-ctx.Done()
	}
	saved := ""
	d.o.Push = agent.Push{Broker: b.URL(), Prefix: "alwayson", User: "d", Password: "wrong", MinPause: time.Millisecond, MaxPause: 10 * time.Millisecond,
		SavePassword: func(s string) error { saved = s; return nil }}
	d.start(s.http.URL)
	d.on()
	refused := func(s control.Status) bool { return s.Push.State == "refused" }
	now := d.until("refused", refused)
	if !now.Push.NeedsCredentials || now.Problem != control.Credentials || now.Advice != "alwayson login --push" || !now.InSync() || !strings.Contains(now.Summary, "the broker refused") {
		t.Errorf("%+v", now)
	}
	(<-hints)("another network")
	d.fence()
	d.stop()
	d.start(s.http.URL)
	d.until("refused", refused)
	d.fence()
	if n := attempts.Load(); n != 1 {
		t.Errorf("%d attempts with one password", n)
	}
	if err := d.c.LoginPush(t.Context(), "right"); err != nil || saved != "right" {
		t.Fatal(saved, err)
	}
	if now := d.until("connected", func(s control.Status) bool { return s.Push.State == "connected" }); now.Problem != "" || now.Advice != "" {
		t.Errorf("%+v", now)
	}
}
