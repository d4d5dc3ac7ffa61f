package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/discover"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/provision"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/agent/internal/trial"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/pim"
)

// wizard leads through the setup of a device: it tests while it asks, and writes nothing before everything is known to work.
type wizard struct {
	*app
	cmd  *cobra.Command
	f    *setupFlags
	plan provision.Plan
}

func (a *app) lead(cmd *cobra.Command, f *setupFlags, address string) (*provision.Plan, error) {
	w := &wizard{app: a, cmd: cmd, f: f, plan: provision.Plan{Settings: map[string]string{}, LeftOut: []string{}, CAFile: f.caFile}}
	for _, step := range []func() error{
		func() error { return w.server(address) }, w.person, w.broker, w.folders, w.signIn,
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("%w; nothing was changed", err)
		}
	}
	return &w.plan, nil
}

// tell tells the person something; results go elsewhere.
func (w *wizard) tell(mark, text string) {
	fmt.Fprintf(w.cmd.ErrOrStderr(), "  %s %s\n", mark, text)
}

// ask asks for a value. Who says --yes gets what is proposed.
func (w *wizard) ask(what, flag, proposed string) (string, error) {
	if !w.f.yes {
		fmt.Fprintf(w.cmd.ErrOrStderr(), "%s%s: ", what, map[bool]string{true: " [" + proposed + "]"}[proposed != ""])
		line, err := w.in.ReadString('\n')
		proposed = cmp.Or(strings.TrimSpace(line), proposed)
		if errors.Is(err, context.Canceled) {
			return "", err
		}
		if err != nil && line == "" {
			return "", &exitError{exitUsage, errors.New("there is nobody to ask; type it again with --yes, and with " + flag)}
		}
	}
	if proposed == "" {
		return "", &exitError{exitUsage, fmt.Errorf("say it with %s", flag)}
	}
	return proposed, nil
}

// server finds out where the server is, and whether one is there, before anybody types a secret.
func (w *wizard) server(address string) (err error) {
	if address == "" {
		if address, err = w.ask(say.Text("Address of the server"), say.Text("the address of the server"), ""); err != nil {
			return err
		}
	}
	if address, err = complete(address); err != nil {
		return &exitError{exitUsage, err}
	}
	if err := errors.Join(w.f.private(address), w.f.private(w.f.broker)); err != nil {
		return err
	}
	w.plan.Settings["account.server"] = address
	return w.reach("server.")
}

// complete is an address as people say it: sync.example.org is https://sync.example.org/ds.
func complete(address string) (string, error) {
	if !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("%q is no address of a server", address)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/ds"
	}
	return u.String(), nil
}

// reach looks at the ways to server and broker, and says what it finds of one of them. A fault ends the setup.
func (w *wizard) reach(part string) error {
	conf, err := w.config()
	if err != nil {
		return err
	}
	var fatal error
	doctor.Reach(w.cmd.Context(), &doctor.Patient{Version: Version(), ConfigPath: w.configPath, Config: conf, Now: time.Now()}, func(f doctor.Finding) {
		if !strings.HasPrefix(f.ID, part) && f.ID != "time.clock" || f.ID == "time.clock" && part != "server." {
			return
		}
		writeFinding(w.cmd.ErrOrStderr(), &f)
		if f.State == doctor.Fault && fatal == nil {
			fatal = &exitError{exitUnreachable, errors.New(f.Text + "")}
		}
	})
	return fatal
}

// config is what the plan means so far, with something in place of what is missing.
func (w *wizard) config() (*config.Config, error) {
	p := w.plan
	p.Device = cmp.Or(p.Device, "device")
	p.Settings = map[string]string{"account.user": "user"}
	for k, v := range w.plan.Settings {
		p.Settings[k] = v
	}
	if len(p.Stores) == 0 {
		p.Stores = []provision.Store{{Name: "contacts", Kind: pim.Contacts, Dir: "/"}}
	}
	text, err := p.TOML()
	if err != nil {
		return nil, err
	}
	return w.meant(text)
}

// person asks as whom this device signs in.
func (w *wizard) person() (err error) {
	login := ""
	if u, err := user.Current(); err == nil {
		login = u.Username
	}
	if w.f.user == "" {
		if w.f.user, err = w.ask(say.Text("User"), "--user", login); err != nil {
			return err
		}
	}
	w.plan.Settings["account.user"] = w.f.user
	if w.plan.Device = w.f.wish.Device; w.plan.Device == "" {
		host, _ := os.Hostname()
		if w.plan.Device, err = w.ask(say.Text("Name of this device, as the administrator enrolled it"), "--device", deviceName(host)); err != nil {
			return err
		}
	}
	if !mqtt.ValidDevice(w.plan.Device) {
		return &exitError{exitUsage, fmt.Errorf("%q is no name of a device: 1 to 64 letters, digits, - or _", w.plan.Device)}
	}
	return w.secret()
}

