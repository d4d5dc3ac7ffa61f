package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
)

func (a *app) hold() *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "Show and decide about deletions that are held because they are many",
		Long: "When much of a store is deleted at once, on this device or on the server, nothing is deleted on the other side until somebody has looked at it."}
	cmd.AddCommand(
		&cobra.Command{Use: "list", Short: "List what is held", Args: cobra.NoArgs, RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Holds(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(cmd, list, func() { writeHolds(cmd.OutOrStdout(), list) })
		})},
		a.decide("approve", "Let the deletions happen on both sides", true),
		a.decide("reject", "Keep the items on both sides", false),
	)
	return cmd
}

func (a *app) decide(name, short string, approve bool) *cobra.Command {
	return &cobra.Command{Use: name + " STORE", Short: short, Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
		return a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.DecideHold(cmd.Context(), args[0], approve)
			if err != nil {
				return err
			}
			return a.show(cmd, list, func() { writeHolds(cmd.OutOrStdout(), list) })
		})(cmd, args)
	}}
}

func writeHolds(out io.Writer, list []control.Hold) {
	if len(list) == 0 {
		fmt.Fprintln(out, say.Text("nothing is held"))
	}
	for _, h := range list {
		since := h.Since.Local().Format(time.DateTime)
		if h.There > 0 {
			fmt.Fprintln(out, say.Count(h.There, "%s: %d items were deleted on this device (since %s); the server still has them",
				"%s: %d items were deleted on this device (since %s); the server still has them", h.Store, h.There, since))
		}
		if h.Here > 0 {
			fmt.Fprintln(out, say.Count(h.Here, "%s: %d items were deleted on the server (since %s); they are still on this device",
				"%s: %d items were deleted on the server (since %s); they are still on this device", h.Store, h.Here, since))
		}
		fmt.Fprintf(out, "  %s\n  %s\n", strings.Join(h.Items, " "),
			say.Text("alwayson hold approve %s deletes them everywhere, alwayson hold reject %s keeps them everywhere", h.Store, h.Store))
	}
}

func (a *app) history() *cobra.Command {
	return &cobra.Command{Use: "history [STORE]", Short: "List former versions of items that the server overwrote or deleted here, newest first", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.talk(func(cmd *cobra.Command, c *control.Client) error {
				list, err := c.History(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return err
				}
				return a.show(cmd, list, func() { writeFormer(cmd.OutOrStdout(), list) })
			})(cmd, args)
		}}
}

func writeFormer(out io.Writer, list []control.Former) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, say.Text("ID\tREPLACED\tSTORE\tITEM\tSIZE\tWHY"))
	for _, f := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.At.Local().Format(time.DateTime), f.Store, f.Item, humanize.IBytes(uint64(f.Size)), say.Sentence(f.Reason))
	}
	w.Flush()
}

func (a *app) undo() *cobra.Command {
	return &cobra.Command{Use: "undo", Short: "Take back what the server overwrote or deleted here last", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			return a.restoreAll(cmd, c, control.RestoreRequest{})
		})}
}

func (a *app) restore() *cobra.Command {
	var at, store string
	cmd := &cobra.Command{Use: "restore [ID]", Short: "Put a former version back, or a whole store as it was at a time", Args: cobra.MaximumNArgs(1),
		Example: "  alwayson restore 18a3f…-k5x\n  alwayson restore --store contacts --at '2026-11-24 18:00'",
		RunE: func(cmd *cobra.Command, args []string) error {
			req := control.RestoreRequest{ID: strings.Join(args, ""), Store: store}
			if at != "" {
				t, err := parseTime(at)
				if err != nil {
					return &exitError{exitUsage, err}
				}
				req.At = &t
			}
			if req.ID == "" && req.At == nil {
				return &exitError{exitUsage, errors.New("say which: an ID of alwayson history, or --at a time")}
			}
			return a.talk(func(cmd *cobra.Command, c *control.Client) error { return a.restoreAll(cmd, c, req) })(cmd, args)
		}}
	cmd.Flags().StringVar(&at, "at", "", "everything as it was then, e.g. '2026-11-24 18:00' or 2h (ago)")
	cmd.Flags().StringVar(&store, "store", "", "only this store")
	return cmd
}

func (a *app) restoreAll(cmd *cobra.Command, c *control.Client, req control.RestoreRequest) error {
	list, err := c.Restore(cmd.Context(), req)
	if err != nil {
		return err
	}
	return a.show(cmd, list, func() {
		for _, r := range list {
			fmt.Fprintln(cmd.OutOrStdout(), r.Store+": "+r.Item)
		}
		fmt.Fprintln(cmd.OutOrStdout(), say.Text("%d restored; they go to the server like any other edit", len(list)))
	})
}

// parseTime reads a time as people type it.
func parseTime(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "15:04"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			if layout == "15:04" {
				y, m, d := time.Now().Date()
				t = t.AddDate(y, int(m)-1, d-1)
			}
			return t, nil
		}
	}
	var ago days
	if err := ago.Set(s); err == nil {
		return time.Now().Add(-time.Duration(ago)), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time like '2026-11-24 18:00', 18:00 or 2h", s)
}

