package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
)

// offer lets the system run the agent from now on, and switches Always-On on, if the user wants that. It is for a user's own service: which user one of the
// machine runs as is more than a yes.
func (a *app) offer(cmd *cobra.Command, f *setupFlags) (running bool, err error) {
	if !f.service && (f.yes || a.json || os.Geteuid() == 0) {
		return false, nil
	}
	if !f.service {
		fmt.Fprint(cmd.ErrOrStderr(), say.Text("Run it from now on, at each login, and switch Always-On on? [yes]: "))
		answer, err := a.in.ReadString('\n')
		if answer = strings.TrimSpace(answer); err != nil && answer == "" || isNo(answer) {
			return false, nil //nolint:nilerr // nobody is there to say yes
		}
	}
	if err := a.takeOver(cmd); err != nil {
		return false, fmt.Errorf("this device is set up, but not run by the system: %w", err)
	}
	return true, nil
}

// takeOver installs and starts the service of the user, and switches Always-On on.
func (a *app) takeOver(cmd *cobra.Command) error {
	spec, err := a.serviceSpec(cmd, &serviceFlags{user: true, name: svc.DefaultName})
	if err != nil {
		return err
	}
	s, err := svc.New(spec)
	if err != nil {
		return err
	}
	if _, err := s.Install(); err != nil {
		return err
	}
	if err := s.Restart(); err != nil {
		return err
	}
	return a.switchOn(cmd.Context())
}

// startTime is how long an agent may take to answer after its service was started.
const startTime = 20 * time.Second

// switchOn waits for the agent, and switches it on.
func (a *app) switchOn(ctx context.Context) error {
	conf, err := config.Load(a.configPath)
	if err != nil {
		return err
	}
	c := control.Dial(conf.Socket)
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for {
		if _, err = c.On(ctx); !errors.Is(err, control.ErrNoAgent) {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}
