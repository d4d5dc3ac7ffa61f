package dsserver

import (
	"strconv"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
)

// writer fills one message up to the size that the device takes.
type writer struct {
	*syncml.Encoder
	limit int
	cmd   int // CmdID of the last command
}

func (w *writer) id() string {
	w.cmd++
	return strconv.Itoa(w.cmd)
}

// try runs write and takes it back if the message became too long.
func (w *writer) try(write func()) bool {
	mark, cmd := w.Mark(), w.cmd
	write()
	if w.Len() <= w.limit {
		return true
	}
	w.Reset(mark)
	w.cmd = cmd
	return false
}

// build writes the answer: Statuses, Results, Alerts, then our changes while there is room.
func (r *reply) build() ([]byte, error) {
	x, h := r.x, r.m.Header
	header := syncml.Header{
		VerDTD: h.VerDTD, VerProto: h.VerProto, SessionID: h.SessionID, MsgID: x.nextMsgID(),
		Target: syncml.Location{URI: h.Source.URI}, Source: syncml.Location{URI: h.Target.URI},
		Meta: syncml.Meta{MaxMsgSize: wire.MaxMsgSize, MaxObjSize: wire.MaxObjSize},
	}
	if r.logical.Verb != "" {
		header.Meta.EMI = []string{r.logical.EMI()}
	}
	if r.x.aware && !r.expires.IsZero() {
		header.Meta.EMI = append(header.Meta.EMI, wire.ExpiresEMI(r.expires))
	}
	w := &writer{Encoder: syncml.NewEncoder(r.enc, &header), limit: wire.MaxMsgSize}
	if x.maxMsg > 0 {
		w.limit = int(min(x.maxMsg, wire.MaxMsgSize))
	}
	r.header.ID = w.id()
	w.Command(&r.header)
	room := r.writeAnswers(w)
	if !room {
		return w.Finish(false)
	}
	final, err := r.writeChanges(w)
	if err != nil {
		return nil, err
	}
	return w.Finish(final)
}

// writeAnswers writes what fits of the Statuses, then Results and Alerts. It returns false if something waits.
func (r *reply) writeAnswers(w *writer) bool {
	x := r.x
	for len(x.queue) > 0 {
		st := x.queue[0]
		if !w.try(func() { st.ID = w.id(); w.Command(st) }) {
			return false
		}
		x.queue = x.queue[1:]
	}
	for _, c := range r.after {
		setID(c, w.id())
		w.Command(c) // device information may be longer than the device likes; everybody sends it whole (peers.md 9)
	}
	return true
}

func setID(c syncml.Command, id string) {
	switch c := c.(type) {
	case *syncml.Results:
		c.ID = id
	case *syncml.Alert:
		c.ID = id
	case *syncml.Get:
		c.ID = id
	}
}

// writeChanges writes our changes if it is our turn, and says whether our package is complete.
func (r *reply) writeChanges(w *writer) (final bool, err error) {
	x := r.x
	if x.phase != sending || x.over {
		return r.m.Final, nil
	}
	for _, st := range x.stores {
		full, err := r.writeStore(w, st)
		if err != nil || full {
			return false, err
		}
	}
	if !x.sentAnything() && x.aware {
		return true, r.complete() // nothing to answer: the exchange ends here, in one round trip
	}
	x.phase = mapping
	return true, nil
}

// page is how many items are listed at a time.
const page = scope.Page

// writeStore writes changes of one datastore; full means that the message is.
func (r *reply) writeStore(w *writer, st *storeState) (full bool, err error) {
	if st.all && (st.opened || r.x.aware) {
		return false, nil
	}
	if err := r.beginSync(w, st); err != nil {
		return false, err
	}
	defer w.EndSync()
	if r.x.out != nil {
		if full := r.writeChunk(w); full {
			return true, nil
		}
	}
	for !st.all {
		list, more, err := r.next(st)
		if err != nil {
			return false, err
		}
		for i := range list {
			full, err := r.writeItem(w, st, &list[i])
			if err != nil || full {
				return true, err
			}
		}
		st.all = !more
	}
	if st.alert.FromServer() {
		st.listed, err = r.tx.Rev(st.c)
	}
	return false, err
}

