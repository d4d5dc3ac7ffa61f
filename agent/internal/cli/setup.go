package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/creds"
	"github.com/alwayson-sync/alwayson/agent/internal/provision"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/dm/cp"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/maildir"
	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// setupFlags are what the user says besides the document, or instead of one.
type setupFlags struct {
	file string
	wish provision.Wish
	yes  bool
	// plain allows what others can read on the way.
	plain  bool
	user   string
	broker string
	caFile string
	stores []string
	// service installs and starts the service without a question.
	service bool
	// Where the secret is kept; neither is a file.
	keyring bool
	command string
}

func (a *app) setup() *cobra.Command {
	var f setupFlags
	cmd := &cobra.Command{
		Use: "setup [SERVER]", Short: "Set this device up: find the folders, test server and broker, show what would happen, write the configuration", Args: cobra.MaximumNArgs(1),
		Long: "Asks for the server and for the secret of this device, tests the way to server and broker while it asks, finds the folders of other programs (khal,\n" +
			"khard, todoman, vdirsyncer, mbsync, notmuch …), and shows what the first synchronization would do before anything is written. With --yes it asks\n" +
			"nothing, and takes the secret from standard input.\n\n" +
			"With --provision it takes all that from a provisioning document (OMA CP, XML or WBXML; - is standard input) as operators and administrators send\n" +
			"it: an account of data synchronization (w5) with its datastores, and of device management (w7). The document is believed: take it only from\n" +
			"somebody whom you trust. What is there already is replaced only after a question.\n\n" +
			"The secret is kept in a file beside the configuration, sealed with what names this machine (Linux), or with --keyring in the keyring of the desktop.\n" +
			"A person at a terminal is offered the keyring where it is unlocked. With --secret-command a command has the secret, and this program keeps none: it\n" +
			"is run without a shell ('…' and \"…\" keep words together), and the first line that it writes is the secret.",
		Example: "  alwayson setup sync.example.org\n  alwayson setup sync.example.org --user ana --device laptop --store mail=~/Mail --yes < secret\n  alwayson setup --provision settings.wbxml --device laptop",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && f.file != "" {
				return &exitError{exitUsage, errors.New("the document says where the server is: give one of both")}
			}
			if f.keyring && f.command != "" {
				return &exitError{exitUsage, errors.New("the secret is kept in the keyring, or by a command: give one of --keyring and --secret-command")}
			}
			return a.setUp(cmd, &f, strings.Join(args, ""))
		},
	}
	cmd.Flags().StringVar(&f.file, "provision", "", "the document")
	cmd.Flags().StringVar(&f.user, "user", "", "name on the server")
	cmd.Flags().StringVar(&f.broker, "broker", "", "address of the broker; default: where that of the server listens; none is none")
	cmd.Flags().StringVar(&f.caFile, "ca-file", "", "certificates of the authorities that have signed those of server and broker; default: the system's")
	cmd.Flags().BoolVar(&f.service, "service", false, "let the system run it from now on, at each login, and switch Always-On on, without a question")
	cmd.Flags().StringArrayVar(&f.stores, "store", nil, "KIND=FOLDER, of contacts, calendar, tasks, notes, mail; more than once for several")
	cmd.Flags().StringVar(&f.wish.Device, "device", "", "as the administrator enrolled it; default: as the document says")
	cmd.Flags().StringVar(&f.wish.Folder, "folder", "~/AlwaysOn", "where the folders of the stores are")
	cmd.Flags().BoolVar(&f.keyring, "keyring", false, "keep the secret in the keyring of the desktop")
	cmd.Flags().StringVar(&f.command, "secret-command", "", "command that writes the secret, e.g. \"pass show alwayson\"")
	cmd.Flags().BoolVar(&f.plain, "insecure-http", false, "allow a server or broker without TLS, e.g. in a network that is encrypted itself")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "replace what is there without a question")
	return cmd
}

// private refuses an address where others can read what goes there, unless that is wanted.
func (f *setupFlags) private(address string) error {
	if f.plain || !config.Readable(address) {
		return nil
	}
	return &exitError{exitUsage, fmt.Errorf("the way to %s is not encrypted: everybody on it could read and change your data; use https and mqtts, or allow it with --insecure-http", address)}
}

