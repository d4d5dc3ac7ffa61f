package sim

import (
	"fmt"
	"strings"
)

// Step is one thing that happens in the world. What N and M choose depends on the verb. A step with At is armed: it happens when the device
// has accessed its disk or its state so many times.
type Step struct {
	Verb   string
	Device int
	N, M   int
	At     int
}

func (s Step) String() string {
	text := fmt.Sprintf("%s %c %d %d", s.Verb, 'a'+s.Device, s.N, s.M)
	if s.At > 0 {
		text += fmt.Sprintf(" @%d", s.At)
	}
	return text
}

// Script reads steps, one a line, as they are printed in traces. What follows a # is a comment. It panics on what is none: scripts are
// part of tests.
func Script(text string) []Step {
	var out []Step
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, parseStep(line))
		}
	}
	return out
}

func parseStep(line string) Step {
	words := append(strings.Fields(line), "a", "0", "0", "@0")
	s, device := Step{Verb: words[0]}, 'a'
	fields := words[1:min(len(words)-4, 5)]
	for i, f := range fields {
		format, to := "%d", any(&s.N)
		switch {
		case strings.HasPrefix(f, "@"):
			format, to = "@%d", &s.At
		case i == 0:
			format, to = "%c", &device
		case i == 2:
			to = &s.M
		}
		if _, err := fmt.Sscanf(f, format, to); err != nil {
			panic(fmt.Sprintf("cannot read step %q: %v", line, err))
		}
	}
	if s.Device = int(device - 'a'); verbs[s.Verb].do == nil {
		panic(fmt.Sprintf("there is no step %q", line))
	}
	return s
}

// play makes a step happen, now or later.
func (w *World) play(s Step) {
	if s.Device >= len(w.devices) {
		return
	}
	w.logf("%v", s)
	d := w.devices[s.Device]
	if s.At > 0 {
		d.armed = append(d.armed, armed{s, s.At})
		return
	}
	w.carryOut(s)
	for _, d := range w.devices {
		d.bury()
	}
}

func (w *World) carryOut(s Step) { verbs[s.Verb].do(w.devices[s.Device], s.N, s.M) }
