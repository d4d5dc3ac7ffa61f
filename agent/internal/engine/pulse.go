package engine

import "time"

// pulse ticks for who wants to know that the loop lives; nobody is woken for nothing.
func (l *loop) pulse() (<-chan time.Time, func()) {
	if l.o.Pulse == 0 {
		return nil, func() {}
	}
	t := time.NewTicker(l.o.Pulse)
	return t.C, t.Stop
}
