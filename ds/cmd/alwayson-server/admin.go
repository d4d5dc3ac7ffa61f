package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
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
				if password, err = readSecret(cmd.InOrStdin(), cmd.ErrOrStderr()); err != nil {
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

func readSecret(in io.Reader, errs io.Writer) (string, error) {
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(errs, "Password: ")
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(errs)
		return string(b), err
	}
	return readLine(in)
}

func readLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(in).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fmt.Errorf("there is no password on standard input: %w", err)
	}
	return line, nil
}

// firstLine reads a file with a secret.
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return readLine(f)
}

func (a *admin) listUsers(ctx context.Context, store dsstore.Store, cmd *cobra.Command, _ []string) error {
	type row struct {
		Name    string `json:"name"`
		Admin   bool   `json:"admin"`
		Devices int    `json:"devices"`
	}
	list := []row{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		users, err := tx.Users()
		for _, u := range users {
			devices, e := tx.Devices(u.Name)
			err = errors.Join(err, e)
			list = append(list, row{u.Name, u.Admin, len(devices)})
		}
		return err
	})
	return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
		table(out, "USER\tADMIN\tDEVICES", list, func(r row) string { return fmt.Sprintf("%s\t%t\t%d", r.Name, r.Admin, r.Devices) })
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
	type row struct {
		ID      string    `json:"id"`
		User    string    `json:"user"`
		Seen    time.Time `json:"seen"`
		Session string    `json:"session"` // open, or how the last one ended
	}
	list := []row{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		devices, err := tx.Devices("")
		for _, d := range devices {
			sessions, e := tx.Sessions(d.ID)
			err = errors.Join(err, e)
			list = append(list, row{d.ID, d.User, d.Seen, sessionState(sessions)})
		}
		return err
	})
	return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
		table(out, "DEVICE\tUSER\tLAST SEEN\tSESSION", list, func(r row) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s", r.ID, r.User, when(r.Seen), r.Session)
		})
	}))
}

func sessionState(newestFirst []dsstore.Session) string {
	if len(newestFirst) == 0 {
		return "none"
	}
	return state(newestFirst[0])
}

func state(s dsstore.Session) string {
	switch {
	case s.Ending != "":
		return string(s.Ending)
	case !s.Open(time.Now()):
		return "lapsed" // the server ends it when it looks through the sessions
	}
	return "open"
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
	cmd.AddCommand(list)
	return cmd
}

func (a *admin) listSessions(ctx context.Context, store dsstore.Store, cmd *cobra.Command, device string) error {
	type row struct {
		ID      string    `json:"id"`
		Device  string    `json:"device"`
		State   string    `json:"state"` // open, lapsed, or the ending
		Opened  time.Time `json:"opened"`
		Renewed time.Time `json:"renewed"`
		Reason  string    `json:"reason,omitempty"`
	}
	list := []row{}
	err := store.View(ctx, func(tx dsstore.Tx) error {
		all, err := tx.Sessions(device)
		for _, s := range all {
			list = append(list, row{s.ID, s.Device, state(s), s.Opened, s.Renewed, s.Reason})
		}
		return err
	})
	return errors.Join(err, a.show(cmd, list, func(out io.Writer) {
		table(out, "SESSION\tDEVICE\tSTATE\tOPENED\tLAST SIGN\tREASON", list, func(r row) string {
			return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", r.ID, r.Device, r.State, when(r.Opened), when(r.Renewed), r.Reason)
		})
	}))
}
