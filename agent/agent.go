// Package agent is the product on the device: it composes the state, the local stores, the watchers, the engine of one account and
// the control API. It is the one place where they meet; programs and tests start it alike.
package agent

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/agent/internal/clientcert"
	"github.com/alwayson-sync/alwayson/agent/internal/daemon"
	"github.com/alwayson-sync/alwayson/agent/internal/dmrun"
	"github.com/alwayson-sync/alwayson/agent/internal/egress"
	"github.com/alwayson-sync/alwayson/agent/internal/engine"
	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/inspect"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/badgerkv"
	"github.com/alwayson-sync/alwayson/agent/internal/link"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/agent/internal/page"
	"github.com/alwayson-sync/alwayson/agent/internal/power"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/sock"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/agent/internal/verify"
	"github.com/alwayson-sync/alwayson/agent/internal/want"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/maildir"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// Store is a local folder that is kept equal with a datastore of the server.
type Store struct {
	Name   string // as the user calls it, and how it is remembered
	Remote string // the datastore on the server; Name if empty
	Kind   pim.Kind
	Dir    string
	// Conflicts is what becomes of an item that was changed here and on the server; "" is ds.ConflictsMerge.
	Conflicts ds.ConflictPolicy
	Filter    string // what is wanted of it, until the user or the server says otherwise; see package filter
}

// Options of an Agent. All but Socket, Vault, SecretLook, SaveSecret, Push, Network, Battery, Session, Link, Here, Power, Managed, Rest, Alive, Examine and Log must be set.
type Options struct {
	StateDir string // one agent at a time
	Socket   string // of the control API, "" for none
	Server   string // URL of the DS endpoint
	DeviceID string
	User     string
	Secret   string
	// Vault is where Secret comes from, if that is not always to be had. It is looked for every SecretLook, 0 is the default.
	Vault      Vault
	SecretLook time.Duration
	// TLS is which servers are accepted; nil is the system's certificates. CertFile and KeyFile are the certificate of the device, if it has one;
	// they are looked at every CertLook, 0 is the default.
	TLS               *tls.Config
	CertFile, KeyFile string
	CertLook          time.Duration
	// Encoding, Basic and MaxMsgSize are for servers of others; see dsclient.Client.
	Encoding   syncml.Encoding
	Basic      bool
	MaxMsgSize int
	// SaveSecret makes a new secret durable that the user has given (A4); nil if it cannot be changed.
	SaveSecret func(string) error
	Stores     []Store
	Push       Push
	Network    Network
	Battery    power.Policy
	// Brake is when deletions are held; nil is replica's default.
	Brake *Brake
	// DiskReserve is how many octets of the disk are left to other programs; 0 is the default.
	DiskReserve int64
	Version     string
	Session     session.Config // the zero value is DefaultConfig
	Verify      time.Duration  // how often both sides are compared after a safety poll; 0 is once a day
	// Link calls hint when the network may be back or the device has slept, until ctx ends; nil is what the system tells (package link).
	Link func(ctx context.Context, hint func(reason string))
	// Here tells in which network the device is; nil is what the system tells (package link).
	Here func() link.Network
	// Power tells how much of it there is; nil is what the system tells (package power).
	Power func() power.Facts
	// Managed lets settings change while the agent runs; nil if they cannot.
	Managed *Managed
	// Rest is called when there is nothing to do after work on many items; a program gives memory back then. May be nil.
	Rest func()
	// Alive is called by the engine at least once a Pulse while it does its work, and not while it hangs. A Pulse of 0 never calls it.
	Alive func()
	Pulse time.Duration
	// Examine looks at what the agent depends on, for the status page; nil if the program cannot.
	Examine func(context.Context) []control.Finding
	// PageIdle is how long the status page stays open while nobody looks at it; 0 is the default.
	PageIdle time.Duration
	Log      *slog.Logger
}

// Brake holds deletions that are more than Count and more than Percent of a store, until the user has looked at them. A Count of 0 holds none.
type Brake struct{ Count, Percent int }

