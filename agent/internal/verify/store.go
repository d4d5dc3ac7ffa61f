package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds/digest"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
)

// ErrNoExchange: the state of the session allowed no exchange, so nothing was compared.
var ErrNoExchange = errors.New("the session allows no exchange now")

// steps bounds how deep the comparison goes: ids have sixteen letters.
const steps = 20

// Store compares one store and remembers the outcome.
func (v *Verifier) Store(ctx context.Context, s *replica.Replica) (control.Verification, error) {
	out, err := v.compare(ctx, s)
	if err == nil {
		v.remember(out.Store, out.Differ)
	}
	return out, err
}

func (v *Verifier) compare(ctx context.Context, s *replica.Replica) (out control.Verification, err error) {
	out.Store = s.Name()
	began := time.Now()
	defer func() { out.Took = time.Since(began) }()
	var ours digest.Set
	err = v.o.Engine.Read(ctx, func(context.Context) (err error) {
		ours, err = s.Digest()
		return err
	})
	out.Items = len(ours)
	var ids []string
	for open := []string{""}; err == nil && len(open) > 0 && out.RoundTrips < steps; {
		var found []string
		found, open, err = v.step(ctx, s, ours, open, &out)
		ids = append(ids, found...)
	}
	if err != nil {
		return out, err
	}
	for _, id := range ids {
		key, ok, err := s.KeyOf(id)
		if err != nil {
			return out, err
		}
		if !ok {
			key = "an item that is on the server only (" + id + ")"
		}
		out.Differ = append(out.Differ, key)
	}
	return out, nil
}

// step asks about prefixes. It returns ids of items that differ, and what to ask next.
func (v *Verifier) step(ctx context.Context, s *replica.Replica, ours digest.Set, prefixes []string, out *control.Verification) (ids, next []string, err error) {
	plan := &engine.Plan{Only: true}
	for _, p := range prefixes {
		plan.Ask = append(plan.Ask, dsclient.DigestURI(s.Remote(), p))
	}
	x, err := v.o.Engine.AskWith(ctx, session.Wanted{Cause: session.CauseVerify, Force: true}, plan)
	switch {
	case err != nil:
		return nil, nil, err
	case x == nil:
		return nil, nil, ErrNoExchange
	case x.Err != nil:
		return nil, nil, fmt.Errorf("cannot compare with the server: %w", x.Err)
	}
	out.RoundTrips += x.Report.RoundTrips
	out.Bytes += x.Report.BytesIn + x.Report.BytesOut
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
