package sim

import "fmt"

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
