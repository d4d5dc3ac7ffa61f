package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/browser"
)

func (a *app) page() *cobra.Command {
	var open bool
	cmd := &cobra.Command{
		Use: "page", Short: "Open the status page, on this device only, and print its address", Args: cobra.NoArgs,
		Long: "Lets the agent open a page on this device that shows where everything stands, and with which you can do what the commands do. The address is good\n" +
			"once and for two minutes, and lets in whoever has it; with --open, on Linux, only programs of yours. The page closes by itself when nobody has looked at it for half an hour.",
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			ask := c.Page
			if open {
				ask = c.OwnPage
			}
			url, err := ask(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.show(cmd, control.PageURL{URL: url}, func() { fmt.Fprintln(cmd.OutOrStdout(), url) }); err != nil || !open {
				return err
			}
			return browser.Open(url)
		}),
	}
	cmd.Flags().BoolVar(&open, "open", false, "open it in the browser")
	return cmd
}
