package dsclient

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// puller takes changes one by one, with one that can be put back when it did not fit.
type puller struct {
	next  func() (Change, error, bool)
	stop  func()
	back  *Change
	ahead []Change // see fill
	err   error    // that ended fill
}

func newPuller(seq iter.Seq2[Change, error]) *puller {
	next, stop := iter.Pull2(seq)
	return &puller{next: next, stop: stop}
}

func (p *puller) take() (Change, bool, error) {
	if c := p.back; c != nil {
		p.back = nil
		return *c, true, nil
	}
	if len(p.ahead) > 0 {
		c := p.ahead[0]
		p.ahead[0], p.ahead = Change{}, p.ahead[1:] // its body is not kept
		return c, true, nil
	}
	if p.err != nil {
		return Change{}, false, p.err
	}
	c, err, ok := p.next()
	return c, ok && err == nil, err
}

// fill takes changes ahead until they have so many octets.
func (p *puller) fill(octets int) {
	if p.back != nil {
		octets -= len(p.back.Item.Body)
	}
	for _, c := range p.ahead {
		octets -= len(c.Item.Body)
	}
	for octets > 0 && p.err == nil {
		c, err, ok := p.next()
		if p.err = err; err != nil || !ok {
			return
		}
		p.ahead = append(p.ahead, c)
		octets -= len(c.Item.Body) + chunkOverhead/4
	}
}

// message is one message that is being written.
type message struct {
	*syncml.Encoder
	limit int
	cmd   int
}

func (w *message) id() string {
	w.cmd++
	return strconv.Itoa(w.cmd)
}

// try runs write and takes it back if the message became too long.
func (w *message) try(write func()) bool {
	mark, cmd := w.Mark(), w.cmd
	write()
	if w.Len() <= w.limit {
		return true
	}
	w.Reset(mark)
	w.cmd = cmd
	return false
}

// build writes the next message of the package under way.
func (e *exchange) build(ctx context.Context) ([]byte, error) {
	e.msgID++
	w := &message{Encoder: syncml.NewEncoder(e.Encoding, e.header()), limit: e.limit()}
	if e.sending() != nil {
		w.Grow(w.limit)
	}
	if e.msgID > 1 && !e.writeAnswers(w) {
		return w.Finish(false)
	}
	switch {
	case e.req.Purpose == Ask:
		e.writeAsk(w)
		return w.Finish(true)
	case e.req.Purpose == Preview:
		e.writeAlerts(w)
		return w.Finish(true)
	case e.phase == phaseInit:
		e.writeInit(w)
		return w.Finish(true)
	case e.phase == phaseSync:
		final, err := e.writeSync(ctx, w)
		if err != nil {
			return nil, err
		}
		return w.Finish(final)
	}
	final := e.writeMaps(w)
	if w.cmd == 1 { // nothing but the header's Status: ask the server to go on
		w.Command(e.nextMessage(w.id()))
		final = false
	}
	return w.Finish(final)
}

// limit is how long the next message may become. The first one with changes is shorter, so that the server has something to do while the
// changes for the next one are read.
func (e *exchange) limit() int {
	n := min(e.maxMsg, e.ownLimit())
	begun := func(st *storeExchange) bool { return st.pull != nil }
	if e.Ahead && e.phase == phaseSync && !slices.ContainsFunc(e.stores, begun) {
		n = max(n/firstPart, minMsgSize)
	}
	return n
}

const firstPart = 4

func (e *exchange) nextMessage(id string) *syncml.Alert {
	return &syncml.Alert{ID: id, Code: ds.AlertNextMessage, Items: []syncml.Item{{
		Target: &syncml.Location{URI: e.url}, Source: &syncml.Location{URI: e.DeviceID}}}}
}

func (e *exchange) header() *syncml.Header {
	h := &syncml.Header{
		VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: e.session, MsgID: strconv.Itoa(e.msgID),
		Target: syncml.Location{URI: e.url}, Source: syncml.Location{URI: e.DeviceID},
	}
	if e.msgID == 1 {
		h.Meta.MaxMsgSize, h.Meta.MaxObjSize = int64(e.ownLimit()), wire.MaxObjSize
	}
	e.credSent = !e.authOK || e.each
	if e.credSent {
		h.Source.Name = e.User
		h.Cred = e.cred()
		h.Meta.EMI = e.emi()
	}
	return h
}

func (e *exchange) cred() *syncml.Cred {
	if e.Basic {
		return syncml.BasicCred(e.User, e.Secret)
	}
	return syncml.MD5Cred(e.User, e.Secret, e.nonce)
}

