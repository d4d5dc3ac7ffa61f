package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/pelletier/go-toml/v2"

	"github.com/alwayson-sync/alwayson/dm/mo"
)

// Sources are where the configuration comes from. What is said by one holds over what those before it say; a store is said as a whole.
type Sources struct {
	System  string   // folder for everybody on this machine: alwayson.toml, and conf.d/*.toml by name; "" for none
	User    string   // file of the user; it may be missing if there is something for everybody
	Environ []string // "ALWAYSON_SESSION_POLL=10m" and others, as of os.Environ
}

// The origins of a value within the configuration, by which it is shown.
const (
	OfDefault     = "default"
	OfSystem      = "system"
	OfUser        = "file"
	OfEnvironment = "environment"
)

// layer is the configuration after one source.
type layer struct {
	origin string
	where  string // path of the file, or name of the variable
	after  *Config
}

// ReadFrom reads a configuration, and does not check yet whether its values are good.
func ReadFrom(s Sources) (*File, error) {
	path, err := filepath.Abs(s.User)
	if err != nil {
		return nil, err
	}
	s.User = path
	f := &File{path: path, sources: s}
	f.add(OfDefault, "", defaults())
	for _, name := range s.system() {
		if err := f.read(OfSystem, name); err != nil {
			return nil, err
		}
		f.top().absolute(filepath.Dir(name))
	}
	if err := f.read(OfUser, path); err != nil && (len(f.layers) == 1 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	if err := f.environment(); err != nil {
		return nil, err
	}
	f.raw = f.top()
	return f, nil
}

// Again reads it anew.
func (f *File) Again() (*File, error) { return ReadFrom(f.sources) }

// system are the files for everybody, in order.
func (s *Sources) system() (names []string) {
	if s.System == "" {
		return nil
	}
	names, _ = filepath.Glob(filepath.Join(s.System, "conf.d", "*.toml")) // sorted; the pattern is good
	if first := filepath.Join(s.System, "alwayson.toml"); exists(first) {
		names = slices.Insert(names, 0, first)
	}
	return names
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func (f *File) add(origin, where string, after *Config) {
	f.layers = append(f.layers, layer{origin, where, after})
}

func (f *File) top() *Config { return f.layers[len(f.layers)-1].after }

func (f *File) read(origin, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return &Error{Path: path, Mistakes: []string{err.Error()}, err: err}
	}
	return f.decode(origin, path, text)
}

// decode puts a text over what there is.
func (f *File) decode(origin, path string, text []byte) error {
	c := *f.top()
	former := c.Stores
	c.Stores = nil
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&c); err != nil {
		return &Error{Path: path, Mistakes: mistakes(err)}
	}
	c.Stores = over(former, c.Stores)
	f.add(origin, path, &c)
	return nil
}

// over puts stores in place of those of the same name, and behind them. Two of a name in one file are for check.
func over(former, stores []Store) []Store {
	out := slices.Clone(former)
	for _, s := range stores {
		if i := slices.IndexFunc(former, func(t Store) bool { return t.Name == s.Name }); i >= 0 {
			out[i] = s
			continue
		}
		out = append(out, s)
	}
	return out
}

// prefix is that of the variables of ours.
const prefix = "ALWAYSON_"

// Variable is the name of the environment's variable for a key.
func Variable(key string) string {
	return prefix + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, key)
}

// besides are keys that are no settings of the table.
var besides = map[string]func(*Config) *string{
	"device": func(c *Config) *string { return &c.Device }, "state": func(c *Config) *string { return &c.State }, "socket": func(c *Config) *string { return &c.Socket },
	"account.secret_file": func(c *Config) *string { return &c.Account.SecretFile }, "account.server_id": func(c *Config) *string { return &c.Account.ServerID },
	"push.secret_file": func(c *Config) *string { return &c.Push.SecretFile }, "network.proxy_secret_file": func(c *Config) *string { return &c.Network.ProxySecretFile },
	"account.secret_command": func(c *Config) *string { return &c.Account.SecretCommand }, "push.secret_command": func(c *Config) *string { return &c.Push.SecretCommand },
	"log.format": func(c *Config) *string { return &c.Log.Format },
}

// switches are likewise, for yes and no.
var switches = map[string]func(*Config) *bool{
	"account.keyring": func(c *Config) *bool { return &c.Account.Keyring }, "push.keyring": func(c *Config) *bool { return &c.Push.Keyring },
}

// environment puts the variables over what there is.
func (f *File) environment() error {
	keys := map[string]string{}
	for _, key := range f.top().Keys() {
		keys[Variable(key)] = key
	}
	for key := range besides {
		keys[Variable(key)] = key
	}
	for key := range switches {
		keys[Variable(key)] = key
	}
	var bad []string
	for _, v := range slices.Sorted(slices.Values(f.sources.Environ)) {
		name, text, _ := strings.Cut(v, "=")
		key, ok := keys[name]
		switch {
		case ok:
			if err := f.variable(name, key, text); err != nil {
				bad = append(bad, err.Error())
			}
		case strings.HasPrefix(name, prefix):
			bad = append(bad, mistyped(name, keys)...)
		}
	}
	if len(bad) > 0 {
		return &Error{Path: "the environment", Mistakes: bad}
	}
	return nil
}

func (f *File) variable(name, key, text string) error {
	c := *f.top()
	c.Stores = slices.Clone(c.Stores)
	if field := besides[key]; field != nil {
		*field(&c) = text
	} else if field := switches[key]; field != nil {
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s=%q is neither true nor false", name, text)
		}
		*field(&c) = on
	} else if row, _ := mo.Find(key); row.Shown(text) != text {
		return fmt.Errorf("%s: a secret does not belong into the environment, which others can see: write it into a file and name that", name)
	} else if err := c.set(key, text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.add(OfEnvironment, name, &c)
	return nil
}

// mistyped names the variable that is meant. One that is like none of them is somebody else's.
func mistyped(name string, keys map[string]string) []string {
	for known := range keys {
		if levenshtein.ComputeDistance(name, known) <= 2 {
			return []string{fmt.Sprintf("unknown variable %s (did you mean %s?)", name, known)}
		}
	}
	return nil
}

// Origin tells where what the configuration says of a setting comes from.
func (f *File) Origin(key string) (origin, where string) {
	row, ok := mo.Find(key)
	for i := len(f.layers) - 1; ok && i > 0; i-- {
		if !row.Same(f.layers[i].after.orDefault(row, key), f.layers[i-1].after.orDefault(row, key)) {
			return f.layers[i].origin, f.layers[i].where
		}
	}
	return OfDefault, ""
}

// orDefault is the value of a setting, also of a store that is not there.
func (c *Config) orDefault(row *mo.Setting, key string) string {
	if text, ok := c.Get(key); ok {
		return text
	}
	return row.Default
}

// located tells where mistakes come from that are not in the user's file. They begin with the key that they are about.
func (f *File) located(mistakes []string, values map[string]string) []string {
	for i, text := range mistakes {
		key, _, _ := strings.Cut(text, ":")
		origin, where := f.Origin(key)
		if _, given := values[key]; !given && (origin == OfSystem || origin == OfEnvironment) {
			mistakes[i] = where + ": " + text
		}
	}
	return mistakes
}
