package dmclient

import (
	"slices"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/internal/fill"
	"github.com/alwayson-sync/alwayson/dm/internal/turn"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// begin begins the next message with the answer to the header of m, if there is one.
func (s *Session) begin(m *syncml.Message) *fill.Builder {
	h := s.turn.Header(s.o.Account.URI, s.o.DevInfo.DevID, s.o.MaxMsgSize, s.o.MaxObjSize)
	s.self.Show(h, true)
	b := fill.Begin(s.o.Encoding, h, max(s.maxMsg, fill.MinMsgSize))
	if m != nil {
		st := turn.Status(&m.Header)
		s.server.Answer(st)
		s.report.Nonces.Server, s.report.Nonces.FormerServer = s.server.Nonce, s.server.Former
		b.Put(st)
	}
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

// introduce is package 1, for the first time or again after a challenge.
func (s *Session) introduce(m *syncml.Message) (packet.Packet, error) {
	b := s.begin(m)
	if m != nil && s.server.GivenUp() {
		return packet.Packet{}, ErrServer
	}
	s.forgetTold()
	code := dm.AlertByClient
	if s.o.ByServer {
		code = dm.AlertByServer
	}
	b.Put(&syncml.Alert{Code: code})
	b.Put(s.devInfo())
	s.tell(b)
	return s.finish(b, true)
}

func (s *Session) devInfo() *syncml.Change {
	c := &syncml.Change{Op: syncml.OpReplace}
	for _, n := range s.o.DevInfo.Nodes() {
		c.Items = append(c.Items, syncml.Item{Source: &syncml.Location{URI: n.URI}, Data: &syncml.Data{Bytes: []byte(*n.Value)}})
	}
	return c
}

// challenge refuses a message of a server that has not proved who it is. The second time is the last.
func (s *Session) challenge(m *syncml.Message) (packet.Packet, error) {
	b := s.begin(m)
	for _, c := range turn.Refusals(m, s.server.Refusal()) {
		b.Try(c) // who sends more than can be answered is none of ours
	}
	out, err := s.finish(b, true)
	if err == nil && s.server.GivenUp() {
		err = ErrServer
	}
	return out, err
}

// answer sends answers and events as far as they fit. There is no message if there is nothing to say and nothing to wait for.
func (s *Session) answer(m *syncml.Message) (packet.Packet, error) {
	if s.complete && len(s.queue) == 0 && s.out == nil && len(s.events) == 0 && !s.nextAsked(m) {
		s.over = true
		return packet.Packet{}, nil
	}
	b := s.begin(m)
	s.send(b)
	if len(s.queue) == 0 && s.complete {
		s.tell(b)
	}
	rest := len(s.queue) > 0 || s.out != nil
	if !s.complete && !rest {
		b.Put(&syncml.Alert{Code: dm.AlertNextMessage})
	}
	s.turn.Progress(m, b.Count() > 0)
	return s.finish(b, s.complete && !rest && len(s.events) == 0)
}

// nextAsked tells whether the server has asked for the next message: it waits for one, even if there is nothing to say.
func (s *Session) nextAsked(m *syncml.Message) bool {
	for _, c := range m.Commands {
		if a, ok := c.(*syncml.Alert); ok && a.Code == dm.AlertNextMessage {
			return true
		}
	}
	return false
}

// send sends what is queued as far as it fits, at least something.
func (s *Session) send(b *fill.Builder) {
	if s.out != nil {
		if _, last := b.Part(s.out); !last {
			return
		}
		s.out = nil
	}
	for len(s.queue) > 0 {
		if b.Try(s.queue[0]) {
			s.queue = s.queue[1:]
			continue
		}
		if r, ok := s.queue[0].(*syncml.Results); ok && s.split(r) {
			continue
		}
		s.tooLarge(b)
		return
	}
}

// split makes two commands of results with several items. It says false if there is but one.
func (s *Session) split(r *syncml.Results) bool {
	if len(r.Items) < 2 {
		return false
	}
	head, tail := *r, *r
	half := len(r.Items) / 2
	head.Items, tail.Items = r.Items[:half:half], r.Items[half:]
	s.queue = append([]syncml.Command{&head, &tail}, s.queue[1:]...)
	return true
}

// tooLarge leaves the first of the queue to the next message or, if this one is empty, sends what of it fits.
func (s *Session) tooLarge(b *fill.Builder) {
	if b.Count() > 0 {
		return
	}
	first := s.queue[0]
	s.queue = s.queue[1:]
	r, ok := first.(*syncml.Results)
	if !ok {
		b.Put(first)
		return
	}
	s.out = fill.NewObject(plain(r.Items[0]), func(it syncml.Item) syncml.Command {
		part := *r
		part.Items = []syncml.Item{it}
		return &part
	})
	if _, last := b.Part(s.out); last {
		s.out = nil
	}
}

// plain is an item with its data as octets, a sub-tree as a document.
func plain(it syncml.Item) syncml.Item {
	if it.Data == nil {
		it.Data = &syncml.Data{}
	}
	if len(it.Data.Nodes) > 0 {
		if doc, err := ddf.FromNode(&it.Data.Nodes[0]); err == nil {
			text, _ := doc.Marshal()
			it.Data = &syncml.Data{Bytes: text}
		}
	}
	return it
}

// tell sends events as far as they fit, the first one in any case.
func (s *Session) tell(b *fill.Builder) {
	for len(s.events) > 0 {
		e := s.events[0]
		a := alertOf(&e)
		if !b.Try(a) {
			if b.Count() > 0 {
				return
			}
			b.Put(a)
		}
		s.events = s.events[1:]
		s.sent = append(s.sent, e)
		s.told[ref{s.turn.Sent(), a.ID}] = e.ID
	}
}

// forgetTold has events told again that the server has refused together with the message that they were in.
func (s *Session) forgetTold() {
	unheard := slices.DeleteFunc(s.sent, func(e dm.Event) bool { _, heard := s.report.Events[e.ID]; return heard })
	s.events, s.sent = append(unheard, s.events...), nil
	clear(s.told)
}

func alertOf(e *dm.Event) *syncml.Alert {
	it := syncml.Item{Meta: syncml.Meta{Type: e.Type, Format: string(e.Format), Mark: e.Mark}}
	if e.URI != "" {
		it.Source = &syncml.Location{URI: e.URI}
	}
	it.Data, it.Meta = fill.Text(e.Data, it.Meta)
	return &syncml.Alert{Code: dm.AlertGeneric, Correlator: e.Correlator, Items: []syncml.Item{it}}
}
