package daemon

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds/digest"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// verify proves that both sides hold the same, or names what differs. What waits is sent first: an edit is no difference.
func (d *Daemon) verify(r *http.Request) (any, error) {
	if _, err := d.ask(r, session.Wanted{Cause: session.CauseUser, Force: true}, nil); err != nil {
		return nil, err
	}
	if d.Engine.Snapshot().Session.ID == "" {
		return nil, &control.Error{Code: http.StatusConflict, Problem: control.NotOn, Text: "both sides are compared within a session; type alwayson on first"}
	}
	out := []control.Verification{}
	for i := range d.Stores {
		v, err := d.verifyStore(r.Context(), d.Stores[i].Replica)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// steps bounds how deep the comparison goes: ids have sixteen letters.
const steps = 20

func (d *Daemon) verifyStore(ctx context.Context, s *replica.Replica) (v control.Verification, err error) {
	v.Store = s.Name()
	began := time.Now()
	defer func() { v.Took = time.Since(began) }()
	var ours digest.Set
	err = d.Engine.Do(ctx, func(context.Context) (err error) {
		ours, err = s.Digest()
		return err
	})
	v.Items = len(ours)
	var ids []string
	for open := []string{""}; err == nil && len(open) > 0 && v.RoundTrips < steps; {
		var found []string
		found, open, err = d.verifyStep(ctx, s, ours, open, &v)
		ids = append(ids, found...)
	}
	if err != nil {
		return v, err
	}
	for _, id := range ids {
		key, ok, err := s.KeyOf(id)
		if err != nil {
			return v, err
		}
		if !ok {
			key = "an item that is on the server only (" + id + ")"
		}
		v.Differ = append(v.Differ, key)
	}
	return v, nil
}

// verifyStep asks about prefixes. It returns ids of items that differ, and what to ask next.
func (d *Daemon) verifyStep(ctx context.Context, s *replica.Replica, ours digest.Set, prefixes []string, v *control.Verification) (ids, next []string, err error) {
	plan := &engine.Plan{Only: true}
	for _, p := range prefixes {
		plan.Ask = append(plan.Ask, dsclient.DigestURI(s.Remote(), p))
	}
	x, err := d.Engine.AskWith(ctx, session.Wanted{Cause: session.CauseVerify, Force: true}, plan)
	switch {
	case err != nil:
		return nil, nil, err
	case x == nil:
		return nil, nil, d.refused(d.Engine.Snapshot().Session)
	case x.Err != nil:
		return nil, nil, &control.Error{Code: http.StatusBadGateway, Problem: problem(*x), Text: "cannot compare with the server: " + x.Err.Error()}
	}
	v.RoundTrips += x.Report.RoundTrips
	v.Bytes += x.Report.BytesIn + x.Report.BytesOut
	for i, p := range prefixes {
		text, ok := x.Report.Answers[plan.Ask[i]]
		if !ok {
			return nil, nil, errors.New("the server cannot compare: it is another product, or another version")
		}
		answer, err := digest.Parse(text)
		if err != nil {
			return nil, nil, err
		}
		found, more := ours.Compare(p, answer)
		ids, next = append(ids, found...), append(next, more...)
	}
	return ids, next, nil
}
