package sim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/sim"
)

// TestTranscripts plays what was found: each file is a bug, as the shortest world that shows it, with the seed of the ids if they matter.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { playFile(t, file) })
	}
}

func playFile(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := sim.ReadPlan(string(text))
	if err != nil {
		t.Fatal(err)
	}
	p := player{t}
	if err := p.play(plan); err != nil {
		t.Errorf("%v\n%s", err, p.trace(plan))
	}
}

// TestPlansAreReadAsTheyArePrinted lets a world that broke become a transcript.
func TestPlansAreReadAsTheyArePrinted(t *testing.T) {
	for seed := range uint64(50) {
		plan := sim.NewPlan(seed)
		read, err := sim.ReadPlan(plan.String())
		if err != nil || read.String() != plan.String() {
			t.Errorf("seed %d: %v\n%s\nwas read as\n%s", seed, err, plan, read)
		}
	}
	for _, bad := range []string{"", "devices 1", "kind contacts", "devices 1\nkind notes", "devices 1\nkind mail\nfly", "devices 1\nkind mail\ngo a 1 2 3",
		"devices 1\nkind mail\ngo a x", "devices 1\nkind mail\nbrake 2", "devices 1\nkind mail\nadd a 1 @x", "devices no\ngo a 0 0",
		"conflicts mine"} {
		if _, err := sim.ReadPlan(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
