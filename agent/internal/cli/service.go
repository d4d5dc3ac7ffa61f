package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
)

// serviceFlags are which service is meant.
type serviceFlags struct {
	user, system bool
	name, runAs  string
}

// machineConfig is the configuration of a service of the machine, unless another one is named.
func machineConfig() string { return filepath.Join(config.DefaultSystem(), "alwayson.toml") }

func (a *app) service() *cobra.Command {
	f := &serviceFlags{}
	cmd := &cobra.Command{
		Use: "service", Short: "Let the system run the agent: at login, or as a service of the machine",
		Long: "Lets systemd, launchd or Windows run the agent, start it again when it crashes, and watch that it does not hang. Without --user or --system it is a service\n" +
			"of the user, for root one of the machine, which runs as the user " + svc.DefaultName + " or as --run-as says, and is configured in " + machineConfig() + ".",
		Example: "  alwayson service install && alwayson service start\n  sudo alwayson service install --system --run-as ana --config /home/ana/.config/alwayson/alwayson.toml",
	}
	p := cmd.PersistentFlags()
	p.BoolVar(&f.user, "user", false, "a service of the user (default, except for root)")
	p.BoolVar(&f.system, "system", false, "a service of the machine")
	p.StringVar(&f.name, "name", svc.DefaultName, "how the service is called")
	cmd.MarkFlagsMutuallyExclusive("user", "system")
	install := a.serviceVerb(f, "install", "Install or update the service, if the configuration can be used; it is not started yet", a.installService)
	install.Flags().StringVar(&f.runAs, "run-as", "", "user of a service of the machine (default: "+svc.DefaultName+")")
	cmd.AddCommand(install,
		a.serviceVerb(f, "uninstall", "Stop and remove the service; configuration, state and items stay", a.uninstallService),
		a.serviceVerb(f, "start", "Start the service", a.serviceDo("started", (*svc.Service).Start)),
		a.serviceVerb(f, "stop", "Stop the service until the next start or login; edits wait", a.serviceDo("stopped", (*svc.Service).Stop)),
		a.serviceVerb(f, "restart", "Stop and start the service; the session stays open", a.serviceDo("restarted", (*svc.Service).Restart)),
		a.serviceVerb(f, "status", "Show whether the service is installed, enabled and running, and in which version", a.serviceStatus))
	return cmd
}

func (a *app) serviceVerb(f *serviceFlags, verb, short string, do func(*cobra.Command, *svc.Service, svc.Spec) error) *cobra.Command {
	return &cobra.Command{Use: verb, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			spec, err := a.serviceSpec(cmd, f)
			if err != nil {
				return err
			}
			s, err := svc.New(spec)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			return do(cmd, s, spec)
		}}
}

// serviceSpec is what the flags mean.
func (a *app) serviceSpec(cmd *cobra.Command, f *serviceFlags) (svc.Spec, error) {
	s := svc.Spec{Name: f.name, System: f.system || os.Geteuid() == 0 && !f.user, RunAs: f.runAs, Socket: a.socket}
	var err error
	if s.Program, err = os.Executable(); err != nil { // not where a link leads: package managers let the same link lead to each version
		return s, err
	}
	path := a.configPath
	if s.System && !cmd.Flags().Changed("config") && os.Getenv("ALWAYSON_CONFIG") == "" {
		path = machineConfig()
	}
	if s.Config, err = filepath.Abs(path); err != nil {
		return s, err
	}
	places(&s)
	return s, nil
}

// places are where a service keeps what a login would give it a place for.
func places(s *svc.Spec) {
	switch {
	case runtime.GOOS == "windows":
	case !s.System:
		s.StateHome = os.Getenv("XDG_STATE_HOME") // else the service would not find the state of an agent that ran in this shell
	case runtime.GOOS == "linux":
		s.RunAs = cmp.Or(s.RunAs, svc.DefaultName)
		s.Socket = cmp.Or(s.Socket, "/run/"+s.Name+"/agent.sock")
		if s.RunAs == svc.DefaultName {
			s.StateHome = "/var/lib/" + s.Name
		}
	}
}

func (a *app) installService(cmd *cobra.Command, s *svc.Service, spec svc.Spec) error {
	if spec.System && spec.RunAs == "" && runtime.GOOS == "darwin" { // it has no user for services to offer, and root is none
		return &exitError{exitUsage, errors.New("say as whom the service of the machine shall run (--run-as USER); nothing was changed")}
	}
	if err := usable(spec.Config); err != nil {
		return err
	}
	done, err := s.Install()
	if err != nil {
		return err
	}
	v := struct {
		Outcome svc.Outcome `json:"outcome"`
		Place   string      `json:"place"`
		Next    []string    `json:"next"`
	}{done, s.Place(), s.FollowUp()}
	return a.show(cmd, v, func() {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", say.Word(string(done)), v.Place)
		if done == svc.Updated {
			fmt.Fprintln(cmd.OutOrStdout(), say.Text("an agent that runs goes on as it was until: alwayson service restart"))
		}
		fmt.Fprintln(cmd.OutOrStdout(), say.Text("now type:"))
		for _, line := range v.Next {
			fmt.Fprintln(cmd.OutOrStdout(), "  "+line)
		}
	})
}

