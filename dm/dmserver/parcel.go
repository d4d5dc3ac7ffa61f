package dmserver

import (
	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// sending is work that goes out in several messages.
type sending interface {
	// part writes what fits, false if nothing does.
	part(s *Session, b *fill.Builder) bool
	work() *task
}

// object is a task whose value goes out in parts.
type object struct {
	*fill.Object
	task *task
}

func (o *object) work() *task { return o.task }

func (o *object) part(s *Session, b *fill.Builder) bool {
	c, last := b.Part(o.Object)
	if c == nil {
		return false
	}
	clear(s.sent)
	s.sent[c.CommandID()] = o.task
	if last {
		s.order = append(s.order, o.task)
		s.out = nil
	}
	return true
}

// parcel is a group that goes out in several messages.
type parcel struct {
	fill.Parcel
	task *task
}

func (p *parcel) work() *task { return p.task }

func (p *parcel) part(s *Session, b *fill.Builder) bool {
	c, first, last := b.Parcel(&p.Parcel)
	if c == nil {
		return false
	}
	clear(s.sent)
	s.sent[c.ID] = p.task
	for i, m := range c.Commands {
		s.sent[m.CommandID()] = p.task.members[first+i]
		s.carried[ref{s.turn.Sent(), m.CommandID()}] = p.task.members[first+i]
	}
	if last {
		s.order = append(s.order, p.task)
		s.out = nil
	}
	return true
}

// ref names a command of ours.
type ref struct{ msg, cmd string }

// cut begins to send a task that fits into no message, if it can be cut. One that cannot has its outcome already.
func (s *Session) cut(b *fill.Builder, t *task, c syncml.Command) {
	if s.out = s.inParts(t, c); s.out == nil || !s.out.part(s, b) && len(t.members) > 0 {
		s.out = nil
		s.tooLarge(t)
	}
}

// inParts is nil for what cannot be cut, or is more than the device takes.
func (s *Session) inParts(t *task, c syncml.Command) sending {
	if g, ok := c.(*syncml.Group); ok {
		p := &parcel{Parcel: fill.Parcel{Atomic: g.Atomic}, task: t}
		for _, m := range g.Commands {
			o := cuttable(m)
			if s.oversize(o) {
				return nil
			}
			p.Members = append(p.Members, fill.Member{Command: m, Object: o})
		}
		return p
	}
	o := cuttable(c)
	if o == nil || s.oversize(o) {
		return nil
	}
	return &object{o, t}
}

// cuttable is a command's value, nil if it has none.
func cuttable(c syncml.Command) *fill.Object {
	change, ok := c.(*syncml.Change)
	if !ok || change.Items[0].Data == nil {
		return nil
	}
	return fill.NewObject(change.Items[0], func(it syncml.Item) syncml.Command { return &syncml.Change{Op: change.Op, Items: []syncml.Item{it}} })
}

func (s *Session) oversize(o *fill.Object) bool {
	return o != nil && s.maxObj > 0 && o.Size() > s.maxObj
}

func (s *Session) tooLarge(t *task) {
	t.outcome.Status, t.outcome.Reason = ds.StatusTooLarge, "it is larger than what the device takes"
	for _, m := range t.members {
		m.outcome.Status = ds.StatusNotExecuted
	}
	s.tell(t)
}

// sends tells whether a task is what is being sent, or a part of it.
func (s *Session) sends(t *task) bool {
	if s.out == nil {
		return false
	}
	for _, m := range s.out.work().members {
		if m == t {
			return true
		}
	}
	return s.out.work() == t
}

// drop gives up what is being sent, which has an outcome.
func (s *Session) drop() {
	t := s.out.work()
	for _, m := range t.members {
		if m.outcome.Status == 0 {
			m.outcome.Status = ds.StatusNotExecuted
		}
	}
	s.order = append(s.order, t)
	s.out = nil
}