func (e *exchange) emi() []string {
	l := wire.Logical{ID: e.req.Session}
	switch {
	case e.req.Purpose == Open || e.req.Purpose == Greet:
		l = wire.Logical{Verb: wire.Open}
	case e.req.Session == "":
		return nil // a plain exchange, e.g. by hand while Always-On is off (T4)
	case e.req.Purpose == Close:
		l.Verb = wire.Close
	default: // Sync, Preview
		l.Verb = wire.In
	}
	return []string{l.EMI()}
}

// writeAnswers writes our Statuses and Results; false if some must wait for the next message.
func (e *exchange) writeAnswers(w *message) bool {
	for len(e.queue) > 0 {
		st := e.queue[0]
		if !w.try(func() { st.ID = w.id(); w.Command(st) }) {
			return false
		}
		e.queue = e.queue[1:]
	}
	for _, c := range e.results {
		c.(*syncml.Results).ID = w.id()
		w.Command(c)
	}
	e.results = nil
	return true
}

// writeInit writes package 1: device information both ways (N2) and one Alert for each datastore (N3).
func (e *exchange) writeInit(w *message) {
	typ := "application/vnd.syncml-devinf+wbxml"
	if e.Encoding == syncml.XML {
		typ = "application/vnd.syncml-devinf+xml"
	}
	uri := &syncml.Location{URI: wire.DevInfURI}
	if e.req.Purpose != Close {
		w.Command(&syncml.Put{ID: w.id(), Meta: syncml.Meta{Type: typ}, Items: []syncml.Item{{
			Source: uri, Data: &syncml.Data{DevInf: e.devInf(e.stores)}}}})
	}
	w.Command(&syncml.Get{ID: w.id(), Meta: syncml.Meta{Type: typ}, Items: []syncml.Item{{Target: uri}}})
	if e.syncs() {
		e.writeAlerts(w)
	}
}

// writeAsk asks for what the request names.
func (e *exchange) writeAsk(w *message) {
	get := &syncml.Get{ID: w.id(), Meta: syncml.Meta{Type: "text/plain"}}
	for _, uri := range e.req.Ask {
		get.Items = append(get.Items, syncml.Item{Target: &syncml.Location{URI: uri}})
	}
	w.Command(get)
}

func (e *exchange) writeAlerts(w *message) {
	for _, st := range e.stores {
		w.Command(&syncml.Alert{ID: w.id(), Code: st.want, Items: []syncml.Item{{
			Target: &syncml.Location{URI: st.Remote(), Filter: e.filterOf(st)}, Source: &syncml.Location{URI: st.Local()},
			Meta: syncml.Meta{Anchor: &ds.Anchors{Last: e.last(st), Next: st.next}, MaxObjSize: wire.MaxObjSize, EMI: wire.ConflictsEMI(st.conflicts)},
		}}})
	}
}

// last is our Last. Servers that keep logical sessions see by it in a slow sync, too, that we were equal before.
func (e *exchange) last(st *storeExchange) string {
	switch {
	case st.want.NeedsAnchors() || st.want == ds.AlertResume:
		return st.presented
	case st.want == ds.AlertSlow && (e.aware || !st.anchors.Plain): // also before it has said so in this session (found by simulation)
		return st.anchors.Local
	}
	return ""
}

// writeSync writes our changes while there is room. Inside a logical session the Alerts go along with them, which saves
// a round trip (design.md §4).
func (e *exchange) writeSync(ctx context.Context, w *message) (final bool, err error) {
	if e.msgID == 1 {
		e.writeAlerts(w)
	}
	for _, st := range e.stores {
		if st.failed || st.sentAll {
			continue
		}
		full, err := e.writeStore(ctx, w, st)
		if err != nil || full {
			return false, err
		}
	}
	return true, nil
}

func (e *exchange) writeStore(ctx context.Context, w *message, st *storeExchange) (full bool, err error) {
	if err := e.begin(ctx, st); err != nil {
		return false, err
	}
	if !e.writePendingMaps(w, st) {
		return true, nil
	}
	w.BeginSync(e.syncElement(w, st))
	defer w.EndSync()
	if e.out != nil && e.out.st == st {
		if e.writeChunk(w) {
			return true, nil
		}
	}
	for {
		c, ok, err := st.pull.take()
		if err != nil || !ok {
			st.sentAll = err == nil
			return false, err
		}
		e.form(st).Give(&c.Item)
		if full := e.writeChange(w, st, c); full {
			return true, nil
		}
	}
}

