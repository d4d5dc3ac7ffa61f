// Package agent is the product on the device: it composes the state, the local stores, the watchers and the engine of one
// account. It is the one place where they meet; programs and tests start it alike.
package agent

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/badgerkv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/vdir"
	"github.com/alwayson-sync/alwayson/pim/watch"
)

// Store is a local folder that is kept equal with a datastore of the server.
type Store struct {
	Name string // of the datastore, on both sides
	Kind pim.Kind
	Dir  string
}

// Options of an Agent. All but Session, Done and Log must be set.
type Options struct {
	StateDir string // one agent at a time
	Server   string // URL of the DS endpoint
	DeviceID string
	User     string
	Secret   string
	Stores   []Store
	Version  string
	Session  session.Config // the zero value is DefaultConfig
	// Done is told of each exchange, why it ran and what came of it; it must not block.
	Done func(session.Cause, dsclient.Report, error)
	Log  *slog.Logger
}

// Agent runs from Start to Stop.
type Agent struct {
	o      Options
	db     *badgerkv.Store
	engine *engine.Engine
	cancel context.CancelFunc
	wg     sync.WaitGroup
	err    error // of the engine; read after wg
}

// roundTrip bounds one message and its answer, however large the sync is.
const roundTrip = 2 * time.Minute

// Start opens the state and begins to work. Stop must follow if err is nil. A device that was switched on before goes on in its
// logical session (N11).
func Start(ctx context.Context, o Options) (*Agent, error) {
	if o.Session.Poll == 0 {
		o.Session = session.DefaultConfig()
	}
	db, err := badgerkv.Open(o.StateDir)
	if err != nil {
		return nil, err
	}
	a := &Agent{o: o, db: db}
	if err := a.compose(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	ctx, a.cancel = context.WithCancel(ctx)
	a.wg.Go(func() { a.err = a.engine.Run(ctx) })
	return a, nil
}

func (a *Agent) compose(ctx context.Context) error {
	if err := state.Check(a.db); err != nil {
		return err
	}
	account, err := state.LoadAccount(a.db)
	if err != nil {
		return err
	}
	stores, err := a.stores(ctx)
	if err != nil {
		return err
	}
	a.engine = engine.New(engine.Options{
		Stores: stores, Record: account.Session, Config: a.o.Session, Done: a.o.Done, Log: a.o.Log,
		Save: func(r session.Record, nonce string) error {
			return state.SaveAccount(a.db, state.Account{Session: r, Nonce: nonce})
		},
		Client: &dsclient.Client{
			Transport: &dsclient.HTTP{Client: &http.Client{Timeout: roundTrip}, UserAgent: "alwayson/" + a.o.Version},
			URL:       a.o.Server, DeviceID: a.o.DeviceID, User: a.o.User, Secret: a.o.Secret, Nonce: account.Nonce, Version: a.o.Version,
		},
	})
	return nil
}

func (a *Agent) stores(ctx context.Context) ([]engine.Store, error) {
	var out []engine.Store
	for _, s := range a.o.Stores {
		dir, err := filepath.Abs(s.Dir)
		if err != nil {
			return nil, err
		}
		r, err := replica.Open(ctx, s.Name, s.Name, vdir.New(dir, s.Kind), state.NewItems(a.db, s.Name))
		if err != nil {
			return nil, err
		}
		out = append(out, engine.Store{Replica: r,
			Watch: func(ctx context.Context, hint func(pim.Hint)) error { return watch.Dir(ctx, dir, hint) }})
	}
	return out, nil
}

// Stop ends the agent and returns when everything has ended. The logical session stays open: it outlives the process.
func (a *Agent) Stop() error {
	a.cancel()
	a.wg.Wait()
	return errors.Join(a.err, a.db.Close())
}

// On and Off flip Always-On (T1, T3). Doing it twice is doing it once (T6).
func (a *Agent) On(ctx context.Context) { a.engine.Send(ctx, session.SwitchOn{}) }

// Off is described at On.
func (a *Agent) Off(ctx context.Context) { a.engine.Send(ctx, session.SwitchOff{}) }

// Trigger says that the server has something (a hint: what it is the exchange finds out).
func (a *Agent) Trigger(ctx context.Context) {
	a.engine.Send(ctx, session.Wanted{Cause: session.CauseServer})
}

// Sync asks for an exchange by hand, also while Always-On is off (T4).
func (a *Agent) Sync(ctx context.Context) {
	a.engine.Send(ctx, session.Wanted{Cause: session.CauseUser, Force: true})
}

// LinkUp says that the network is back, so that nobody waits for a timer.
func (a *Agent) LinkUp(ctx context.Context) { a.engine.Send(ctx, session.LinkUp{}) }