func (r *reply) beginSync(w *writer, st *storeState) error {
	s := &syncml.Sync{ID: w.id(), Target: syncml.Location{URI: st.peer}, Source: syncml.Location{URI: st.target}, NumberOfChanges: -1}
	if !st.opened && !st.all && r.x.aware {
		n, err := r.count(st)
		if err != nil {
			return err
		}
		s.NumberOfChanges = n
		st.all = n == 0 && st.onlyNew() // so they need not be looked for once more
	}
	st.opened = true
	w.BeginSync(s)
	return nil
}

// writeItem writes one change, or the first chunk of it; full means that the message is and the item may still wait.
func (r *reply) writeItem(w *writer, st *storeState, j *judged) (full bool, err error) {
	if j.verdict == scope.Nothing {
		st.cursor = j.Item.Rev
		return false, nil
	}
	c, sent, body, err := r.outgoing(st, j)
	if err != nil {
		return false, err
	}
	if len(body) > w.limit/2 {
		if st.anythingIn(w) {
			return true, nil
		}
		r.x.out = &outObject{sent: sent, command: c, object: wire.NewObject(pim.Item{Body: body}, r.enc)}
		return r.writeChunk(w), nil
	}
	if !w.try(func() { c.ID = w.id(); w.Command(c) }) {
		return true, nil
	}
	r.noteSent(sent, w.cmd)
	return false, r.doubt(sent)
}

// doubt makes the next exchange look at an item again that was taken away, in case that the answer is lost.
func (r *reply) doubt(sent sentItem) error {
	if !sent.leave {
		return nil
	}
	m, err := r.tx.ByGUID(r.x.deviceID, sent.store.c, sent.item.GUID)
	if err != nil {
		return ignoreNotFound(err)
	}
	if m.Rev != another { // there is a copy of what the device has: it may still be told something of that (found by simulation)
		m.Rev = leaving
	}
	if err := r.tx.PutMapping(r.x.deviceID, sent.store.c, m); err != nil {
		return err
	}
	st := sent.store
	if st.link.Scope == unsettled {
		return nil
	}
	st.link.Scope = unsettled
	return r.tx.PutLink(r.x.deviceID, st.c, st.link)
}

// anythingIn tells whether the message has items already, so that a large object better begins in the next one.
func (st *storeState) anythingIn(w *writer) bool { return w.Len() > w.limit/4 }

func (r *reply) noteSent(sent sentItem, cmd int) {
	st := sent.store
	st.anything = true
	st.cursor = sent.item.Rev
	if !sent.more {
		st.gave++
	}
	if sent.op == syncml.OpAdd && !sent.more {
		st.added[sent.item.GUID] = dsstore.Mapping{Rev: sent.item.Rev, Hash: sent.item.Hash, Variant: sent.variant}
	}
	r.x.sent[ref{strconv.Itoa(r.x.msgID), strconv.Itoa(cmd)}] = sent
}

// outgoing is the command for an item, what is to be remembered of it, and the body if that travels.
func (r *reply) outgoing(st *storeState, j *judged) (*syncml.Change, sentItem, []byte, error) {
	it, m := j.Item, j.Mapping
	version := ds.VersionOf(it.Hash)
	sent := sentItem{store: st, item: it, luid: m.LUID, op: syncml.OpReplace, better: m.Rev >= it.Rev}
	switch {
	case j.verdict == scope.Delete, j.verdict == scope.Leave:
		c := wire.Delete(m.LUID, "", version)
		sent.op, sent.leave = syncml.OpDelete, j.verdict == scope.Leave
		c.SftDel = sent.leave && r.x.aware // others may not know it, and then keep the item (protocol.md C.12)
		return c, sent, nil, nil
	case m.LUID != "" && m.Hash == it.Hash && r.x.aware && m.Rev < it.Rev && (m.Variant == "" || m.Variant == j.policy.String()) && st.scope.LUID == "":
		sent.flags, sent.variant = true, m.Variant
		return wire.Flags(m.LUID, "", version, pimItem(it)), sent, nil, nil
	}
	item, err := r.item(st, j, &sent)
	if err != nil {
		return nil, sent, nil, err
	}
	c := wire.Whole(syncml.OpReplace, m.LUID, "", version, item)
	if m.LUID == "" {
		sent.op = syncml.OpAdd
		c = wire.Whole(syncml.OpAdd, "", it.GUID, version, item)
	}
	if r.form(st).Objects() {
		err = r.setParent(st, pimItem(it), &c.Items[0])
	}
	return c, sent, item.Body, err
}

