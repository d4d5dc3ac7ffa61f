package syncml_test

import (
	"encoding/base64"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// The vectors are those of protocol.md D.2 and peers.md 6.
func TestDigest(t *testing.T) {
	for _, c := range []struct{ user, secret, nonce, want string }{
		{"Bruce2", "OhBehave", "Nonce", "Zz6EivR3yeaaENcRN6lpAQ=="},
		{"user", "pass", "nonce1", "bO9siA2ybOhJmCc59YnbaA=="},
		{"test", "test", "", "x2EHlRSZiRM209YwocVlVg=="},
	} {
		nonce := base64.StdEncoding.EncodeToString([]byte(c.nonce))
		if got := syncml.MD5Cred(c.user, c.secret, nonce).Data; got != c.want {
			t.Errorf("%s/%s/%s: got %s, want %s", c.user, c.secret, c.nonce, got, c.want)
		}
	}
	user, secret, ok := syncml.BasicCred("user", "pass:word").ParseBasic()
	if !ok || user != "user" || secret != "pass:word" {
		t.Errorf("basic credentials came back as %q %q %v", user, secret, ok)
	}
}
