package sim

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/pim"
)

// NewPlan makes up a world and what happens in it from a seed.
func NewPlan(seed uint64) Plan {
	r := rand.New(rand.NewPCG(seed, 0xa1a75))
	p := Plan{Seed: seed, Devices: 1 + min(r.IntN(4), 2), Kind: pim.Contacts}
	if r.IntN(3) == 0 {
		p.Kind = pim.Mail
	}
	p.Brake = brakes[r.IntN(len(brakes))]
	p.Steps = opening(r, p.Devices)
	banned := moods[r.IntN(len(moods))]
	names, total := table(banned)
	for range 20 + r.IntN(60) {
		p.Steps = append(p.Steps, randomStep(r, p.Devices, names, total))
	}
	p.vary(rand.New(rand.NewPCG(seed, 0xc0de)))
	return p
}

// vary makes up what came to the simulator later. It draws from numbers of its own, so that the rest of a world stays as it was.
func (p *Plan) vary(r *rand.Rand) {
	if r.IntN(3) == 0 {
		for range p.Devices {
			p.Conflicts = append(p.Conflicts, policies[r.IntN(len(policies))])
		}
	}
	if r.IntN(4) == 0 {
		p.ServerBrake = 1 + r.IntN(2)
		p.sprinkle(r, 6, "wipe", "sapprove", "sreject")
	}
	if r.IntN(4) == 0 {
		p.History = true
		p.sprinkle(r, 6, "restore", "restore", "undo")
	}
	if p.Kind == pim.Mail && r.IntN(2) == 0 {
		p.Partial = true
		p.sprinkle(r, 8, "bodies", "bodies", "sbodies", "fetch")
	}
	if r.IntN(12) == 0 {
		p.sprinkle(r, 2, "replace")
	}
}

// sprinkle puts up to so many of these steps somewhere among the others.
func (p *Plan) sprinkle(r *rand.Rand, most int, verbs ...string) {
	for range r.IntN(most + 1) {
		s := Step{Verb: verbs[r.IntN(len(verbs))], Device: r.IntN(p.Devices), N: r.IntN(12), M: r.IntN(12)}
		p.Steps = slices.Insert(p.Steps, r.IntN(len(p.Steps)+1), s)
	}
}

var policies = []ds.ConflictPolicy{ds.ConflictsMerge, ds.ConflictsKeepBoth, ds.ConflictsServer, ds.ConflictsDevice}

// brakes are small: so are the stores.
var brakes = []int{0, 0, 1, 2}

// moods are the sorts of trouble that a world is spared.
var moods = [][]string{
	nil,
	{"kill", "power", "fail", "unmount", "jump", "srestart", "sfail", "sjump", "sweep", "password", "login", "filter", "sfilter", "travel"},
	{"jump", "sjump", "sweep", "password", "login", "filter", "sfilter", "travel", "wipe", "swipe"},
	{"lose", "double", "delay", "cut", "password", "login"},
	{"on", "off", "open", "close", "password", "login", "filter", "sfilter", "travel"},
}

// table lists the verbs that are not banned, in order, with the sum of their weights.
func table(banned []string) (names []string, total int) {
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		if !slices.Contains(banned, name) {
			names, total = append(names, name), total+verbs[name].weight
		}
	}
	return names, total
}

// opening is how a world begins: some items are there before devices are switched on.
func opening(r *rand.Rand, devices int) (out []Step) {
	for d := range devices {
		out = append(out, Step{Verb: "go", Device: d})
		for range r.IntN(4) {
			out = append(out, Step{Verb: "add", Device: d, N: r.IntN(9), M: r.IntN(9)})
		}
		if r.IntN(4) > 0 {
			out = append(out, Step{Verb: "on", Device: d})
		}
		if r.IntN(2) == 0 {
			out = append(out, Step{Verb: "run", Device: d})
		}
	}
	return out
}

// armedOften is how often a step that can happen in the middle of something does.
const armedOften = 3

func randomStep(r *rand.Rand, devices int, names []string, total int) Step {
	s := Step{Device: r.IntN(devices), N: r.IntN(12), M: r.IntN(12)}
	at := r.IntN(total)
	for _, name := range names {
		if at -= verbs[name].weight; at < 0 {
			s.Verb = name
			break
		}
	}
	if verbs[s.Verb].armed && r.IntN(armedOften) == 0 {
		s.At = 1 + r.IntN(25)
	}
	return s
}
