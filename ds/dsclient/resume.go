package dsclient

import "github.com/alwayson-sync/alwayson/ds"

// resumable tells whether the last exchange with a plain server was cut off in the middle of what is asked for now: then it can be resumed
// (225). A server that keeps logical sessions needs no such word; see AnchorState. What was cut off inside an object can only be resumed
// while the part that came is still there.
func (e *exchange) resumable(st *storeExchange) bool {
	a := st.anchors
	if !a.Plain || a.Running == 0 || a.Partial && !e.hasKept(st) {
		return false
	}
	return a.Running == st.alert || a.Running == ds.AlertSlow && st.alert == ds.AlertTwoWay
}

func (e *exchange) hasKept(st *storeExchange) bool {
	return e.Kept != nil && e.Kept.in != nil && e.Kept.store == st.Local()
}

// takeKept goes on with the part that came in the exchange that is resumed.
func (e *exchange) takeKept(st *storeExchange) {
	if st.resumed && e.hasKept(st) {
		e.in, e.Kept.in = e.Kept.in, nil
		e.in.st = st
	}
}

// keep saves the part of an object that has come, when an exchange ends.
func (e *exchange) keep() {
	if e.Kept == nil {
		return
	}
	e.Kept.in = nil
	if e.in != nil && !e.aware {
		e.Kept.store, e.Kept.in = e.in.st.Local(), e.in
	}
}

// partial notes durably that a part of an object has come from a plain server. If it cannot be noted, a restart in the next minutes costs
// a slow sync.
func (st *storeExchange) partial(aware bool) {
	if !aware && !st.anchors.Partial {
		st.anchors.Partial = true
		st.SetAnchors(st.anchors) //nolint:errcheck // see above
	}
}
