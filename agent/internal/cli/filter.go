package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

const filterHelp = `A filter says what of a store this device keeps. What it leaves out leaves this device and stays on the server.

Words that stand side by side must all be true; a comma means one of several, a minus before a word turns it round, "or" and
parentheses combine:

  from:@customer.example since:14d            mails of a customer in the last two weeks
  (subject:invoice or has:attachment) -flag:seen
  since:30d before:90d                        events from a month ago to ninety days back
  category:work,project

How much of a message travels is part of it: body:headers, body:text, body:full, body:50k, attachments:none, attachments:all,
attachments:2m.

`

func (a *app) filter() *cobra.Command {
	long := filterHelp
	for _, k := range []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes} {
		long += fmt.Sprintf("Fields of %s: %s\n", k, strings.Join(filter.FieldNames(k), ", "))
	}
	cmd := &cobra.Command{Use: "filter", Short: "Show or change what of each store this device keeps", Long: long}
	cmd.AddCommand(
		&cobra.Command{Use: "show", Short: "Show the filters of all stores", Args: cobra.NoArgs, RunE: a.talk(a.filterShow)},
		&cobra.Command{Use: "set STORE FILTER", Short: "Change the filter of a store", Args: cobra.ExactArgs(2),
			Example: "  alwayson filter set mail 'since:30d attachments:2m'", RunE: a.withFilter(a.filterSet)},
		&cobra.Command{Use: "reset STORE", Short: "Keep everything of a store again", Args: cobra.ExactArgs(1), RunE: a.withFilter(a.filterSet)},
		&cobra.Command{Use: "preview STORE FILTER", Short: "Ask the server what a filter would change, and change nothing", Args: cobra.ExactArgs(2),
			RunE: a.withFilter(a.filterPreview)},
	)
	return cmd
}

func (a *app) fetch() *cobra.Command {
	return &cobra.Command{
		Use: "fetch FILE", Short: "Get a message whole of which the filter has left only a part here", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.talk(func(cmd *cobra.Command, c *control.Client) error {
				x, err := c.Fetch(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return a.outcome(cmd, x)
			})(cmd, args)
		},
	}
}

// withFilter reads a store and a filter from the arguments.
func (a *app) withFilter(do func(*cobra.Command, *control.Client, control.Filter) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		f := control.Filter{Store: args[0]}
		if len(args) > 1 {
			f.Filter = args[1]
			if _, err := filter.Parse(f.Filter); err != nil {
				return &exitError{exitUsage, err}
			}
		}
		return a.talk(func(cmd *cobra.Command, c *control.Client) error { return do(cmd, c, f) })(cmd, args)
	}
}

func (a *app) filterShow(cmd *cobra.Command, c *control.Client) error {
	list, err := c.Filters(cmd.Context())
	if err != nil {
		return err
	}
	return a.show(cmd, list, func() { writeFilters(cmd.OutOrStdout(), list) })
}

func writeFilters(out io.Writer, list []control.Filter) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, say.Text("STORE\tKEEPS\tSTATE"))
	for _, f := range list {
		keeps := f.Filter
		if keeps == "" {
			keeps = say.Text("everything")
		}
		if f.Travel != "" && f.Until != nil {
			keeps += "; " + say.Text("until %s also %s", f.Until.Local().Format(time.DateTime), f.Travel)
		}
		state := say.Word(f.State)
		if f.Reason != "" {
			state += ": " + say.Sentence(f.Reason)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", f.Store, keeps, state)
	}
	w.Flush()
}

func (a *app) filterSet(cmd *cobra.Command, c *control.Client, f control.Filter) error {
	set, err := c.SetFilter(cmd.Context(), f)
	if err != nil {
		return err
	}
	return a.show(cmd, set, func() { writeFilters(cmd.OutOrStdout(), []control.Filter{set}) })
}

func (a *app) filterPreview(cmd *cobra.Command, c *control.Client, f control.Filter) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), time.Minute)
	defer cancel()
	p, err := c.PreviewFilter(ctx, f)
	if err != nil {
		return err
	}
	return a.show(cmd, p, func() {
		fmt.Fprintln(cmd.OutOrStdout(), say.Text("%d would come, %d would come again in another form, %d would leave this device and stay on the server",
			p.Come, p.Change, p.Leave))
	})
}

// days is a duration of which days and weeks may be said, too.
type days time.Duration

func (d *days) String() string { return time.Duration(*d).String() }

// Type implements pflag.Value, as do String and Set.
func (d *days) Type() string { return "duration" }

// Set is described at Type.
func (d *days) Set(s string) error {
	unit := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	if n, err := strconv.Atoi(s[:max(len(s)-1, 0)]); err == nil && n > 0 && unit[s[len(s)-1:]] > 0 {
		*d = days(time.Duration(n) * unit[s[len(s)-1:]])
		return nil
	}
	v, err := time.ParseDuration(s)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no time like 12h, 3d or 2w", s)
	}
	*d = days(v)
	return nil
}