// begin starts reading changes of a datastore.
func (e *exchange) begin(ctx context.Context, st *storeExchange) error {
	if st.pull != nil {
		return nil
	}
	all := !st.resumed && (st.alert == ds.AlertSlow || st.alert == ds.AlertRefreshFromClient)
	if all {
		if err := st.Restart(ctx, e.aware); err != nil {
			return err
		}
	}
	if st.alert == ds.AlertRefreshFromServer && !st.resumed {
		if err := st.Refresh(ctx); err != nil {
			return err
		}
	}
	var err error
	if st.total, err = st.Count(all); err != nil {
		return err
	}
	if !st.alert.FromClient() {
		st.pull = newPuller(func(func(Change, error) bool) {})
		return nil
	}
	st.pull = newPuller(st.Changes(ctx, all))
	return nil
}

func (e *exchange) syncElement(w *message, st *storeExchange) *syncml.Sync {
	s := &syncml.Sync{ID: w.id(), Target: syncml.Location{URI: st.Remote()}, Source: syncml.Location{URI: st.Local()}, NumberOfChanges: -1}
	if !st.opened {
		s.NumberOfChanges = st.total
	}
	st.opened = true
	return s
}

// writePendingMaps sends first what an earlier exchange could not deliver; in a slow sync, what Restart has left of it.
func (e *exchange) writePendingMaps(w *message, st *storeExchange) bool {
	if st.opened {
		return true
	}
	entries, err := st.PendingMaps()
	if err != nil || len(entries) == 0 {
		return true // an unreadable list is no reason not to sync: the server sends those items again
	}
	return w.try(func() { e.writeMap(w, st, entries) })
}

func (e *exchange) writeMap(w *message, st *storeExchange, entries []MapEntry) {
	m := &syncml.Map{ID: w.id(), Target: syncml.Location{URI: st.Remote()}, Source: syncml.Location{URI: st.Local()}}
	for _, en := range entries {
		m.Items = append(m.Items, syncml.MapItem{Target: en.GUID, Source: en.LUID})
	}
	w.Command(m)
	e.sent[e.ref(w)] = sentChange{st: st, isMap: entries}
}

func (e *exchange) ref(w *message) ref {
	return ref{strconv.Itoa(e.msgID), strconv.Itoa(w.cmd)}
}

// writeMaps writes the ids of items that were added; true if all of them are in.
func (e *exchange) writeMaps(w *message) bool {
	for _, st := range e.stores {
		for len(st.added) > 0 {
			n := min(len(st.added), mapBatch)
			if !w.try(func() { e.writeMap(w, st, st.added[:n]) }) {
				delete(e.sent, ref{strconv.Itoa(e.msgID), strconv.Itoa(w.cmd + 1)})
				return false
			}
			st.added = st.added[n:]
		}
	}
	return true
}

// mapBatch is how many entries one Map command has: small enough for a small message.
const mapBatch = 20

// writeChange writes one change; full means that the message is, and the change waits for the next one.
func (e *exchange) writeChange(w *message, st *storeExchange, c Change) (full bool) {
	if len(c.Item.Body) > w.limit/2 && c.Op != Delete && c.Op != Reflag {
		if w.Len() > w.limit/4 {
			st.pull.back = &c
			return true
		}
		e.out = &outObject{st: st, change: c, object: wire.NewObject(c.Item, e.Encoding)}
		return e.writeChunk(w)
	}
	if !w.try(func() { cmd := command(c); cmd.ID = w.id(); w.Command(cmd) }) {
		st.pull.back = &c
		return true
	}
	e.note(w, st, c, false)
	return false
}

// note remembers a change until its Status comes. Its body is not kept.
func (e *exchange) note(w *message, st *storeExchange, c Change, more bool) {
	c.Item = pim.Item{}
	e.sent[e.ref(w)] = sentChange{st: st, change: c, more: more}
}

func command(c Change) *syncml.Change {
	switch c.Op {
	case Delete:
		cmd := wire.Delete("", c.LUID, c.Base)
		if c.Approved {
			wire.Approve(cmd)
		}
		return cmd
	case Reflag:
		return wire.Flags("", c.LUID, c.Base, c.Item)
	case Replace:
		return wire.Whole(syncml.OpReplace, "", c.LUID, c.Base, c.Item)
	}
	return wire.Whole(syncml.OpAdd, "", c.LUID, c.Base, c.Item)
}

// writeChunk writes the next part of a large item; full unless it was the last part.
func (e *exchange) writeChunk(w *message) (full bool) {
	o := e.out
	cmd := command(o.change)
	cmd.ID = w.id()
	more := o.object.Next(cmd, max(w.limit-w.Len()-chunkOverhead, minChunk))
	w.Command(cmd)
	e.note(w, o.st, o.change, more)
	if !more {
		e.out = nil
	}
	return more
}

const (
	chunkOverhead = 1024 // ids, folder and name around the data, Final
	minChunk      = 512  // what goes out whatever the limit, so that there is progress
)
