package clientcert

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"github.com/alwayson-sync/alwayson/dm/mo"
)

// Roots accepts servers whose certificate one of the authorities in a file, or in a PEM text in place of it, has signed; nil is the system's, for "".
func Roots(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := []byte(file), error(nil)
	if !mo.IsPEM(file) {
		pem, err = os.ReadFile(file)
	}
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		return nil, &FileError{name(file), "it holds no certificate"}
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}
