package site

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"time"
)

// self is TLS between the server and the broker of its own; both are nil without.
type self struct{ broker, client *tls.Config }

// newSelf makes the two ends from the TLS of the site. The server connects to an address that its certificate need not name, so it knows the broker
// by the certificate itself; and where devices must have one, the server gets one that is good at this broker, until it ends.
func newSelf(site *tls.Config) (s self, err error) {
	if site == nil {
		return s, nil
	}
	s.broker = site.Clone()
	s.client = &tls.Config{MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection accepts one certificate only
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || !isOneOf(site.Certificates, c.PeerCertificates[0].Raw) {
				return errors.New("somebody else answers in place of the broker")
			}
			return nil
		}}
	if site.ClientCAs == nil {
		return s, nil
	}
	own, err := ownCertificate()
	if err != nil {
		return s, err
	}
	s.broker.ClientCAs = site.ClientCAs.Clone()
	s.broker.ClientCAs.AddCert(own.Leaf)
	s.client.Certificates = []tls.Certificate{own}
	return s, nil
}

func isOneOf(list []tls.Certificate, der []byte) bool {
	for _, c := range list {
		if bytes.Equal(c.Certificate[0], der) {
			return true
		}
	}
	return false
}

// ownCertificate is signed by itself, and its key is never written down.
func ownCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: serverUser},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(100, 0, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
