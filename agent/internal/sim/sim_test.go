package sim_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/sim"
)

var (
	seeds = flag.Int("seeds", 300, "how many seeds TestSeeds plays")
	first = flag.Uint64("first", 1, "the first seed of TestSeeds")
	seed  = flag.Uint64("seed", 1, "the seed that TestSeed plays")
)

// player plays plans in a test.
type player struct{ t *testing.T }

func (p player) reseed(seed uint64) { cryptotest.SetGlobalRandom(p.t, seed) }

func (p player) play(plan sim.Plan) *sim.Violation { return sim.Play(plan, p.reseed, nil) }

// trace plays a plan once more, to tell what happens.
func (p player) trace(plan sim.Plan) string {
	var b strings.Builder
	sim.Play(plan, p.reseed, &b) //nolint:errcheck // it is in the trace
	return b.String()
}

// fail reports a seed with the shortest trace that shows the same.
func (p player) fail(plan sim.Plan, err *sim.Violation) {
	p.t.Helper()
	short := sim.Shrink(plan, func(q sim.Plan) bool {
		again := p.play(q)
		return again != nil && again.Kind == err.Kind
	})
	p.t.Errorf("seed %d: %v\n%d of %d steps are enough:\n%s\nreplay: go test ./agent/internal/sim -run 'TestSeed$' -seed %d -v\ntranscript:\n%s",
		plan.Seed, err, len(short.Steps), len(plan.Steps), p.trace(short), plan.Seed, short)
}

// inPieces keeps what a test has to clean up short.
const inPieces = 1000

// enough failures are worth reading.
const enough = 3

// TestSeeds plays worlds at random.
func TestSeeds(t *testing.T) {
	begin := time.Now()
	bad := 0
	for from := 0; from < *seeds && bad < enough; from += inPieces {
		t.Run(fmt.Sprint(*first+uint64(from)), func(t *testing.T) {
			p := player{t}
			for i := from; i < min(*seeds, from+inPieces) && bad < enough; i++ {
				plan := sim.NewPlan(*first + uint64(i))
				if err := p.play(plan); err != nil {
					bad++
					p.fail(plan, err)
				}
			}
		})
	}
	t.Logf("%d seeds, %.0f a second", *seeds, float64(*seeds)/time.Since(begin).Seconds())
}

// TestTheSameSeedTellsTheSame compares whole traces.
func TestTheSameSeedTellsTheSame(t *testing.T) {
	p := player{t}
	for seed := range uint64(50) {
		plan := sim.NewPlan(seed)
		if a, b := p.trace(plan), p.trace(plan); a != b {
			t.Fatalf("seed %d: two traces differ:\n%s\n\n%s", seed, a, b)
		}
	}
}

// TestSeed plays one seed and tells all of it.
func TestSeed(t *testing.T) {
	p := player{t}
	plan := sim.NewPlan(*seed)
	t.Logf("%d devices, %s\n%s", plan.Devices, plan.Kind, p.trace(plan))
	if err := p.play(plan); err != nil {
		p.fail(plan, err)
	}
}
