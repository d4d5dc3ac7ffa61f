package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (a *admin) group() *cobra.Command {
	cmd := &cobra.Command{Use: "group", Short: "Groups of devices that are set together: alwayson-server settings set --group NAME",
		Long: "Groups of devices that are set together: alwayson-server settings set --group NAME.\n\n" + site.Precedence}
	cmd.AddCommand(
		&cobra.Command{Use: "add NAME", Short: "Make a group", Args: cobra.ExactArgs(1),
			RunE: a.with(func(ctx context.Context, store dsstore.Store, _ *cobra.Command, args []string) error {
				return site.AddGroup(ctx, store, "@administrator", args[0])
			})},
		a.regroup("join NAME DEVICE...", "Put devices into a group: they are set to what is wanted of it", 2, site.Join),
		a.regroup("leave NAME DEVICE...", "Take devices out of a group: they are set to what they would be without it", 2, site.Leave),
		a.regroup("remove NAME", "Forget a group and what is wanted of it: its devices are set to what they would be without it", 1,
			func(ctx context.Context, store dsstore.Store, by, name string, _ ...string) ([]site.SettingsChange, error) {
				return site.RemoveGroup(ctx, store, by, name)
			}),
		&cobra.Command{Use: "list", Short: "List the groups", Args: cobra.NoArgs, RunE: a.with(a.listGroups)},
		&cobra.Command{Use: "show NAME", Short: "Show the devices of a group and what is wanted of it", Args: cobra.ExactArgs(1), RunE: a.with(a.showGroup)})
	return cmd
}

// regroup is a command that changes who is in a group.
func (a *admin) regroup(use, short string, least int, change func(ctx context.Context, store dsstore.Store, by, name string, devices ...string) ([]site.SettingsChange, error)) *cobra.Command {
	args := cobra.MinimumNArgs(least)
	if least == 1 {
		args = cobra.ExactArgs(1)
	}
	return &cobra.Command{Use: use, Short: short, Args: args,
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			list, err := change(ctx, store, "@administrator", args[0], args[1:]...)
			return a.showChanges(cmd, list, err)
		})}
}

func (a *admin) listGroups(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
	list, err := site.Groups(ctx, store, "")
	if err != nil {
		return err
	}
	return a.show(cmd, list, func(out io.Writer) {
		table(out, "GROUP\tDEVICES\tSETTINGS\tMADE\tBY", list, func(g site.GroupInfo) string {
			return fmt.Sprintf("%s\t%d\t%d\t%s\t%s", g.Name, len(g.Devices), len(g.Settings), when(g.At), g.By)
		})
	})
}

func (a *admin) showGroup(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
	list, err := site.Groups(ctx, store, args[0])
	if err != nil {
		return err
	}
	g := list[0]
	return a.show(cmd, g, func(out io.Writer) {
		fmt.Fprintf(out, "devices: %s\n", strings.Join(g.Devices, " "))
		table(out, "SETTING\tVALUE\tSET\tBY", g.Settings, func(w site.WishInfo) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s", w.Key, mo.Brief(w.Value), when(w.At), w.By)
		})
	})
}
