package svc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kardianos/service"
)

// manager is systemd, also where it is not the first process, as in containers that have one for their user.
func manager(bool) (service.System, error) {
	if _, err := exec.LookPath("systemctl"); err != nil {
		return nil, errors.New("this machine has no systemd; let its service manager run: alwayson run")
	}
	for _, s := range service.AvailableSystems() {
		if s.String() == "linux-systemd" {
			return s, nil
		}
	}
	return nil, errors.New("this program was built without systemd")
}

// Place is the file of the unit.
func (s *Service) Place() string {
	dir := "/etc/systemd/system"
	if !s.spec.System {
		home, _ := os.UserHomeDir() // without one, kardianos fails and says so
		dir = filepath.Join(home, ".config", "systemd", "user")
	}
	return filepath.Join(dir, s.spec.Name+".service")
}

func (s *Service) installed() (string, error) { return fileOf(s.Place()) }
func (s *Service) wanted() string             { return s.spec.Unit() }

// systemctl is asked about what kardianos does not know. It writes times and words for programs.
func (s *Service) systemctl(args ...string) (string, error) {
	if !s.spec.System {
		args = append([]string{"--user"}, args...)
	}
	cmd := exec.Command("systemctl", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) && len(exit.Stderr) > 0 {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

// explain adds what kardianos swallows.
func (s *Service) explain(err error) error {
	if _, unreachable := s.systemctl("show", "--property=Version"); unreachable != nil {
		hint := "is this machine run by systemd?"
		if !s.spec.System {
			hint = "the user's systemd runs while the user is logged in, and always after: sudo loginctl enable-linger " + os.Getenv("USER")
		}
		return fmt.Errorf("%w; %s", unreachable, hint)
	}
	return fmt.Errorf("%w; see: %s", err, s.journal())
}

func (s *Service) journal() string {
	if s.spec.System {
		return "journalctl -u " + s.spec.Name
	}
	return "journalctl --user -u " + s.spec.Name
}

func (s *Service) enabled() bool {
	out, _ := s.systemctl("is-enabled", s.spec.Name+".service")
	return out == "enabled"
}

// packaged tells whether a unit of this name is there beside the one that Install writes, by a package.
func (s *Service) packaged() bool {
	out, _ := s.systemctl("show", "--property=LoadState", "--value", s.spec.Name+".service")
	return out == "loaded"
}

// discard removes what a failed installation has left: kardianos makes the file first of all.
func (s *Service) discard() { discardFile(s.Place()) }

func (s *Service) replace(former string) error { return replaceFile(s.Place(), former, s.put) }

// forget ends that systemd remembers a failure of what is no more.
func (s *Service) forget() { s.systemctl("reset-failed", s.spec.Name+".service") } //nolint:errcheck // most have not failed

// lacksUser refuses a user who does not exist: systemd would notice at the start only. Users may be in a directory, so getent is asked.
func (s *Spec) lacksUser() error {
	var exit *exec.ExitError
	if !s.System || !errors.As(exec.Command("getent", "passwd", s.RunAs).Run(), &exit) || exit.ExitCode() != 2 {
		return nil
	}
	return fmt.Errorf("there is no user %s, nothing was changed; type: sudo useradd --system --home-dir /var/lib/%s --shell /usr/sbin/nologin %s, "+
		"or name another user with --run-as", s.RunAs, s.RunAs, s.RunAs)
}

// FollowUp is what to type after the installation.
func (s *Service) FollowUp() []string {
	start := []string{"sudo systemctl start " + s.spec.Name, s.journal()}
	switch {
	case s.spec.dedicated():
		return append([]string{fmt.Sprintf("sudo chown -R %s: %s    # settings and secrets are his", s.spec.RunAs, filepath.Dir(s.spec.Config))}, start...)
	case s.spec.System:
		return start
	}
	return []string{"systemctl --user start " + s.spec.Name, "loginctl enable-linger    # to synchronize while you are not logged in, too", s.journal()}
}

func (s *Service) ask(st *Status) error {
	out, err := s.systemctl("show", "--property=ActiveState,SubState,MainPID,NRestarts,Result,ExecMainCode,ExecMainStatus,ExecMainExitTimestamp,StateChangeTimestamp,ActiveEnterTimestamp", s.spec.Name+".service")
	if err != nil {
		return s.explain(err)
	}
	p := make(map[string]string)
	for line := range strings.Lines(out) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		p[k] = v
	}
	st.Running = p["ActiveState"] == "active"
	st.State = p["ActiveState"] + " (" + p["SubState"] + ")"
	st.PID, _ = strconv.Atoi(p["MainPID"])
	st.Restarts, _ = strconv.Atoi(p["NRestarts"])
	st.Since = moment(p["StateChangeTimestamp"])
	st.LastCrash = crash(p, st)
	return nil
}

// crash is the last one that systemd remembers: it keeps the reason until it has started the agent again.
func crash(p map[string]string, st *Status) *Crash {
	switch {
	case p["Result"] != "success" && p["Result"] != "":
		return &Crash{moment(p["ExecMainExitTimestamp"]), reason(p)}
	case st.Restarts > 0:
		return &Crash{moment(p["ActiveEnterTimestamp"]), "it was started again after it"}
	}
	return nil
}

func reason(p map[string]string) string {
	switch {
	case p["Result"] == "exit-code" && p["ExecMainStatus"] == "78":
		return "the configuration needs you (exit code 78)"
	case p["Result"] == "exit-code":
		return "it ended with exit code " + p["ExecMainStatus"]
	case p["Result"] == "watchdog":
		return "it hung and was ended by the watchdog"
	case p["Result"] == "signal" || p["Result"] == "core-dump":
		return "it was ended by signal " + p["ExecMainStatus"]
	}
	return p["Result"]
}

func moment(text string) *time.Time {
	t, err := time.Parse("Mon 2006-01-02 15:04:05 MST", text)
	if err != nil {
		return nil
	}
	return &t
}
