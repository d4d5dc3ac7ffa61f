package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/bundle"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func (a *app) supportBundle() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "support-bundle [FILE]", Short: "Put together what somebody who helps needs to see, without secrets and names", Args: cobra.MaximumNArgs(1),
		Long: "Writes a zip archive with what alwayson doctor finds, the state of the agent, its last exchanges and the configuration. Secrets, names and addresses\n" +
			"of people and names of items are taken out. What will be in it is shown first; nothing is sent to anybody.",
		Example: "  alwayson support-bundle\n  alwayson support-bundle --yes /tmp/for-support.zip",
		RunE: func(cmd *cobra.Command, args []string) error {
			name := "alwayson-support-" + time.Now().Format("20060102-150405") + ".zip"
			if len(args) > 0 {
				name = args[0]
			}
			return a.writeBundle(cmd, name, yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "write it without a question")
	return cmd
}

func (a *app) writeBundle(cmd *cobra.Command, name string, yes bool) error {
	files, err := a.collect(cmd.Context()).Files()
	if err != nil {
		return err
	}
	errs := cmd.ErrOrStderr()
	for _, f := range files {
		fmt.Fprintf(errs, "  %-14s %9s  %s\n", f.Name, humanize.IBytes(uint64(len(f.Text))), say.Sentence(f.About))
	}
	if !yes {
		fmt.Fprint(errs, say.Text("Write %s? [y/N] ", name))
		if !a.agrees() {
			return &exitError{exitUsage, errors.New("nothing was written; type it again with --yes to write it")}
		}
	}
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the bundle: %w", err)
	}
	if err := errors.Join(bundle.Write(out, files, time.Now()), out.Close()); err != nil {
		return fmt.Errorf("cannot write the bundle: %w", errors.Join(err, os.Remove(name))) // half of one helps nobody, and would be in the way
	}
	return a.show(cmd, map[string]string{"file": name}, func() { fmt.Fprintln(cmd.OutOrStdout(), name) })
}

// last is how many exchanges go into a bundle.
const last = 50

// collect asks the agent, if it runs, and looks at the device.
func (a *app) collect(ctx context.Context) *bundle.Bundle {
	p := a.patient(ctx)
	b := &bundle.Bundle{Version: Version(), System: runtime.GOOS + "/" + runtime.GOARCH, At: time.Now(), Status: p.Agent, Settings: p.Settings}
	doctor.Examine(ctx, p, func(f doctor.Finding) { b.Findings = append(b.Findings, f) })
	a.ask(ctx, p.Config == nil, func(ctx context.Context, c *control.Client) (err error) { //nolint:errcheck // the findings say what is missing
		if b.Log, err = c.Log(ctx, last); err != nil {
			return err
		}
		if b.Why, err = c.Why(ctx); err != nil {
			return err
		}
		b.Pending, err = c.Pending(ctx)
		return err
	})
	if text, err := os.ReadFile(a.configPath); err == nil {
		b.Config = string(text)
	}
	b.Journal = journal(ctx)
	if p.Crash != nil {
		text, _ := os.ReadFile(p.Crash.File) // the finding says that there was one
		b.Crash = string(text)
	}
	hide(ctx, b, p.Config)
	return b
}

// hide names what is hidden wherever it stands.
func hide(ctx context.Context, b *bundle.Bundle, c *config.Config) {
	if u, err := user.Current(); err == nil {
		b.Home, b.Users = u.HomeDir, []string{u.Username}
	}
	if c == nil {
		return
	}
	b.Users = append(b.Users, c.Account.User)
	for _, secret := range secretsOf(ctx, c) {
		b.Secrets = append(b.Secrets, secret)
		if _, password, ok := strings.Cut(secret, ":"); ok {
			b.Secrets = append(b.Secrets, password)
		}
	}
}

// secretsOf are those that can be had without running a command, which might ask somebody for a passphrase.
func secretsOf(ctx context.Context, c *config.Config) (out []string) {
	push, _ := creds.OfPush(c)
	for _, at := range []creds.Place{creds.OfAccount(c), push, {File: c.Network.ProxySecretFile}} {
		if at.Command != "" {
			continue
		}
		if secret, err := at.Read(ctx); err == nil && secret != "" {
			out = append(out, secret)
		}
	}
	return out
}

// journal is what the agent has written as a service, "" if the system does not say.
func journal(ctx context.Context) string {
	if runtime.GOOS != "linux" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, whose := range []string{"--user-unit", "--unit"} {
		out, err := exec.CommandContext(ctx, "journalctl", whose, "alwayson", "--lines", "500", "--output", "short-iso", "--no-pager", "--quiet").Output()
		if err == nil && len(out) > 0 {
			return string(out)
		}
	}
	return ""
}
