// Package svc hands the agent to the service manager of the machine, systemd, launchd or that of Windows, and tells it how the agent is.
package svc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/kardianos/service"

	"github.com/alwayson-sync/alwayson/pim/safefile"
)

// DefaultName is that of the service, and of the user it runs as if it is the machine's.
const DefaultName = "alwayson"

// Marker is in everything that Install writes. What lacks it belongs to somebody else and is left alone.
const Marker = "Written by alwayson service install"

// Spec is a service as it shall be.
type Spec struct {
	Name    string
	System  bool   // of the machine, else of the user who installs it
	RunAs   string // user of a service of the machine
	Program string // absolute
	Config  string // absolute
	Socket  string // of the control API, "" is that of the configuration
	// StateHome is where the service keeps its state, as XDG_STATE_HOME; "" is the default.
	StateHome string
}

// Outcome is what Install has done.
type Outcome string

// Outcomes of Install.
const (
	Installed Outcome = "installed"
	Updated   Outcome = "updated"
	Unchanged Outcome = "already installed, unchanged"
)

// Service is a Spec and the manager it is for.
type Service struct {
	spec    Spec
	backend service.Service
}

var (
	nameRule = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
	userRule = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$`)
)

// New checks a Spec. It changes nothing.
func New(s Spec) (*Service, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	system, err := manager(s.System)
	if err != nil {
		return nil, err
	}
	b, err := system.New(nothing{}, config(s))
	if err != nil {
		return nil, err
	}
	return &Service{s, b}, nil
}

func (s *Spec) check() error {
	if !nameRule.MatchString(s.Name) {
		return fmt.Errorf("--name %q must be 1 to 32 small letters, digits, - and _, the first a letter", s.Name)
	}
	if s.RunAs != "" && (!s.System || !userRule.MatchString(s.RunAs)) {
		return fmt.Errorf("--run-as %q: it is for --system, and takes the name of a user", s.RunAs)
	}
	for _, path := range []string{s.Program, s.Config} {
		if !filepath.IsAbs(path) {
			return fmt.Errorf("%q is not absolute", path)
		}
	}
	for _, path := range []string{s.Program, s.Config, s.Socket, s.StateHome} {
		if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f }) || strings.Contains(path, "{{") {
			return fmt.Errorf("%q: no service manager takes such a path; nothing was changed", path)
		}
	}
	if strings.ContainsAny(s.Program, `"'`) || filepath.Separator == '/' && strings.Contains(s.Program, `\`) { // systemd refuses such units
		return fmt.Errorf("%q: no service manager takes a program with quotes in its path; nothing was changed", s.Program)
	}
	return nil
}

// config is what kardianos is given on every system; each takes its part of the options.
func config(s Spec) *service.Config {
	c := &service.Config{Name: s.Name, DisplayName: "Always-On synchronization", Description: "Keeps contacts, calendars and mail equal with the server. " + Marker,
		Executable: s.Program, Arguments: s.arguments(), UserName: s.RunAs,
		Option: service.KeyValue{
			"UserService":   !s.System,
			"SystemdScript": s.Unit(), // the built-in ones never start at login, and wait two minutes before they restart
			"LaunchdConfig": s.Plist(),
			// Without these, Windows leaves a service that crashed as it is.
			"OnFailure": "restart", "OnFailureDelayDuration": "5s", "OnFailureResetPeriod": 86400,
			"DelayedAutoStart": true,
		}}
	if s.System && s.RunAs == "" {
		c.UserName = `NT SERVICE\` + s.Name // only Windows gets here without a user: an account that exists for this service and needs no password
	}
	return c
}

func (s *Spec) arguments() []string {
	args := []string{"run", "--config", s.Config}
	if s.Socket != "" {
		args = append(args, "--socket", s.Socket)
	}
	return args
}

// nothing is what kardianos wants to start; Run is not called on it.
type nothing struct{}

func (nothing) Start(service.Service) error { return nil }
func (nothing) Stop(service.Service) error  { return nil }

// ErrForeign: somebody else has made a service of this name.
var ErrForeign = errors.New("it was not written by alwayson service install")

// foreign names what is in the way.
func (s *Service) foreign() error {
	return fmt.Errorf("%s is left as it is: %w. Nothing was changed; take another name (--name), or remove it yourself", s.Place(), ErrForeign)
}

// Install registers the service, to be started at each start of the machine or login of the user. Doing it again changes nothing but what has to change.
func (s *Service) Install() (Outcome, error) {
	if err := s.spec.lacksUser(); err != nil {
		return "", err
	}
	former, err := s.installed()
	switch {
	case err != nil:
		return "", err
	case former == "":
		return Installed, s.put()
	case !strings.Contains(former, Marker):
		return "", s.foreign()
	case former == s.wanted() && s.enabled():
		return Unchanged, nil
	}
	return Updated, s.replace(former)
}

// put leaves nothing half installed: kardianos does not take back what it has written when a later step fails.
func (s *Service) put() error {
	err := s.backend.Install()
	if err != nil {
		s.discard()
		return fmt.Errorf("cannot install the service %s, nothing is installed: %w", s.spec.Name, s.explain(err))
	}
	return nil
}

// Uninstall stops the service and removes it, and nothing else; false if there is none.
func (s *Service) Uninstall() (bool, error) {
	if there, err := s.own(); !there || err != nil {
		return false, err
	}
	s.backend.Stop() //nolint:errcheck // it may not run
	if err := s.backend.Uninstall(); err != nil {
		return false, fmt.Errorf("cannot remove the service %s; configuration, state and items are as they were: %w", s.spec.Name, s.explain(err))
	}
	s.forget()
	return true, nil
}

// own tells whether the service is installed, and refuses one of others.
func (s *Service) own() (bool, error) {
	text, err := s.installed()
	if err == nil && text != "" && !strings.Contains(text, Marker) {
		err = s.foreign()
	}
	return text != "", err
}

// ErrNotInstalled: there is no such service.
var ErrNotInstalled = errors.New("the service is not installed; type alwayson service install")

// Start starts it; it is no error if it runs.
func (s *Service) Start() error { return s.act("start", s.backend.Start) }

// Stop stops it until somebody starts it, or the next start of the machine or login; the session stays open and edits wait.
func (s *Service) Stop() error { return s.act("stop", s.backend.Stop) }

// Restart stops it if it runs, and starts it.
func (s *Service) Restart() error { return s.act("restart", s.backend.Restart) }

func (s *Service) act(verb string, do func() error) error {
	there, err := s.own()
	if err != nil {
		return err
	}
	if !there && !s.packaged() {
		return ErrNotInstalled
	}
	if err := do(); err != nil {
		return fmt.Errorf("cannot %s the service %s: %w", verb, s.spec.Name, s.explain(err))
	}
	return nil
}

// discardFile removes what a failed installation has left, and nothing of others.
func discardFile(path string) {
	if text, err := fileOf(path); err == nil && (text == "\n" || strings.Contains(text, Marker)) {
		os.Remove(path) //nolint:errcheck // the failure that led here is told
	}
}

// replaceFile puts something new in the place of a file, and restores that if the new one is not taken.
func replaceFile(path, former string, put func() error) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	err := put()
	if err != nil {
		err = errors.Join(err, safefile.WriteFile(path, []byte(former), 0o644))
	}
	return err
}

// fileOf reads what is installed as a file; "" if there is none.
func fileOf(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	if err == nil && len(text) == 0 {
		text = []byte("\n") // an empty file is somebody's file
	}
	return string(text), err
}
