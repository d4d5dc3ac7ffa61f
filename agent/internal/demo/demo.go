// Package demo composes a broker, a Data Sync Server and two agents in one process, in temporary folders, for newcomers.
package demo

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/maildir"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// world is the server with its broker, and the devices.
type world struct {
	dir     string
	site    *site.Site
	devices []*device
}

// device is one agent with its folders.
type device struct {
	name, dir string
	agent     *agent.Agent
	control   *control.Client
}

const user = "ana"

// newWorld starts everything; the devices are on and have nothing yet. close must follow, also after an error.
func newWorld(ctx context.Context) (w *world, err error) {
	w = &world{}
	if w.dir, err = os.MkdirTemp("", "alwayson-demo-"); err != nil {
		return w, err
	}
	if w.site, err = site.Start(ctx, site.Options{DataDir: filepath.Join(w.dir, "server"), Version: "demo"}); err != nil {
		return w, err
	}
	if err := site.PutUser(ctx, w.site.Store(), user, "", false); err != nil {
		return w, err
	}
	for _, name := range []string{"laptop", "phone"} {
		if err := w.start(ctx, name); err != nil {
			return w, err
		}
	}
	return w, nil
}

// start enrols a device and runs its agent.
func (w *world) start(ctx context.Context, name string) error {
	secret, err := site.Enrol(ctx, w.site.Store(), user, name)
	if err != nil {
		return err
	}
	d := &device{name: name, dir: filepath.Join(w.dir, name)}
	o := agent.Options{StateDir: filepath.Join(w.dir, name+".state"), Socket: filepath.Join(w.dir, name+".sock"), Server: w.site.URL(),
		DeviceID: name, User: user, Secret: secret, Session: hasty(), Version: "demo",
		Push: agent.Push{Broker: w.site.BrokerURL(), Prefix: "alwayson", User: name, MinPause: 50 * time.Millisecond, MaxPause: 500 * time.Millisecond}}
	for _, kind := range kinds {
		dir := filepath.Join(d.dir, string(kind))
		if err := createStore(dir, kind); err != nil {
			return err
		}
		o.Stores = append(o.Stores, agent.Store{Name: string(kind), Kind: kind, Dir: dir})
	}
	if d.agent, err = agent.Start(ctx, o); err != nil {
		return err
	}
	d.control = control.Dial(o.Socket)
	w.devices = append(w.devices, d)
	_, err = d.control.On(ctx)
	return err
}

// hasty is the patience of somebody who watches.
func hasty() session.Config {
	c := session.DefaultConfig()
	c.Attempts, c.Backoff, c.Probe = 3, 100*time.Millisecond, 300*time.Millisecond
	return c
}

func createStore(dir string, kind pim.Kind) error {
	if kind == pim.Mail {
		return maildir.Create(dir)
	}
	return vdir.Create(dir)
}

// close stops everything, in the order in which it would be missed.
func (w *world) close() error {
	var errs []error
	for _, d := range w.devices {
		d.control.Close()
		errs = append(errs, d.agent.Stop())
	}
	if w.site != nil {
		errs = append(errs, w.site.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}
