package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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

// other is a value of a setting that is neither its default nor what the file good says.
func other(s *mo.Setting) string {
	switch {
	case s.Key == "account.server":
		return "https://other.example.org/ds"
	case s.Key == "push.broker":
		return "mqtts://other.example.org"
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
		if s.Key == mo.Locked || s.Key == mo.Switch {
			continue
		}
		key := strings.Replace(s.Key, "*", "contacts", 1)
		was, ok := f.Get(key)
		if !ok || s.Default != "" && !s.Same(was, s.Default) {
			t.Errorf("%s = %q, want %q", key, was, s.Default)
		}
		c, err := f.With(map[string]string{key: other(s)})
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
		{map[string]string{"account.server": "http://192.0.2.1/ds", "account.auth": "basic"}, "sends the secret readably"},
	} {
		if _, err := f.With(c.values); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.values, err, c.want)
		}
	}
}
