package svc

import (
	"strings"
	"time"
)

// Status is what the service manager says.
type Status struct {
	Name      string `json:"name"`
	Scope     string `json:"scope"` // user, system
	Place     string `json:"place"` // file of the unit, or what the manager calls it
	Installed bool   `json:"installed"`
	Foreign   bool   `json:"foreign,omitempty"` // it was not written by Install: by a package, or by somebody
	Current   bool   `json:"current"`           // Install would change nothing
	Enabled   bool   `json:"enabled"`
	Running   bool   `json:"running"`
	State     string `json:"state,omitempty"` // in the manager's words
	PID       int    `json:"pid,omitempty"`
	// Since is when it took that state, Restarts how often the manager has started it again by itself.
	Since     *time.Time `json:"since,omitempty"`
	Restarts  int        `json:"restarts"`
	LastCrash *Crash     `json:"last_crash,omitempty"`
}

// Crash is an end that nobody wanted.
type Crash struct {
	At     *time.Time `json:"at,omitempty"`
	Reason string     `json:"reason"`
}

// Status asks the service manager.
func (s *Service) Status() (Status, error) {
	text, err := s.installed()
	if err != nil {
		return Status{}, err
	}
	st := Status{Name: s.spec.Name, Scope: s.spec.scope(), Place: s.Place(), Installed: text != "" || s.packaged()}
	st.Foreign = st.Installed && !strings.Contains(text, Marker)
	st.Current = text == s.wanted()
	if !st.Installed {
		return st, nil
	}
	st.Enabled = s.enabled()
	return st, s.ask(&st)
}

func (s *Spec) scope() string {
	if s.System {
		return "system"
	}
	return "user"
}
