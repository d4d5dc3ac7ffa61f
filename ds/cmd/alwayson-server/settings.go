package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

func (a *admin) settings() *cobra.Command {
	cmd := &cobra.Command{Use: "settings", Short: "What devices are set to; they are told by themselves, also those that are away now"}
	cmd.AddCommand(a.setSettings("set", "Change settings of devices, all of them or none; a VALUE of @FILE is what the file holds", false),
		a.setSettings("preview", "Tell what a change would mean to each device, and change nothing", true),
		a.resetSettings(),
		a.listSettings("show DEVICE", "Show what a device shall be set to, and how far that has come", false),
		a.listSettings("history DEVICE", "Show who wanted what of a device, the newest first", true))
	return cmd
}

func (a *admin) setSettings(name, short string, preview bool) *cobra.Command {
	return a.changeSettings(name, "KEY=VALUE...", short, "session.poll=10m log.level=debug", preview, func(arg string) (string, *string, error) {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return "", nil, fmt.Errorf("%q is not KEY=VALUE", arg)
		}
		value, err := mo.Given(key, value, os.ReadFile)
		return key, &value, err
	})
}

func (a *admin) resetSettings() *cobra.Command {
	return a.changeSettings("reset", "KEY...", "Take back what is wanted of devices; what else is wanted of them holds then, or their own configuration",
		"session.poll", false, func(key string) (string, *string, error) { return key, nil, nil })
}

// changeSettings is a command that changes what is wanted of devices, by arguments each of which is a key with its value.
func (a *admin) changeSettings(name, args, short, example string, preview bool, parse func(string) (string, *string, error)) *cobra.Command {
	var whom site.Whom
	cmd := &cobra.Command{Use: name + " " + args, Short: short, Long: short + ".\n\n" + site.Precedence, Args: cobra.MinimumNArgs(1),
		Example: "  alwayson-server settings " + name + " --device laptop " + example + "\n  alwayson-server settings " + name + " --group sales " + example,
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			values := map[string]*string{}
			for _, arg := range args {
				key, value, err := parse(arg)
				if err != nil {
					return err
				}
				values[key] = value
			}
			list, err := site.SetSettings(ctx, store, "@administrator", whom, values, preview)
			return a.showChanges(cmd, list, err)
		})}
	f := cmd.Flags()
	f.StringVar(&whom.Device, "device", "", "this device")
	f.StringVar(&whom.Group, "group", "", "all devices of this group")
	f.StringVar(&whom.User, "user", "", "all devices of this user")
	f.BoolVar(&whom.All, "all", false, "all devices")
	cmd.MarkFlagsOneRequired("device", "group", "user", "all")
	cmd.MarkFlagsMutuallyExclusive("device", "group", "user", "all")
	return cmd
}

// showChanges shows what a change means to each device.
func (a *admin) showChanges(cmd *cobra.Command, list []site.SettingsChange, err error) error {
	if err != nil {
		return err
	}
	return a.show(cmd, list, func(out io.Writer) {
		table(out, "DEVICE\tEFFECT\tCHANGES\tOVERRULED", list, func(c site.SettingsChange) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s", c.Device, c.Effect, strings.Join(c.Keys, " "), strings.Join(c.Overruled, ", "))
		})
	})
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
				table(out, "SETTING\tVALUE\tSTATE\tSET\tBY\tFOR\tREASON", list, settingLine)
			})
		})}
}

func settingLine(s site.SettingInfo) string {
	value, state := mo.Brief(s.Value), s.State
	if s.Own {
		value = "(the device's own)"
	}
	if s.Settled != nil {
		state += " " + when(*s.Settled)
	}
	return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%s", s.Key, value, state, when(s.At), s.By, s.For, s.Reason)
}