// Push is the broker by which the server wakes the device. Without a Broker, changes on the server are found by polling.
type Push struct {
	Broker, Prefix string
	User           string
	Password       string      // "" is the secret of the account, also after a login
	Vault          Vault       // where Password comes from
	TLS            *tls.Config // nil is the system's certificates
	// CertFile and KeyFile are the certificate of the device, if it has one.
	CertFile, KeyFile string
	// Fallbacks are further addresses of the broker, tried in turn in networks in which Broker cannot be reached. What works in a network is tried
	// first there; Climb is how often the better ones are tried nevertheless, 0 is once a day.
	Fallbacks []string
	Climb     time.Duration
	Heartbeat time.Duration // 0 is the default
	// SavePassword makes a new Password durable; nil if it is the secret of the account.
	SavePassword func(string) error
	// Pauses between attempts; 0 is the default.
	MinPause, MaxPause time.Duration
}

// Network is how connections leave the device, to server and broker alike (S18). The zero value is the environment's proxy and every network.
type Network struct {
	Proxy           string // http://host:port, https://host:port, socks5://host:port, "none"; "" is what the environment says
	ProxySecretFile string // has user:password for it; it is read again for each connection
	Allowed         string // networks over which data may leave, see link.ParseNetworks; "" is all
	Metered         string // "no": nothing leaves by itself over a metered one
}

// Agent runs from Start to Stop.
type Agent struct {
	o        Options
	db       *badgerkv.Store
	engine   *engine.Engine
	history  *daemon.History
	former   *history.Book
	pruned   time.Time // former versions; only the loop touches it
	stores   []daemon.Store
	wants    *want.Book
	control  *http.Server
	page     *page.Server // nil without a control API
	traffic  inspect.Ring // what was exchanged while the page was open
	guard    *link.Guard
	verifier *verify.Verifier
	manager  *dmrun.Runner   // nil if the device is not managed
	tree     *tree.Tree      // likewise; only the manager touches it
	ctx      context.Context // ends with the agent
	cancel   context.CancelFunc
	wg       sync.WaitGroup
	err      error // of the engine; read after wg
	ended    chan struct{}

	changing sync.Mutex // held while Reconfigure works

	mu     sync.Mutex
	live   Options                 // what of the options can change while the agent runs; guarded by mu
	cert   *clientcert.Certificate // of the device, for the server, nil without; guarded by mu
	way    *egress.Way             // out; guarded by mu
	road   *road                   // by which triggers come, nil without a broker; guarded by mu
	secret string                  // guarded by mu
	nudged chan struct{}           // there is another secret
	// switched is when the way to the server became the one that is used; guarded by mu.
	switched  time.Time
	switching bool            // it is about to become another one; guarded by mu
	nonces    dmclient.Nonces // of device management; guarded by mu
	devInf    string          // of the server; guarded by mu
	expires   time.Time       // of the secret, zero if that is not known; guarded by mu
	opened    string          // the logical session that was used last, "" before the first; guarded by mu
	attempt   string          // fingerprint of what the running exchange shows the server; guarded by mu
	refused   state.Refusals  // guarded by mu
}

// roundTrip bounds one message and its answer, however large the sync is.
const roundTrip = 2 * time.Minute

// Start opens the state and begins to work. Stop must follow if err is nil. A device that was switched on before goes on in its
// logical session (N11).
func Start(ctx context.Context, o Options) (*Agent, error) {
	if o.Session.Poll == 0 {
		o.Session = session.DefaultConfig()
	}
	o.Session.Jitter = rand.Float64
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	l, err := listen(o.Socket)
	if err != nil {
		return nil, err
	}
	db, err := badgerkv.Open(badgerkv.Options{Dir: o.StateDir, Room: func() bool { return room(o.StateDir) }})
	if err != nil {
		return nil, errors.Join(err, closeListener(l))
	}
	a := &Agent{o: o, live: o, db: db, secret: o.Secret, ended: make(chan struct{}), nudged: make(chan struct{}, 1)}
	if err := a.compose(ctx); err != nil {
		return nil, errors.Join(err, db.Close(), closeListener(l))
	}
	a.run(ctx, l)
	return a, nil
}

// stateRoom is what the state needs of the disk before it writes its tables, in octets.
const stateRoom = 16 << 20

func room(dir string) bool {
	free, ok := replica.Free(dir)
	return !ok || free >= stateRoom
}

// listen comes first of all: a second agent must not even touch the state.
func listen(path string) (net.Listener, error) {
	if path == "" {
		return nil, nil
	}
	return sock.Listen(path)
}