// item is an item in the form in which the device gets it.
func (r *reply) item(st *storeState, j *judged, sent *sentItem) (pim.Item, error) {
	item := pimItem(j.Item)
	body, err := r.tx.Body(j.Item.Hash)
	if err != nil {
		return item, err
	}
	item.Body = body
	if item.Type == pim.TypeMessage {
		if part, partial := mail.Reduce(body, j.policy); partial {
			item.Body, sent.variant = part, j.policy.String()
		}
	}
	r.form(st).Give(&item)
	return item, nil
}

// writeChunk writes the next part of a large object (protocol.md C.8). It always fills the message, except with the last part.
func (r *reply) writeChunk(w *writer) (full bool) {
	o := r.x.out
	c := o.command
	c.ID = w.id()
	more := o.object.Next(c, max(w.limit-w.Len()-chunkOverhead, minChunk))
	w.Command(c)
	o.sent.more = more
	r.noteSent(o.sent, w.cmd)
	if !more {
		r.x.out = nil
	}
	return more
}

const (
	chunkOverhead = 1024 // ids, folder and name around the data, Final
	minChunk      = 512  // what goes out whatever the limit, so that there is progress
)

// peerStatus takes the device's answer to one of our commands.
func (r *reply) peerStatus(st *syncml.Status) error {
	key := ref{st.MsgRef, st.CmdRef}
	sent, ok := r.x.sent[key]
	if !ok {
		return nil // of the header, an Alert, a Sync: nothing depends on them
	}
	delete(r.x.sent, key)
	switch {
	case sent.more && st.Code.OK():
		return nil
	case sent.more && r.x.out != nil && r.x.out.sent.item.GUID == sent.item.GUID:
		r.x.out = nil // the device does not want the rest
	}
	return r.settle(sent, st.Code)
}

// settle notes what the device holds now.
func (r *reply) settle(sent sentItem, code ds.Status) error {
	device, c, it := r.x.deviceID, sent.store.c, sent.item
	gone := code == ds.StatusNotFound || code == ds.StatusGone || code == ds.StatusNotDeleted
	switch {
	case sent.op == syncml.OpDelete && (code.OK() || gone):
		return r.tx.DeleteMapping(device, c, it.GUID)
	case sent.leave:
		sent.store.again = true // e.g. an edit of the device goes out first (F10)
		return nil
	case sent.op == syncml.OpReplace && gone:
		sent.store.hold(it.Rev)
		return r.tx.DeleteMapping(device, c, it.GUID) // it goes out again as an Add
	case sent.flags && code == ds.StatusIncomplete:
		sent.store.hold(it.Rev)
		return r.tx.PutMapping(device, c, dsstore.Mapping{GUID: it.GUID, LUID: sent.luid}) // it has other bytes than we believed
	case sent.op == syncml.OpReplace && code.OK():
		return r.tx.PutMapping(device, c, dsstore.Mapping{GUID: it.GUID, LUID: sent.luid, Rev: it.Rev, Hash: it.Hash, Variant: sent.variant})
	case code.OK():
		return nil // an Add is settled by its Map
	case refusedForGood(code):
		return r.tx.PutMapping(device, c, dsstore.Mapping{GUID: it.GUID, LUID: sent.luid, Rev: it.Rev})
	}
	sent.store.hold(it.Rev)
	sent.store.again = sent.store.again || sent.better // only who looks at all finds it (found by simulation)
	return nil
}

// refusedForGood tells whether sending the same version again would be refused again.
func refusedForGood(code ds.Status) bool {
	switch code {
	case ds.StatusBadRequest, ds.StatusTooLarge, ds.StatusMediaType, ds.StatusObjectTooLarge, ds.StatusUnsupported, ds.StatusForbidden:
		return true
	}
	return false
}

// hold makes the next exchange look at this revision again.
func (st *storeState) hold(rev int64) {
	if st.heldBack == 0 || rev < st.heldBack {
		st.heldBack = rev
	}
}
