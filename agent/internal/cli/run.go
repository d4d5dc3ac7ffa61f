package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/ds"
)

func (a *app) run() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: "Run the agent in the foreground, as a service manager does", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(a.configPath)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, cmd.ErrOrStderr())
		},
	}
}

// memory is what the collector tries to stay below (deps: Badger's profile was measured with it). It is no hard limit.
const memory = 48 << 20

// quiet is how long after work memory is given back to the system. Badger holds what it worked with for up to 18 s.
const quiet = 20 * time.Second

// serve runs the agent until ctx ends.
func serve(ctx context.Context, c *config.Config, errs io.Writer) error {
	debug.SetMemoryLimit(memory)
	log, err := newLog(c.Log, errs)
	if err != nil {
		return err
	}
	o, err := options(c, log)
	if err != nil {
		return err
	}
	for _, s := range c.Stores {
		if _, err := os.Stat(s.Dir); err != nil {
			log.Warn("store is not there yet; nothing is deleted for it", "store", s.Name, "dir", s.Dir)
		}
	}
	a, err := agent.Start(context.WithoutCancel(ctx), o)
	if err != nil {
		return fmt.Errorf("cannot start: %w", err)
	}
	log.Info("agent runs", "version", o.Version, "device", o.DeviceID, "server", o.Server, "stores", len(o.Stores))
	select {
	case <-ctx.Done():
		log.Info("agent stops; the session stays open")
	case <-a.Ended():
	}
	return a.Stop()
}

func options(c *config.Config, log *slog.Logger) (agent.Options, error) {
	secret, err := config.ReadSecret(c.Account.SecretFile)
	if err != nil {
		return agent.Options{}, err
	}
	rest := time.AfterFunc(quiet, debug.FreeOSMemory)
	o := agent.Options{StateDir: c.State, Socket: c.Socket, Server: c.Account.Server, DeviceID: c.Device, User: c.Account.User,
		Secret: secret, Version: Version(), Session: c.SessionConfig(), Verify: time.Duration(c.Session.Verify), Log: log, Brake: (*agent.Brake)(&c.Brake),
		Encoding: c.Account.Encoding, Basic: c.Account.Auth == config.Basic, MaxMsgSize: c.Account.MaxMessage,
		Rest:       func() { rest.Reset(quiet) },
		SaveSecret: func(s string) error { return config.WriteSecret(c.Account.SecretFile, s) }}
	o.CertFile, o.KeyFile = c.Account.CertFile, c.Account.KeyFile
	if o.TLS, err = roots(c.Account.CAFile); err != nil {
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

func push(c *config.Config) (agent.Push, error) {
	p := agent.Push{Broker: c.Push.Broker, Prefix: c.Push.Prefix, User: c.Push.User, CertFile: c.Push.CertFile, KeyFile: c.Push.KeyFile}
	if p.Broker == "" {
		return p, nil
	}
	var err error
	if file := c.Push.SecretFile; file != c.Account.SecretFile {
		if p.Password, err = config.ReadSecret(file); err != nil {
			return p, err
		}
		p.SavePassword = func(s string) error { return config.WriteSecret(file, s) }
	}
	p.TLS, err = roots(c.Push.CAFile)
	return p, err
}

// roots accepts servers whose certificate one of the authorities in a file has signed; nil is the system's.
func roots(file string) (*tls.Config, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		return nil, &config.Error{Path: file, Mistakes: []string{"it holds no certificate"}}
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, nil
}

func newLog(c config.Log, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("log.level = %q is none of debug, info, warn, error", c.Level)}
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
