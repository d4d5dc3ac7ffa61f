package sim

import "slices"

// Shrink leaves steps out of a plan that fails as long as it still does, and returns what cannot be left out. fails plays a plan.
func Shrink(p Plan, fails func(Plan) bool) Plan {
	for size := len(p.Steps) / 2; size > 0; {
		shorter, ok := leaveOut(p, size, fails)
		p = shorter
		if !ok || size > len(p.Steps) {
			size /= 2
		}
	}
	return p
}

// leaveOut tries to leave out each run of so many steps.
func leaveOut(p Plan, size int, fails func(Plan) bool) (out Plan, any bool) {
	for at := 0; at+size <= len(p.Steps); {
		without := p
		without.Steps = slices.Concat(p.Steps[:at], p.Steps[at+size:])
		if fails(without) {
			p, any = without, true
		} else {
			at += size
		}
	}
	return p, any
}
