// Package trial finds out what a first synchronization would do: it signs in, counts what is here and asks what is there. It changes nothing on either
// side; the session that it opens is closed again.
package trial

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/maildir"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// Store is a folder, and its datastore on the server.
type Store struct {
	Name, Remote string
	Kind         pim.Kind
	Dir          string // need not be there yet
}

// Outcome is what a first synchronization would meet in one store.
type Outcome struct {
	Store   string `json:"store"`
	Here    int    `json:"here"`              // items on the device
	There   int    `json:"there"`             // items on the server; -1 if it cannot tell beforehand
	Missing bool   `json:"missing,omitempty"` // the server has no such datastore
}

// Run signs in and asks. Errors are those of dsclient.Client.Run, or of a folder that cannot be read.
func Run(ctx context.Context, c *dsclient.Client, stores []Store) ([]Outcome, error) {
	out := make([]Outcome, len(stores))
	req := dsclient.Request{Purpose: dsclient.Preview}
	for i, s := range stores {
		r, err := open(ctx, s)
		if err != nil {
			return nil, err
		}
		out[i] = Outcome{Store: s.Name, Here: r.Counts().Items, There: -1}
		req.Stores = append(req.Stores, dsclient.StoreRequest{Store: r, Alert: ds.AlertTwoWay, Filter: &dsclient.Filter{Preview: true}})
	}
	greeting, err := c.Run(ctx, dsclient.Request{Purpose: dsclient.Greet})
	if err != nil || greeting.Session == "" {
		return out, err
	}
	c.Nonce, req.Session = greeting.NextNonce, greeting.Session
	report, err := c.Run(ctx, req)
	c.Nonce = report.NextNonce
	_, closing := c.Run(ctx, dsclient.Request{Purpose: dsclient.Close, Session: greeting.Session})
	for i, s := range report.Stores {
		out[i].take(&s)
	}
	return out, errors.Join(err, closing)
}

func (o *Outcome) take(s *dsclient.StoreReport) {
	switch {
	case s.Status == ds.StatusNotFound:
		o.Missing = true
	case s.Filter != nil && s.Filter.Preview:
		o.There = s.Filter.Counts.Come
	}
}

// open counts what is in a folder, with an index that nobody keeps.
func open(ctx context.Context, s Store) (*replica.Replica, error) {
	index, err := state.OpenItems(&memkv.Store{}, s.Name)
	if err != nil {
		return nil, err
	}
	var store pim.Store = vdir.New(s.Dir, s.Kind)
	if s.Kind == pim.Mail {
		store = maildir.New(s.Dir)
	}
	r, err := replica.Open(ctx, s.Name, s.Remote, store, index)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.Dir); errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if _, err := r.Look(ctx, pim.Hint{}); err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", s.Dir, err)
	}
	return r, nil
}