// usable tells whether an agent would start with a configuration: an agent that cannot is no service.
func usable(path string) error {
	c, err := config.Load(path)
	if err != nil {
		return err
	}
	_, err = options(c, slog.New(slog.DiscardHandler))
	return err
}

func (a *app) uninstallService(cmd *cobra.Command, s *svc.Service, _ svc.Spec) error {
	removed, err := s.Uninstall()
	if err != nil {
		return err
	}
	v := struct {
		Removed bool `json:"removed"`
	}{removed}
	return a.show(cmd, v, func() {
		if removed {
			fmt.Fprintln(cmd.OutOrStdout(), say.Text("removed: %s; configuration, state and items are as they were", s.Place()))
		} else {
			fmt.Fprintln(cmd.OutOrStdout(), say.Text("not installed, unchanged"))
		}
	})
}

func (a *app) serviceDo(done string, do func(*svc.Service) error) func(*cobra.Command, *svc.Service, svc.Spec) error {
	return func(cmd *cobra.Command, s *svc.Service, _ svc.Spec) error {
		if err := do(s); err != nil {
			return err
		}
		return a.show(cmd, struct {
			Done string `json:"done"`
		}{done}, func() { fmt.Fprintln(cmd.OutOrStdout(), say.Word(done)) })
	}
}

// serviceState is what is shown of a service.
type serviceState struct {
	svc.Status
	Version      string `json:"version"`                 // of this program
	AgentVersion string `json:"agent_version,omitempty"` // of the one that runs, "" if none answers
	SameVersion  bool   `json:"same_version"`
}

func (a *app) serviceStatus(cmd *cobra.Command, s *svc.Service, spec svc.Spec) error {
	st, err := s.Status()
	if err != nil {
		return err
	}
	v := serviceState{Status: st, Version: Version()}
	if st.Running {
		v.AgentVersion = agentVersion(cmd.Context(), spec)
	}
	v.SameVersion = v.Version == v.AgentVersion
	return a.show(cmd, v, func() { writeServiceState(cmd.OutOrStdout(), &v, time.Now()) })
}

// agentVersion asks the agent that a service runs; "" if it does not answer.
func agentVersion(ctx context.Context, spec svc.Spec) string {
	path := spec.Socket
	if path == "" {
		c, err := config.Load(spec.Config)
		if err != nil {
			return ""
		}
		path = c.Socket
	}
	c := control.Dial(path)
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := c.Status(ctx)
	if err != nil {
		return ""
	}
	return s.Version
}

func writeServiceState(out io.Writer, v *serviceState, now time.Time) {
	fmt.Fprintf(out, "%-9s %s (%s), %s\n", say.Text("service"), v.Name, say.Word(v.Scope), installedText(&v.Status))
	if !v.Installed {
		fmt.Fprintln(out, "\n→ alwayson service install")
		return
	}
	fmt.Fprintf(out, "%-9s %s\n%-9s %s%s\n", say.Text("enabled"), yesNo(v.Enabled), say.Text("running"), yesNo(v.Running), sinceText(&v.Status, now))
	fmt.Fprintf(out, "%-9s %s\n", say.Text("version"), say.Text("%s, the agent that runs: %s", v.Version, agentText(v)))
	if v.Restarts > 0 {
		fmt.Fprintf(out, "%-9s %s\n", say.Text("restarts"), say.Text("%d by itself", v.Restarts))
	}
	if c := v.LastCrash; c != nil {
		fmt.Fprintf(out, "%-9s %s%s\n", say.Text("crash"), whenText(c.At, now), say.Sentence(c.Reason))
	}
	if hint := serviceHint(v); hint != "" {
		fmt.Fprintf(out, "\n→ %s\n", hint)
	}
}

func yesNo(b bool) string {
	if b {
		return say.Text("yes")
	}
	return say.Text("no")
}

func installedText(s *svc.Status) string {
	switch {
	case !s.Installed:
		return say.Text("not installed")
	case s.Foreign:
		return say.Text("installed by somebody else, or by a package")
	case !s.Current:
		return say.Text("installed in %s, but not as this program would do it", s.Place)
	}
	return say.Text("installed in %s", s.Place)
}

func whenText(t *time.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	return clock(*t, now) + ": "
}

func sinceText(s *svc.Status, now time.Time) string {
	text := ""
	if s.State != "" {
		text = ", " + say.Word(s.State)
	}
	if s.Since != nil {
		text += " " + say.Text("since %s", clock(*s.Since, now))
	}
	return text
}

func agentText(v *serviceState) string {
	switch {
	case v.SameVersion:
		return say.Text("the same")
	case v.AgentVersion != "":
		return v.AgentVersion
	case v.Running:
		return say.Text("does not answer")
	}
	return say.Text("none")
}

// serviceHint is the one thing to type.
func serviceHint(v *serviceState) string {
	switch {
	case !v.Foreign && !v.Current:
		return "alwayson service install"
	case !v.Running:
		return "alwayson service start"
	case !v.SameVersion && v.AgentVersion != "":
		return "alwayson service restart"
	}
	return ""
}
