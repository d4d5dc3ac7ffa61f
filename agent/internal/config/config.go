// Package config reads the agent's configuration file: TOML, every key known, every mistake named with its line.
package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// Config is the file. Paths are absolute after Load.
type Config struct {
	Device  string  `toml:"device"`
	State   string  `toml:"state"`
	Socket  string  `toml:"socket"`
	Account Account `toml:"account"`
	Push    Push    `toml:"push"`
	Network Network `toml:"network"`
	Power   Power   `toml:"power"`
	Session Session `toml:"session"`
	Brake   Brake   `toml:"brake"`
	Stores  []Store `toml:"store"`
	Log     Log     `toml:"log"`

	said *Config // as it was set, before it was completed; nil if it was not
}

// Account is where and as whom to synchronize.
type Account struct {
	Server     string `toml:"server"`
	User       string `toml:"user"`
	SecretFile string `toml:"secret_file"`
	// In place of a file: the keyring of the desktop, or a command whose first line is the secret. See package creds.
	Keyring       bool   `toml:"keyring"`
	SecretCommand string `toml:"secret_command"`
	ServerID      string `toml:"server_id"` // how the server names itself when it manages the device; default: alwayson-server
	// CAFile, CertFile and KeyFile are files, or what else would be in them (PEM).
	CAFile string `toml:"ca_file"` // default: the system's
	// The certificate of the device, if it has one, and its key. They are read again when they change.
	CertFile string `toml:"cert_file"`
	KeyFile  string `toml:"key_file"`
	// For servers of others: how messages are written, how the secret is proved, and how large a message may be (octets).
	Encoding   syncml.Encoding `toml:"encoding"` // wbxml, xml
	Auth       string          `toml:"auth"`     // md5, basic
	MaxMessage int             `toml:"max_message"`
}

// Basic is Auth that sends the secret itself.
const Basic = "basic"

// Push is the broker that wakes the device. Without one, changes on the server are found by polling.
type Push struct {
	Broker     string `toml:"broker"`
	Prefix     string `toml:"prefix"`
	User       string `toml:"user"`        // default: the device
	SecretFile string `toml:"secret_file"` // default: where that of the account is
	// In place of a file, as in Account.
	Keyring       bool   `toml:"keyring"`
	SecretCommand string `toml:"secret_command"`
	CAFile        string `toml:"ca_file"`   // default: that of the account
	CertFile      string `toml:"cert_file"` // default: that of the account
	KeyFile       string `toml:"key_file"`
	// Fallbacks are tried in turn when the network does not let the device reach Broker: addresses separated by spaces, or Auto.
	Fallbacks string   `toml:"fallbacks"`
	Heartbeat Duration `toml:"heartbeat"`

	own bool // it says itself where its secret is
}

// Session is how patient the logical session is (L4).
type Session struct {
	Attempts int      `toml:"attempts"`
	GiveUp   Duration `toml:"give_up"`
	Backoff  Duration `toml:"backoff"`
	MaxPause Duration `toml:"max_pause"`
	Probe    Duration `toml:"probe"`
	Poll     Duration `toml:"poll"`
	Verify   Duration `toml:"verify"`
	// Probation is how long new ways to the server have to prove themselves, before the former ones are used again (S10).
	Probation Duration `toml:"probation"`
}

// Brake holds deletions that are many, until the user has looked at them.
type Brake struct {
	Count   int `toml:"count"`   // more than so many; 0 never holds any
	Percent int `toml:"percent"` // and more than so much of a store
}

// Store is a local folder and its datastore on the server.
type Store struct {
	Name   string   `toml:"name"`
	Kind   pim.Kind `toml:"kind"`
	Dir    string   `toml:"dir"`
	Remote string   `toml:"remote"` // default: the name
	// Filter is what of it this device keeps; default: everything. See package filter.
	Filter string `toml:"filter"`
	// Conflicts is what becomes of an item that was changed here and on the server: merge, keep-both, server, device; see ds.ConflictPolicy.
	Conflicts string `toml:"conflicts"`
}

// Log is what is written about the work.
type Log struct {
	Level  string `toml:"level"`  // debug, info, warn, error
	Format string `toml:"format"` // text, json
}

// Duration is written as "90s" or "10m".
type Duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no duration like \"90s\" or \"10m\"", text)
	}
	*d = Duration(v)
	return nil
}

// Error is a mistake in the configuration, all of them in one. The operator has to act (exit code 78).
type Error struct {
	Path     string
	Mistakes []string
	err      error // that it comes from, if any
}

// Unwrap is what it comes from.
func (e *Error) Unwrap() error { return e.err }

func (e *Error) Error() string {
	return "cannot use " + e.Path + ": " + strings.Join(e.Mistakes, "; ")
}

// Load reads and checks the configuration of a user, with what holds for everybody and the environment.
func Load(path string) (*Config, error) {
	f, err := Read(path)
	if err != nil {
		return nil, err
	}
	return f.With(nil)
}

// File is a configuration as it was read: the user's file with what is below and above it.
type File struct {
	path    string
	sources Sources
	layers  []layer
	raw     *Config // as it is written, over the defaults
}

