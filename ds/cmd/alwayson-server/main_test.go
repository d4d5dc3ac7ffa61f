package main

import (
	"crypto/tls"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClientCertificatesNeedTLS is A10: what cannot be verified is refused before the server runs.
func TestClientCertificatesNeedTLS(t *testing.T) {
	s := httptest.NewTLSServer(nil) // for its certificate
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := certificates{clientCA: ca}
	if _, err := c.config("127.0.0.1:0", false); err == nil || !strings.Contains(err.Error(), "--tls-cert") {
		t.Errorf("without TLS: %v", err)
	}
	conf, err := c.withClients(&tls.Config{MinVersion: tls.VersionTLS12})
	if err != nil || conf.ClientAuth != tls.RequireAndVerifyClientCert || conf.ClientCAs == nil {
		t.Errorf("%+v %v", conf, err)
	}
	c.clientCA = os.DevNull
	if _, err := c.withClients(&tls.Config{MinVersion: tls.VersionTLS12}); err == nil || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("no authority: %v", err)
	}
}
