package dsserver

import (
	"context"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// reply is the work on one message: what it asks is done in order, and what is to be answered is collected.
type reply struct {
	ctx context.Context // of the message
	s   *Server
	x   *exchange
	tx  dsstore.Tx
	m   *syncml.Message
	enc syncml.Encoding
	now time.Time

	header   syncml.Status    // of the SyncHdr
	expires  time.Time        // of the device's credentials, to be said
	logical  wire.Logical     // to be said about the logical session
	after    []syncml.Command // Results, Alerts: what follows the Statuses
	refused  bool             // answer every command with header.Code
	hadSync  bool
	approved bool // the deletion at hand was looked at by the device's user
	wantNext bool // the device asks for the next message
	changed  map[dsstore.Collection]bool
}

// process carries the message out.
func (r *reply) process() error {
	r.header = syncml.Status{MsgRef: r.m.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusOK,
		TargetRefs: refs(r.m.Header.Target.URI), SourceRefs: refs(r.m.Header.Source.URI)}
	if n := r.m.Header.Meta.MaxMsgSize; n > 0 {
		r.x.maxMsg = max(n, minMsgSize)
	}
	if err := r.authenticate(); err != nil {
		return err
	}
	if !r.refused {
		if err := r.joinLogical(); err != nil {
			return err
		}
	}
	defer r.askDevInf()
	for _, st := range r.x.stores {
		st.refused = false // what came along with anchors that did not match was refused; what follows the Alert is the slow sync
	}
	for _, c := range r.m.Commands {
		if err := r.command(c); err != nil {
			return err
		}
	}
	return r.advance()
}

// minMsgSize is taken where a device announces less: no progress would be possible (protocol.md C.7).
const minMsgSize = 2000

// command carries one command out.
func (r *reply) command(c syncml.Command) error {
	if st, ok := c.(*syncml.Status); ok {
		return r.peerStatus(st)
	}
	if r.refused {
		r.refuse(c)
		return nil
	}
	switch c := c.(type) {
	case *syncml.Put:
		return r.put(c)
	case *syncml.Get:
		return r.get(c)
	case *syncml.Results:
		return r.results(c)
	case *syncml.Alert:
		return r.alert(c)
	case *syncml.Sync:
		return r.sync(c)
	case *syncml.Map:
		return r.mapItems(c)
	case *syncml.Search:
		r.answer(c, ds.StatusUnsupported)
	default:
		r.answer(c, ds.StatusNotAllowed) // Add, Exec, Atomic … directly in the body are device management's
	}
	return nil
}

// refuse answers a command, and what lies in it, with the header's code; nothing of it is done.
func (r *reply) refuse(c syncml.Command) {
	code := r.header.Code
	if code.OK() {
		code = ds.StatusCancelled
	}
	r.answer(c, code)
	if c, ok := c.(*syncml.Sync); ok {
		for _, inner := range c.Commands {
			r.answer(inner, code)
		}
	}
}

// advance moves the exchange to its next package when the device's is complete.
func (r *reply) advance() error {
	x := r.x
	switch {
	case r.refused:
		x.over = r.header.Code.OK() // unknown session: the device opens anew; a challenge goes on in this exchange
	case !r.m.Final:
	case x.phase == initializing && len(x.stores) == 0:
		x.over = true // opened or closed without syncing (S3, T3)
	case x.phase == initializing && (!r.hadSync || x.refuses()):
		x.phase = receiving
	case x.phase == initializing || x.phase == receiving:
		x.phase = sending
		if err := r.allTold(); err != nil {
			return err
		}
		return r.settleDeletions()
	case x.phase == mapping:
		return r.complete()
	}
	return nil
}

// put takes device information.
func (r *reply) put(c *syncml.Put) error {
	for i := range c.Items {
		if err := r.takeDevInf(&c.Items[i]); err != nil {
			return err
		}
	}
	r.answer(c, ds.StatusOK)
	return nil
}

// askDevInf asks a device that has not told what it is, e.g. because it told so only in a message that was refused.
func (r *reply) askDevInf() {
	if r.refused || r.x.asked || len(r.x.stores) == 0 || r.x.aware || len(r.x.device.DevInf) > 0 {
		return
	}
	r.x.asked = true
	uri := "./devinf" + strings.ReplaceAll(r.m.Header.VerDTD, ".", "")
	r.after = append(r.after, &syncml.Get{Meta: syncml.Meta{Type: devInfType(r.enc)}, Items: []syncml.Item{{Target: &syncml.Location{URI: uri}}}})
}

func (r *reply) results(c *syncml.Results) error {
	for i := range c.Items {
		if err := r.takeDevInf(&c.Items[i]); err != nil {
			return err
		}
	}
	r.answer(c, ds.StatusOK)
	return nil
}

func (r *reply) takeDevInf(it *syncml.Item) error {
	if it.Data == nil || it.Data.DevInf == nil {
		return nil
	}
	r.x.aware = r.x.aware || wire.AlwaysOn(it.Data.DevInf)
	doc, err := syncml.EncodeDevInf(it.Data.DevInf, syncml.XML)
	if err != nil {
		return err
	}
	r.x.device.DevInf = doc
	for _, st := range r.x.stores {
		st.form = nil
	}
	return r.tx.PutDevice(r.x.device)
}

// get answers a request for our device information.
func (r *reply) get(c *syncml.Get) error {
	for _, it := range c.Items {
		uri := wire.URI(it.Target)
		if strings.HasPrefix(uri, wire.DigestURI) {
			if err := r.getDigest(c, &it); err != nil {
				return err
			}
			continue
		}
		if !strings.HasPrefix(strings.TrimPrefix(uri, "./"), "devinf1") {
			r.answerItem(c, &it, ds.StatusNotFound)
			continue
		}
		r.answerItem(c, &it, ds.StatusOK)
		r.after = append(r.after, &syncml.Results{
			MsgRef: r.m.Header.MsgID, CmdRef: c.ID,
			Meta:  syncml.Meta{Type: devInfType(r.enc)},
			Items: []syncml.Item{{Source: &syncml.Location{URI: uri}, Data: &syncml.Data{DevInf: r.s.devInf(r.m.Header.VerDTD)}}},
		})
	}
	return nil
}

func devInfType(enc syncml.Encoding) string {
	if enc == syncml.XML {
		return "application/vnd.syncml-devinf+xml"
	}
	return "application/vnd.syncml-devinf+wbxml"
}

// answer queues the Status of a whole command.
func (r *reply) answer(c syncml.Command, code ds.Status) *syncml.Status {
	st := &syncml.Status{MsgRef: r.m.Header.MsgID, CmdRef: c.CommandID(), Cmd: c.CommandName(), Code: code}
	r.x.queue = append(r.x.queue, st)
	return st
}

// answerItem queues the Status of one item of a command.
func (r *reply) answerItem(c syncml.Command, it *syncml.Item, code ds.Status) *syncml.Status {
	st := r.answer(c, code)
	st.TargetRefs, st.SourceRefs = refs(wire.URI(it.Target)), refs(wire.URI(it.Source))
	return st
}

func refs(uri string) []string {
	if uri == "" {
		return nil
	}
	return []string{uri}
}
