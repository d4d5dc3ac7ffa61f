package dsserver

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// ErrOverloaded says that so many messages are being worked on that nothing of this one was begun. It may be sent again as it is.
var ErrOverloaded = errors.New("the server has more to do than it can; nothing of the message was done; send it again later")

// maxAtOnce bounds the messages that are worked on, and so what they need of memory: each has up to maxBody. The store writes for one after
// the other anyway.
const maxAtOnce = 64

// busyID is where the MsgIDs of busy answers begin: they are never that of an answer that is being written meanwhile.
const busyID = 1 << 20

// job is the work on one message. Its sender may stop waiting for it: it is completed all the same, and its result can be asked for (protocol.md C.7).
type job struct {
	done chan struct{} // closed when what follows is set
	out  []byte
	err  error
}

// patience ends when a device has waited long enough; never if the server has no such limit.
func (s *Server) patience() (<-chan time.Time, func() bool) {
	if s.o.Busy <= 0 {
		return nil, func() bool { return true }
	}
	t := time.NewTimer(s.o.Busy)
	return t.C, t.Stop
}

// enqueue waits until there is room in a channel that stands for places at work.
func enqueue(ctx context.Context, places chan struct{}, patience <-chan time.Time) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-patience:
	case <-ctx.Done():
	}
	return false
}

// start carries a message out. Where devices are told that the server is busy, what was begun for one that no longer waits, or is gone, is
// completed: its answer is there when it asks again.
func (s *Server) start(ctx context.Context, x *exchange, m *syncml.Message, body []byte, enc syncml.Encoding) *job {
	j := &job{done: make(chan struct{})}
	work := func() {
		defer close(j.done)
		defer func() { x.yield(); s.leave(x) }()
		j.out, j.err = s.work(ctx, x, m, body, enc)
	}
	if s.o.Busy <= 0 {
		work()
		return j
	}
	ctx = context.WithoutCancel(ctx)
	go work() // Close waits for it
	return j
}

// Close returns when no message is being worked on; none is begun afterwards.
func (s *Server) Close() {
	s.closing.Do(func() {
		for range cap(s.places) {
			s.places <- struct{}{}
		}
	})
}

// busy is the answer to a device that has waited long enough: what it sent is being worked on.
func (s *Server) busy(x *exchange, m *syncml.Message, enc syncml.Encoding) ([]byte, error) {
	h := &m.Header
	return syncml.Encode(&syncml.Message{
		Header: syncml.Header{VerDTD: h.VerDTD, VerProto: h.VerProto, SessionID: h.SessionID, MsgID: strconv.FormatInt(busyID+x.busies.Add(1), 10),
			Target: syncml.Location{URI: h.Source.URI}, Source: syncml.Location{URI: h.Target.URI}, Meta: syncml.Meta{MaxMsgSize: wire.MaxMsgSize}},
		Commands: []syncml.Command{&syncml.Status{ID: "1", MsgRef: h.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusInProgress,
			TargetRefs: refs(h.Target.URI), SourceRefs: refs(h.Source.URI)}},
		Final: true,
	}, enc)
}

// result is the answer to the message before m if m asks for it by an Alert 221; nil if m asks for something else, or if there is none. Its MsgID stays,
// because what the device says of its commands refers to it.
func (x *exchange) result(m *syncml.Message, enc syncml.Encoding) ([]byte, error) {
	a := asksForResult(m)
	if a == nil || x.lastReply == nil || !x.authenticated {
		return nil, nil
	}
	last, err := syncml.Decode(x.lastReply, enc)
	if err != nil {
		return nil, err
	}
	h := &m.Header
	last.Commands = append([]syncml.Command{
		&syncml.Status{ID: "r1", MsgRef: h.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusOK, TargetRefs: refs(h.Target.URI), SourceRefs: refs(h.Source.URI)},
		&syncml.Status{ID: "r2", MsgRef: h.MsgID, CmdRef: a.ID, Cmd: "Alert", Code: ds.StatusOK},
	}, last.Commands...)
	return syncml.Encode(last, enc)
}

// asksForResult finds the Alert 221 of a message that has nothing else to say; nil if there is none.
func asksForResult(m *syncml.Message) (found *syncml.Alert) {
	for _, c := range m.Commands {
		switch c := c.(type) {
		case *syncml.Status:
		case *syncml.Alert:
			if c.Code != ds.AlertResult {
				return nil
			}
			found = c
		default:
			return nil
		}
	}
	return found
}
