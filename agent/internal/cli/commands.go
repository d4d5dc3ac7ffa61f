package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/ds"
)

func (a *app) status() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show whether everything is in sync", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			s, err := c.Status(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.show(cmd, s, func() { writeStatus(cmd.OutOrStdout(), &s, time.Now()) }); err != nil {
				return err
			}
			if check && s.Problem == control.Credentials {
				return &exitError{exitCredentials, errors.New("credentials are needed: " + s.Summary)}
			}
			if check && !s.InSync() {
				return &exitError{exitDifferences, errors.New("not in sync: " + s.Summary)}
			}
			return nil
		}),
	}
	cmd.Flags().BoolVar(&check, "check", false, "exit with 10 if something is not in sync, with 6 if credentials are needed")
	return cmd
}

// show writes a result as JSON, or as text.
func (a *app) show(cmd *cobra.Command, v any, text func()) error {
	if !a.json {
		text()
		return nil
	}
	e := json.NewEncoder(cmd.OutOrStdout())
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (a *app) on() *cobra.Command {
	return &cobra.Command{
		Use: "on", Short: "Switch Always-On on: synchronize once, and from then on by itself", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.flip(cmd, c.On) }),
	}
}

func (a *app) off() *cobra.Command {
	return &cobra.Command{
		Use: "off", Short: "Switch Always-On off: edits wait, nothing is sent", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.flip(cmd, c.Off) }),
	}
}

func (a *app) flip(cmd *cobra.Command, do func(context.Context) (control.Status, error)) error {
	s, err := do(cmd.Context())
	if err != nil {
		return err
	}
	return a.show(cmd, s, func() { fmt.Fprintln(cmd.OutOrStdout(), onOff(s.AlwaysOn)+": "+say.Sentence(s.Summary)) })
}

func (a *app) sync() *cobra.Command {
	req := control.SyncRequest{For: 7 * 24 * time.Hour}
	var limit time.Duration
	var yes bool
	cmd := &cobra.Command{
		Use: "sync [STORE…]", Short: "Synchronize now, also while Always-On is off",
		Example: "  alwayson sync --wait\n  alwayson sync mail --filter 'from:@customer.example since:14d body:full attachments:all' --for 3d --wait\n  alwayson sync contacts --mode refresh-from-server --yes --wait",
		PreRunE: func(_ *cobra.Command, args []string) error {
			req.Stores, req.Wait = args, req.Wait || limit > 0
			return checkMode(req, yes)
		},
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			ctx := cmd.Context()
			if limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, limit)
				defer cancel()
			}
			var x control.Exchange
			err := watched(ctx, cmd.ErrOrStderr(), c, func() (err error) {
				x, err = c.SyncWith(ctx, req)
				return err
			})
			if err != nil {
				return err
			}
			if req.Wait {
				return a.outcome(cmd, x)
			}
			return a.show(cmd, struct{}{}, func() { fmt.Fprintln(cmd.OutOrStdout(), say.Text("started")) })
		}),
	}
	cmd.Flags().BoolVar(&req.Wait, "wait", false, "return when everything is on both sides, or tell why not")
	cmd.Flags().StringVar(&req.Mode, "mode", "", "sync type of the stores named, or of all: two-way, slow, one-way-from-client, one-way-from-server, refresh-from-client, refresh-from-server")
	cmd.Flags().StringVar(&req.Filter, "filter", "", "take this along, too, until --for is over; see alwayson filter --help")
	cmd.Flags().Var((*days)(&req.For), "for", "how long --filter holds, e.g. 12h, 3d, 2w")
	cmd.Flags().BoolVar(&req.AnyNetwork, "any-network", false, "also over a network that network.allowed or network.metered excludes, this once")
	cmd.Flags().BoolVar(&yes, "yes", false, "one side may be replaced by the other")
	cmd.Flags().DurationVar(&limit, "timeout", 0, "wait at most so long, e.g. 30s")
	return cmd
}

// checkMode refuses what removes items unless the user has said that he knows.
func checkMode(req control.SyncRequest, yes bool) error {
	alert, err := ds.ParseSyncType(req.Mode)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if len(req.Stores) > 0 && req.Mode == "" && req.Filter == "" {
		return &exitError{exitUsage, errors.New("stores are named with --mode or --filter only; without them all are synchronized")}
	}
	if alert.Refreshes() && !yes {
		side := map[ds.Alert]string{ds.AlertRefreshFromServer: "this device", ds.AlertRefreshFromClient: "the server"}[alert]
		return &exitError{exitUsage, fmt.Errorf("%s deletes on %s what the other side does not have; nothing was done. Type it again with --yes", req.Mode, side)}
	}
	return nil
}

// outcome shows an exchange that was waited for; the exit code tells what became of it.
func (a *app) outcome(cmd *cobra.Command, x control.Exchange) error {
	if err := a.show(cmd, x, func() { writeOutcome(cmd.OutOrStdout(), &x) }); err != nil {
		return err
	}
	switch {
	case x.Problem == control.Credentials:
		return &exitError{exitCredentials, errors.New(x.Error + "; nothing is lost, alwayson status says what to type")}
	case x.Error != "":
		return &exitError{codeOfProblem(x.Problem), errors.New(x.Error)}
	case x.Problem == control.Partial:
		return &exitError{exitPartial, errors.New("some items could not be synchronized; alwayson pending names them")}
	}
	return nil
}

func (a *app) session() *cobra.Command {
	cmd := &cobra.Command{Use: "session", Short: "Show, open or close the logical session"}
	cmd.AddCommand(
		&cobra.Command{Use: "show", Short: "Show the session", Args: cobra.NoArgs,
			RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.sessionDo(cmd, c.Status) })},
		&cobra.Command{Use: "open", Short: "Open a session without synchronizing", Args: cobra.NoArgs,
			RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.sessionDo(cmd, c.OpenSession) })},
		&cobra.Command{Use: "close", Short: "Close the session; the next change opens another one", Args: cobra.NoArgs,
			RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.sessionDo(cmd, c.CloseSession) })},
	)
	return cmd
}

func (a *app) sessionDo(cmd *cobra.Command, do func(context.Context) (control.Status, error)) error {
	s, err := do(cmd.Context())
	if err != nil {
		return err
	}
	v := struct {
		State   string           `json:"state"`
		Session *control.Session `json:"session"`
		Last    *control.Ended   `json:"last_session"`
	}{s.State, s.Session, s.Ended}
	return a.show(cmd, v, func() { writeSession(cmd.OutOrStdout(), &s, time.Now()) })
}

func (a *app) pending() *cobra.Command {
	return &cobra.Command{
		Use: "pending", Short: "List what the server has not got yet, and why", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Pending(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(cmd, list, func() { writePending(cmd.OutOrStdout(), list) })
		}),
	}
}

func (a *app) log() *cobra.Command {
	var n int
	cmd := &cobra.Command{
		Use: "log", Short: "List the last exchanges with the server", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Log(cmd.Context(), n)
			if err != nil {
				return err
			}
			return a.show(cmd, list, func() { writeLog(cmd.OutOrStdout(), list) })
		}),
	}
	cmd.Flags().IntVarP(&n, "lines", "n", 20, "how many; 0 is all that are kept")
	return cmd
}
