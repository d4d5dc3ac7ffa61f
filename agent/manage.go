package agent

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/dmrun"
	"github.com/alwayson-sync/alwayson/agent/internal/facts"
	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/mqtt"
)

// DefaultServerID is how a server names itself that is not told otherwise.
const DefaultServerID = "alwayson-server"

const noncesKey = "dm-nonces"

// openManager makes the device manageable over the broker, if its settings can change.
func (a *Agent) openManager() error {
	if a.o.Managed == nil {
		return nil
	}
	t, err := a.openTree()
	if err != nil {
		return err
	}
	var nonces dmclient.Nonces
	if err := kv.LoadJSON(a.db, noncesKey, &nonces); err != nil {
		return err
	}
	a.nonces, a.tree = nonces, t
	a.manager = dmrun.New(dmrun.Options{Tree: t, Account: a.managedAs, SaveNonces: a.saveNonces, DevInfo: a.devInfo, Send: a.sendManage,
		Events: a.events, Told: a.o.Managed.Settings.Reported, Note: a.engine.Note, Log: a.o.Log})
	return nil
}

// openTree opens the management tree with the settings in it, in which the server may change them.
func (a *Agent) openTree() (*tree.Tree, error) {
	schema := ddf.NewSchema()
	if err := schema.Add(nil, mo.Description()); err != nil {
		return nil, err
	}
	t, err := tree.Open(schema, &treeStore{a.db}, a.facts().Objects(a.o.Managed.Settings.Objects()))
	if err != nil {
		return nil, err
	}
	return t, t.Provision(mo.Rights(a.serverID()), time.Now())
}

// entries are the nodes of the tree.
func (a *Agent) entries(ctx context.Context) (list []tree.Entry, err error) {
	aside := a.manager.Aside(ctx, func() { list, err = a.tree.Entries(time.Now()) })
	return list, errors.Join(aside, err)
}

// facts are what the tree has beside the settings.
func (a *Agent) facts() *facts.Device {
	d := &facts.Device{
		Info: a.devInfo(), Version: cmp.Or(a.o.Version, "unknown"), OS: runtime.GOOS, CPU: runtime.GOARCH, ServerID: a.serverID(),
		Account: func() (user, server, broker string) { o := a.options(); return o.User, o.Server, o.Push.Broker },
		Session: func() session.Record { return a.engine.Snapshot().Session },
		Network: func() (string, bool) {
			n := a.network()
			return n.Name, n.Proxy != "" && n.Proxy != config.NoProxy
		},
		Switch: a.flip, Open: a.openSession,
	}
	for _, s := range a.stores {
		r := s.Replica
		d.Stores = append(d.Stores, facts.Store{Name: r.Name(), Type: r.Kind().ContentType(), Remote: r.Remote(), Local: r.Local()})
	}
	return d
}

// deciding is how long the loop may need to take an event; exchanges do not hold it up.
const deciding = 5 * time.Second

// flip flips Always-On for the administrator. When the agent is only starting, what a crash has left half done is taken back: the loop does that first.
func (a *Agent) flip(on bool) error {
	ev := session.Event(session.SwitchOff{})
	if on {
		ev = session.SwitchOn{}
	}
	if a.ctx == nil {
		a.engine.Send(context.Background(), ev)
		return nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, deciding)
	defer cancel()
	_, err := a.engine.Tell(ctx, ev)
	return err
}

// openSession opens a session for the administrator in which nothing is synchronized (S3).
func (a *Agent) openSession() (ds.Status, error) {
	ctx, cancel := context.WithTimeout(a.ctx, deciding)
	defer cancel()
	s, err := a.engine.Tell(ctx, session.OpenSession{})
	switch {
	case err != nil:
		return 0, err
	case s.Session.ID != "":
		return ds.StatusOK, nil
	case !s.Session.On:
		return 0, dm.Refuse(ds.StatusFailed, "Always-On is off on the device; set %s=true first", mo.Switch)
	case s.Running == "":
		return 0, dm.Refuse(ds.StatusFailed, "the session is %s: %s", s.Session.State, s.Session.Reason)
	}
	return ds.StatusAccepted, nil
}

func (a *Agent) serverID() string { return cmp.Or(a.o.Managed.ServerID, DefaultServerID) }

// managedAs is how device and server know each other: by the secret that the device was enrolled with, of which the server has the digest. Each message is
// proved, not the first only: a broker is no TLS connection from end to end.
func (a *Agent) managedAs() dmclient.Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	return dmclient.Account{ServerID: a.serverID(), User: a.live.User, Secret: a.secret, ServerSecret: syncml.Credential(a.live.User, a.secret),
		Scheme: dmclient.HMAC, Nonces: a.nonces}
}

func (a *Agent) saveNonces(n dmclient.Nonces) error {
	if err := kv.SaveJSON(a.db, noncesKey, n); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nonces = n
	return nil
}

func (a *Agent) devInfo() dm.DevInfo {
	return dm.DevInfo{DevID: a.o.DeviceID, Man: mo.Maker, Mod: runtime.GOOS + "/" + runtime.GOARCH, DmV: "1.2", Lang: "en"}
}

func (a *Agent) sendManage(ctx context.Context, payload []byte) error {
	l := a.listener()
	if l == nil {
		return mqtt.ErrDisconnected
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return l.SendManage(ctx, payload)
}

// events are values that did not work, for the administrator (S8, S10).
func (a *Agent) events() (out []dm.Event) {
	report := a.o.Managed.Settings.Report()
	for _, key := range slices.Sorted(maps.Keys(report)) {
		if row, ok := mo.Find(key); ok {
			out = append(out, dm.Event{ID: key, Type: mo.Returned, URI: row.Of(key).String(), Mark: "warning", Data: []byte(report[key])})
		}
	}
	return out
}

// treeStore keeps what of the tree is not settings.
type treeStore struct{ db kv.Store }

const treePrefix = "dm-tree/"

// Load implements tree.Store.
func (s *treeStore) Load(fn func(string, []byte) error) error {
	return s.db.View(func(r kv.Reader) error {
		return r.Scan(treePrefix, func(key string, value []byte) error { return fn(key[len(treePrefix):], value) })
	})
}

// Write implements tree.Store.
func (s *treeStore) Write(put map[string][]byte, remove []string) error {
	err := s.db.Update(func(w kv.Writer) error {
		for key, value := range put {
			if err := w.Set(treePrefix+key, value); err != nil {
				return err
			}
		}
		for _, key := range remove {
			if err := w.Delete(treePrefix + key); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, kv.ErrTooLarge) {
		return dm.Refuse(ds.StatusFull, "the change is too large to be made at once")
	}
	return err
}
