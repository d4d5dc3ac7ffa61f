package svc

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/kardianos/service"
)

func manager(bool) (service.System, error) { return service.ChosenSystem(), nil }

// Place is the file of the job.
func (s *Service) Place() string {
	dir := "/Library/LaunchDaemons"
	if !s.spec.System {
		home, _ := os.UserHomeDir() // without one, kardianos fails and says so
		dir = filepath.Join(home, "Library", "LaunchAgents")
	}
	return filepath.Join(dir, s.spec.Name+".plist")
}

func (s *Service) installed() (string, error) { return fileOf(s.Place()) }
func (s *Service) wanted() string             { return s.spec.Plist() }
func (s *Service) explain(err error) error    { return err } // launchctl says it all
func (s *Service) packaged() bool             { return false }
func (s *Service) discard()                   { discardFile(s.Place()) }
func (s *Service) forget()                    {}

// enabled: launchd takes every job in its folder at login.
func (s *Service) enabled() bool {
	text, err := s.installed()
	return err == nil && text != ""
}

func (s *Service) replace(former string) error { return replaceFile(s.Place(), former, s.put) }

// lacksUser: the manager itself refuses users who do not exist.
func (s *Spec) lacksUser() error { return nil }

// FollowUp is what to type after the installation.
func (s *Service) FollowUp() []string {
	if s.spec.System {
		return []string{"sudo launchctl load " + s.Place()}
	}
	return []string{"launchctl load " + s.Place()}
}

func (s *Service) ask(st *Status) error {
	state, err := s.backend.Status()
	if errors.Is(err, service.ErrNotInstalled) {
		return nil
	}
	st.Running = state == service.StatusRunning
	return err
}
