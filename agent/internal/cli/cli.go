// Package cli is the command line of the agent: it runs the agent, or talks to the one that runs.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
	"github.com/alwayson-sync/alwayson/ds/cmd/terminal"
)

// Exit codes (ux.md 5.2). Scripts rely on them.
const (
	exitOK          = 0
	exitUnexpected  = 1
	exitUsage       = 2
	exitNoAgent     = 3
	exitPartial     = 4
	exitCredentials = 6
	exitUnreachable = 7
	exitTimeout     = 9
	exitDifferences = 10
	exitConfig      = 78
	exitInterrupted = 130
)

// exitError ends the program with a code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// app is what all commands share.
type app struct {
	in         *terminal.Input
	configPath string
	socket     string
	json       bool
}

// Run carries out a command line and returns the exit code. It writes results to out, everything else to errs.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	a := &app{in: terminal.New(ctx, in)}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	results := &writer{to: out}
	root.SetOut(results)
	root.SetErr(errs)
	cmd := root
	err := noSuch(root, args)
	if err == nil {
		cmd, err = root.ExecuteContextC(ctx)
	}
	if err == nil {
		err = results.failed()
	}
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		if a.in.Person() {
			fmt.Fprintln(errs) // the shell goes on below what was asked
		}
		return exitInterrupted
	}
	fmt.Fprintln(errs, "alwayson:", a.last(cmd, advised(err, a.configPath)))
	return codeOf(err)
}

// last is the error that ended a command, in the user's language. What runs the agent ends with a line for a log, unless a person has typed it.
func (a *app) last(cmd *cobra.Command, err error) string {
	if cmd.Name() == "run" && !a.in.Person() {
		return err.Error()
	}
	return say.Sentence(err.Error())
}

// advised tells who has not been set up what to type.
func advised(err error, path string) error {
	var conf *config.Error
	if errors.As(err, &conf) && conf.Path == path && errors.Is(conf, fs.ErrNotExist) {
		return fmt.Errorf("%w; type alwayson setup to make one", err)
	}
	return err
}

// writer remembers that a result could not be written, for instance to a disk that is full.
type writer struct {
	to  io.Writer
	err error
}

func (w *writer) Write(p []byte) (n int, err error) {
	if n, err = w.to.Write(p); err != nil && w.err == nil {
		w.err = err
	}
	return n, err
}

func (w *writer) failed() error {
	if w.err == nil || errors.Is(w.err, syscall.EPIPE) { // who reads no more has seen enough
		return nil
	}
	return fmt.Errorf("cannot write the result: %w", w.err)
}

func codeOf(err error) int {
	var exit *exitError
	var conf *config.Error
	var file *clientcert.FileError
	var refused *control.Error
	var secret *creds.Error
	switch {
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &secret):
		return exitCredentials
	case errors.As(err, &conf), errors.As(err, &file):
		return exitConfig
	case errors.Is(err, control.ErrNoAgent), errors.Is(err, svc.ErrNotInstalled):
		return exitNoAgent
	case errors.Is(err, context.DeadlineExceeded):
		return exitTimeout
	case errors.As(err, &refused):
		return codeOfProblem(refused.Problem)
	case strings.HasPrefix(err.Error(), "unknown command"): // the library has no type for it
		return exitUsage
	}
	return exitUnexpected
}

func codeOfProblem(p control.Problem) int {
	switch p {
	case control.Partial:
		return exitPartial
	case control.Credentials:
		return exitCredentials
	case control.Unreachable:
		return exitUnreachable
	}
	return exitUnexpected
}

// Command is the whole command line, for who describes it.
func Command() *cobra.Command {
	return (&app{in: terminal.New(context.Background(), strings.NewReader(""))}).root()
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "alwayson",
		Short: "Keeps contacts, calendars, tasks, notes and mail on this device and on a server equal, all the time",
		Long: "Keeps contacts, calendars, tasks, notes and mail on this device and on a server equal, all the time.\n\n" +
			"Exit codes: 0 done, 1 unexpected error, 2 usage, 3 agent not running, 4 some items could not be synchronized,\n" +
			"6 credentials needed, 7 server not reachable (it is tried again), 9 time limit, 10 differences exist (status --check),\n" +
			"78 the configuration needs the operator.\n\n" +
			"It speaks the language of LC_ALL, LC_MESSAGES, LANG and LANGUAGE: English or German. JSON, logs and exit codes are the same in all languages.",
		Version: Version(), SilenceUsage: true, SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.PersistentFlags().StringVar(&a.configPath, "config", config.DefaultFile(), "configuration file")
	root.PersistentFlags().StringVar(&a.socket, "socket", "", "socket of the agent, to listen or to ask (default: that of the configuration)")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "write the result as JSON")
	root.AddCommand(
		a.status(), a.on(), a.off(), a.pause(), a.resume(), a.sync(), a.session(), a.pending(), a.log(), a.why(), a.page(),
		a.filter(), a.fetch(), a.settings(),
		a.hold(), a.conflict(), a.quarantine(), a.history(), a.undo(), a.restore(), a.verify(),
		a.setup(), a.login(), a.run(), a.service(),
		a.doctor(), a.supportBundle(), a.version(), a.syncml(),
	)
	for _, c := range root.Commands() {
		usageErrors(c)
	}
	illustrate(root)
	speakHelp(root)
	return root
}

// noSuch refuses a word that a group of commands does not have. The library would show the help of the group, as if that had been asked for.
func noSuch(root *cobra.Command, args []string) error {
	c, rest, err := root.Find(args)
	if err != nil || c.Runnable() || !c.HasParent() || c.ParseFlags(rest) != nil || c.Flags().NArg() == 0 {
		return nil
	}
	return &exitError{exitUsage, fmt.Errorf("unknown command %q for %q; see %s --help", c.Flags().Arg(0), c.CommandPath(), c.CommandPath())}
}

// usageErrors makes wrong arguments exit with the code for usage.
func usageErrors(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &exitError{exitUsage, fmt.Errorf("%w; see %s --help", err, c.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usageErrors(sub)
	}
}

// dial finds the agent: by --socket, else by the configuration, else where it listens by default.
func (a *app) dial() (*control.Client, error) {
	if a.socket != "" {
		return control.Dial(a.socket), nil
	}
	c, err := config.Load(a.configPath)
	if err != nil {
		return nil, err
	}
	return control.Dial(c.Socket), nil
}

// talk is a command that talks to the agent.
func (a *app) talk(do func(*cobra.Command, *control.Client) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		c, err := a.dial()
		if err != nil {
			return err
		}
		defer c.Close()
		err = do(cmd, c)
		if errors.Is(err, control.ErrNoAgent) {
			return fmt.Errorf("%w; nothing is lost, what changes meanwhile is found at the next start (alwayson service start, or alwayson run)", err)
		}
		return err
	}
}
