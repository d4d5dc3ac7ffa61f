package cli

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/dm/mo"
)

func (a *app) settings() *cobra.Command {
	cmd := &cobra.Command{Use: "settings", Short: "Show or change what the agent is set to do, while it runs",
		Long: "Show or change what the agent is set to do, while it runs.\n\n" +
			"The configuration is what the files in " + config.DefaultSystem() + ", the user's file and the environment (ALWAYSON_SESSION_POLL=10m) say, each over those\n" +
			"before. What you or the administrator set holds over it, the last wish of all, until the configuration says something else; what the\n" +
			"administrator has locked only he changes."}
	var origin bool
	show := &cobra.Command{
		Use: "show [KEY]", Short: "Show the settings that hold; KEY may be the beginning of one", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.settingsShow(cmd, c, args, origin) })(cmd, args)
		},
	}
	show.Flags().BoolVar(&origin, "origin", false, "show where each value comes from, and what a change of it would do")
	cmd.AddCommand(show,
		&cobra.Command{Use: "set KEY VALUE", Short: "Change a setting; a VALUE of @FILE is what the file holds", Args: cobra.ExactArgs(2),
			Example: "  alwayson settings set session.poll 10m\n  alwayson settings set account.ca_file @ca.pem", RunE: a.settingsSet},
		&cobra.Command{Use: "reset KEY", Short: "Take back what was set over the configuration file", Args: cobra.ExactArgs(1), RunE: a.settingsSet},
		&cobra.Command{Use: "tree", Short: "Show the management tree: what servers of device management see, and what they may do", Args: cobra.NoArgs,
			RunE: a.talk(a.settingsTree)},
	)
	return cmd
}

func (a *app) settingsTree(cmd *cobra.Command, c *control.Client) error {
	list, err := c.Tree(cmd.Context())
	if err != nil {
		return err
	}
	return a.show(cmd, list, func() {
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, say.Text("NODE\tFORMAT\tVALUE\tACL (if none, the one above)"))
		for _, n := range list {
			value := mo.Brief(n.Value)
			if n.Secret {
				value = say.Text("(secret)")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.URI, n.Format, value, n.ACL)
		}
		w.Flush() //nolint:errcheck // as every Fprint here
	})
}

func (a *app) settingsShow(cmd *cobra.Command, c *control.Client, args []string, origin bool) error {
	all, err := c.Settings(cmd.Context())
	if err != nil {
		return err
	}
	list := []control.Setting{}
	for _, s := range all {
		if len(args) == 0 || strings.HasPrefix(s.Key, args[0]) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return &exitError{exitUsage, fmt.Errorf("there is no setting %s; alwayson settings show lists all", args[0])}
	}
	return a.show(cmd, list, func() { writeSettings(cmd, list, origin) })
}

func writeSettings(cmd *cobra.Command, list []control.Setting, origin bool) {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	if origin {
		fmt.Fprintln(w, say.Text("SETTING\tVALUE\tFROM\tA CHANGE"))
	}
	for _, s := range list {
		if !origin {
			fmt.Fprintf(w, "%s\t%s\n", s.Key, mo.Brief(s.Value))
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.Key, mo.Brief(s.Value), from(&s), say.Word(effects[s.Effect]))
	}
	w.Flush() //nolint:errcheck // as every Fprint here
}

func from(s *control.Setting) string {
	text := say.Word(s.Origin)
	if s.Where != "" {
		text += " " + s.Where
	}
	if s.Set != nil {
		text += ", " + s.Set.Local().Format("2006-01-02 15:04")
	}
	if s.Locked {
		text += ", " + say.Text("locked")
	}
	return text
}

// effects are what follows from a change, in words.
var effects = map[string]string{
	"none": "is in use at once", "open": "opens a session", "sync": "starts a sync", "restart": "breaks the session and makes a new one",
}

func (a *app) settingsSet(cmd *cobra.Command, args []string) error {
	values := map[string]*string{args[0]: nil}
	if len(args) > 1 {
		value, err := mo.Given(args[0], args[1], os.ReadFile)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		values[args[0]] = &value
	}
	return a.talk(func(cmd *cobra.Command, c *control.Client) error {
		done, err := c.SetSettings(cmd.Context(), values)
		if err != nil {
			return err
		}
		return a.show(cmd, done, func() {
			fmt.Fprintln(cmd.OutOrStdout(), say.Text("set; the change %s", say.Word(effects[done.Effect])))
		})
	})(cmd, args)
}
