package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/cmd/terminal"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
)

// with opens the store for one command. The server may run meanwhile.
func (a *admin) with(do func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		store, err := site.OpenStore(cmd.Context(), a.data)
		if err != nil {
			return err
		}
		return errors.Join(do(cmd.Context(), store, cmd, args), store.Close())
	}
}

func (a *admin) user() *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Accounts"}
	var admin, devicesOnly bool
	put := &cobra.Command{Use: "add NAME", Short: "Make an account or change its password, which is typed or comes on standard input", Args: cobra.ExactArgs(1),
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			password := ""
			if !devicesOnly {
				var err error
				if password, err = readSecret(ctx, cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			return site.PutUser(ctx, store, args[0], password, admin)
		})}
	put.Flags().BoolVar(&admin, "admin", false, "an administrator")
	put.Flags().BoolVar(&devicesOnly, "no-password", false, "only devices sign in")
	cmd.AddCommand(put, &cobra.Command{Use: "list", Short: "List the accounts", Args: cobra.NoArgs, RunE: a.with(a.listUsers)})
	return cmd
}

func readSecret(ctx context.Context, from io.Reader, errs io.Writer) (string, error) {
	in := terminal.New(ctx, from)
	secret, err := in.Secret(errs, "Password: ")
	switch {
	case errors.Is(err, context.Canceled):
		return "", err
	case secret == "" && in.Person():
		return "", errors.New("no password was typed")
	case secret == "":
		return "", fmt.Errorf("there is no password on standard input: %w", err)
	}
	return secret, nil
}

// firstLine reads a file with a secret.
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(f).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fmt.Errorf("there is no password in %s: %w", path, err)
	}
	return line, nil
}

func (a *admin) listUsers(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
	list, err := site.Users(ctx, store)
	return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
		table(out, "USER\tADMIN\tDEVICES", list, func(u site.UserInfo) string { return fmt.Sprintf("%s\t%t\t%d", u.Name, u.Admin, u.Devices) })
	}))
}

func table[T any](out io.Writer, head string, rows []T, line func(T) string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, r := range rows {
		fmt.Fprintln(w, line(r))
	}
	w.Flush()
}

func (a *admin) device() *cobra.Command {
	cmd := &cobra.Command{Use: "device", Short: "Devices"}
	var user string
	add := &cobra.Command{Use: "add ID --user NAME", Short: "Enrol a device and print its secret", Args: cobra.ExactArgs(1),
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			secret, err := site.Enrol(ctx, store, user, args[0])
			return a.secret(cmd, secret, err)
		})}
	add.Flags().StringVar(&user, "user", "", "whose device it is")
	add.MarkFlagRequired("user") //nolint:errcheck // the flag is there
	cmd.AddCommand(add,
		&cobra.Command{Use: "secret ID", Short: "Give a device a new secret and print it; its session is kept", Args: cobra.ExactArgs(1),
			RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
				secret, err := site.NewSecret(ctx, store, args[0])
				return a.secret(cmd, secret, err)
			})},
		&cobra.Command{Use: "remove ID", Short: "Forget a device: its session is finalized, its items stay with the user", Args: cobra.ExactArgs(1),
			RunE: a.with(func(ctx context.Context, store dsstore.Store, _ *cobra.Command, args []string) error {
				return site.Remove(ctx, store, args[0])
			})},
		&cobra.Command{Use: "list", Short: "List the devices", Args: cobra.NoArgs, RunE: a.with(a.listDevices)})
	return cmd
}

// secret writes nothing but the secret to standard output, so that it can go into a file or to alwayson login.
func (a *admin) secret(cmd *cobra.Command, secret string, err error) error {
	if err != nil {
		return err
	}
	return a.show(cmd, map[string]string{"secret": secret}, func(out io.Writer) { fmt.Fprintln(out, secret) })
}

func (a *admin) listDevices(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
	list, err := site.Devices(ctx, store, "")
	return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
		table(out, "DEVICE\tUSER\tLAST SEEN\tPUSH\tSESSION\tWAITING\tSINCE", list, func(d site.DeviceInfo) string {
			since := ""
			if d.Oldest != nil {
				since = when(*d.Oldest)
			}
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\t%s", d.ID, d.User, when(d.Seen), cmp.Or(d.Push, "-"), d.Session, d.Pending, since)
		})
	}))
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}

