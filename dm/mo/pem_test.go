package mo_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm/mo"
)

const block = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

// TestPEM: a value is a file's name or PEM as a whole; a secret is not shown, unless it is only where the secret lies.
func TestPEM(t *testing.T) {
	s, _ := mo.Find("account.key_file")
	for text, ok := range map[string]bool{
		"": true, "/etc/ssl/ca.pem": true, block: true, block + "\n" + block: true, block[:40]: false, "a\nb": false, block + "x": false, "-----BEGIN X": false,
	} {
		if err := s.Check(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got := s.Shown(block) + s.Shown("device.key"); got != "(secret)device.key" {
		t.Error(got)
	}
	ca, _ := mo.Find("push.ca_file")
	if got := ca.Shown(block); got != block {
		t.Error(got)
	}
	if got := mo.Brief(block + block); !strings.HasPrefix(got, "PEM, 2 in") || mo.Brief("x") != "x" {
		t.Error(got)
	}
}

// TestGiven: what is long or secret is read from a file.
func TestGiven(t *testing.T) {
	read := func(path string) ([]byte, error) {
		if path == "none" {
			return nil, errors.New("no such file")
		}
		return []byte("held by " + path), nil
	}
	for _, c := range []struct{ key, text, want string }{
		{"log.level", "debug", "debug"}, {"account.ca_file", "@ca.pem", "held by ca.pem"}, {"account.ca_file", block, block}, {"account.key_file", "device.key", "device.key"},
		{"account.key_file", block, ""}, {"account.ca_file", "@none", ""},
	} {
		got, err := mo.Given(c.key, c.text, read)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s %s: %q, %v", c.key, c.text, got, err)
		}
	}
}
