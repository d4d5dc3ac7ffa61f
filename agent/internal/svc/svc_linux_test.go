package svc

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// TestUnitsAreGood asks systemd itself what it thinks of them.
func TestUnitsAreGood(t *testing.T) {
	analyze := pimtest.Program(t, "systemd-analyze", "systemd")
	for name, s := range specs {
		dir := t.TempDir()
		s.Program = filepath.Join(dir, filepath.Base(filepath.Dir(s.Program)), "alwayson") // it must be there
		if err := os.MkdirAll(filepath.Dir(s.Program), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Program, []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		unit := filepath.Join(dir, s.Name+".service")
		if err := os.WriteFile(unit, []byte(s.Unit()), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "--"+s.scope(), "--man=no", "verify", unit)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), unit) {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, s.Unit())
		}
	}
}

// fakeSystemctl writes down what it is asked; what FAIL says fails.
const fakeSystemctl = `#!/bin/sh
echo "$*" >>"$HOME/asked"
case "$*" in
*is-enabled*) echo enabled ;;
*LoadState*) echo not-found ;;
*"$FAIL"*) [ -z "$FAIL" ] || { echo "no bus" >&2; exit 1; } ;;
esac
`

// home is an empty one, with a systemctl of its own.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "systemctl"), []byte(fakeSystemctl), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("FAIL", "")
	return dir
}

func open(t *testing.T, s Spec) *Service {
	t.Helper()
	service, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

func install(t *testing.T, s *Service, want Outcome) {
	t.Helper()
	if got, err := s.Install(); got != want || err != nil {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// TestInstallTwice: the second time changes nothing, a program that has moved changes the unit, and a stranger's unit is left alone by every verb.
func TestInstallTwice(t *testing.T) {
	dir := home(t)
	s := open(t, ofUser)
	unit := filepath.Join(dir, ".config/systemd/user/alwayson.service")
	if err := s.Start(); !errors.Is(err, ErrNotInstalled) {
		t.Error(err)
	}
	install(t, s, Installed)
	if got := content(t, unit); got != ofUser.Unit() || s.Place() != unit {
		t.Errorf("%s: %s", s.Place(), got)
	}
	install(t, s, Unchanged)
	moved := ofUser
	moved.Program = "/opt/alwayson"
	install(t, open(t, moved), Updated)
	if got := content(t, unit); got != moved.Unit() {
		t.Error(got)
	}
	if removed, err := s.Uninstall(); !removed || err != nil {
		t.Error(removed, err)
	}
	if removed, err := s.Uninstall(); removed || err != nil {
		t.Error(removed, err)
	}
	asked := content(t, filepath.Join(dir, "asked"))
	for _, want := range []string{"enable --user alwayson.service", "daemon-reload --user", "stop --user alwayson.service", "disable --user alwayson.service"} {
		if !strings.Contains(asked, want) {
			t.Errorf("systemctl %s is missing in:\n%s", want, asked)
		}
	}
}

// TestNobodyToRunAs: systemd would say it at the start only.
func TestNobodyToRunAs(t *testing.T) {
	home(t)
	s := ofHost
	s.Name, s.RunAs = "alwayson-test", "nobody-of-that-name"
	if _, err := open(t, s).Install(); err == nil || !strings.Contains(err.Error(), "sudo useradd --system") || !strings.Contains(err.Error(), "--run-as") {
		t.Error(err)
	}
}

func TestForeignUnits(t *testing.T) {
	home(t)
	s := open(t, ofUser)
	for _, text := range []string{"[Service]\nExecStart=/bin/true\n", ""} { // an empty unit is a masked one
		if err := os.MkdirAll(filepath.Dir(s.Place()), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Place(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, removing := s.Uninstall()
		_, installing := s.Install()
		for verb, err := range map[string]error{"uninstall": removing, "install": installing, "start": s.Start(), "stop": s.Stop(), "restart": s.Restart()} {
			if !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v", verb, err)
			}
		}
		st, err := s.Status()
		if got := content(t, s.Place()); got != text || err != nil || !st.Foreign || st.Current {
			t.Errorf("%q, %+v, %v", got, st, err)
		}
	}
}

// TestInstallFails: a systemd that cannot be reached leaves what was there before, and the reason names what to do.
func TestInstallFails(t *testing.T) {
	home(t)
	s := open(t, ofUser)
	t.Setenv("FAIL", "--user")
	if _, err := s.Install(); err == nil || !strings.Contains(err.Error(), "no bus") || !strings.Contains(err.Error(), "enable-linger") {
		t.Error(err)
	}
	if _, err := os.Stat(s.Place()); !errors.Is(err, os.ErrNotExist) {
		t.Error("something is left:", err)
	}
	t.Setenv("FAIL", "")
	install(t, s, Installed)
	moved := ofUser
	moved.Program = "/opt/alwayson"
	t.Setenv("FAIL", "--user")
	if _, err := open(t, moved).Install(); err == nil {
		t.Error("it is said to be updated")
	}
	if got := content(t, s.Place()); got != ofUser.Unit() {
		t.Error(got)
	}
}