// Read is ReadFrom for a user's file where programs run as usual.
func Read(path string) (*File, error) {
	return ReadFrom(Sources{System: DefaultSystem(), User: path, Environ: os.Environ()})
}

// Decode is ReadFrom for a text that is, or shall be, in the user's file of an absolute path, alone.
func Decode(path string, text []byte) (*File, error) {
	f := &File{path: path, sources: Sources{User: path}}
	f.add(OfDefault, "", defaults())
	if err := f.decode(OfUser, path, text); err != nil {
		return nil, err
	}
	f.raw = f.top()
	return f, nil
}

func defaults() *Config {
	s := session.DefaultConfig()
	return &Config{
		Push: Push{Prefix: "alwayson", Heartbeat: Duration(50 * time.Second)},
		Session: Session{Attempts: s.Attempts, GiveUp: Duration(s.GiveUp), Backoff: Duration(s.Backoff),
			MaxPause: Duration(s.MaxPause), Probe: Duration(s.Probe), Poll: Duration(s.Poll), Verify: Duration(24 * time.Hour), Probation: Duration(2 * time.Minute)},
		Brake: Brake{Count: 20, Percent: 25},
		Log:   Log{Level: "info", Format: "text"},
	}
}

// mistakes are what the decoder found, one sentence each.
func mistakes(err error) []string {
	var strict *toml.StrictMissingError
	var bad *toml.DecodeError
	switch {
	case errors.As(err, &strict):
		var out []string
		for _, e := range strict.Errors {
			row, _ := e.Position()
			out = append(out, fmt.Sprintf("line %d: unknown key %s%s", row, strings.Join(e.Key(), "."), suggestion(e.Key())))
		}
		return out
	case errors.As(err, &bad):
		row, col := bad.Position()
		return []string{fmt.Sprintf("line %d, column %d: %s", row, col, mistake(bad))}
	}
	return []string{err.Error()}
}

// sorts are the types of values as people call them.
var sorts = map[string]string{"int": "a whole number", "bool": "true or false", "string": "a text in quotes", "[]string": "a list of texts"}

// mistake says in words of the file what the decoder says in those of the program.
func mistake(bad *toml.DecodeError) string {
	text := strings.TrimPrefix(bad.Error(), "toml: ")
	_, sort, _ := strings.Cut(text, " of type ")
	if wanted := sorts[sort]; wanted != "" && len(bad.Key()) > 0 {
		return strings.Join(bad.Key(), ".") + " must be " + wanted
	}
	return text
}

// complete makes paths absolute (relative ones start at the file's folder) and fills in what follows from other values.
func (c *Config) complete(dir string) {
	if c.State == "" {
		c.State = DefaultState()
	}
	if c.Socket == "" {
		c.Socket = DefaultSocket()
	}
	if c.Push.User == "" {
		c.Push.User = c.Device
	}
	if c.Push.own = c.Push.Secret() != (Secret{}); !c.Push.own {
		c.Push.SecretFile, c.Push.Keyring, c.Push.SecretCommand = c.Account.SecretFile, c.Account.Keyring, c.Account.SecretCommand
	}
	if c.Push.CAFile == "" {
		c.Push.CAFile = c.Account.CAFile
	}
	if c.Push.CertFile == "" && c.Push.KeyFile == "" {
		c.Push.CertFile, c.Push.KeyFile = c.Account.CertFile, c.Account.KeyFile
	}
	for i := range c.Stores {
		s := &c.Stores[i]
		s.Remote = cmp.Or(s.Remote, s.Name)
	}
	c.absolute(dir)
}

// absolute makes paths absolute that start at a folder.
func (c *Config) absolute(dir string) {
	a, p := &c.Account, &c.Push
	for _, p := range []*string{&c.State, &c.Socket, &a.SecretFile, &a.CAFile, &a.CertFile, &a.KeyFile, &p.SecretFile, &p.CAFile, &p.CertFile, &p.KeyFile, &c.Network.ProxySecretFile} {
		*p = absolute(dir, *p)
	}
	for i := range c.Stores {
		c.Stores[i].Dir = absolute(dir, c.Stores[i].Dir)
	}
}

