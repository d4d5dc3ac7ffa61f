package dsserver

import (
	"errors"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/internal/wire"
)

// joinLogical does what the header says about the logical session: open one, go on in one, close one.
func (r *reply) joinLogical() error {
	said := wire.FindLogical(r.m.Header.Meta.EMI)
	r.x.aware = r.x.aware || said.Verb != ""
	switch said.Verb {
	case wire.Open:
		return r.open()
	case wire.In:
		return r.goOn(said.ID)
	case wire.Close:
		return r.close(said.ID)
	}
	return nil
}

// open makes a new logical session (N4). One that the device had before is over: it has only one at a time.
func (r *reply) open() error {
	if r.x.logical != "" {
		return nil // it repeats itself in a later message of the same exchange
	}
	if err := r.endOthers(); err != nil {
		return err
	}
	l := dsstore.Session{ID: newID(), Device: r.x.deviceID, Opened: r.now, Renewed: r.now, Lease: r.s.o.Lease}
	r.x.logical = l.ID
	r.logical = wire.Logical{Verb: wire.OK, ID: l.ID, Lease: l.Lease}
	return r.tx.PutSession(l)
}

func (r *reply) endOthers() error {
	all, err := r.tx.Sessions(r.x.deviceID)
	for _, l := range all {
		if err == nil && l.Ending == "" {
			err = r.tx.PutSession(end(l, ds.Destroyed, "the device opened a new session", r.now))
		}
	}
	return err
}

// goOn renews the lease. A session that we do not know is no error for the user: the device opens a new one (L12).
func (r *reply) goOn(id string) error {
	l, ok, err := r.session(id)
	if err != nil {
		return err
	}
	if !ok {
		r.logical = wire.Logical{Verb: wire.Unknown}
		r.refused = true
		return nil
	}
	r.x.logical = l.ID
	if r.now.Sub(l.Renewed) < l.Lease/renewals {
		return nil
	}
	l.Renewed = r.now
	return r.tx.PutSession(l)
}

// renewals is how often in a lease it is written anew: often enough to be true, seldom enough to cost nothing.
const renewals = 1000

func (r *reply) close(id string) error {
	l, ok, err := r.session(id)
	if err != nil || !ok {
		return err
	}
	return r.tx.PutSession(end(l, ds.Closed, "closed by the device", r.now))
}

// session finds an open logical session of this device.
func (r *reply) session(id string) (l dsstore.Session, ok bool, err error) {
	if id == "" {
		return l, false, nil
	}
	l, err = r.tx.Session(id)
	if errors.Is(err, dsstore.ErrNotFound) {
		return l, false, nil
	}
	return l, err == nil && l.Device == r.x.deviceID && l.Open(r.now), err
}

func end(l dsstore.Session, how ds.Ending, reason string, now time.Time) dsstore.Session {
	l.Ending, l.Reason, l.Ended = how, reason, now
	return l
}
