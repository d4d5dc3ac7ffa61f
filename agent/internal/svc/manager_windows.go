package svc

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// manager: Windows has services of the machine only.
func manager(system bool) (service.System, error) {
	if !system {
		return nil, errors.New("Windows has no services of a user; nothing was changed. To run the agent at each login, type: " +
			`schtasks /Create /TN alwayson /SC ONLOGON /TR "alwayson run", or install one of the machine with --system`)
	}
	return service.ChosenSystem(), nil
}

// Place is how the service is found.
func (s *Service) Place() string { return "service " + s.spec.Name }

func (s *Service) wanted() string {
	c := config(s.spec)
	return c.Description + "\n" + windows.ComposeCommandLine(append([]string{c.Executable}, c.Arguments...))
}

// installed asks with no more rights than anybody has.
func (s *Service) installed() (string, error) {
	c, err := s.query()
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("cannot ask for the service %s: %w", s.spec.Name, err)
	}
	return c.Description + "\n" + c.BinaryPathName, nil
}

func (s *Service) query() (mgr.Config, error) {
	h, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return mgr.Config{}, err
	}
	defer windows.CloseServiceHandle(h) //nolint:errcheck // nothing was written
	name, err := syscall.UTF16PtrFromString(s.spec.Name)
	if err != nil {
		return mgr.Config{}, err
	}
	handle, err := windows.OpenService(h, name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return mgr.Config{}, err
	}
	one := &mgr.Service{Name: s.spec.Name, Handle: handle}
	defer one.Close()
	return one.Config()
}

func (s *Service) enabled() bool {
	c, err := s.query()
	return err == nil && c.StartType == mgr.StartAutomatic
}

func (s *Service) packaged() bool { return false }
func (s *Service) discard()       {} // kardianos takes back what it has made
func (s *Service) forget()        {}

func (s *Service) explain(err error) error {
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return fmt.Errorf("%w; type it in a window of an administrator", err)
	}
	return err
}

// replace stops it first: Windows keeps a service that runs until it has ended.
func (s *Service) replace(string) error {
	s.backend.Stop() //nolint:errcheck // it may not run
	if err := s.backend.Uninstall(); err != nil {
		return s.explain(err)
	}
	return s.put()
}

// lacksUser: the manager itself refuses users who do not exist.
func (s *Spec) lacksUser() error { return nil }

// FollowUp is what to type after the installation.
func (s *Service) FollowUp() []string { return []string{"sc start " + s.spec.Name} }

func (s *Service) ask(st *Status) error {
	state, err := s.backend.Status()
	st.Running = state == service.StatusRunning
	return err
}