func (a *app) conflict() *cobra.Command {
	cmd := &cobra.Command{Use: "conflict", Short: "Show and resolve items that were changed on two sides so that both versions were kept"}
	var keep string
	resolve := &cobra.Command{Use: "resolve FILE --keep this|other", Short: "Leave one of two versions; the one that goes is kept in the history", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if keep != "this" && keep != "other" {
				return &exitError{exitUsage, errors.New("say which version to keep: --keep this (FILE) or --keep other")}
			}
			return a.talk(func(cmd *cobra.Command, c *control.Client) error {
				list, err := c.ResolveConflict(cmd.Context(), args[0], keep == "this")
				if err != nil {
					return err
				}
				return a.show(cmd, list, func() { writeConflicts(cmd.OutOrStdout(), list) })
			})(cmd, args)
		}}
	resolve.Flags().StringVar(&keep, "keep", "", "this: the version in FILE, other: the one beside it")
	cmd.AddCommand(resolve,
		&cobra.Command{Use: "list", Short: "List conflicts", Args: cobra.NoArgs, RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Conflicts(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(cmd, list, func() { writeConflicts(cmd.OutOrStdout(), list) })
		})},
		&cobra.Command{Use: "show FILE", Short: "Show in what two versions differ", Args: cobra.ExactArgs(1), RunE: func(cmd *cobra.Command, args []string) error {
			return a.talk(func(cmd *cobra.Command, c *control.Client) error {
				list, err := c.Conflicts(cmd.Context())
				if err != nil {
					return err
				}
				for _, x := range list {
					if x.Item == args[0] {
						return a.show(cmd, x, func() { writeDifference(cmd.OutOrStdout(), &x) })
					}
				}
				return fmt.Errorf("%s is no conflict; alwayson conflict list names them", args[0])
			})(cmd, args)
		}})
	return cmd
}

func writeConflicts(out io.Writer, list []control.Conflict) {
	if len(list) == 0 {
		fmt.Fprintln(out, say.Text("no conflicts"))
	}
	for _, c := range list {
		text := say.Text("changed on %s (%s) and elsewhere", c.Device, c.At.Local().Format(time.DateTime))
		if c.Other != "" {
			text += "; " + say.Text("the other version is %s", c.Other)
		}
		fmt.Fprintf(out, "%s: %s\n  %s\n", c.Store, c.Item, text)
	}
}

// writeDifference shows the lines that only one of two versions has.
func writeDifference(out io.Writer, c *control.Conflict) {
	this, other := strings.Split(c.This, "\n"), strings.Split(c.That, "\n")
	fmt.Fprintf(out, "- %s\n+ %s\n\n", c.Other, c.Item)
	for _, l := range other {
		if !slices.Contains(this, l) {
			fmt.Fprintln(out, "- "+strings.TrimSuffix(l, "\r"))
		}
	}
	for _, l := range this {
		if !slices.Contains(other, l) {
			fmt.Fprintln(out, "+ "+strings.TrimSuffix(l, "\r"))
		}
	}
}

func (a *app) verify() *cobra.Command {
	return &cobra.Command{Use: "verify", Short: "Compare both sides and name what differs; exits with 10 if anything does", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Verify(cmd.Context())
			if err != nil {
				return err
			}
			if err := a.show(cmd, list, func() { writeVerification(cmd.OutOrStdout(), list) }); err != nil {
				return err
			}
			for _, v := range list {
				if len(v.Differ) > 0 {
					return &exitError{exitDifferences, errors.New("both sides are not equal; the next exchange repairs it by itself, alwayson sync --mode slow --wait does it now; nothing is deleted")}
				}
			}
			return nil
		})}
}

func writeVerification(out io.Writer, list []control.Verification) {
	for _, v := range list {
		if len(v.Differ) == 0 {
			fmt.Fprintln(out, say.Count(v.Items, "%s: %d items, equal on both sides (%s, %d octets)", "%s: %d items, equal on both sides (%s, %d octets)",
				v.Store, v.Items, v.Took.Round(time.Millisecond), v.Bytes))
			continue
		}
		fmt.Fprintln(out, say.Text("%s: %d of %d items differ", v.Store, len(v.Differ), v.Items))
		for _, key := range v.Differ {
			fmt.Fprintln(out, "  "+key)
		}
	}
}

func (a *app) why() *cobra.Command {
	var n int
	cmd := &cobra.Command{Use: "why", Short: "Tell why the last exchanges ran, and why others did not", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Why(cmd.Context())
			if err != nil {
				return err
			}
			list = list[max(0, len(list)-n):]
			return a.show(cmd, list, func() {
				for _, w := range list {
					what := say.Text("no exchange")
					if w.Exchange {
						what = say.Text("exchange   ")
					}
					fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSuffix(fmt.Sprintf("%s  %s  %s → %s", w.At.Local().Format(time.DateTime), what, say.Sentence(w.Why), say.Sentence(w.Outcome)), " → "))
				}
			})
		})}
	cmd.Flags().IntVarP(&n, "lines", "n", 20, "how many")
	return cmd
}

func (a *app) quarantine() *cobra.Command {
	return &cobra.Command{Use: "quarantine", Short: "List items that cannot be synchronized, and why; they are tried again when they change", Args: cobra.NoArgs,
		RunE: a.talk(func(cmd *cobra.Command, c *control.Client) error {
			list, err := c.Pending(cmd.Context())
			if err != nil {
				return err
			}
			list = slices.DeleteFunc(list, func(p control.Pending) bool { return p.Problem == "" })
			return a.show(cmd, list, func() {
				if len(list) == 0 {
					fmt.Fprintln(cmd.OutOrStdout(), say.Text("every item can be synchronized"))
				}
				for _, p := range list {
					fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n  %s\n", p.Store, p.Item, say.Sentence(p.Problem))
				}
			})
		})}
}
