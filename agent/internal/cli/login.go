package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func (a *app) login() *cobra.Command {
	var push bool
	cmd := &cobra.Command{
		Use: "login", Short: "Give the agent the secret of this device, typed or on standard input", Args: cobra.NoArgs,
		Long: "Gives the agent the secret of this device, typed or on standard input, and keeps it where the configuration says: in a file (account.secret_file),\n" +
			"or in the keyring of the desktop (account.keyring = true). On Linux the file is sealed with what names this machine: a copy of it, or a backup, is of\n" +
			"no use elsewhere. That is no protection from root and from programs of yours on this machine; the keyring is one as long as it is locked.\n\n" +
			"A secret that a command has (account.secret_command) is changed there; this makes the agent ask the command again.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(a.configPath)
			if err != nil {
				return err
			}
			at, own := creds.OfPush(conf)
			switch {
			case push && !own:
				return &exitError{exitUsage, errors.New("the broker takes the secret of the account (push.secret_file is not set); type alwayson login")}
			case !push:
				at = creds.OfAccount(conf)
			}
			c := control.Dial(conf.Socket)
			defer c.Close()
			if at.Command != "" {
				return a.elsewhere(cmd, c, at)
			}
			return a.keepSecret(cmd, c, at, push)
		},
	}
	cmd.Flags().BoolVar(&push, "push", false, "the secret for the broker, if that is another one (push.secret_file, push.keyring)")
	return cmd
}

// elsewhere says where a secret is to be changed. The agent looks there once more, as that may have been done already.
func (a *app) elsewhere(cmd *cobra.Command, c *control.Client, at creds.Place) error {
	if err := c.LookAgain(cmd.Context()); err != nil && !errors.Is(err, control.ErrNoAgent) {
		return err
	}
	return &exitError{exitUsage, at.Write(cmd.Context(), "")}
}

// keepSecret gives a secret to the agent, which keeps it; without an agent it is kept here.
func (a *app) keepSecret(cmd *cobra.Command, c *control.Client, at creds.Place, push bool) error {
	secret, err := a.readSecret(cmd)
	if err != nil {
		return err
	}
	if push {
		err = a.loginPush(cmd, c, secret)
	} else {
		err = a.loginAccount(cmd, c, secret)
	}
	if !errors.Is(err, control.ErrNoAgent) {
		return err
	}
	if err := at.Write(cmd.Context(), secret); err != nil { // it reads it when it starts
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), say.Text("saved; the agent is not running"))
	return nil
}

func (a *app) loginAccount(cmd *cobra.Command, c *control.Client, secret string) error {
	x, err := c.Login(cmd.Context(), secret)
	if err != nil {
		return err
	}
	return a.outcome(cmd, x)
}

// answerTime is how long the broker may take to answer.
const answerTime = 20 * time.Second

// loginPush waits for the broker's word.
func (a *app) loginPush(cmd *cobra.Command, c *control.Client, secret string) error {
	if err := c.LoginPush(cmd.Context(), secret); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), answerTime)
	defer cancel()
	for {
		s, err := c.Status(ctx)
		switch {
		case err != nil:
			return err
		case s.Push.State == "connected":
			return a.show(cmd, s.Push, func() { fmt.Fprintln(cmd.OutOrStdout(), say.Text("the broker has accepted it")) })
		case s.Push.State == "refused":
			return &exitError{exitCredentials, errors.New(s.Push.Reason + "; nothing is lost, " + s.Push.Advice)}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("saved, but the broker has not answered yet (%s): %w", s.Push.Reason, ctx.Err())
		}
	}
}

// readSecret asks on a terminal and reads a line elsewhere: a secret is never an argument, where every process can see it.
func (a *app) readSecret(cmd *cobra.Command) (string, error) {
	secret, err := a.in.Secret(cmd.ErrOrStderr(), say.Text("Secret: "))
	switch {
	case errors.Is(err, context.Canceled):
		return "", err
	case secret == "" && a.in.Person():
		return "", &exitError{exitUsage, errors.New("no secret was typed")}
	case secret == "":
		return "", &exitError{exitUsage, fmt.Errorf("there is no secret on standard input: %w", err)}
	}
	return secret, nil
}
