package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

func (d *Daemon) filters(*http.Request) (any, error) {
	out := []control.Filter{}
	for i := range d.Stores {
		out = append(out, d.filter(&d.Stores[i]))
	}
	return out, nil
}

func (d *Daemon) filter(s *Store) control.Filter {
	e := d.Wants.Get(s.Replica.Name())
	f := control.Filter{Store: s.Replica.Name(), Kind: s.Kind, Filter: e.Filter.Text, Travel: e.Filter.Travel, State: "in use", Reason: e.Refused}
	if !e.Filter.Until.IsZero() {
		f.Until = &e.Filter.Until
	}
	switch {
	case e.Refused != "":
		f.State = "refused"
	case e.Untold:
		f.State = "waiting"
	}
	return f
}

// readFilter reads a filter from a request and checks it for the kind of its store.
func (d *Daemon) readFilter(r *http.Request) (s *Store, f dsclient.Filter, err error) {
	var req control.Filter
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, f, badRequest(err)
	}
	for i := range d.Stores {
		if d.Stores[i].Replica.Name() == req.Store {
			s = &d.Stores[i]
		}
	}
	if s == nil {
		return nil, f, badRequest(fmt.Errorf("there is no store %q", req.Store))
	}
	if f.Text, err = canonical(req.Filter, pim.Kind(s.Kind)); err != nil {
		return nil, f, err
	}
	if f.Travel, err = canonical(req.Travel, pim.Kind(s.Kind)); err != nil {
		return nil, f, err
	}
	if req.Until != nil {
		f.Until = req.Until.UTC().Truncate(time.Second)
	}
	return s, f, nil
}

func canonical(text string, k pim.Kind) (string, error) {
	f, err := filter.Parse(text)
	if err == nil {
		err = f.Validate(k)
	}
	if err != nil {
		return "", &control.Error{Code: http.StatusBadRequest, Text: err.Error()}
	}
	return f.String(), nil
}

// setFilter makes a filter wanted, and lets the server know at once if Always-On is on.
func (d *Daemon) setFilter(r *http.Request) (any, error) {
	s, f, err := d.readFilter(r)
	if err != nil {
		return nil, err
	}
	if err := d.want(s.Replica.Name(), f); err != nil {
		return nil, err
	}
	if d.Engine.Snapshot().Session.On {
		if _, err := d.Engine.Tell(r.Context(), session.Wanted{Cause: session.CauseFilter}); err != nil {
			return nil, err
		}
	}
	return d.filter(s), nil
}

// want makes a filter wanted, and a setting: there it is seen by who manages the device, and a later wish by another road replaces it (S6).
func (d *Daemon) want(store string, f dsclient.Filter) error {
	if d.Settings == nil {
		return d.Wants.Set(store, f)
	}
	key := mo.FilterOf(store)
	if d.Settings.Locked(key) {
		return &control.Error{Code: http.StatusForbidden, Text: "cannot change the filter of " + store + ": " + managed.ErrLocked.Error()}
	}
	former := d.Wants.Get(store).Filter
	if err := d.Wants.SetConfigured(store, f); err != nil {
		return err
	}
	_, err := d.Settings.Set(managed.User, map[string]*string{key: &f.Text})
	if err != nil {
		err = errors.Join(err, d.Wants.Set(store, former))
	}
	return err
}

func (d *Daemon) previewFilter(r *http.Request) (any, error) {
	s, f, err := d.readFilter(r)
	if err != nil {
		return nil, err
	}
	f.Preview = true
	x, err := d.Engine.AskWith(r.Context(), session.Wanted{Cause: session.CausePreview, Force: true},
		&engine.Plan{Only: true, Preview: true, Filters: map[string]dsclient.Filter{s.Replica.Local(): f}})
	switch {
	case err != nil:
		return nil, err
	case x == nil:
		return nil, d.refused(d.Engine.Snapshot().Session)
	case x.Err != nil:
		return nil, &control.Error{Code: http.StatusBadGateway, Problem: problem(*x), Text: "cannot ask the server: " + x.Err.Error()}
	}
	for _, r := range x.Report.Stores {
		if r.Filter != nil && r.Filter.Preview {
			n := r.Filter.Counts
			return control.Preview{Store: s.Replica.Name(), Come: n.Come, Change: n.Change, Leave: n.Leave}, nil
		}
	}
	return nil, &control.Error{Code: http.StatusConflict, Text: "the server cannot tell: it keeps no session with this device; type alwayson on first"}
}

// travel makes what a request asks for wanted besides, for some time (M3, M9).
func (d *Daemon) travel(req *control.SyncRequest) error {
	wanted := false
	for i := range d.Stores {
		s := &d.Stores[i]
		if len(req.Stores) > 0 && !slices.Contains(req.Stores, s.Replica.Name()) {
			continue
		}
		text, err := canonical(req.Filter, pim.Kind(s.Kind))
		if err != nil && len(req.Stores) == 0 {
			continue // meant for a store of another kind
		}
		if err != nil {
			return err
		}
		f := d.Wants.Get(s.Replica.Name()).Filter
		f.Travel, f.Until = text, time.Now().Add(req.For).UTC().Truncate(time.Second)
		if err := d.Wants.Set(s.Replica.Name(), f); err != nil {
			return err
		}
		wanted = true
	}
	if !wanted {
		_, err := filter.Parse(req.Filter)
		if err == nil {
			err = errors.New("there is no store that can be filtered by it")
		}
		return &control.Error{Code: http.StatusBadRequest, Text: err.Error()}
	}
	return nil
}

// fetch gets one message whole that a filter has cut (M6).
func (d *Daemon) fetch(r *http.Request) (any, error) {
	var req control.FetchRequest
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		return nil, badRequest(err)
	}
	for i := range d.Stores {
		s := d.Stores[i].Replica
		luid, ok, err := s.Find(req.Item)
		if err != nil {
			return nil, err
		}
		if ok {
			return d.ask(r, session.Wanted{Cause: session.CauseUser, Force: true}, &engine.Plan{Only: true,
				Types:   map[string]ds.Alert{s.Local(): ds.AlertOneWayFromServer},
				Filters: map[string]dsclient.Filter{s.Local(): {LUID: luid}}})
		}
	}
	return nil, badRequest(fmt.Errorf("no store has an item %s", req.Item))
}
