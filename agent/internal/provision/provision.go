// Package provision makes the configuration of an agent out of a provisioning document (protocol.md H.7, H.8). It reads and writes no files.
package provision

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/dm/cp"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/pim"
)

// Wish is what the user says, over what is in the document.
type Wish struct {
	Device string // "" is that of the document
	Folder string // below which the folders of the stores lie, absolute or ~/
}

// Plan is what the document means.
type Plan struct {
	Device   string            `json:"device"`
	ServerID string            `json:"server_id"`
	Settings map[string]string `json:"settings"` // of the table, by key
	Stores   []Store           `json:"stores"`
	CAFile   string            `json:"ca_file,omitempty"`
	LeftOut  []string          `json:"left_out"` // one sentence each
	Secret   string            `json:"-"`        // "" if the document has none
	// Where the secret is kept, if not in a file: in the keyring, or where a command finds it.
	Keyring       bool   `json:"keyring,omitempty"`
	SecretCommand string `json:"secret_command,omitempty"`
}

// Store is a datastore.
type Store struct {
	Name   string   `json:"name"   toml:"name"`
	Kind   pim.Kind `json:"kind"   toml:"kind"`
	Dir    string   `json:"dir"    toml:"dir"`
	Remote string   `json:"remote" toml:"remote,omitempty"`
}

// SecretFile is where the secret lies, beside the configuration.
const SecretFile = "secret"

// Make makes a plan. Mistakes are all that is in the way of it, one sentence each.
func Make(doc *cp.Characteristic, w Wish) (p *Plan, mistakes []string) {
	m := maker{Plan: Plan{Device: w.Device, Settings: map[string]string{}, Stores: []Store{}, LeftOut: []string{}}, wish: w}
	if m.Device == "" {
		m.Device = cp.Device(doc)
	}
	if m.Device == "" {
		m.wrong("the document does not name the device (CLIENTIDENTITY, CLIENT-ID): type it again with --device ID, as the administrator enrolled it")
	}
	ds, ok := m.only(doc, cp.DS, "data synchronization")
	if !ok {
		return nil, m.mistakes
	}
	m.account(ds)
	for _, r := range ds.Resources {
		m.store(r)
	}
	if len(m.Stores) == 0 {
		m.wrong("there is no datastore (RESOURCE with AACCEPT) of contacts, calendars, tasks, notes or mail")
	}
	if len(cp.Applications(doc, cp.DM)) > 0 {
		if dm, ok := m.only(doc, cp.DM, "device management"); ok {
			m.manager(dm)
		}
	}
	m.check()
	return &m.Plan, m.mistakes
}

// maker gathers what a plan has and what is wrong.
type maker struct {
	Plan
	wish     Wish
	mistakes []string
}

func (m *maker) wrong(format string, args ...any) {
	m.mistakes = append(m.mistakes, fmt.Sprintf(format, args...))
}

func (m *maker) leave(format string, args ...any) {
	m.LeftOut = append(m.LeftOut, fmt.Sprintf(format, args...))
}

// only is the one account of an application.
func (m *maker) only(doc *cp.Characteristic, appID, what string) (*cp.Application, bool) {
	all := cp.Applications(doc, appID)
	if len(all) != 1 {
		m.wrong("there are %d accounts of %s (APPLICATION %s), and a device has one", len(all), what, appID)
		return nil, false
	}
	return &all[0], true
}

// set gives a setting of the table a value.
func (m *maker) set(key, value string) {
	if row, ok := mo.Find(key); ok {
		if err := row.Check(value); err != nil {
			m.wrong("%s: %v", key, err)
			return
		}
	}
	m.Settings[key] = value
}

// auths are how a secret is proved, as the configuration calls it.
var auths = map[string]string{"DIGEST": "md5", "BASIC": config.Basic}

func (m *maker) account(a *cp.Application) {
	m.ServerID = a.ServerID
	if a.Addr == "" {
		m.wrong("the account of data synchronization has no address (ADDR)")
	} else {
		m.set("account.server", a.Addr)
	}
	if len(a.ConRefs) > 0 {
		m.leave("the ways to the network (%s): the system's are used", strings.Join(a.ConRefs, ", "))
	}
	c, _ := a.Credential()
	m.Secret = c.Secret
	if c.Name == "" {
		m.wrong("the account of data synchronization does not name the user (APPAUTH with AAUTHNAME)")
	} else {
		m.set("account.user", c.Name)
	}
	switch auth, ok := auths[c.Type]; {
	case ok:
		m.set("account.auth", auth)
	case c.Type != "":
		m.wrong("the secret shall be proved by %s (AAUTHTYPE), and this program knows DIGEST and BASIC", c.Type)
	}
}