func (a *app) setUp(cmd *cobra.Command, f *setupFlags, address string) error {
	plan, err := a.wish(cmd, f, address)
	if err != nil {
		return err
	}
	if err := errors.Join(f.private(plan.Settings["account.server"]), f.private(plan.Settings["push.broker"])); err != nil {
		return err
	}
	text, err := plan.TOML()
	if err != nil {
		return err
	}
	at, err := a.place(text)
	if err != nil {
		return err
	}
	if err := a.mayReplace(cmd, f, plan, at.File); err != nil {
		return err
	}
	if plan.Secret != "" && at.Command == "" { // first, because an agent that runs takes the configuration into use at once
		if err := at.Write(cmd.Context(), plan.Secret); err != nil {
			return fmt.Errorf("cannot keep the secret, nothing was changed: %w", err)
		}
	}
	if err := safefile.WriteFile(a.configPath, text, 0o600); err != nil {
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	if err := a.makeFolders(); err != nil {
		return err
	}
	running, err := a.offer(cmd, f)
	if e := a.show(cmd, plan, func() { a.writePlan(cmd, plan, at, running) }); e != nil {
		return e
	}
	return err
}

// place is where the secret will be, according to a configuration that is not written yet.
func (a *app) place(text []byte) (creds.Place, error) {
	c, err := a.meant(text)
	if err != nil {
		return creds.Place{}, err
	}
	return creds.OfAccount(c), nil
}

// meant is what a text would mean as the configuration.
func (a *app) meant(text []byte) (*config.Config, error) {
	path, err := filepath.Abs(a.configPath)
	if err != nil {
		return nil, err
	}
	f, err := config.Decode(path, text)
	if err != nil {
		return nil, err
	}
	return f.With(nil)
}

// makeFolders makes the folders of stores that are new.
func (a *app) makeFolders() error {
	c, err := config.Load(a.configPath)
	if err != nil {
		return err
	}
	for _, s := range c.Stores {
		if _, err := os.Stat(s.Dir); err == nil {
			continue // also an empty one: it may be of a disk that is not mounted
		}
		err := os.MkdirAll(s.Dir, 0o700)
		if err == nil && s.Kind == pim.Mail {
			err = maildir.Create(s.Dir)
		}
		if err != nil {
			return fmt.Errorf("the configuration is written, but a folder cannot be made: %w", err)
		}
	}
	return nil
}

// wish is what a document says, or a person. All that is wrong with it is one error.
func (a *app) wish(cmd *cobra.Command, f *setupFlags, address string) (_ *provision.Plan, err error) {
	if !strings.HasPrefix(f.wish.Folder, "~/") {
		if f.wish.Folder, err = filepath.Abs(f.wish.Folder); err != nil {
			return nil, err
		}
	}
	if f.caFile != "" {
		if f.caFile, err = filepath.Abs(f.caFile); err != nil {
			return nil, err
		}
	}
	if f.file == "" {
		return a.lead(cmd, f, address)
	}
	in, err := a.readFile(f.file)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	doc, err := cp.Parse(in)
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("%s: %w; nothing was changed", f.file, err)}
	}
	plan, mistakes := provision.Make(doc, f.wish)
	if len(mistakes) > 0 {
		return nil, &exitError{exitConfig, fmt.Errorf("cannot use %s, nothing was changed: %s", f.file, strings.Join(mistakes, "; "))}
	}
	plan.Keyring, plan.SecretCommand = f.keyring, f.command
	return plan, nil
}

// mayReplace asks before something is replaced that is there.
func (a *app) mayReplace(cmd *cobra.Command, f *setupFlags, plan *provision.Plan, secret string) error {
	var there []string
	for _, path := range []string{a.configPath, secret} {
		_, err := os.Stat(path)
		switch {
		case path == secret && plan.Secret == "", path == "", errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		default:
			there = append(there, path)
		}
	}
	if f.yes || len(there) == 0 {
		return nil
	}
	what := strings.Join(there, " and ")
	fmt.Fprint(cmd.ErrOrStderr(), say.Text("Replace %s? [y/N] ", what))
	if a.agrees() {
		return nil
	}
	return &exitError{exitUsage, fmt.Errorf("nothing was changed, because of what is there already: %s; type it again with --yes to replace that", what)}
}

// agrees tells whether the user answers yes.
func (a *app) agrees() bool {
	answer, _ := a.in.ReadString('\n')
	return isYes(strings.TrimSpace(answer))
}

// isYes tells whether an answer is yes in the user's language, or its beginning. Who learned to type y is understood, too.
func isYes(answer string) bool { return begins(answer, "yes") || begins(answer, say.Text("yes")) }

// isNo is isYes for no.
func isNo(answer string) bool { return begins(answer, "no") || begins(answer, say.Text("no")) }

func begins(answer, word string) bool {
	return answer != "" && strings.HasPrefix(word, strings.ToLower(answer))
}

func (a *app) writePlan(cmd *cobra.Command, p *provision.Plan, at creds.Place, running bool) {
	out := cmd.OutOrStdout()
	fmt.Fprintln(out, say.Text("written: %s", a.configPath))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "  %s\t%s\n", say.Text("device"), p.Device)
	for _, key := range slices.Sorted(maps.Keys(p.Settings)) {
		fmt.Fprintf(w, "  %s\t%s\n", key, p.Settings[key])
	}
	for _, s := range p.Stores {
		fmt.Fprintf(w, "  %s\t%s\n", say.Text("store %s", s.Name), say.Text("%s in %s", say.Word(string(s.Kind)), s.Dir))
	}
	w.Flush() //nolint:errcheck // as every Fprint here
	switch {
	case at.Command != "":
		fmt.Fprintln(out, say.Text("the secret comes from: %s", at.Command))
	case p.Secret != "" && at.Keyring:
		fmt.Fprintln(out, say.Text("written: the entry %s for %s in the keyring", creds.Service, at.Account))
	case p.Secret != "":
		fmt.Fprintln(out, say.Text("written: %s (for nobody else to read)", at.File))
	}
	for _, text := range p.LeftOut {
		fmt.Fprintln(out, say.Text("left out: %s", say.Sentence(text)))
	}
	if running {
		fmt.Fprintln(out, say.Text("the service runs, and Always-On is ON: %s", "alwayson status"+a.where()))
		return
	}
	fmt.Fprintln(out, say.Text("now type:"))
	for _, name := range follows(p) {
		fmt.Fprintln(out, "  alwayson", name+a.where())
	}
}

// follows are the commands to be typed then.
func follows(p *provision.Plan) []string {
	if p.Secret == "" && p.SecretCommand == "" {
		return []string{"login", "service install", "service start", "on"}
	}
	return []string{"service install", "service start", "on"}
}

// where says which configuration is meant, if it is not the usual one.
func (a *app) where() string {
	if a.configPath == config.DefaultFile() {
		return ""
	}
	return " --config " + a.configPath
}
