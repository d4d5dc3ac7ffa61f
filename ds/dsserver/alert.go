package dsserver

import (
	"errors"
	"strconv"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// alert opens datastores, or asks for our next message.
func (r *reply) alert(c *syncml.Alert) error {
	code := c.Code.Requested() // some clients echo what a notification said (protocol.md F.5)
	switch {
	case code == ds.AlertNextMessage:
		r.wantNext = true
		r.answer(c, ds.StatusOK)
		return nil
	case code == ds.AlertNoEndOfData || code == ds.AlertSuspend:
		r.x.in = nil
		r.x.over = code == ds.AlertSuspend
		r.answer(c, ds.StatusOK)
		return nil
	case code == ds.AlertResult:
		r.answer(c, ds.StatusNotFound) // the message it asks for never came, or could not be carried out
		return nil
	case !code.IsSync() && code != ds.AlertResume:
		r.answer(c, ds.StatusUnsupported)
		return nil
	}
	for i := range c.Items {
		if err := r.openStore(c, &c.Items[i], code); err != nil {
			return err
		}
	}
	return nil
}

// openStore begins the synchronization of one datastore: it compares the anchors and says how it will be done.
func (r *reply) openStore(c *syncml.Alert, it *syncml.Item, code ds.Alert) error {
	target := wire.URI(it.Target)
	d, ok := r.s.datastore(target)
	if !ok {
		r.answerItem(c, it, ds.StatusNotFound)
		return nil
	}
	st := &storeState{Datastore: d, target: target, peer: wire.URI(it.Source), alert: code,
		c: dsstore.Collection{User: r.x.device.User, Store: d.URI}, added: make(map[string]dsstore.Mapping)}
	st.policy = wire.FindConflicts(it.Meta.EMI)
	if code, err := r.findScope(st, it.Target.Filter); err != nil || code != ds.StatusOK {
		r.answerItem(c, it, code)
		return err
	}
	if own, ok := wire.FindFilter(it.Target.Filter); ok && own.Preview && r.x.aware {
		return r.preview(c, it, st)
	}
	anchors := it.Meta.Anchor
	if anchors == nil {
		anchors = &ds.Anchors{}
	}
	if former, err := r.late(st, anchors); former != "" || err != nil {
		a := r.answerItem(c, it, ds.StatusConflict)
		a.Items = []syncml.Item{{Data: &syncml.Data{Anchor: &ds.Anchors{Next: former}}}} // for a device whose clock was set back
		return err
	}
	status, err := r.matchAnchors(st, anchors)
	if err != nil {
		return err
	}
	r.x.stores = append(r.x.stores, st)
	answer := r.answerItem(c, it, status)
	answer.Items = []syncml.Item{{Data: &syncml.Data{Anchor: &ds.Anchors{Next: anchors.Next}}}}
	known, err := r.tell(st)
	if err != nil {
		return err
	}
	r.after = append(r.after, &syncml.Alert{Code: st.alert, Items: []syncml.Item{{
		Target: &syncml.Location{URI: st.peer, Filter: known}, Source: &syncml.Location{URI: target},
		Meta: syncml.Meta{Anchor: &ds.Anchors{Last: st.link.ServerLast, Next: st.link.ServerNext}, MaxObjSize: wire.MaxObjSize},
	}}})
	return nil
}

// late is the anchor of an exchange that came before this one although it is no older, "" if there is none: the anchors of our own devices are numbers
// that grow. What this one says is out of date, and its anchors would make the next sync a slow one; a refresh would even replace what came since (found
// by simulation).
func (r *reply) late(st *storeState, a *ds.Anchors) (former string, err error) {
	if !r.x.aware || !st.alert.NeedsAnchors() && !st.replaces() {
		return "", nil
	}
	l, err := r.tx.Link(r.x.deviceID, st.c)
	if err != nil {
		return "", err
	}
	now, e1 := strconv.ParseInt(a.Next, 36, 64)
	known, e2 := strconv.ParseInt(l.ClientNext, 36, 64)
	if e1 != nil || e2 != nil || now > known {
		return "", nil
	}
	return l.ClientNext, nil
}

// matchAnchors decides between the sync that is asked for and a slow one, and remembers the anchors of this exchange.
// Either of the two that the device presented last time is good: an exchange that was cut off leaves it with the first,
// one whose end it saw with the second. Only then has it seen our Next for sure, too: until it proves that, we present the Last before
// it, or a lost answer to the message that completes an exchange would make the device believe that we were set back (found by killing
// servers at random).
func (r *reply) matchAnchors(st *storeState, a *ds.Anchors) (ds.Status, error) {
	l, err := r.tx.Link(r.x.deviceID, st.c)
	if err != nil {
		return 0, err
	}
	status := ds.StatusOK
	known := a.Last != "" && (a.Last == l.ClientLast || a.Last == l.ClientNext)
	resumed := st.alert == ds.AlertResume && l.Running != 0 && (known || a.Last == l.ClientLast)
	switch {
	case resumed:
		st.alert = l.Running // every acknowledged item is remembered, so the rest is just a sync that does not start over
		r.resume(st)
	case st.alert == ds.AlertResume && known: // it was complete, but the device has not seen it
		st.alert = ds.AlertTwoWay
	case (st.alert.NeedsAnchors() || st.alert == ds.AlertResume) && !known:
		status, st.alert, st.refused = ds.StatusRefreshRequired, ds.AlertSlow, true
	}
	st.first = st.alert == ds.AlertSlow || l.Running == ds.AlertSlow
	st.known = st.first && l.Known()
	st.settled = st.first && known && (l.Running == 0 || l.Running.NeedsAnchors())
	if !st.alert.NeedsAnchors() && !resumed {
		if l = (dsstore.Link{}); !st.alert.FromServer() {
			l.Scope = unsettled // it is not looked whether the device has what it shall have (found by simulation)
		}
		if err := r.startOver(st); err != nil {
			return 0, err
		}
	}
	l.Running = st.alert
	if known && a.Last == l.ClientNext {
		l.ServerLast = l.ServerNext
	}
	l.ClientLast, l.ClientNext = a.Last, a.Next
	if !known || st.alert == ds.AlertSlow {
		l.ClientLast = "" // what comes after a slow sync of which the device has not heard is one, too
	}
	l.ServerNext = strconv.FormatInt(r.now.UnixMicro(), 36)
	st.link, st.cursor = l, l.Done
	if st.stale = st.scope.LUID != "" || st.scope.Stale(l, r.now); st.stale {
		st.cursor = 0
	}
	st.all = !st.alert.FromServer()
	return status, r.tx.PutLink(r.x.deviceID, st.c, l)
}

// allTold notes of slow syncs that the device has told of all that it had: what it adds when they are cut off and go on is new, perhaps an edit of
// what we sent, and no first meeting any more, in which one version is enough (found by simulation). Devices of others resume a slow sync as such.
func (r *reply) allTold() error {
	for _, st := range r.x.stores {
		if st.link.Running != ds.AlertSlow || st.refused || !r.x.aware {
			continue
		}
		st.link.Running = ds.AlertTwoWay
		if err := r.tx.PutLink(r.x.deviceID, st.c, st.link); err != nil {
			return err
		}
	}
	return nil
}

// resume takes over what the exchange that was cut off left in memory: an object of which a part has come, and which items were sent.
// Both are conveniences; without them the parts and items in question travel once more.
func (r *reply) resume(st *storeState) {
	former := r.s.rooms.formerOf(r.x)
	if former == nil || !former.try() { // it may still work on a message that the device no longer waits for
		return
	}
	defer former.yield()
	for _, old := range former.stores {
		if old.URI != st.URI {
			continue
		}
		st.added = old.added
		if former.in != nil && former.in.store == old {
			former.in.store = st
			r.x.in, former.in = former.in, nil
		}
	}
}

// startOver forgets what the device holds: it sends all, or takes all, anew. With a refresh from the client it tells anew what it has deleted, too.
func (r *reply) startOver(st *storeState) error {
	if st.alert == ds.AlertSlow {
		return r.tx.Forget(r.x.deviceID, st.c)
	}
	if err := r.tx.ClearMappings(r.x.deviceID, st.c); err != nil || !st.replaces() {
		return err
	}
	list, err := r.tx.Deletions(r.x.deviceID, st.c)
	for _, d := range list {
		err = errors.Join(err, r.tx.DropDeletion(r.x.deviceID, st.c, d.GUID))
	}
	return err
}

// replaces tells whether what the device has takes the place of all that it could have.
func (st *storeState) replaces() bool { return st.alert == ds.AlertRefreshFromClient }

// tombstone deletes an item and keeps its last version.
func (r *reply) tombstone(st *storeState, it dsstore.Item, reason string) error {
	if err := r.tx.Keep(st.c, it, nil, reason); err != nil {
		return err
	}
	it.Deleted, it.Modified, it.By = true, r.now, r.x.deviceID
	r.changed[st.c] = true
	_, err := r.tx.PutItem(st.c, it, nil)
	return err
}

// complete ends the exchange well: both sides hold the same, and the next one starts from here.
func (r *reply) complete() error {
	for _, st := range r.x.stores {
		l := st.link
		if st.scope.LUID == "" {
			l.Done = max(l.Done, st.cursor, st.listed) // what the device wrote itself counts, too: nobody need look at it again
		}
		if st.heldBack != 0 {
			l.Done = min(l.Done, st.heldBack-1)
		}
		l.Running = 0
		st.settleScope(&l)
		if !r.x.aware { // ids of our own devices last: one may still delete what is out of its filter (found by simulation)
			if err := r.tx.ForgetFormer(r.x.deviceID, st.c); err != nil {
				return err
			}
		}
		if err := r.tx.PutLink(r.x.deviceID, st.c, l); err != nil {
			return err
		}
	}
	r.x.over = true
	return nil
}

// mapItems takes the device's ids for items that we added.
func (r *reply) mapItems(c *syncml.Map) error {
	st := r.x.store(c.Target.URI)
	if st == nil {
		r.answer(c, ds.StatusNotFound)
		return nil
	}
	for _, m := range c.Items {
		if err := r.mapItem(st, m); err != nil {
			return err
		}
	}
	a := r.answer(c, ds.StatusOK)
	a.TargetRefs, a.SourceRefs = refs(c.Target.URI), refs(c.Source.URI)
	return nil
}

// mapItem binds one. Which revision was sent is known within the exchange only; a Map that comes later leaves it open, and
// the item goes out once more, which changes nothing on a device that has it.
func (r *reply) mapItem(st *storeState, m syncml.MapItem) error {
	known, err := r.tx.ByGUID(r.x.deviceID, st.c, m.Target)
	if err == nil && known.LUID == m.Source {
		return nil
	}
	if err != nil && !errors.Is(err, dsstore.ErrNotFound) {
		return err
	}
	it, err := r.tx.Item(st.c, m.Target)
	if err != nil {
		return ignoreNotFound(err) // an id that this user never had
	}
	sent, inThis := st.added[m.Target]
	if !inThis && (known.LUID != "" || known.Base == m.Source) {
		return nil // told again because the answer was lost; since then the device has told the item another id, or deleted it (found by simulation)
	}
	other, err := r.tx.ByLUID(r.x.deviceID, st.c, m.Source)
	switch {
	case ignoreNotFound(err) != nil:
		return err
	case !inThis && it.Deleted && other.GUID != "":
		return nil // likewise, and since then its user has put another item in its place (found by simulation)
	}
	delete(st.added, m.Target)
	switch {
	case !inThis && st.replaces():
		if it.Deleted {
			return nil
		}
		sent.Rev, sent.Hash = it.Rev, it.Hash // what the device has takes the place of what is there now
	case !inThis:
		if err := r.lookAgain(st, it); err != nil { // which revision the device has is unknown
			return err
		}
	}
	if err := r.displace(st, other); err != nil {
		return err
	}
	sent.GUID, sent.LUID = m.Target, m.Source
	return r.tx.PutMapping(r.x.deviceID, st.c, sent)
}

// displace makes an item go out once more whose id the device gives to another one, which it takes for that (found by simulation).
func (r *reply) displace(st *storeState, m dsstore.Mapping) error {
	if m.GUID == "" {
		return nil
	}
	it, err := r.tx.Item(st.c, m.GUID)
	if err != nil || it.Deleted {
		return ignoreNotFound(err)
	}
	st.hold(it.Rev)
	return r.lookAgain(st, it)
}
