package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds/session"
)

func (d *Daemon) holds(*http.Request) (any, error) { return d.listHolds(), nil }

func (d *Daemon) listHolds() []control.Hold {
	out := []control.Hold{}
	for _, s := range d.Stores {
		if h := s.Replica.Held(); h.Any() {
			out = append(out, control.Hold{Store: s.Replica.Name(), Here: h.Here, There: h.There, Since: h.Since, Items: h.Listed})
		}
	}
	return out
}

func (d *Daemon) replica(name string) (*replica.Replica, error) {
	for _, s := range d.Stores {
		if s.Replica.Name() == name {
			return s.Replica, nil
		}
	}
	return nil, badRequest(fmt.Errorf("there is no store %q", name))
}

// decideHold approves or rejects. After a rejection of deletions on this device a slow sync brings the items back.
func (d *Daemon) decideHold(r *http.Request) (any, error) {
	var req struct {
		Store   string
		Approve bool
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	s, err := d.replica(req.Store)
	if err != nil {
		return nil, err
	}
	if !s.Held().Any() {
		return nil, &control.Error{Code: http.StatusConflict, Text: "nothing of " + req.Store + " is held"}
	}
	slow := false
	err = d.Engine.Do(r.Context(), func(ctx context.Context) error {
		if req.Approve {
			return s.Approve(ctx)
		}
		slow, err = s.Reject()
		return err
	})
	if err != nil {
		return nil, err
	}
	if slow {
		if _, err := d.ask(r, session.Wanted{Cause: session.CauseUser, Force: true}, nil); err != nil {
			return nil, err
		}
	}
	return d.listHolds(), nil
}

func (d *Daemon) former(r *http.Request) (any, error) {
	list, err := d.Former.List(r.FormValue("store"))
	out := []control.Former{}
	for _, e := range list {
		out = append(out, control.Former{ID: e.ID, At: e.At, Store: e.Store, Item: e.Key, Size: e.Size, Reason: e.Reason})
	}
	return out, err
}

// restore puts former versions back.
func (d *Daemon) restore(r *http.Request) (any, error) {
	var req control.RestoreRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	list, err := d.chosen(&req)
	if err != nil {
		return nil, err
	}
	out := []control.Restored{}
	err = d.Engine.Do(r.Context(), func(ctx context.Context) error {
		for _, e := range list {
			key, err := d.putBack(ctx, e)
			if err != nil {
				return fmt.Errorf("cannot restore %s (%d of %d are restored): %w", e.Key, len(out), len(list), err)
			}
			out = append(out, control.Restored{Store: e.Store, Item: key})
		}
		return nil
	})
	return out, err
}

func (d *Daemon) putBack(ctx context.Context, e history.Entry) (string, error) {
	s, err := d.replica(e.Store)
	if err != nil {
		return "", err
	}
	e, body, err := d.Former.Get(e.ID)
	if err != nil {
		return "", err
	}
	return s.PutBack(ctx, e, body)
}

// chosen are the versions that a request means.
func (d *Daemon) chosen(req *control.RestoreRequest) (out []history.Entry, err error) {
	list, err := d.Former.List(req.Store)
	if err != nil {
		return nil, err
	}
	switch {
	case req.ID != "":
		for _, e := range list {
			if e.ID == req.ID {
				return []history.Entry{e}, nil
			}
		}
	case req.At != nil:
		out = asOf(list, req)
	default:
		list = slices.DeleteFunc(list, func(e history.Entry) bool { return e.Left })
		for _, e := range list {
			if e.At.Equal(list[0].At) {
				out = append(out, e)
			}
		}
	}
	if len(out) == 0 {
		return nil, &control.Error{Code: http.StatusNotFound, Text: errors.Join(history.ErrNone).Error() + "; alwayson history lists those there are"}
	}
	return out, nil
}

// asOf are the versions that were there at a time: of each item the first that was replaced after it.
func asOf(newestFirst []history.Entry, req *control.RestoreRequest) (out []history.Entry) {
	first := map[string]int{}
	for _, e := range newestFirst {
		if !e.At.After(*req.At) {
			break
		}
		if i, ok := first[e.Store+"/"+e.LUID]; ok {
			out[i] = e
		} else {
			first[e.Store+"/"+e.LUID] = len(out)
			out = append(out, e)
		}
	}
	return out
}

func (d *Daemon) conflicts(r *http.Request) (any, error) {
	out := []control.Conflict{}
	for _, s := range d.Stores {
		list, err := s.Replica.Conflicts()
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			x := control.Conflict{Store: s.Replica.Name(), Item: c.Key, Other: c.Other, Device: c.Device, At: c.At}
			err := d.Engine.Read(r.Context(), func(ctx context.Context) error {
				this, other, err := s.Replica.Bodies(ctx, c)
				x.This, x.That = string(this), string(other)
				return err
			})
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
	}
	return out, nil
}

func (d *Daemon) resolve(r *http.Request) (any, error) {
	var req struct {
		Item     string
		KeepThis bool `json:"keep_this"`
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	for _, s := range d.Stores {
		list, err := s.Replica.Conflicts()
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if c.Key != req.Item {
				continue
			}
			if err := d.Engine.Do(r.Context(), func(ctx context.Context) error { return s.Replica.Resolve(ctx, c.Key, req.KeepThis) }); err != nil {
				return nil, err
			}
			return d.conflicts(r)
		}
	}
	return nil, &control.Error{Code: http.StatusNotFound, Text: req.Item + " is no conflict; alwayson conflict list names them"}
}

// why puts together the causes of exchanges, and why there were none.
func (d *Daemon) why(*http.Request) (any, error) {
	out := []control.Why{}
	for _, x := range d.History.Last(0) {
		out = append(out, control.Why{At: x.At, Exchange: true, Why: x.Cause, Outcome: outcome(&x)})
	}
	for _, n := range d.Engine.Notes() {
		out = append(out, control.Why{At: n.At, Why: n.Why})
	}
	slices.SortStableFunc(out, func(a, b control.Why) int { return a.At.Compare(b.At) })
	return out, nil
}

// outcome is what became of an exchange, in sentences.
func outcome(x *control.Exchange) string {
	var parts []string
	if x.Error != "" {
		parts = append(parts, x.Error)
	}
	for _, s := range x.Stores {
		if s.Sent+s.Received+s.Failed > 0 {
			parts = append(parts, fmt.Sprintf("%s: %d sent, %d received", s.Name, s.Sent, s.Received))
		}
	}
	if len(parts) == 0 {
		return "nothing had changed"
	}
	return strings.Join(parts, "; ")
}