func (a *admin) session() *cobra.Command {
	cmd := &cobra.Command{Use: "session", Short: "Logical sessions"}
	var device string
	list := &cobra.Command{Use: "list", Short: "List sessions, newest first", Args: cobra.NoArgs,
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
			return a.listSessions(ctx, store, cmd, device)
		})}
	list.Flags().StringVar(&device, "device", "", "only those of this device")
	cmd.AddCommand(list, &cobra.Command{Use: "open DEVICE", Short: "Have a device open a session without synchronizing", Args: cobra.ExactArgs(1), RunE: a.with(a.openSession)})
	return cmd
}

func (a *admin) openSession(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
	s, err := site.OpenSession(ctx, store, "@administrator", args[0])
	if err != nil {
		return err
	}
	return a.show(cmd, s, func(out io.Writer) {
		fmt.Fprintf(out, "%s is asked to open a session, now or when it comes; alwayson-server settings show %s tells what became of it (%s)\n", s.Device, s.Device, s.Key)
	})
}

func (a *admin) listSessions(ctx context.Context, store dsstore.Store, cmd *cobra.Command, device string) error {
	list, err := site.Sessions(ctx, store, device)
	return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
		table(out, "SESSION\tDEVICE\tSTATE\tOPENED\tLAST SIGN\tREASON", list, func(s site.SessionInfo) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", s.ID, s.Device, s.State, when(s.Opened), when(s.Renewed), s.Reason)
		})
	}))
}

func (a *admin) filter() *cobra.Command {
	cmd := &cobra.Command{Use: "filter", Short: "What each device keeps of a datastore"}
	var preview bool
	set := &cobra.Command{Use: "set DEVICE DATASTORE FILTER", Short: "Change a filter; the device is told if it makes a difference to it", Args: cobra.ExactArgs(3),
		Example: "  alwayson-server filter set laptop mail 'since:30d attachments:2m' --preview",
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			n, err := site.SetFilter(ctx, store, "@administrator", args[0], args[1], args[2], preview)
			return errors.Join(err, a.show(cmd, n, func(out io.Writer) {
				if err == nil {
					fmt.Fprintf(out, "%d items come, %d come again in another form, %d leave the device and stay here\n", n.Come, n.Change, n.Leave)
				}
			}))
		})}
	set.Flags().BoolVar(&preview, "preview", false, "only tell what it would change")
	cmd.AddCommand(set, a.setFilters(), &cobra.Command{Use: "show DEVICE", Short: "Show the filters of a device", Args: cobra.ExactArgs(1),
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			list, err := site.Filters(ctx, store, args[0])
			return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
				table(out, "DATASTORE\tKEEPS\tSET BY", list, func(f site.FilterInfo) string {
					keeps := f.Filter
					if keeps == "" {
						keeps = "everything"
					}
					if f.Until != nil {
						keeps += "; until " + when(*f.Until) + " also " + f.Travel
					}
					return fmt.Sprintf("%s\t%s\t%s", f.Store, keeps, f.By)
				})
			}))
		})})
	return cmd
}

func (a *admin) setFilters() *cobra.Command {
	var user string
	cmd := &cobra.Command{Use: "set-all DATASTORE FILTER", Short: "Change the filter of all devices; those are told to which it makes a difference", Args: cobra.ExactArgs(2),
		Example: "  alwayson-server filter set-all mail since:30d --user ana",
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			devices, err := site.SetFilters(ctx, store, "@administrator", user, args[0], args[1])
			if err != nil {
				return err
			}
			return a.show(cmd, map[string]int{"devices": len(devices)}, func(out io.Writer) {
				fmt.Fprintf(out, "%d devices; alwayson-server why DEVICE tells what it meant to one\n", len(devices))
			})
		})}
	cmd.Flags().StringVar(&user, "user", "", "only those of this user")
	return cmd
}

