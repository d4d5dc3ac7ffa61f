// Package clientcert is the certificate by which this device proves in TLS who it is. It is read again when its files change, and what is
// wrong with it is named.
package clientcert

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/dm/mo"
)

// FileError is a mistake in a file that the operator has named in the configuration.
type FileError struct{ Path, Mistake string }

func (e *FileError) Error() string { return "cannot use " + e.Path + ": " + e.Mistake }

// Certificate is that of the device with its key, as they lie in two PEM files, or as PEM texts in place of those. A nil one is a device without.
type Certificate struct {
	certFile, keyFile string

	mu     sync.Mutex       // guards all below
	stamps [2]stamp         // of the files when they were read last
	pair   *tls.Certificate // the last good one
	stale  error            // why the files as they are now cannot be used, so that pair is not what lies in them
}

// stamp changes when a file is written.
type stamp struct {
	modified time.Time
	size     int64
}

// Open reads a certificate and its key. One that has expired is no error: it is replaced while the agent runs.
func Open(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refreshLocked(); c.stale != nil {
		return nil, c.stale
	}
	return c, nil
}

// refreshLocked reads the files if they have changed. While they do not fit together, as in the middle of a renewal, the former pair is used.
func (c *Certificate) refreshLocked() {
	now := [2]stamp{stampOf(c.certFile), stampOf(c.keyFile)}
	if c.stale == nil && c.pair != nil && now == c.stamps {
		return
	}
	pair, err := read(c.certFile, c.keyFile)
	if c.stamps, c.stale = now, err; err == nil {
		c.pair = pair
	}
}

func stampOf(path string) stamp {
	fi, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{fi.ModTime(), fi.Size()}
}

func read(certFile, keyFile string) (*tls.Certificate, error) {
	cert, err := readFile(certFile, "certificate")
	if err != nil {
		return nil, err
	}
	key, err := readFile(keyFile, "key")
	if err != nil {
		return nil, err
	}
	if fi, err := os.Stat(keyFile); err == nil && runtime.GOOS != "windows" && fi.Mode().Perm()&0o007 != 0 {
		return nil, &FileError{keyFile, fmt.Sprintf("everybody may read this key (mode %04o): type chmod 600 %s", fi.Mode().Perm(), keyFile)}
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, &FileError{name(certFile), "it and the key in " + name(keyFile) + " do not belong together, or one of them is no PEM (" + err.Error() + ")"}
	}
	return &pair, nil
}

// name is what a person calls it.
func name(path string) string {
	if mo.IsPEM(path) {
		return "the settings"
	}
	return path
}

func readFile(path, what string) ([]byte, error) {
	if mo.IsPEM(path) {
		return []byte(path), nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &FileError{path, "there is no such file; ask your administrator for the " + what + " of this device and put it there"}
	}
	if err != nil {
		return nil, &FileError{path, err.Error()}
	}
	return text, nil
}

// current is the pair to be presented now, and why it is not what lies in the files.
func (c *Certificate) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refreshLocked()
	return c.pair, c.stale
}

// Client is a configuration of TLS that presents the certificate to a server that asks for one. It is presented also when it has expired:
// the clock of the device may be wrong, and the server decides. base may be nil.
func (c *Certificate) Client(base *tls.Config) *tls.Config {
	if c == nil {
		return base
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12}
	if base != nil {
		out = base.Clone()
	}
	out.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		pair, _ := c.current()
		return pair, nil
	}
	return out
}

// File is where the certificate lies, in words if that is no file; "" if there is none.
func (c *Certificate) File() string {
	if c == nil {
		return ""
	}
	return name(c.certFile)
}

// Expires is when the certificate will, the zero time if there is none.
func (c *Certificate) Expires() time.Time {
	if c == nil {
		return time.Time{}
	}
	pair, _ := c.current()
	return pair.Leaf.NotAfter
}

// ID names the certificate and what is wrong with it, so that a change of either is seen: one that was not valid yet may be by now.
func (c *Certificate) ID(now time.Time) string {
	if c == nil {
		return ""
	}
	pair, _ := c.current()
	sum := sha256.Sum256(slices.Concat(pair.Certificate[0], []byte(validity(pair.Leaf, now))))
	return hex.EncodeToString(sum[:8])
}

// Problem is what is wrong with the certificate as far as this device can tell, "" if nothing is.
func (c *Certificate) Problem(now time.Time) string {
	if c == nil {
		return ""
	}
	pair, stale := c.current()
	if v := validity(pair.Leaf, now); v != "" || stale == nil {
		return v
	}
	return stale.Error() + "; the one before is used"
}

const dateTime = "2 January 2006 15:04"

func validity(leaf *x509.Certificate, now time.Time) string {
	switch {
	case now.After(leaf.NotAfter):
		return "client certificate expired on " + leaf.NotAfter.Local().Format(dateTime)
	case now.Before(leaf.NotBefore):
		return "client certificate is not valid before " + leaf.NotBefore.Local().Format(dateTime)
	}
	return ""
}
