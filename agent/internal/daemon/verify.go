package daemon

import (
	"errors"
	"net/http"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/verify"
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
		v, err := d.Verifier.Store(r.Context(), d.Stores[i].Replica)
		switch {
		case errors.Is(err, verify.ErrNoExchange):
			return nil, d.refused(d.Engine.Snapshot().Session)
		case err != nil:
			return nil, &control.Error{Code: http.StatusBadGateway, Problem: problem(engine.Exchange{Err: err}), Text: err.Error()}
		}
		out = append(out, v)
	}
	return out, nil
}