func (m *maker) manager(a *cp.Application) {
	switch {
	case m.ServerID == "":
		m.ServerID = a.ServerID
	case a.ServerID != "" && a.ServerID != m.ServerID:
		m.wrong("two servers are named (PROVIDER-ID), %s to synchronize and %s to manage the device, and a device has one", m.ServerID, a.ServerID)
	}
	u, err := url.Parse(a.Addr)
	if err == nil && slices.Contains([]string{"mqtts", "mqtt", "wss", "ws"}, u.Scheme) {
		m.set("push.broker", a.Addr)
	} else {
		m.leave("the address of device management, %s: it goes through a broker here, which is push.broker", a.Addr)
	}
	if c, ok := a.Credential(); ok && c.Secret != "" && c.Secret != m.Secret {
		m.leave("the secret of device management: that of the synchronization is used for both")
	}
}

// kinds are those of the items of media types.
var kinds = map[string]pim.Kind{
	pim.TypeVCard: pim.Contacts, "text/x-vcard": pim.Contacts, pim.TypeICalendar: pim.Calendar, "text/x-vcalendar": pim.Calendar, pim.TypePlain: pim.Notes,
	pim.TypeMessage: pim.Mail, "application/vnd.omads-email+xml": pim.Mail,
}

func (m *maker) store(r cp.Resource) {
	i := slices.IndexFunc(r.Accept, func(t string) bool { return kinds[t] != "" })
	if i < 0 {
		m.leave("the datastore %s: %s", r.URI, cmp.Or(strings.Join(r.Accept, ", "), "its type is not said (AACCEPT)"))
		return
	}
	s := Store{Kind: kinds[r.Accept[i]], Remote: strings.TrimPrefix(r.URI, "./")}
	if s.Kind == pim.Calendar && tasks(r) {
		s.Kind = pim.Tasks
	}
	s.Name = string(s.Kind)
	if slices.ContainsFunc(m.Stores, func(t Store) bool { return t.Name == s.Name }) {
		s.Name = strings.Map(plain, s.Remote)
	}
	s.Dir = filepath.ToSlash(filepath.Join(m.wish.Folder, s.Name))
	if s.Remote == s.Name {
		s.Remote = ""
	}
	m.Stores = append(m.Stores, s)
}

// tasks tells a datastore of tasks from one of events: their types are the same.
func tasks(r cp.Resource) bool {
	text := strings.ToLower(r.Name + " " + r.URI)
	return strings.Contains(text, "task") || strings.Contains(text, "todo")
}

// plain is for names of stores, which are those of folders, too.
func plain(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
		return r
	}
	return '-'
}

// check adds what the agent itself would say of the configuration. What is missing was said already, and something stands in for it here.
func (m *maker) check() {
	p := Plan{Device: cmp.Or(m.Device, "device"), ServerID: m.ServerID, Settings: maps.Clone(m.Settings), Stores: m.Stores}
	p.Settings["account.server"] = cmp.Or(p.Settings["account.server"], "https://host")
	p.Settings["account.user"] = cmp.Or(p.Settings["account.user"], "user")
	if len(p.Stores) == 0 {
		p.Stores = []Store{{Name: "contacts", Kind: pim.Contacts, Dir: "/contacts"}}
	}
	text, err := p.TOML()
	if err == nil {
		var f *config.File
		if f, err = config.Decode("", text); err == nil {
			_, err = f.With(nil)
		}
	}
	var e *config.Error
	switch {
	case errors.As(err, &e):
		m.mistakes = append(m.mistakes, e.Mistakes...)
	case err != nil:
		m.wrong("%v", err)
	}
}

// file is the configuration as it is written.
type file struct {
	Device  string `toml:"device"`
	Account struct {
		Server     string `toml:"server"`
		User       string `toml:"user"`
		Auth       string `toml:"auth,omitempty"`
		SecretFile string `toml:"secret_file,omitempty"`
		Keyring    bool   `toml:"keyring,omitempty"`
		Command    string `toml:"secret_command,omitempty"`
		CAFile     string `toml:"ca_file,omitempty"`
		ServerID   string `toml:"server_id,omitempty"`
	} `toml:"account"`
	Push struct {
		Broker string `toml:"broker,omitempty"`
	} `toml:"push"`
	Stores []Store `toml:"store"`
}

// TOML is the configuration file.
func (p *Plan) TOML() ([]byte, error) {
	f := file{Device: p.Device, Stores: p.Stores}
	f.Account.Server, f.Account.User, f.Account.Auth = p.Settings["account.server"], p.Settings["account.user"], p.Settings["account.auth"]
	f.Account.ServerID, f.Account.CAFile = p.ServerID, p.CAFile
	if f.Account.Keyring, f.Account.Command = p.Keyring, p.SecretCommand; !p.Keyring && p.SecretCommand == "" {
		f.Account.SecretFile = SecretFile
	}
	f.Push.Broker = p.Settings["push.broker"]
	text, err := toml.Marshal(&f)
	if err != nil {
		return nil, fmt.Errorf("cannot write the configuration: %w", err)
	}
	return append([]byte("# Written by alwayson setup.\n\n"), text...), nil
}
