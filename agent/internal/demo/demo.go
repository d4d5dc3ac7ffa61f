// Package demo composes a Data Sync Server and two agents in one process, in temporary folders, for newcomers.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// world is the server and its devices.
type world struct {
	ctx    context.Context // of the whole demo, which ends with it
	dir    string
	url    string
	store  *sqlstore.Store
	server *dsserver.Server
	http   *http.Server
	wg     sync.WaitGroup

	mu      sync.Mutex
	devices map[string]*device // guarded by mu
}

// device is one agent.
type device struct {
	id, dir string
	agent   *agent.Agent
}

var kinds = []pim.Kind{pim.Contacts, pim.Calendar}

func newWorld(ctx context.Context) (*world, error) {
	dir, err := os.MkdirTemp("", "alwayson-demo-")
	if err != nil {
		return nil, err
	}
	w := &world{ctx: ctx, dir: dir, devices: make(map[string]*device)}
	if w.store, err = sqlstore.Open(ctx, filepath.Join(dir, "server.db")); err != nil {
		return nil, err
	}
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(), Changed: w.changed})
	return w, w.serve("127.0.0.1:0")
}

// serve starts the HTTP side of the server, at the address it had before.
func (w *world) serve(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	w.url = "http://" + l.Addr().String()
	w.http = &http.Server{Handler: w.server, ReadHeaderTimeout: 10 * time.Second}
	w.wg.Go(func() { w.http.Serve(l) }) //nolint:errcheck // it ends when it is closed
	return nil
}

// changed wakes the other devices of the user.
func (w *world) changed(_ dsstore.Collection, by string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, d := range w.devices {
		if id != by {
			w.wg.Go(func() { d.agent.Trigger(w.ctx) })
		}
	}
}

// start enrols a device and runs its agent.
func (w *world) start(id string) (*device, error) {
	const user, secret = "ana", "demo"
	err := w.store.Update(w.ctx, func(tx dsstore.Tx) error {
		return tx.PutDevice(dsstore.Device{ID: id, User: user, Credential: syncml.Credential(user, secret)})
	})
	if err != nil {
		return nil, err
	}
	d := &device{id: id, dir: filepath.Join(w.dir, id)}
	var stores []agent.Store
	for _, kind := range kinds {
		dir := filepath.Join(d.dir, string(kind))
		if err := vdir.Create(dir); err != nil {
			return nil, err
		}
		stores = append(stores, agent.Store{Name: string(kind), Kind: kind, Dir: dir})
	}
	config := session.DefaultConfig()
	config.Attempts, config.Backoff, config.Probe = 3, 100*time.Millisecond, 300*time.Millisecond // a person is watching
	d.agent, err = agent.Start(w.ctx, agent.Options{StateDir: filepath.Join(d.dir, ".state"), Server: w.url, DeviceID: id,
		User: user, Secret: secret, Stores: stores, Session: config, Version: "demo"})
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.devices[id] = d
	w.mu.Unlock()
	d.agent.On(w.ctx)
	return d, nil
}

// close stops everything, in the order in which it would be missed.
func (w *world) close() error {
	var errs []error
	for _, d := range w.devices {
		errs = append(errs, d.agent.Stop())
	}
	errs = append(errs, w.http.Close())
	w.wg.Wait()
	return errors.Join(append(errs, w.store.Close(), os.RemoveAll(w.dir))...)
}

// Live runs until ctx ends and tells where the folders are.
func Live(ctx context.Context, out io.Writer) (err error) {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	for _, id := range []string{"laptop", "phone"} {
		if _, err := w.start(id); err != nil {
			return err
		}
	}
	if err := seed(filepath.Join(w.dir, "laptop")); err != nil {
		return err
	}
	fmt.Fprintf(out, "A server and two devices keep each other equal. Edit, add or delete a file on one and look at the other:\n\n")
	for _, id := range []string{"laptop", "phone"} {
		fmt.Fprintf(out, "  %-7s %s\n", id, filepath.Join(w.dir, id))
	}
	fmt.Fprintf(out, "\nCtrl-C ends it and removes the folders.\n")
	<-ctx.Done()
	return w.close()
}
