package sim

import (
	"fmt"
	"strings"

	"github.com/alwayson-sync/alwayson/ds"
)

// String is the plan as a transcript: a head of seed, devices, kind and what else is not as usual, and its steps, one a line.
func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d\ndevices %d\nkind %s\n", p.Seed, p.Devices, p.Kind)
	if p.Brake > 0 {
		fmt.Fprintf(&b, "brake %d\n", p.Brake)
	}
	if p.ServerBrake > 0 {
		fmt.Fprintf(&b, "serverbrake %d\n", p.ServerBrake)
	}
	if p.History {
		fmt.Fprintln(&b, "history true")
	}
	if p.Partial {
		fmt.Fprintln(&b, "partial true")
	}
	if len(p.Conflicts) > 0 {
		fmt.Fprintln(&b, "conflicts", strings.Trim(fmt.Sprint(p.Conflicts), "[]"))
	}
	fmt.Fprintln(&b)
	for _, s := range p.Steps {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}

// ReadPlan reads a transcript. What follows a # is a comment.
func ReadPlan(text string) (Plan, error) {
	p := Plan{Seed: 1}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := p.read(words); err != nil {
			return p, fmt.Errorf("cannot read %q: %w", strings.TrimSpace(line), err)
		}
	}
	if p.Devices < 1 || properties[p.Kind] == nil || len(p.Steps) == 0 {
		return p, fmt.Errorf("a transcript needs devices, a kind and steps, and this one says %d, %q and %d", p.Devices, p.Kind, len(p.Steps))
	}
	return p, nil
}

// read takes one line: of the head, or a step.
func (p *Plan) read(words []string) error {
	heads := map[string]any{"seed": &p.Seed, "devices": &p.Devices, "kind": (*string)(&p.Kind), "brake": &p.Brake, "serverbrake": &p.ServerBrake, "history": &p.History,
		"partial": &p.Partial}
	if to := heads[words[0]]; to != nil && len(words) == 2 {
		_, err := fmt.Sscan(words[1], to)
		return err
	}
	if words[0] == "conflicts" {
		return p.readConflicts(words[1:])
	}
	s, err := readStep(words)
	p.Steps = append(p.Steps, s)
	return err
}

// readConflicts reads a policy for each device.
func (p *Plan) readConflicts(words []string) error {
	for _, word := range words {
		policy, err := ds.ParseConflictPolicy(word)
		if err != nil {
			return err
		}
		p.Conflicts = append(p.Conflicts, policy)
	}
	return nil
}

// readStep reads a step as it is printed. What is missing at its end is zero, and the first device.
func readStep(words []string) (Step, error) {
	s, device := Step{Verb: words[0]}, 'a'
	if verbs[s.Verb].do == nil {
		return s, fmt.Errorf("there is no step %q", s.Verb)
	}
	formats, to := []string{"%c", "%d", "%d"}, []any{&device, &s.N, &s.M}
	words = words[1:]
	if last := len(words) - 1; last >= 0 && strings.HasPrefix(words[last], "@") {
		formats, to = append(formats[:last], "@%d"), append(to[:last], &s.At)
	}
	if len(words) > len(formats) {
		return s, fmt.Errorf("%q is too much", words[len(formats)])
	}
	for i, word := range words {
		if _, err := fmt.Sscanf(word, formats[i], to[i]); err != nil {
			return s, fmt.Errorf("cannot read %q: %w", word, err)
		}
	}
	s.Device = int(device - 'a')
	return s, nil
}
