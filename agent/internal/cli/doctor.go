package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/crash"
	"github.com/alwayson-sync/alwayson/agent/internal/doctor"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/agent/internal/say"
	"github.com/alwayson-sync/alwayson/agent/internal/svc"
)

func (a *app) doctor() *cobra.Command {
	var repair bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Examine configuration, network, server, broker, folders and agent, and say what to type", Args: cobra.NoArgs,
		Long: "Examines what synchronization depends on, and says of each fault what it means and what to type. It shows no credentials to anybody, and works\n" +
			"whether the agent runs or not. It exits with 0 if all is well, with 4 if there are warnings, with 1 if there are errors.",
		Example: "  alwayson doctor\n  alwayson doctor --fix      # and repairs what is safe to repair, such as the mode of files\n  alwayson doctor --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.examine(cmd, repair) },
	}
	cmd.Flags().BoolVar(&repair, "fix", false, "repair what is safe to repair")
	return cmd
}

func (a *app) examine(cmd *cobra.Command, repair bool) error {
	p := a.patient(cmd.Context())
	out := cmd.OutOrStdout()
	var list []doctor.Finding
	section := ""
	doctor.Examine(cmd.Context(), p, func(f doctor.Finding) {
		if repair {
			f = repaired(f)
		}
		list = append(list, f)
		if a.json {
			return
		}
		if f.Section != section {
			section = f.Section
			fmt.Fprintln(out, say.Word(section))
		}
		writeFinding(out, &f)
	})
	if a.json {
		if err := a.show(cmd, list, nil); err != nil {
			return err
		}
	}
	return verdict(list)
}

// repaired is a finding after what could be repaired was.
func repaired(f doctor.Finding) doctor.Finding {
	if f.Repair == nil {
		return f
	}
	if err := f.Repair(); err != nil {
		f.Text += fmt.Sprintf("; that could not be repaired: %v", err)
		return f
	}
	f.State, f.Text, f.Fix = doctor.OK, f.Text+": repaired", ""
	return f
}

// mark is what stands before a finding: in shape and in a word.
func mark(s doctor.State) string {
	switch s {
	case doctor.Warning:
		return "! " + say.Text("warning:")
	case doctor.Fault:
		return "✗ " + say.Text("error:")
	}
	return "✓"
}

func writeFinding(out io.Writer, f *doctor.Finding) {
	text := say.Sentence(f.Text)
	if f.Store != "" {
		text = f.Store + ": " + text
	}
	if f.Took > 100*time.Millisecond {
		text += fmt.Sprintf(" (%s)", f.Took.Round(100*time.Millisecond))
	}
	fmt.Fprintf(out, "  %s %s\n", mark(f.State), text)
	if f.Fix != "" {
		fmt.Fprintf(out, "      → %s\n", say.Sentence(f.Fix))
	}
}

func verdict(list []doctor.Finding) error {
	n := map[doctor.State]int{}
	for _, f := range list {
		n[f.State]++
	}
	err := fmt.Errorf("%d errors, %d warnings, %d checks are well", n[doctor.Fault], n[doctor.Warning], n[doctor.OK])
	switch doctor.Worst(list) {
	case doctor.Fault:
		return &exitError{exitUnexpected, err}
	case doctor.Warning:
		return &exitError{exitPartial, err}
	}
	return nil
}

// patient is this device, as far as it can be seen from here.
func (a *app) patient(ctx context.Context) *doctor.Patient {
	p := &doctor.Patient{Version: Version(), ConfigPath: a.configPath, Now: time.Now()}
	if s, err := managed.Open(a.configPath, time.Now); err != nil {
		p.ConfigErr = err
	} else {
		p.Config = s.Config()
		p.Crash, _ = crash.Last(p.Config.State) // who cannot read it does not know of one
	}
	p.AgentErr = a.ask(ctx, p.Config == nil, func(ctx context.Context, c *control.Client) error { return meet(ctx, c, p) })
	p.Service, p.ServiceErr = a.ownService()
	return p
}

// meet asks the agent how it is.
func meet(ctx context.Context, c *control.Client, p *doctor.Patient) error {
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	p.Agent = &s
	p.Settings, err = c.Settings(ctx)
	return err
}

// examine is the doctor within the agent, for its status page. It repairs nothing.
func (h *host) examine(ctx context.Context) []control.Finding {
	p := &doctor.Patient{Version: Version(), ConfigPath: h.settings.Path(), Config: h.settings.Config(), Now: time.Now()}
	c := control.Dial(p.Config.Socket)
	defer c.Close()
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p.AgentErr = meet(asking, c, p)
	p.Service, p.ServiceErr = (&app{configPath: h.settings.Path()}).ownService()
	out := []control.Finding{}
	doctor.Examine(ctx, p, func(f doctor.Finding) {
		out = append(out, control.Finding{Section: f.Section, State: string(f.State), Text: f.Text, Fix: f.Fix, Store: f.Store})
	})
	return out
}

// ownService is the service of whoever asks.
func (a *app) ownService() (*svc.Status, error) {
	spec, err := a.serviceSpec(nil, &serviceFlags{user: true, name: svc.DefaultName})
	if err != nil {
		return nil, err
	}
	s, err := svc.New(spec)
	if err != nil {
		return nil, err
	}
	st, err := s.Status()
	if err != nil {
		return nil, err
	}
	return &st, nil
}

// patience bounds the questions to an agent: one that does not answer is a finding, too.
const patience = 5 * time.Second

// ask asks the agent something, if it can be found: without a configuration only where the user says.
func (a *app) ask(ctx context.Context, lost bool, do func(context.Context, *control.Client) error) error {
	if lost && a.socket == "" {
		return errors.New("without a configuration nobody knows where the agent would be")
	}
	c, err := a.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return do(ctx, c)
}
