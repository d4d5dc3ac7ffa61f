package dsserver

import (
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
)

// journal notes an exchange when it ends, and one before it that was cut off.
func (r *reply) journal(over bool) error {
	x := r.x
	if !x.authenticated {
		return nil
	}
	if x.cause == "" {
		x.cause = r.cause()
		if err := r.noteCutOff(); err != nil {
			return err
		}
	}
	if t := r.joined(); t != "" {
		x.joined = t
	}
	if over || !x.over {
		return nil
	}
	return r.tx.PutEvent(x.deviceID, dsstore.Event{What: dsstore.Exchanged, Why: x.cause, Outcome: x.outcome(), At: r.now})
}

// cause is why the device makes an exchange, as far as the server can tell.
func (r *reply) cause() string {
	if at, ok := r.s.o.Asked(r.x.deviceID); ok {
		return "notified at " + at.Format(time.DateTime)
	}
	return "by itself"
}

// noteCutOff notes that the device has begun anew without having come to the end.
func (r *reply) noteCutOff() error {
	former := r.s.rooms.formerOf(r.x)
	if former == nil || !former.try() { // it may still work on a message that the device no longer waits for
		return nil
	}
	defer former.yield()
	if former.over || !former.authenticated {
		return nil
	}
	return r.tx.PutEvent(former.deviceID, dsstore.Event{What: dsstore.Exchanged, Why: former.cause, Outcome: former.outcome() + "; cut off", At: r.now})
}

// joined is what has become of the logical session in this message, "" if it just goes on.
func (r *reply) joined() string {
	switch {
	case r.logical.Verb == wire.OK:
		return "opened a session"
	case r.logical.Verb == wire.Unknown:
		return "its session is not open here, it opens a new one"
	case wire.FindLogical(r.m.Header.Meta.EMI).Verb == wire.Close:
		return "closed its session"
	}
	return ""
}

// outcome tells what an exchange has done.
func (x *exchange) outcome() string {
	var parts []string
	if x.joined != "" {
		parts = append(parts, x.joined)
	}
	for _, st := range x.stores {
		parts = append(parts, st.outcome())
	}
	if len(parts) == 0 {
		return "nothing to sync"
	}
	return strings.Join(parts, "; ")
}

func (st *storeState) outcome() string {
	how := ""
	switch st.alert {
	case ds.AlertSlow:
		how = " (slow sync)"
	case ds.AlertRefreshFromClient, ds.AlertRefreshFromServer:
		how = " (refresh)"
	}
	if st.took+st.gave == 0 {
		return st.URI + how + ": no changes"
	}
	return fmt.Sprintf("%s%s: took %d, gave %d", st.URI, how, st.took, st.gave)
}

// noteRefusal notes that a device was turned away. A first try with a stale nonce is none.
func (r *reply) noteRefusal(v verdict, stale bool) error {
	why := "its credentials are wrong"
	switch {
	case r.x.device.ID == "", v == missing, stale:
		return nil
	case v == aged:
		why = "its credentials are no longer valid; its session is kept"
	}
	return r.tx.PutEvent(r.x.deviceID, dsstore.Event{What: dsstore.Refused, Why: r.cause(), Outcome: why, At: r.now})
}
