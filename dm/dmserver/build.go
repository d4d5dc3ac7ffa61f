package dmserver

import (
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// begin begins the next message with the answer to the header of m.
func (s *Session) begin(m *syncml.Message) *fill.Builder {
	h := s.turn.Header(s.deviceID, s.o.Account.ServerID, s.o.MaxMsgSize, s.o.MaxObjSize)
	s.self.Show(h, s.device.Trusted())
	b := fill.Begin(s.encoding, h, max(s.maxMsg, fill.MinMsgSize))
	st := turn.Status(&m.Header)
	s.device.Answer(st)
	s.report.Nonces.Device = s.device.Nonce
	b.Put(st)
	return b
}

func (s *Session) finish(b *fill.Builder, final bool) (packet.Packet, error) {
	s.final = final
	body, err := b.Finish(final)
	if err != nil {
		return packet.Packet{}, err
	}
	return s.self.Seal(body), nil
}

// challenge refuses a message of a device that has not proved who it is. The second time is the last.
func (s *Session) challenge(m *syncml.Message) (packet.Packet, error) {
	b := s.begin(m)
	for _, c := range turn.Refusals(m, s.device.Refusal()) {
		b.Try(c) // who sends more than can be answered is none of ours
	}
	out, err := s.finish(b, true)
	if err == nil && s.device.GivenUp() {
		err = ErrDevice
	}
	return out, err
}

// answer sends work to a device that has answered all there was, and else asks for what it has not said yet. Answers to what it has said go first:
// the device has to ask for more if they leave no room.
func (s *Session) answer(m *syncml.Message) (packet.Packet, error) {
	b := s.begin(m)
	for len(s.answers) > 0 && b.Try(s.answers[0]) {
		s.answers = s.answers[1:]
	}
	crowded := b.Count() > 0
	enough := s.complete && len(s.answers) == 0 && s.send(b, crowded)
	s.turn.Progress(m, b.Count() > 0)
	if enough {
		return s.finish(b, s.out == nil)
	}
	b.Put(&syncml.Alert{Code: dm.AlertNextMessage})
	return s.finish(b, false)
}

// send sends work as far as it fits. It says false if the first of it may fit into the next message, which is less crowded.
func (s *Session) send(b *fill.Builder, crowded bool) bool {
	if s.out != nil {
		return s.out.part(s, b)
	}
	for begun := false; len(s.queue) > 0 && s.out == nil; {
		t := s.queue[0]
		c := t.build()
		switch {
		case b.Try(c):
			s.await(t, c)
			begun = true
		case begun:
			return true
		case crowded && !s.postponed:
			s.postponed = true
			return false
		default:
			before := b.Count()
			s.cut(b, t, c)
			begun = b.Count() > before
		}
		s.queue, s.postponed = s.queue[1:], false
	}
	return true
}

// await notes under which CmdIDs the answers will come.
func (s *Session) await(t *task, c syncml.Command) {
	s.order = append(s.order, t)
	s.expect(t, c)
}

func (s *Session) expect(t *task, c syncml.Command) {
	s.sent[c.CommandID()] = t
	if g, ok := c.(*syncml.Group); ok {
		for i, m := range t.members {
			s.expect(m, g.Commands[i])
		}
	}
}
