package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert/certtest"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/dm/mo"
)

func file(t *testing.T, text string) *config.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alwayson.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// pem is some that means nothing.
const pem = "-----BEGIN NOTHING-----\nMIIB\n-----END NOTHING-----\n"

// TestWhatFollowsIsNotWhatWasSet: the broker is reached with the certificates of the account, also if those change, until it has some of its own; PEM is no path.
func TestWhatFollowsIsNotWhatWasSet(t *testing.T) {
	f := file(t, strings.Replace(good, "user =", "ca_file = \"ca.pem\"\nuser =", 1))
	c, err := f.With(map[string]string{"account.cert_file": "a", "account.key_file": "b"})
	if err != nil || !filepath.IsAbs(c.Push.CAFile) || c.Push.CertFile != c.Account.CertFile {
		t.Fatalf("%+v %v", c, err)
	}
	for key, want := range map[string]string{"account.ca_file": "ca.pem", "push.ca_file": "", "push.cert_file": "", "push.user": ""} {
		if got, _ := c.Get(key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	ca := certtest.New(t)
	text, err := os.ReadFile(ca.File(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = f.With(map[string]string{"account.ca_file": string(text)}); err != nil || c.Account.CAFile != string(text) || c.Push.CAFile != string(text) {
		t.Errorf("%+v %v", c, err)
	}
}

// other is a value of a setting that is neither its default nor what the file good says.
func other(s *mo.Setting) string {
	switch {
	case s.Key == "account.server":
		return "https://other.example.org/ds"
	case s.Key == "push.broker":
		return "mqtts://other.example.org"
	case s.Key == "push.fallbacks":
		return "mqtts://other.example.org:443 wss://other.example.org/mqtt"
	case s.Key == "network.proxy":
		return "socks5://other.example.org:1080"
	case s.Key == "store.*.filter":
		return "name:ana"
	case len(s.OneOf) > 0:
		return s.OneOf[len(s.OneOf)-1]
	case s.Type == mo.Integer && s.Max != 0 && s.Max < 5000:
		return "7"
	case s.Type == mo.Integer:
		return "5000"
	case s.Type == mo.Duration:
		return "2h5m"
	}
	return "other"
}

// TestEverySettingOfTheTableIsHere: each can be set and read back, has the default that the table says, and shows in the configuration that is used.
func TestEverySettingOfTheTableIsHere(t *testing.T) {
	f := file(t, good)
	for i := range mo.Table {
		s := &mo.Table[i]
		if s.Key == mo.Locked || s.Key == mo.Switch { // they have no place in the file
			continue
		}
		key := strings.Replace(s.Key, "*", "contacts", 1)
		was, ok := f.Get(key)
		if !ok || s.Default != "" && !s.Same(was, s.Default) {
			t.Errorf("%s = %q, want %q", key, was, s.Default)
		}
		values := map[string]string{key: other(s)}
		if table, is := strings.CutSuffix(key, ".cert_file"); is { // they belong together
			values[table+".key_file"] = "key"
		} else if table, is := strings.CutSuffix(key, ".key_file"); is {
			values[table+".cert_file"] = "cert"
		}
		c, err := f.With(values)
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if now, _ := c.Get(key); now != other(s) {
			t.Errorf("%s = %q, want %q", key, now, other(s))
		}
		if again, _ := f.Get(key); again != was {
			t.Errorf("%s of the file became %q", key, again)
		}
		if !slices.Contains(c.Keys(), key) {
			t.Errorf("%s is not among the keys", key)
		}
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	f := file(t, good)
	for _, c := range []struct {
		values map[string]string
		want   string
	}{
		{map[string]string{"log.level": "loud"}, `log.level: "loud" is none of debug`},
		{map[string]string{"nothing": "1"}, "there is no setting nothing"},
		{map[string]string{"device": "x"}, "there is no setting device"},
		{map[string]string{"store.mail.filter": ""}, "there is no setting store.mail.filter"},
		{map[string]string{"store.contacts.filter": "nonsense:"}, "store contacts: filter"},
		{map[string]string{"network.proxy": "http://ana:secret@proxy.example.org"}, "do not belong in the address"},
		{map[string]string{"network.proxy": "proxy.example.org:3128"}, "network.proxy"},
		{map[string]string{"network.proxy": "ftp://proxy.example.org"}, "is no address like http://host"},
		{map[string]string{"network.proxy": "http://proxy.example.org/proxy.pac"}, "is more than http://host:port"},
		{map[string]string{"network.allowed": "eth0 [x"}, `network.allowed: "[x" is no name`},
		{map[string]string{"push.fallbacks": "mqtts://a.example.org b.example.org"}, "push.fallbacks"},
		{map[string]string{"push.broker": "mqtts://a.example.org", "push.fallbacks": "ws://a.example.org"}, "is readable on the way"},
		{map[string]string{"push.heartbeat": "1s"}, "1s is less than 5s"},
		{map[string]string{"push.heartbeat": "24h"}, "24h0m0s is more than 12h0m0s"},
		{map[string]string{"account.ca_file": pem}, "account.ca_file: it holds no certificate"},
		{map[string]string{"account.ca_file": pem[:40]}, "account.ca_file: it is PEM that is damaged"},
		{map[string]string{"push.cert_file": pem, "push.key_file": pem}, "push.cert_file and push.key_file do not belong together"},
		{map[string]string{"push.cert_file": pem}, "push.cert_file and push.key_file belong together"},
		{map[string]string{"account.server": "http://192.0.2.1/ds", "account.auth": "basic"}, "sends the secret readably"},
	} {
		if _, err := f.With(c.values); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.values, err, c.want)
		}
	}
}

// TestTheUsualFallbacks are port 443 of the same host, on which brokers listen for networks that let nothing else through.
func TestTheUsualFallbacks(t *testing.T) {
	for broker, want := range map[string]string{
		"mqtts://b.example.org:8883": "mqtts://b.example.org:443 wss://b.example.org/mqtt",
		"mqtts://[2001:db8::1]:8883": "mqtts://[2001:db8::1]:443 wss://[2001:db8::1]/mqtt",
		"":                           "",
	} {
		p := config.Push{Broker: broker, Fallbacks: config.Auto}
		if got := strings.Join(p.Rungs(), " "); got != want {
			t.Errorf("%s: %s, want %s", broker, got, want)
		}
	}
}
