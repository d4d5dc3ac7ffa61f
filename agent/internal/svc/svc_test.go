package svc

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	ofUser  = Spec{Name: "alwayson", Program: "/usr/bin/alwayson", Config: "/home/ana/.config/alwayson/alwayson.toml"}
	strange = Spec{Name: "work", Program: `/home/ana/my 100% $tools/alwayson`, Config: `/home/ana/a & "b" $HOME/50%.toml`, StateHome: "/home/ana/my state"}
	ofHost  = Spec{Name: "alwayson", System: true, RunAs: "alwayson", Program: "/usr/bin/alwayson", Config: "/etc/alwayson/alwayson.toml",
		Socket: "/run/alwayson/agent.sock", StateHome: "/var/lib/alwayson"}
	ofAna = Spec{Name: "alwayson", System: true, RunAs: "ana", Program: "/usr/bin/alwayson", Config: "/home/ana/.config/alwayson/alwayson.toml",
		Socket: "/run/alwayson/agent.sock"}
	specs = map[string]Spec{"user": ofUser, "strange": strange, "machine": ofHost, "ana": ofAna}
)

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; go test -update takes it):\n%s", name, diff)
	}
}

// TestWhatTheManagersAreGiven compares units, jobs and what Windows gets with what a person has read and found good.
func TestWhatTheManagersAreGiven(t *testing.T) {
	for name, s := range specs {
		golden(t, name+".service", s.Unit())
		golden(t, name+".plist", s.Plist())
	}
	s := Spec{Name: "alwayson", System: true, Program: `C:\Program Files\AlwaysOn\alwayson.exe`, Config: `C:\ProgramData\AlwaysOn\alwayson.toml`}
	c := config(s)
	delete(c.Option, "SystemdScript")
	delete(c.Option, "LaunchdConfig")
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "windows.json", string(text)+"\n")
}

// TestJobsAreXML reads every job to its end.
func TestJobsAreXML(t *testing.T) {
	for name, s := range specs {
		d := xml.NewDecoder(strings.NewReader(s.Plist()))
		var words []string
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if c, ok := tok.(xml.CharData); ok {
				words = append(words, string(c))
			}
		}
		for _, want := range []string{s.Program, s.Config} {
			if !strings.Contains(strings.Join(words, "\n"), want) {
				t.Errorf("%s: %q is not in it", name, want)
			}
		}
	}
}

// TestRefusals: what no service manager can be given is refused with a sentence.
func TestRefusals(t *testing.T) {
	for want, change := range map[string]func(*Spec){
		"--name":        func(s *Spec) { s.Name = "../x" },
		"--run-as":      func(s *Spec) { s.RunAs = "ana" },
		"not absolute":  func(s *Spec) { s.Config = "alwayson.toml" },
		"such a path":   func(s *Spec) { s.Config = "/home/ana\nExecStartPre=/bin/evil" },
		"quotes":        func(s *Spec) { s.Program = `/home/"ana"/alwayson` },
		"such a path; ": func(s *Spec) { s.Program = "/{{Name}}" },
	} {
		s := ofUser
		change(&s)
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	s := ofHost
	s.RunAs = "a b"
	if _, err := New(s); err == nil {
		t.Error("a user with a space")
	}
}

// TestPackagedUnits: what packages bring behaves as what Install writes; only where it finds the program and when it may start differs.
func TestPackagedUnits(t *testing.T) {
	rest := func(text string) (out []string) {
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "ConditionPathExists=") && !strings.HasPrefix(line, "ExecStart=") {
				out = append(out, line)
			}
		}
		return out
	}
	for name, s := range map[string]Spec{"user": ofUser, "system": ofHost} {
		text, err := os.ReadFile(filepath.Join("../../../packaging/systemd", name, "alwayson.service"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rest(s.Unit()), rest(string(text))); diff != "" {
			t.Errorf("%s (-written +packaged): %s", name, diff)
		}
		if !strings.Contains(string(text), "\nConditionPathExists=") || strings.Contains(string(text), Marker) {
			t.Errorf("%s: it may start too early, or seems to be Install's:\n%s", name, text)
		}
	}
}
