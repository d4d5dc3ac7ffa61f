package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (a *admin) settings() *cobra.Command {
	cmd := &cobra.Command{Use: "settings", Short: "What devices are set to; they are told by themselves, also those that are away now"}
	cmd.AddCommand(a.setSettings("set", "Change settings of devices, all of them or none", false),
		a.setSettings("preview", "Tell what a change would mean to each device, and change nothing", true),
		a.listSettings("show DEVICE", "Show what a device shall be set to, and how far that has come", false),
		a.listSettings("history DEVICE", "Show who wanted what of a device, the newest first", true))
	return cmd
}

func (a *admin) setSettings(name, short string, preview bool) *cobra.Command {
	var whom site.Whom
	cmd := &cobra.Command{Use: name + " KEY=VALUE...", Short: short, Args: cobra.MinimumNArgs(1),
		Example: "  alwayson-server settings " + name + " --device laptop session.poll=10m log.level=debug",
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			values := map[string]string{}
			for _, arg := range args {
				key, value, ok := strings.Cut(arg, "=")
				if !ok {
					return fmt.Errorf("%q is not KEY=VALUE", arg)
				}
				values[key] = value
			}
			list, err := site.SetSettings(ctx, store, "@administrator", whom, values, preview)
			if err != nil {
				return err
			}
			return a.show(cmd, list, func(out io.Writer) {
				table(out, "DEVICE\tEFFECT\tCHANGES", list, func(c site.SettingsChange) string {
					return fmt.Sprintf("%s\t%s\t%s", c.Device, c.Effect, strings.Join(c.Keys, " "))
				})
			})
		})}
	cmd.Flags().StringVar(&whom.Device, "device", "", "this device")
	cmd.Flags().StringVar(&whom.User, "user", "", "all devices of this user")
	cmd.Flags().BoolVar(&whom.All, "all", false, "all devices")
	cmd.MarkFlagsOneRequired("device", "user", "all")
	cmd.MarkFlagsMutuallyExclusive("device", "user", "all")
	return cmd
}

func (a *admin) listSettings(use, short string, history bool) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			list, err := site.Settings(ctx, store, args[0], history)
			if err != nil {
				return err
			}
			return a.show(cmd, list, func(out io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(out, "nothing: the device is set as its own configuration says")
					return
				}
				table(out, "SETTING\tVALUE\tSTATE\tSET\tBY\tREASON", list, func(s site.SettingInfo) string {
					state := s.State
					if s.Settled != nil {
						state += " " + when(*s.Settled)
					}
					return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", s.Key, s.Value, state, when(s.At), s.By, s.Reason)
				})
			})
		})}
}