// secret gets the secret, and asks where it shall be kept.
func (w *wizard) secret() (err error) {
	w.plan.Keyring, w.plan.SecretCommand = w.f.keyring, w.f.command
	conf, err := w.config()
	if err != nil {
		return err
	}
	at := creds.OfAccount(conf)
	if at.Command != "" {
		w.plan.Secret, err = at.Read(w.cmd.Context())
		return err
	}
	if at.Keyring {
		if err := creds.Ready(w.cmd.Context(), at.Account); err != nil {
			return err
		}
	}
	if w.plan.Secret, err = w.readSecret(w.cmd); err != nil || at.Keyring {
		return err
	}
	return w.offerKeyring(at)
}

// offerKeyring asks a person at a terminal where the secret shall be: scripts get the file, also on a desktop.
func (w *wizard) offerKeyring(at creds.Place) error {
	if w.f.yes || !w.in.Person() || creds.Ready(w.cmd.Context(), at.Account) != nil {
		return nil
	}
	answer, err := w.ask(say.Text("Keep the secret in the keyring of this desktop? yes, or no for a file"), "--keyring", say.Text("yes"))
	w.plan.Keyring = isYes(answer)
	return err
}

// deviceName makes one of the name of a machine.
func deviceName(host string) string {
	host, _, _ = strings.Cut(host, ".")
	return strings.Map(func(r rune) rune {
		if mqtt.ValidDevice(string(r)) {
			return r
		}
		return '-'
	}, host)
}

// knock is how long a broker may take to answer that nobody has named.
const knock = 3 * time.Second

// broker finds the one that wakes this device: as the user says, else where the server's own listens.
func (w *wizard) broker() error {
	if w.f.broker == "" {
		w.f.broker = w.guess()
	}
	if w.f.broker == "" || w.f.broker == "none" {
		w.tell("!", say.Text("warning: no broker found: changes on the server are found by asking, every half an hour (--broker names one)"))
		return nil
	}
	w.plan.Settings["push.broker"] = w.f.broker
	return w.reach("broker.")
}

func (w *wizard) guess() string {
	u, err := url.Parse(w.plan.Settings["account.server"])
	if err != nil {
		return ""
	}
	scheme, port := "mqtts", "8883"
	if u.Scheme == "http" {
		scheme, port = "mqtt", "1883"
	}
	addr := net.JoinHostPort(u.Hostname(), port)
	c, err := net.DialTimeout("tcp", addr, knock)
	if err != nil {
		return ""
	}
	c.Close()
	return scheme + "://" + addr
}

// folders chooses what is synchronized: what the user names, else what is found, else folders of our own.
func (w *wizard) folders() error {
	if len(w.f.stores) > 0 {
		return w.named()
	}
	home, err := discover.HomeOf()
	if err != nil {
		return err
	}
	found := map[pim.Kind]discover.Found{}
	for _, f := range discover.Find(home) {
		if _, ok := found[f.Kind]; !ok {
			found[f.Kind] = f
		}
	}
	for _, k := range []pim.Kind{pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes, pim.Mail} {
		s := provision.Store{Name: string(k), Kind: k, Dir: filepath.Join(w.f.wish.Folder, string(k))}
		f, ok := found[k]
		if ok {
			s.Dir = f.Dir
		}
		if i := slices.IndexFunc(w.plan.Stores, func(other provision.Store) bool { return other.Dir == s.Dir }); i >= 0 {
			w.plan.LeftOut = append(w.plan.LeftOut, fmt.Sprintf("%s lie in the folder of %s, and go with them", k, w.plan.Stores[i].Name))
			continue
		}
		if wanted, err := w.wanted(&s, f, ok); err != nil {
			return err
		} else if wanted {
			w.plan.Stores = append(w.plan.Stores, s)
		}
	}
	if len(w.plan.Stores) == 0 {
		return &exitError{exitUsage, errors.New("nothing is to be synchronized")}
	}
	return nil
}

// wanted asks for one folder. The answer may be another folder.
func (w *wizard) wanted(s *provision.Store, f discover.Found, found bool) (bool, error) {
	kind := say.Word(string(s.Kind))
	what := say.Text("%s in a new folder, %s", kind, s.Dir)
	if found {
		what = say.Text("%s in %s (%d items in %d folders, %s)", kind, f.Dir, f.Items, f.Parts, say.Word(f.From))
	}
	if w.f.yes {
		w.tell("✓", what)
		return true, nil
	}
	answer, err := w.ask(say.Text("Synchronize %s? yes, no, or another folder", what), "--store KIND=FOLDER", say.Text("yes"))
	switch {
	case isYes(answer):
		return true, err
	case isNo(answer), answer == "":
		return false, err
	}
	s.Dir = answer
	return true, err
}