func absolute(dir, path string) string {
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(path, "~/") {
		return filepath.Join(home, path[2:])
	}
	if path == "" || mo.IsPEM(path) || filepath.IsAbs(path) || strings.HasPrefix(path, `\\.\pipe\`) {
		return path
	}
	return filepath.Join(dir, path)
}

var storeName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// check lists everything that is wrong.
func (c *Config) check() (bad []string) {
	wrong := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if !mqtt.ValidDevice(c.Device) {
		wrong("device = %q must be 1 to 64 letters, digits, - or _", c.Device)
	}
	if err := checkURL(c.Account.Server, "https", "http"); err != nil {
		wrong("account.server: %v", err)
	}
	if c.Account.User == "" {
		wrong("account.user is missing")
	}
	bad = append(bad, c.checkSecrets()...)
	if a := c.Account.Auth; a != "" && a != "md5" && a != Basic {
		wrong("account.auth = %q is neither md5 nor basic", a)
	}
	if c.Account.Auth == Basic && Readable(c.Account.Server) {
		wrong("account.auth = \"basic\" sends the secret readably: use an https server, or md5")
	}
	if n := c.Account.MaxMessage; n != 0 && n < 2000 {
		wrong("account.max_message = %d must be at least 2000 octets", n)
	}
	bad = append(bad, c.checkCertificates()...)
	if c.Push.Broker != "" {
		if err := checkURL(c.Push.Broker, "mqtts", "mqtt", "wss", "ws"); err != nil {
			wrong("push.broker: %v", err)
		}
	}
	bad = append(bad, c.checkNetwork()...)
	if c.Session.Attempts < 1 {
		wrong("session.attempts must be at least 1")
	}
	if b := c.Brake; b.Count < 0 || b.Percent < 0 || b.Percent > 100 {
		wrong("brake.count must be at least 0, brake.percent 0 to 100")
	}
	return append(bad, c.checkStores()...)
}

func (c *Config) checkCertificates() (bad []string) {
	for _, t := range []struct{ table, ca, cert, key string }{
		{"account", c.Account.CAFile, c.Account.CertFile, c.Account.KeyFile}, {"push", c.Push.CAFile, c.Push.CertFile, c.Push.KeyFile},
	} {
		if (t.cert == "") != (t.key == "") {
			bad = append(bad, t.table+".cert_file and "+t.table+".key_file belong together: give both")
		}
		bad = append(bad, checkPEM(t.table, t.ca, t.cert, t.key)...)
	}
	if c.Account.CertFile != "" && strings.HasPrefix(c.Account.Server, "http:") {
		bad = append(bad, "account.cert_file: a certificate is shown over https only, and account.server begins with http:")
	}
	return bad
}

// checkPEM looks at what of the certificates of a table is no file, since files may come later and change.
func checkPEM(table, ca, cert, key string) (bad []string) {
	if mo.IsPEM(ca) && !x509.NewCertPool().AppendCertsFromPEM([]byte(ca)) {
		bad = append(bad, table+".ca_file: it holds no certificate")
	}
	if !mo.IsPEM(cert) || !mo.IsPEM(key) {
		return bad
	}
	if _, err := tls.X509KeyPair([]byte(cert), []byte(key)); err != nil {
		bad = append(bad, table+".cert_file and "+table+".key_file do not belong together: "+err.Error())
	}
	return bad
}

// Encrypted tells whether connections to addresses of a scheme are in TLS.
func Encrypted(scheme string) bool { return scheme == "https" || scheme == "mqtts" || scheme == "wss" }

// Readable tells whether others can read what goes to an address: it is not encrypted, and leaves this machine.
func Readable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || Encrypted(u.Scheme) {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

func checkURL(s string, schemes ...string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme && u.Host != "" {
			if u.User != nil {
				return errors.New("user and secret do not belong in the address")
			}
			return nil
		}
	}
	return fmt.Errorf("%q is no address like %s://host", s, schemes[0])
}

func (c *Config) checkStores() (bad []string) {
	seen := make(map[string]bool)
	if len(c.Stores) == 0 {
		bad = append(bad, "there is no [[store]]")
	}
	for i, s := range c.Stores {
		switch {
		case !storeName.MatchString(s.Name):
			bad = append(bad, fmt.Sprintf("store %d: name = %q must be 1 to 64 letters, digits, dots, - or _", i+1, s.Name))
		case seen[s.Name]:
			bad = append(bad, fmt.Sprintf("store %s is there twice", s.Name))
		case !known(s.Kind):
			bad = append(bad, fmt.Sprintf("store %s: kind = %q is none of contacts, calendar, tasks, notes, mail", s.Name, s.Kind))
		case s.Dir == "":
			bad = append(bad, fmt.Sprintf("store %s: dir is missing", s.Name))
		default:
			if err := checkFilter(s); err != nil {
				bad = append(bad, fmt.Sprintf("store %s: filter: %v", s.Name, err))
			}
			if _, err := ds.ParseConflictPolicy(s.Conflicts); err != nil {
				bad = append(bad, fmt.Sprintf("store %s: conflicts: %v", s.Name, err))
			}
		}
		seen[s.Name] = true
	}
	return bad
}

func checkFilter(s Store) error {
	f, err := filter.Parse(s.Filter)
	if err != nil {
		return err
	}
	return f.Validate(s.Kind)
}

func known(k pim.Kind) bool {
	switch k {
	case pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes, pim.Mail:
		return true
	}
	return false
}

// SessionConfig is the patience of the session.
func (c *Config) SessionConfig() session.Config {
	s := session.DefaultConfig()
	s.Attempts, s.GiveUp, s.Backoff = c.Session.Attempts, time.Duration(c.Session.GiveUp), time.Duration(c.Session.Backoff)
	s.MaxPause, s.Probe, s.Poll = time.Duration(c.Session.MaxPause), time.Duration(c.Session.Probe), time.Duration(c.Session.Poll)
	return s
}
