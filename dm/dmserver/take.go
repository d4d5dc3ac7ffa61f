package dmserver

import (
	"strings"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// take takes a message that answers our last one, or begins the session. Nothing is believed or told before the device has proved who it is.
func (s *Session) take(m *syncml.Message, in packet.Packet) (packet.Packet, error) {
	if !s.device.Check(&m.Header, in) {
		return s.challenge(m)
	}
	s.report.Known = true
	s.learn(&m.Header)
	again, err := s.believed(m)
	switch {
	case err != nil:
		return packet.Packet{}, err
	case s.turn.Exhausted():
		return packet.Packet{}, turn.ErrEndless
	case again:
		s.requeue()
	}
	s.complete = turn.Continues(s.complete, s.final, m.Final)
	t := &taking{Session: s, m: m}
	for _, c := range m.Commands {
		t.command(c)
	}
	if t.aborted {
		return packet.Packet{}, ErrAborted
	}
	if s.complete {
		s.settle()
	}
	return s.answer(m)
}

func (s *Session) learn(h *syncml.Header) {
	if n := h.Meta.MaxMsgSize; n > 0 {
		s.maxMsg = min(n, s.o.MaxMsgSize)
	}
	if n := h.Meta.MaxObjSize; n > 0 {
		s.maxObj = n
	}
}

// believed reads what the device says of our last message: again means that it did nothing of it.
func (s *Session) believed(m *syncml.Message) (again bool, err error) {
	if st := turn.HeaderStatus(m); st != nil {
		again, err = s.self.Take(st)
		s.report.Nonces.Own = s.self.Nonce
	}
	return again, err
}

// requeue has everything done that was in the message that the device did not believe.
func (s *Session) requeue() {
	s.queue = append(s.order, s.queue...)
	s.order = nil
	clear(s.sent)
	clear(s.carried)
	if s.out != nil {
		s.queue, s.out = append([]*task{s.out.work()}, s.queue...), nil
	}
}

// settle tells what the device has said, and not said, of the work that it had: its package is complete.
func (s *Session) settle() {
	if s.out != nil {
		return
	}
	for _, t := range s.order {
		s.tell(t)
	}
	s.order = nil
	clear(s.sent)
	clear(s.carried)
}

// tell tells the outcome of a task and of its members.
func (s *Session) tell(t *task) {
	switch o := &t.outcome; {
	case o.Status == 0:
		o.Reason = "the device has not said what became of it"
	case !o.Applied() && o.Reason == "":
		o.Reason = o.Status.Error()
	}
	s.report.Outcomes = append(s.report.Outcomes, t.outcome)
	for _, m := range t.members {
		s.tell(m)
	}
}

// taking is the work on one message.
type taking struct {
	*Session
	m       *syncml.Message
	aborted bool
}

func (t *taking) command(c syncml.Command) {
	switch c := c.(type) {
	case *syncml.Status:
		t.status(c)
	case *syncml.Results:
		t.results(c)
	case *syncml.Alert:
		if c.Code != dm.AlertNextMessage { // which is answered by what comes next
			t.give(c, t.alert(c))
		}
	case *syncml.Change:
		t.give(c, t.change(c))
	default:
		t.give(c, ds.StatusNotAllowed) // devices send nothing else (protocol.md H.1)
	}
}

func (t *taking) give(c syncml.Command, code ds.Status) {
	t.answers = append(t.answers, turn.StatusOf(t.m, c, code))
}

// alert takes an alert of the device.
func (t *taking) alert(a *syncml.Alert) ds.Status {
	switch a.Code {
	case dm.AlertByServer, dm.AlertByClient:
		t.report.ByServer = a.Code == dm.AlertByServer
	case dm.AlertAbort:
		t.aborted = true
	case dm.AlertNoEndOfData:
		t.lost()
	case dm.AlertGeneric:
		return t.event(a)
	default:
		return ds.StatusUnsupported
	}
	return ds.StatusOK
}

// lost notes that the device has not got all of an object.
func (t *taking) lost() {
	if t.out != nil {
		o := &t.out.work().outcome
		o.Status, o.Reason = ds.StatusIncomplete, "the device lost a part of it"
		t.Session.drop()
	}
}

// event takes what the device tells on its own account: an Event for each item.
func (t *taking) event(a *syncml.Alert) ds.Status {
	for i := range a.Items {
		it := &a.Items[i]
		e := dm.Event{Type: it.Meta.Type, Mark: it.Meta.Mark, Correlator: a.Correlator, Format: dm.Format(it.Meta.Format)}
		if it.Source != nil {
			e.URI = it.Source.URI
		}
		body, err := it.Body()
		if err != nil {
			return ds.StatusBadRequest
		}
		e.Data = append([]byte{}, body...)
		t.report.Events = append(t.report.Events, e)
	}
	return ds.StatusOK
}

// change takes what the device says about itself. It changes nothing else at the server.
func (t *taking) change(c *syncml.Change) ds.Status {
	if c.Op != syncml.OpReplace {
		return ds.StatusNotAllowed
	}
	known := map[string]*string{}
	for _, n := range t.report.DevInfo.Nodes() {
		known[n.URI] = n.Value
	}
	for i := range c.Items {
		it := &c.Items[i]
		body, err := it.Body()
		if v := known[address(it)]; v != nil && err == nil {
			*v = string(body)
		}
	}
	return ds.StatusOK
}

func address(it *syncml.Item) string {
	switch {
	case it.Source != nil:
		return it.Source.URI
	case it.Target != nil:
		return it.Target.URI
	}
	return ""
}

// status takes the answer to a command of ours.
func (t *taking) status(st *syncml.Status) {
	task := t.carried[ref{st.MsgRef, st.CmdRef}]
	if task == nil {
		task = t.sent[st.CmdRef]
	}
	if task == nil || turn.IsHeaderStatus(st) {
		return
	}
	ours := t.sends(task)
	if ours && st.Code == ds.StatusChunk {
		return
	}
	o := &task.outcome
	o.Status = st.Code
	for i := range st.Items {
		reason, at := &st.Items[i], ""
		if reason.Target != nil {
			at = reason.Target.URI
		}
		body, err := reason.Body()
		if err == nil && len(body) > 0 {
			o.Reason, o.URI = strings.ToValidUTF8(string(body), ""), at
		}
	}
	if ours {
		t.refused(st.Code)
	}
}

// refused gives up what is being sent: the device does not want the rest. It may say so of a member only.
func (t *taking) refused(code ds.Status) {
	if o := &t.out.work().outcome; o.Status == 0 {
		o.Status = code
	}
	t.Session.drop()
}

// results takes what a Get has found.
func (t *taking) results(r *syncml.Results) {
	task := t.sent[r.CmdRef]
	if task == nil {
		return
	}
	for _, it := range r.Items {
		whole, _, err := t.in.Take("Results "+r.CmdRef, r.Meta, it)
		var f Found
		if err == nil && whole != nil {
			withDefaults(whole, &r.Meta)
			f, err = found(whole)
		}
		switch {
		case err != nil:
			task.outcome.Status, task.outcome.Reason = dm.StatusOf(err), err.Error()
			t.give(r, dm.StatusOf(err))
		case whole == nil:
			t.give(r, ds.StatusChunk)
		default:
			task.outcome.Found = append(task.outcome.Found, f)
		}
	}
}

func withDefaults(it *syncml.Item, meta *syncml.Meta) {
	if it.Meta.Format == "" {
		it.Meta.Format = meta.Format
	}
	if it.Meta.Type == "" {
		it.Meta.Type = meta.Type
	}
}