// named are the stores of --store.
func (w *wizard) named() error {
	for _, text := range w.f.stores {
		kind, dir, ok := strings.Cut(text, "=")
		if !ok || dir == "" {
			return &exitError{exitUsage, fmt.Errorf("--store %s is not KIND=FOLDER", text)}
		}
		w.plan.Stores = append(w.plan.Stores, provision.Store{Name: kind, Kind: pim.Kind(kind), Dir: dir})
	}
	for i := range w.plan.Stores {
		dir := &w.plan.Stores[i].Dir
		if !strings.HasPrefix(*dir, "~/") {
			abs, err := filepath.Abs(*dir)
			if err != nil {
				return err
			}
			*dir = abs
		}
	}
	return nil
}

// signIn proves the credentials, and tells what the first synchronization would do.
func (w *wizard) signIn() error {
	conf, err := w.config()
	if err != nil {
		return err
	}
	client, err := clientOf(conf, w.plan.Secret)
	if err != nil {
		return err
	}
	var stores []trial.Store
	for _, s := range conf.Stores {
		stores = append(stores, trial.Store{Name: s.Name, Remote: s.Remote, Kind: s.Kind, Dir: s.Dir})
	}
	ctx, cancel := context.WithTimeout(w.cmd.Context(), 2*time.Minute)
	defer cancel()
	outcomes, err := trial.Run(ctx, client, stores)
	if err != nil {
		return w.notSignedIn(err)
	}
	w.tell("✓", say.Text("signed in as %s, device %s", conf.Account.User, conf.Device))
	return w.preview(outcomes)
}

func (w *wizard) notSignedIn(err error) error {
	var auth *dsclient.AuthError
	var link *dsclient.TransportError
	switch {
	case errors.As(err, &auth):
		return &exitError{exitCredentials, fmt.Errorf("%w; the administrator enrols a device with: alwayson-server device add %s --user %s", err, w.plan.Device,
			w.plan.Settings["account.user"])}
	case errors.As(err, &link):
		return &exitError{exitUnreachable, fmt.Errorf("%w", err)}
	}
	return fmt.Errorf("%w", err)
}

// preview shows what is here and there, and asks. Stores that the server does not have are left out.
func (w *wizard) preview(outcomes []trial.Outcome) error {
	receive, send, known := 0, 0, true
	kept := w.plan.Stores[:0]
	for i, o := range outcomes {
		if o.Missing {
			w.plan.LeftOut = append(w.plan.LeftOut, fmt.Sprintf("%s: the server has no such datastore", o.Store))
			continue
		}
		kept = append(kept, w.plan.Stores[i])
		send += o.Here
		receive += max(o.There, 0)
		known = known && o.There >= 0
	}
	w.plan.Stores = kept
	if known {
		w.tell("→", say.Text("the first synchronization receives at most %d items, sends at most %d, and deletes none;", receive, send))
	} else {
		w.tell("→", say.Text("the first synchronization sends at most %d items, and deletes none here; what it receives this server cannot tell beforehand;", send))
	}
	w.tell(" ", say.Text("what both sides have already is recognised, and not doubled. Nothing is changed yet."))
	if w.f.yes {
		return nil
	}
	answer, err := w.ask(say.Text("Go?"), "--yes", say.Text("yes"))
	if err != nil || isYes(answer) {
		return err
	}
	return &exitError{exitUsage, errors.New("you said no")}
}

// clientOf speaks with the server as the agent would.
func clientOf(c *config.Config, secret string) (*dsclient.Client, error) {
	cert, err := clientcert.Open(c.Account.CertFile, c.Account.KeyFile)
	if c.Account.CertFile == "" {
		cert, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	tls, err := clientcert.Roots(c.Account.CAFile)
	if err != nil {
		return nil, err
	}
	way, err := egress.New(egress.Options{Proxy: c.Network.Proxy, SecretFile: c.Network.ProxySecretFile, Allowed: c.Network.Allowed})
	if err != nil {
		return nil, err
	}
	return &dsclient.Client{Transport: &dsclient.HTTP{Client: &http.Client{Transport: clientcert.NewTransport(cert, tls, way), Timeout: time.Minute}, UserAgent: "alwayson/" + Version()},
		URL: c.Account.Server, DeviceID: c.Device, User: c.Account.User, Secret: secret, Version: Version(), Encoding: c.Account.Encoding, Basic: c.Account.Auth == config.Basic,
		MaxMsgSize: c.Account.MaxMessage, Now: time.Now}, nil
}
