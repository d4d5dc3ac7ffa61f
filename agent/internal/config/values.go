package config

import (
	"encoding"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// fields are where the settings of the table lie. What is one of each store is in storeFields.
var fields = map[string]func(*Config) any{
	"account.server":      func(c *Config) any { return &c.Account.Server },
	"account.user":        func(c *Config) any { return &c.Account.User },
	"account.encoding":    func(c *Config) any { return &c.Account.Encoding },
	"account.auth":        func(c *Config) any { return &c.Account.Auth },
	"account.max_message": func(c *Config) any { return &c.Account.MaxMessage },
	"push.broker":         func(c *Config) any { return &c.Push.Broker },
	"push.prefix":         func(c *Config) any { return &c.Push.Prefix },
	"push.user":           func(c *Config) any { return &c.Push.User },
	"account.ca_file":     func(c *Config) any { return &c.Account.CAFile },
	"account.cert_file":   func(c *Config) any { return &c.Account.CertFile },
	"account.key_file":    func(c *Config) any { return &c.Account.KeyFile },
	"push.ca_file":        func(c *Config) any { return &c.Push.CAFile },
	"push.cert_file":      func(c *Config) any { return &c.Push.CertFile },
	"push.key_file":       func(c *Config) any { return &c.Push.KeyFile },
	"push.fallbacks":      func(c *Config) any { return &c.Push.Fallbacks },
	"push.heartbeat":      func(c *Config) any { return &c.Push.Heartbeat },
	"network.proxy":       func(c *Config) any { return &c.Network.Proxy },
	"network.allowed":     func(c *Config) any { return &c.Network.Allowed },
	"network.metered":     func(c *Config) any { return &c.Network.Metered },
	"power.battery":       func(c *Config) any { return &c.Power.Battery },
	"session.attempts":    func(c *Config) any { return &c.Session.Attempts },
	"session.give_up":     func(c *Config) any { return &c.Session.GiveUp },
	"session.backoff":     func(c *Config) any { return &c.Session.Backoff },
	"session.max_pause":   func(c *Config) any { return &c.Session.MaxPause },
	"session.probe":       func(c *Config) any { return &c.Session.Probe },
	"session.poll":        func(c *Config) any { return &c.Session.Poll },
	"session.verify":      func(c *Config) any { return &c.Session.Verify },
	"session.probation":   func(c *Config) any { return &c.Session.Probation },
	"brake.count":         func(c *Config) any { return &c.Brake.Count },
	"brake.percent":       func(c *Config) any { return &c.Brake.Percent },
	"log.level":           func(c *Config) any { return &c.Log.Level },
}

var storeFields = map[string]func(*Store) any{
	"filter":    func(s *Store) any { return &s.Filter },
	"conflicts": func(s *Store) any { return &s.Conflicts },
}

// field is the field of a key, nil if there is none.
func (c *Config) field(key string) any {
	if f := fields[key]; f != nil {
		return f(c)
	}
	rest, ok := strings.CutPrefix(key, "store.")
	i := strings.LastIndexByte(rest, '.')
	if !ok || i < 0 || storeFields[rest[i+1:]] == nil {
		return nil
	}
	for j := range c.Stores {
		if c.Stores[j].Name == rest[:i] {
			return storeFields[rest[i+1:]](&c.Stores[j])
		}
	}
	return nil
}

// Keys are those of all settings of the table that c has, in order.
func (c *Config) Keys() []string {
	keys := slices.Collect(maps.Keys(fields))
	for _, s := range c.Stores {
		for name := range storeFields {
			keys = append(keys, "store."+s.Name+"."+name)
		}
	}
	slices.Sort(keys)
	return keys
}

// Get is the value of a setting as text, as it was set: not what it leads to with others, like a default that is another setting. What nobody has set is
// the default of the table.
func (c *Config) Get(key string) (text string, ok bool) {
	if c.said != nil {
		c = c.said
	}
	switch v := c.field(key).(type) {
	case nil:
		return "", false
	case *int:
		text = strconv.Itoa(*v)
	case *Duration:
		text = short(time.Duration(*v))
	case *string:
		text = *v
	case *syncml.Encoding:
		text = strings.ToLower(v.String())
	}
	if s, known := mo.Find(key); known && text == "" {
		text = s.Default
	}
	return text, true
}

// short writes 30m instead of 30m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// set gives a setting a value. Whether it fits the others is for check.
func (c *Config) set(key, text string) (err error) {
	s, known := mo.Find(key)
	f := c.field(key)
	if !known || f == nil {
		return fmt.Errorf("there is no setting %s", key)
	}
	if err := s.Check(text); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	switch v := f.(type) {
	case *int:
		*v, err = strconv.Atoi(text)
	case *string:
		*v = text
	case encoding.TextUnmarshaler:
		err = v.UnmarshalText([]byte(text))
	default:
		err = fmt.Errorf("%s cannot be set", key)
	}
	return err
}

// Get is what the file says of a setting, or the default.
func (f *File) Get(key string) (text string, ok bool) { return f.raw.Get(key) }

// Path is that of the file, absolute.
func (f *File) Path() string { return f.path }

// With is the configuration with other values for some settings. The error is an *Error that names all mistakes.
func (f *File) With(values map[string]string) (*Config, error) {
	c := *f.raw
	c.Stores = slices.Clone(c.Stores)
	var bad []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := c.set(key, values[key]); err != nil {
			bad = append(bad, err.Error())
		}
	}
	said := c
	c.said = &said
	c.complete(filepath.Dir(f.path))
	if bad = append(bad, f.located(c.check(), values)...); len(bad) > 0 {
		return nil, &Error{Path: f.path, Mistakes: bad}
	}
	return &c, nil
}
