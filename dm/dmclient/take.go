package dmclient

import (
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/execute"
	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// take takes a message that answers our last one. Until the server has proved who it is, only its challenge is looked at.
func (s *Session) take(now time.Time, m *syncml.Message, in packet.Packet) (packet.Packet, error) {
	trusted := s.server.Check(&m.Header, in)
	again, err := s.self.Take(turn.HeaderStatus(m))
	if trusted {
		s.learn(m)
	}
	switch {
	case err != nil:
		return packet.Packet{}, err
	case again:
		return s.introduce(m)
	case !trusted:
		return s.challenge(m)
	case s.turn.Exhausted():
		return packet.Packet{}, turn.ErrEndless
	case aborts(m):
		return packet.Packet{}, ErrAborted
	}
	s.complete = turn.Continues(s.complete, s.final, m.Final)
	s.carryOut(now, m)
	return s.answer(m)
}

// learn takes what a server that is known says of itself. A nonce from another one is good for the next message and no longer (protocol.md D.4).
func (s *Session) learn(m *syncml.Message) {
	s.report.Nonces.Own = s.self.Nonce
	if n := m.Header.Meta.MaxMsgSize; n > 0 {
		s.maxMsg = min(n, s.o.MaxMsgSize)
	}
}

func aborts(m *syncml.Message) bool {
	for _, c := range m.Commands {
		if a, ok := c.(*syncml.Alert); ok && a.Code == dm.AlertAbort {
			return true
		}
	}
	return false
}

// carrying is the work on one message.
type carrying struct {
	*Session
	m        *syncml.Message
	now      time.Time
	x        *tree.Tx
	statuses []syncml.Command
	results  []syncml.Command
}

// carryOut does what a message says, in its order.
func (s *Session) carryOut(now time.Time, m *syncml.Message) {
	c := &carrying{Session: s, m: m, now: now}
	for _, command := range m.Commands {
		c.command(command)
	}
	if c.x != nil && c.x.Committed() {
		s.report.Changed = true
	}
	s.queue = append(append(s.queue, c.statuses...), c.results...)
}

func (c *carrying) command(command syncml.Command) {
	switch command := command.(type) {
	case *syncml.Status:
		c.status(command)
	case *syncml.Results:
	case *syncml.Alert:
		c.alert(command)
	case *syncml.Change:
		c.abandon()
		c.change(command)
	case *syncml.Group:
		c.group(command)
	default:
		c.abandon()
		c.execute(command)
	}
}

// status takes an answer of the server.
func (c *carrying) status(st *syncml.Status) {
	if id, ok := c.told[ref{st.MsgRef, st.CmdRef}]; ok {
		c.report.Events[id] = st.Code
	}
	if st.Cmd == "Results" && !st.Code.OK() {
		c.out = nil // the server does not want the rest of it (protocol.md C.8)
	}
}

func (c *carrying) alert(a *syncml.Alert) {
	st := turn.StatusOf(c.m, a, ds.StatusOK)
	switch {
	case dm.AsksUser(a.Code) && c.o.Ask != nil:
		st.Code, st.Items = c.o.Ask(a)
	case a.Code == dm.AlertNextMessage:
		return // it is answered by what comes next
	case a.Code == dm.AlertNoEndOfData:
		c.out = nil
	default:
		st.Code = ds.StatusUnsupported
	}
	c.statuses = append(c.statuses, st)
}

// execute carries out a command on the tree.
func (c *carrying) execute(command syncml.Command) {
	if err := c.begin(); err != nil {
		c.fail(command, err)
		return
	}
	for _, a := range execute.Commands(c.x, execute.Message{ID: c.m.Header.MsgID, Commands: []syncml.Command{command}, Alert: c.o.Ask}) {
		c.answered(a)
	}
}

// answered takes an answer to a command that was carried out.
func (c *carrying) answered(a syncml.Command) {
	if st, ok := a.(*syncml.Status); ok {
		c.statuses = append(c.statuses, st)
		c.report.Executed = c.report.Executed || st.Cmd == "Exec" && st.Code.OK()
	} else {
		c.results = append(c.results, a)
	}
}

func (c *carrying) begin() (err error) {
	if c.x == nil {
		c.x, err = c.o.Tree.Begin(c.o.Account.ServerID, c.now)
	}
	return err
}

func (c *carrying) fail(command syncml.Command, err error) *syncml.Status {
	st := turn.StatusOf(c.m, command, dm.StatusOf(err))
	var it syncml.Item
	it.Data, it.Meta = fill.Text([]byte(err.Error()), it.Meta)
	st.Items = []syncml.Item{it}
	c.statuses = append(c.statuses, st)
	return st
}

// change carries out a command with what has come of its items.
func (c *carrying) change(command *syncml.Change) {
	whole := *command
	whole.Items = nil
	for _, it := range command.Items {
		if got := c.gather(command, it); got != nil {
			whole.Items = append(whole.Items, *got)
		}
	}
	if len(whole.Items) > 0 || len(command.Items) == 0 {
		c.execute(&whole)
	}
}

// lost tells of an object of which the rest does not come, if there is one.
func (c *carrying) lost(it *syncml.Item) {
	if it != nil {
		c.statuses = append(c.statuses, &syncml.Alert{Code: dm.AlertNoEndOfData, Items: []syncml.Item{{Target: it.Target, Source: it.Source}}})
	}
}

// gather answers an item that is part of an object.
func (c *carrying) gather(command *syncml.Change, it syncml.Item) *syncml.Item {
	whole, lost, err := c.in.Take(command.CommandName(), command.Meta, it)
	c.lost(lost)
	var st *syncml.Status
	switch {
	case err != nil:
		st = c.fail(command, err)
	case whole == nil:
		st = turn.StatusOf(c.m, command, ds.StatusChunk)
		c.statuses = append(c.statuses, st)
	default:
		return whole
	}
	if it.Target != nil {
		st.TargetRefs = []string{it.Target.URI}
	}
	return nil
}
