package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/crash"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/agent/internal/power"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

func (a *app) run() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run the agent in the foreground, as a service manager does", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := managed.Open(a.configPath, time.Now)
			if err != nil {
				return err
			}
			return svc.Run(cmd.Context(), func(ctx context.Context, ready func()) error {
				return serve(ctx, &host{settings: s, socket: a.socket, ready: ready}, svc.Log(cmd.ErrOrStderr()))
			})
		},
	}
}

// memory is what the collector tries to stay below (deps: Badger's profile was measured with it). It is no hard limit.
const memory = 48 << 20

// quiet is how long after work memory is given back to the system. Badger holds what it worked with for up to 18 s.
const quiet = 20 * time.Second

// serve runs the agent until ctx ends.
func serve(ctx context.Context, h *host, errs io.Writer) error {
	debug.SetMemoryLimit(memory)
	c := h.settings.Config()
	h.rest = time.AfterFunc(quiet, debug.FreeOSMemory)
	h.manager = svc.NewNotifier()
	var err error
	if h.log, err = newLog(c.Log, &h.level, errs); err != nil {
		return err
	}
	o, err := h.options()
	if err != nil {
		return err
	}
	if err := crash.Record(o.StateDir); err != nil {
		h.log.Warn("the reason of a crash would not be kept", "reason", err)
	}
	for _, s := range c.Stores {
		if _, err := os.Stat(s.Dir); err != nil {
			h.log.Warn("store is not there yet; nothing is deleted for it", "store", s.Name, "dir", s.Dir)
		}
	}
	a, err := agent.Start(context.WithoutCancel(ctx), o)
	if err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	h.manager.Ready()
	h.ready()
	h.log.Info("agent runs", "version", o.Version, "device", o.DeviceID, "server", o.Server, "stores", len(o.Stores))
	var wg sync.WaitGroup
	watching, stop := context.WithCancel(ctx)
	wg.Go(func() { h.watchFile(watching) })
	select {
	case <-ctx.Done():
		h.manager.Stopping()
		h.log.Info("agent stops; the session stays open")
	case <-a.Ended():
	}
	stop()
	wg.Wait()
	return a.Stop()
}

// host is what runs an agent under settings that may change.
type host struct {
	settings *managed.Settings
	socket   string // instead of the configuration's, if it is set
	ready    func() // is called when the agent works
	manager  *svc.Notifier
	level    slog.LevelVar
	log      *slog.Logger
	rest     *time.Timer
}

// options are the agent's under the settings that hold. What concerns the program itself is in use at once.
func (h *host) options() (agent.Options, error) {
	c := h.settings.Config()
	if err := setLevel(&h.level, c.Log.Level); err != nil {
		return agent.Options{}, err
	}
	o, err := options(c, h.log)
	o.Socket = cmp.Or(h.socket, o.Socket)
	o.Rest = func() { h.rest.Reset(quiet) }
	o.Alive, o.Pulse = h.manager.Alive, h.manager.Pulse()
	o.Examine = h.examine
	o.Managed = &agent.Managed{Settings: h.settings, ServerID: c.Account.ServerID, Options: h.options}
	return o, err
}

// pollFile is how often the configuration file is looked at where its folder cannot be watched.
const pollFile = time.Minute

// watchFile takes changes of the configuration file into use, until ctx ends (S6).
func (h *host) watchFile(ctx context.Context) {
	dir, name := filepath.Split(h.settings.Path())
	for ctx.Err() == nil {
		err := watch.Tree(ctx, dir, func(rel string) bool { return rel != name }, func(pim.Hint) { h.reload() })
		if ctx.Err() != nil {
			return
		}
		h.log.Debug("the configuration file is polled", "reason", err)
		select {
		case <-time.After(pollFile):
			h.reload()
		case <-ctx.Done():
		}
	}
}

// reload reads the file. Editors leave it half written or away for a moment: what is wrong with it is said, and what held goes on to hold.
func (h *host) reload() {
	if _, err := h.settings.Reload(); err != nil {
		h.log.Warn("the configuration file is not in use as it is now; what held before still holds", "reason", err)
	}
}

func options(c *config.Config, log *slog.Logger) (agent.Options, error) {
	at := creds.OfAccount(c)
	secret, v, err := vault(at)
	if err != nil {
		return agent.Options{}, err
	}
	o := agent.Options{StateDir: c.State, Socket: c.Socket, Server: c.Account.Server, DeviceID: c.Device, User: c.Account.User,
		Secret: secret, Vault: v, Version: Version(), Session: c.SessionConfig(), Verify: time.Duration(c.Session.Verify), Log: log, Brake: (*agent.Brake)(&c.Brake),
		Encoding: c.Account.Encoding, Basic: c.Account.Auth == config.Basic, MaxMsgSize: c.Account.MaxMessage,
		SaveSecret: keeper(at)}
	o.CertFile, o.KeyFile = c.Account.CertFile, c.Account.KeyFile
	o.Network, o.Battery = agent.Network(c.Network), power.Policy(c.Power.Battery)
	if o.TLS, err = clientcert.Roots(c.Account.CAFile); err != nil {
		return o, err
	}
	if o.Push, err = push(c); err != nil {
		return o, err
	}
	for _, s := range c.Stores {
		o.Stores = append(o.Stores, agent.Store{Name: s.Name, Remote: s.Remote, Kind: s.Kind, Dir: s.Dir, Filter: s.Filter, Conflicts: ds.ConflictPolicy(s.Conflicts)})
	}
	return o, nil
}

// vault reads a secret. One that is not to be had now is no error: the agent runs, and waits for it.
func vault(at creds.Place) (secret string, v agent.Vault, err error) {
	v = agent.Vault{ID: at.ID(), Keyring: at.Keyring, Find: at.Read}
	secret, err = at.Read(context.Background()) // it bounds itself
	if errors.As(err, &v.Missing) {
		err = nil
	}
	return secret, v, err
}

func keeper(at creds.Place) func(string) error {
	return func(secret string) error { return at.Write(context.Background(), secret) }
}

func push(c *config.Config) (agent.Push, error) {
	p := agent.Push{Broker: c.Push.Broker, Prefix: c.Push.Prefix, User: c.Push.User, CertFile: c.Push.CertFile, KeyFile: c.Push.KeyFile,
		Fallbacks: c.Push.Rungs(), Heartbeat: time.Duration(c.Push.Heartbeat)}
	if p.Broker == "" {
		return p, nil
	}
	var err error
	if at, own := creds.OfPush(c); own {
		if p.Password, p.Vault, err = vault(at); err != nil {
			return p, err
		}
		p.SavePassword = keeper(at)
	}
	p.TLS, err = clientcert.Roots(c.Push.CAFile)
	return p, err
}

func newLog(c config.Log, level *slog.LevelVar, w io.Writer) (*slog.Logger, error) {
	if err := setLevel(level, c.Level); err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: level}
	switch c.Format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, &exitError{exitConfig, errors.New("log.format must be text or json")}
}

func setLevel(level *slog.LevelVar, name string) error {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err != nil {
		return &exitError{exitConfig, fmt.Errorf("log.level = %q is none of debug, info, warn, error", name)}
	}
	level.Set(l)
	return nil
}
