package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/svc"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// TestServiceRefusals: a configuration with which no agent starts is no service, and what was typed wrongly is usage.
func TestServiceRefusals(t *testing.T) {
	if runtime.GOOS == "linux" {
		pimtest.Program(t, "systemctl", "systemd")
	}
	t.Setenv("HOME", t.TempDir())
	good := filepath.Join(t.TempDir(), "alwayson.toml")
	conf := "device = \"x\"\n[account]\nserver = \"https://sync.example.org/ds\"\nuser = \"ana\"\nsecret_file = \"secret\"\n[[store]]\nname = \"contacts\"\nkind = \"contacts\"\ndir = \"c\"\n"
	if err := os.WriteFile(good, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		said string
		args []string
	}{
		{exitConfig, "no such file", []string{"install", "--config", good + ".missing", "--system", "--name", "alwayson-test", "--run-as", "nobody"}},
		{exitConfig, "type alwayson login", []string{"install", "--config", good, "--system", "--name", "alwayson-test", "--run-as", "nobody"}},
		{exitUsage, "--name", []string{"status", "--system", "--name", "../x"}},
		{exitUsage, "unknown flag", []string{"start", "--run-as", "ana"}},
		{exitUsage, "unknown command", []string{"stop", "now"}},
	} {
		var out bytes.Buffer
		if code := Run(t.Context(), append([]string{"service"}, c.args...), strings.NewReader(""), &out, &out); code != c.code || !strings.Contains(out.String(), c.said) {
			t.Errorf("%v: exit code %d, want %d, with %q:\n%s", c.args, code, c.code, c.said, out.String())
		}
	}
}

// TestServiceScreen is what is said about each state, and the one thing to type.
func TestServiceScreen(t *testing.T) {
	now := time.Date(2026, 11, 27, 14, 2, 11, 0, time.UTC)
	base := svc.Status{Name: "alwayson", Scope: "user", Place: "/unit", Installed: true, Current: true, Enabled: true, Running: true, State: "active (running)", Since: &now}
	for _, c := range []struct {
		change func(*serviceState)
		want   []string
		hint   string
	}{
		{func(*serviceState) {}, []string{"installed in /unit\n", "running   yes, active (running) since 14:02:11", "the same"}, ""},
		{func(s *serviceState) { s.Status = svc.Status{Name: "alwayson", Scope: "user"} }, []string{"not installed"}, "alwayson service install"},
		{func(s *serviceState) { s.Current = false }, []string{"not as this program would do it"}, "alwayson service install"},
		{func(s *serviceState) { s.Current, s.Foreign = false, true }, []string{"by a package"}, ""},
		{func(s *serviceState) {
			s.Running, s.SameVersion, s.AgentVersion = false, false, ""
			s.LastCrash = &svc.Crash{At: &now, Reason: "it hung"}
		}, []string{"running   no", "crash     14:02:11: it hung", "the agent that runs: none"}, "alwayson service start"},
		{func(s *serviceState) { s.SameVersion, s.AgentVersion = false, "1.1.0" }, []string{"1.2.3, the agent that runs: 1.1.0"}, "alwayson service restart"},
		{func(s *serviceState) { s.Restarts, s.SameVersion, s.AgentVersion = 2, false, "" }, []string{"does not answer", "2 by itself"}, ""},
	} {
		s := serviceState{Status: base, Version: "1.2.3", AgentVersion: "1.2.3", SameVersion: true}
		c.change(&s)
		var out bytes.Buffer
		writeServiceState(&out, &s, now)
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q is not in:\n%s", want, out.String())
			}
		}
		if got := strings.Contains(out.String(), "→"); got != (c.hint != "") || !strings.Contains(out.String(), c.hint) {
			t.Errorf("want the hint %q in:\n%s", c.hint, out.String())
		}
	}
}

func TestVersionSaysWhatItWasBuiltFrom(t *testing.T) {
	former, formerly := release, commit
	defer func() { release, commit = former, formerly }()
	release, commit = "1.2.3", "abc"
	var out, text bytes.Buffer
	if code := Run(t.Context(), []string{"version", "--json"}, nil, &out, &out); code != exitOK {
		t.Error(code)
	}
	var b build
	if err := json.Unmarshal(out.Bytes(), &b); err != nil || b.Version != "1.2.3" || b.Commit != "abc" || !strings.HasPrefix(b.Go, "go") || !strings.Contains(b.Platform, "/") {
		t.Errorf("%+v, %v", b, err)
	}
	if Run(t.Context(), []string{"version"}, nil, &text, &text); !strings.Contains(text.String(), "alwayson 1.2.3, commit abc, go") {
		t.Error(text.String())
	}
}
