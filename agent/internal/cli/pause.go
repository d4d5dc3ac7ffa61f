package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
)

func (a *app) pause() *cobra.Command {
	return &cobra.Command{
		Use: "pause [TIME]", Short: "Exchange nothing by itself for a time, e.g. 2h or 3d, or until alwayson resume", Args: cobra.MaximumNArgs(1),
		Long: "Exchange nothing by itself for a time, e.g. 90m, 2h or 3d, or until alwayson resume. Edits wait, and the session is kept. The pause outlives a\n" +
			"restart and ends by itself. alwayson sync synchronizes all the same.",
		RunE: func(cmd *cobra.Command, args []string) error {
			var until time.Time
			if len(args) > 0 {
				var d days
				if err := d.Set(args[0]); err != nil {
					return &exitError{exitUsage, err}
				}
				until = time.Now().Add(time.Duration(d))
			}
			return a.talk(func(cmd *cobra.Command, c *control.Client) error {
				return a.flip(cmd, func(ctx context.Context) (control.Status, error) { return c.Pause(ctx, until) })
			})(cmd, args)
		},
	}
}

func (a *app) resume() *cobra.Command {
	return &cobra.Command{
		Use: "resume", Short: "End a pause", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.flip(cmd, c.Resume) }),
	}
}