func (a *admin) why() *cobra.Command {
	var n int
	cmd := &cobra.Command{Use: "why DEVICE", Short: "Tell why a device was notified or not, and what came of its exchanges and of the sessions in which it was managed", Args: cobra.ExactArgs(1),
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
			list, err := site.Why(ctx, store, args[0])
			if err != nil {
				return err
			}
			list = list[max(0, len(list)-n):]
			return a.show(cmd, list, func(out io.Writer) {
				if len(list) == 0 {
					fmt.Fprintln(out, "nothing is known of it yet")
					return
				}
				table(out, "LAST\tWHAT\tWHY\tOUTCOME\tTIMES", list, func(w site.WhyInfo) string {
					times := fmt.Sprint(w.Times)
					if w.Since != nil {
						times += " since " + when(*w.Since)
					}
					return fmt.Sprintf("%s\t%s\t%s\t%s\t%s", when(w.At), w.What, w.Why, w.Outcome, times)
				})
			})
		})}
	cmd.Flags().IntVarP(&n, "lines", "n", 20, "how many")
	return cmd
}

func (a *admin) hold() *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "Deletions that are held because a device has deleted many items at once"}
	decide := func(name, short string, approve bool) *cobra.Command {
		return &cobra.Command{Use: name + " DEVICE DATASTORE", Short: short, Args: cobra.ExactArgs(2),
			RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, args []string) error {
				_, n, err := site.DecideHold(ctx, store, args[0], args[1], approve)
				if err != nil {
					return err
				}
				return a.show(cmd, map[string]int{"items": n}, func(out io.Writer) { fmt.Fprintf(out, "%d items\n", n) })
			})}
	}
	cmd.AddCommand(decide("approve", "Let the deletions happen", true), decide("reject", "Give the items back to the device", false),
		&cobra.Command{Use: "list", Short: "List what is held", Args: cobra.NoArgs,
			RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
				list, err := site.Holds(ctx, store, "")
				return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
					table(out, "DEVICE\tDATASTORE\tDELETED\tSINCE\tAMONG THEM", list, func(h site.HoldInfo) string {
						return fmt.Sprintf("%s\t%s\t%d\t%s\t%s", h.Device, h.Store, h.Items, when(h.Since), strings.Join(h.Names, " "))
					})
				}))
			})})
	return cmd
}

func (a *admin) history() *cobra.Command {
	var user, uri string
	cmd := &cobra.Command{Use: "history --user NAME", Short: "List former versions of a user's items, newest first", Args: cobra.NoArgs,
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
			list, err := site.History(ctx, store, user, uri)
			return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
				table(out, "ID\tREPLACED\tDATASTORE\tITEM\tNAME\tWHY", list, func(f site.FormerInfo) string {
					return fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s", f.ID, when(f.At), f.Store, f.Item, f.Name, f.Reason)
				})
			}))
		})}
	cmd.Flags().StringVar(&user, "user", "", "whose items")
	cmd.Flags().StringVar(&uri, "store", "", "only this datastore")
	cmd.MarkFlagRequired("user") //nolint:errcheck // the flag is there
	return cmd
}

func (a *admin) restore() *cobra.Command {
	var user, uri, at string
	var id int64
	cmd := &cobra.Command{Use: "restore --user NAME --store DATASTORE (--id ID | --at TIME)", Short: "Put a former version back, or a datastore as it was at a time",
		Args: cobra.NoArgs, Example: "  alwayson-server restore --user ana --store contacts --at 2026-11-24T18:00:00Z",
		RunE: a.with(func(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
			t := time.Time{}
			if at != "" {
				var err error
				if t, err = time.Parse(time.RFC3339, at); err != nil {
					return fmt.Errorf("--at %q is no time like 2026-11-24T18:00:00Z", at)
				}
			}
			if (id == 0) == t.IsZero() {
				return errors.New("say --id of a version or --at a time")
			}
			n, err := site.Restore(ctx, store, user, uri, id, t)
			if err != nil {
				return err
			}
			return a.show(cmd, map[string]int{"items": n}, func(out io.Writer) { fmt.Fprintf(out, "%d items restored\n", n) })
		})}
	for _, f := range []struct {
		to          *string
		name, usage string
	}{{&user, "user", "whose items"}, {&uri, "store", "datastore"}} {
		cmd.Flags().StringVar(f.to, f.name, "", f.usage)
		cmd.MarkFlagRequired(f.name) //nolint:errcheck // the flag is there
	}
	cmd.Flags().Int64Var(&id, "id", 0, "of alwayson-server history")
	cmd.Flags().StringVar(&at, "at", "", "everything as it was then")
	return cmd
}