func closeListener(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

func (a *Agent) run(ctx context.Context, l net.Listener) {
	ctx, a.cancel = context.WithCancel(ctx)
	a.ctx = ctx
	if l != nil {
		a.serve(ctx, l)
	}
	a.listenOn(ctx, a.road)
	a.wg.Go(func() { a.watchLink(ctx) })
	a.wg.Go(func() { a.verifier.Run(ctx) })
	a.wg.Go(func() { a.watchCredentials(ctx) })
	a.wg.Go(func() { a.watchSecrets(ctx) })
	if a.o.Managed != nil {
		a.wg.Go(func() { a.manager.Run(ctx) })
		a.wg.Go(func() { a.watchSettings(ctx) })
	}
	a.wg.Go(func() {
		defer close(a.ended)
		a.err = a.engine.Run(ctx)
	})
}

func (a *Agent) compose(ctx context.Context) error {
	if err := state.Check(a.db); err != nil {
		return err
	}
	account, err := state.LoadAccount(a.db)
	if err != nil {
		return err
	}
	if a.former, err = history.Open(a.db, filepath.Clean(a.o.StateDir)+"-history"); err != nil {
		return err
	}
	if a.history, err = daemon.OpenHistory(a.db, a.o.Log); err != nil {
		return err
	}
	if a.wants, err = want.Open(a.db, a.o.configured(), time.Now); err != nil {
		return err
	}
	stores, err := a.openStores(ctx)
	if err != nil {
		return err
	}
	if a.refused, err = state.LoadRefusals(a.db); err != nil {
		return err
	}
	if a.cert, err = openCertificate(a.o.CertFile, a.o.KeyFile); err != nil {
		return err
	}
	if a.way, err = a.openWay(&a.o); err != nil {
		return err
	}
	a.guard = link.NewGuard(clientcert.NewTransport(a.cert, a.o.TLS, a.way))
	a.devInf, a.opened = account.DevInf, account.Session.ID
	patience := a.o.Session
	patience.Stretch = a.stretches
	a.engine = engine.New(engine.Options{
		Stores: stores, Record: account.Session, Config: patience, Done: a.done, Save: a.save, Secret: a.tried,
		Filters: &filters{a.wants, a.settings(), a.o.Log},
		Rest:    a.o.Rest, Alive: a.o.Alive, Pulse: a.o.Pulse, Log: a.o.Log,
		Client: &dsclient.Client{
			Transport: a.traffic.Tap(&dsclient.HTTP{Client: &http.Client{Transport: a.guard, Timeout: roundTrip}, UserAgent: "alwayson/" + a.o.Version}),
			URL:       a.o.Server, DeviceID: a.o.DeviceID, User: a.o.User, Nonce: account.Nonce, Version: a.o.Version,
			Kept: &dsclient.Kept{}, Ahead: true, Encoding: a.o.Encoding, Basic: a.o.Basic, MaxMsgSize: a.o.MaxMsgSize,
		},
	})
	if err := a.openVerifier(); err != nil {
		return err
	}
	if err := a.openManager(); err != nil {
		return err
	}
	a.road, err = a.openRoad(a.o.Push, a.way)
	return err
}

// verifyEvery is how often both sides are compared: some hundred octets a day.
const verifyEvery = 24 * time.Hour

func (a *Agent) openVerifier() (err error) {
	o := verify.Options{Engine: a.engine, DB: a.db, Every: cmp.Or(a.o.Verify, verifyEvery), Stretch: a.stretches, Log: a.o.Log}
	for _, s := range a.stores {
		o.Stores = append(o.Stores, s.Replica)
	}
	a.verifier, err = verify.New(o)
	return err
}

// wake is called by the trigger. A notification that asks for the server's changes only gets just that (F6).
func (a *Agent) wake(ctx context.Context, ev session.Event, syncs []san.Sync) {
	if _, up := ev.(session.LinkUp); up && a.manager != nil {
		a.manager.Wish()
	}
	a.engine.TellWith(ctx, ev, a.abbreviated(syncs)) //nolint:errcheck // a stopping agent need not be woken
}

// abbreviated is the plan for a notification, nil if it asks for everything.
func (a *Agent) abbreviated(syncs []san.Sync) *engine.Plan {
	plan := &engine.Plan{Types: map[string]ds.Alert{}, Only: true}
	for _, s := range syncs {
		if ds.Alert(s.Type) != ds.AlertOneWayFromServerByServer {
			return nil
		}
		for _, st := range a.stores {
			if st.Replica.Remote() == s.URI {
				plan.Types[st.Replica.Local()] = ds.AlertOneWayFromServer
			}
		}
	}
	if len(plan.Types) == 0 {
		return nil
	}
	return plan
}

// configured are the filters of the configuration by store.
func (o *Options) configured() map[string]want.Configured {
	pushed := map[string]bool{}
	if o.Managed != nil {
		for _, v := range o.Managed.Settings.Values() {
			pushed[v.Key] = v.Origin == managed.Pushed
		}
	}
	out := map[string]want.Configured{}
	for _, s := range o.Stores {
		out[s.Name] = want.Configured{Text: s.Filter, Pushed: pushed[mo.FilterOf(s.Name)]}
	}
	return out
}

func (a *Agent) openStores(ctx context.Context) ([]engine.Store, error) {
	var out []engine.Store
	for _, s := range a.o.Stores {
		st, err := a.openStore(ctx, s)
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

func (a *Agent) openStore(ctx context.Context, s Store) (engine.Store, error) {
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return engine.Store{}, err
	}
	if s.Remote == "" {
		s.Remote = s.Name
	}
	index, err := state.OpenItems(a.db, s.Name)
	if err != nil {
		return engine.Store{}, err
	}
	local := localStore(dir, s.Kind)
	r, err := replica.OpenSafe(ctx, s.Name, s.Remote, local, index, replica.Safety{Brake: a.o.brake(), History: a.former, Dir: dir, Reserve: a.reserve(),
		Leaves: a.wants.Leaves(s.Name, s.Kind), Alive: a.o.Alive})
	if err != nil {
		return engine.Store{}, err
	}
	a.stores = append(a.stores, daemon.Store{Kind: string(s.Kind), Dir: dir, Replica: r})
	return engine.Store{Replica: r, Watch: local.Watch, Conflicts: s.Conflicts}, nil
}

func (a *Agent) reserve() int64 {
	if a.o.DiskReserve != 0 {
		return a.o.DiskReserve
	}
	return replica.DefaultReserve
}

func (o *Options) brake() reconcile.Brake {
	if o.Brake == nil {
		return reconcile.DefaultBrake
	}
	return reconcile.Brake(*o.Brake)
}

// localStore is the store of a kind in a folder.
func localStore(dir string, kind pim.Kind) interface {
	pim.Store
	pim.Watcher
} {
	if kind == pim.Mail {
		return maildir.New(dir)
	}
	return vdir.New(dir, kind)
}

// done notes an exchange that has ended.
func (a *Agent) done(x engine.Exchange) {
	a.history.Add(x)
	if a.pruned.IsZero() || x.At.Sub(a.pruned) > 24*time.Hour {
		a.pruned = x.At
		if err := a.former.Prune(); err != nil {
			a.o.Log.Warn("former versions are kept longer than they need to be", "reason", err)
		}
	}
	a.remember(x.Report)
	a.verifier.Done(x)
	if l := a.listener(); l != nil {
		l.Recheck()
	}
}

func (a *Agent) remember(r dsclient.Report) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Session != "" {
		a.opened = r.Session
	}
	if r.Session != "" && len(r.Stores) > 0 {
		a.expires = r.Expires
	}
	if len(r.DevInf) > 0 {
		a.devInf = string(r.DevInf)
	}
}

func (a *Agent) save(r session.Record, nonce string) error {
	if err := a.noteRefusal(r); err != nil {
		return err
	}
	return state.SaveAccount(a.db, state.Account{Session: r, Nonce: nonce, DevInf: a.serverDevInf()})
}

func (a *Agent) serverDevInf() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.devInf
}

func (a *Agent) push() control.Push {
	l := a.listener()
	if l == nil {
		return control.Push{State: "none"}
	}
	return l.Push()
}

// Ended is closed when the agent has stopped working, by Stop or because its state cannot be written any more.
func (a *Agent) Ended() <-chan struct{} { return a.ended }

// Stop ends the agent and returns when everything has ended. The logical session stays open: it outlives the process.
func (a *Agent) Stop() error {
	a.cancel()
	var errs []error
	if a.control != nil {
		errs = append(errs, a.control.Close(), a.page.Close())
	}
	a.wg.Wait()
	return errors.Join(append(errs, a.err, a.db.Close())...)
}

// On and Off flip Always-On (T1, T3). Doing it twice is doing it once (T6).
func (a *Agent) On(ctx context.Context) { a.engine.Send(ctx, session.SwitchOn{}) }

// Off is described at On.
func (a *Agent) Off(ctx context.Context) { a.engine.Send(ctx, session.SwitchOff{}) }
