// Package site is one running Data Sync Server: the store, the DS endpoint over HTTP, the notifications over MQTT, and, if it has no
// other, a broker of its own. The server's program and the demo run it alike.
package site

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/manage"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/notify"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/mqtt"
	"github.com/alwayson-sync/alwayson/mqtt/broker"
	"github.com/alwayson-sync/alwayson/mqtt/pahoclient"
	"github.com/alwayson-sync/alwayson/pim"
)

// Options of a Site. DataDir must be set.
type Options struct {
	DataDir string      // database, key, the broker's queues
	Listen  string      // host:port of the DS endpoint; empty is 127.0.0.1:0
	TLS     *tls.Config // with certificates, also for the broker of its own; nil is in the clear
	// Broker is the URL of the broker, with BrokerUser and BrokerPassword; empty starts one at BrokerListen (empty is 127.0.0.1:0).
	Broker, BrokerUser, BrokerPassword string
	BrokerListen                       string
	Prefix                             string // of the topics; empty is "alwayson"
	ServerID                           string // empty is "alwayson-server"
	Version                            string
	Lease                              time.Duration
	// MaxAge is how long the secret of a device is good; 0 is for ever (A5).
	MaxAge time.Duration
	Log    *slog.Logger
}

// Site runs from Start to Close.
type Site struct {
	o         Options
	store     *sqlstore.Store
	server    *dsserver.Server
	notifier  *notify.Notifier
	manager   *manage.Manager
	client    *pahoclient.Client
	presences *presences
	cancel    context.CancelFunc
	wg        sync.WaitGroup
	internal  string        // the server's password at its own broker
	self      self          // TLS there
	checks    chan struct{} // bounds how many passwords are checked at a time

	http   *http.Server
	addr   string
	broker *broker.Broker
}

// sweep is how often sessions are looked through for those whose lease has run out.
const sweep = 10 * time.Minute

// OpenStore opens the store of a data folder, which it makes if need be, with the key that seals its credentials.
func OpenStore(ctx context.Context, dir string) (*sqlstore.Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data folder: %w", err)
	}
	key, err := sealKey(filepath.Join(dir, "credentials.key"))
	if err != nil {
		return nil, err
	}
	return sqlstore.OpenSealed(ctx, filepath.Join(dir, "server.db"), key)
}

// sealKey reads the key, or makes one for a new folder.
func sealKey(path string) (key [32]byte, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		rand.Read(key[:]) //nolint:errcheck // it never fails
		return key, writeKey(path, key)
	}
	if err != nil {
		return key, fmt.Errorf("cannot read the key of the credentials: %w", err)
	}
	if n, err := hex.Decode(key[:], text[:min(len(text), 64)]); err != nil || n != len(key) {
		return key, fmt.Errorf("%s holds no key; restore it from the backup, without it every device needs a new secret", path)
	}
	return key, nil
}

func writeKey(path string, key [32]byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(hex.EncodeToString(key[:]) + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// Start returns when devices can connect.
func Start(ctx context.Context, o Options) (*Site, error) {
	o = withDefaults(o)
	store, err := OpenStore(ctx, o.DataDir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Site{o: o, store: store, cancel: cancel, internal: rand.Text(), checks: make(chan struct{}, 2)}
	s.compose()
	if s.self, err = newSelf(o.TLS); err == nil {
		err = s.StartBroker()
	}
	if err == nil {
		err = s.StartHTTP()
	}
	if err == nil {
		err = s.dial()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.run(ctx)
	return s, nil
}

func withDefaults(o Options) Options {
	for _, d := range []struct {
		v       *string
		instead string
	}{{&o.Listen, "127.0.0.1:0"}, {&o.BrokerListen, "127.0.0.1:0"}, {&o.Prefix, "alwayson"}, {&o.ServerID, "alwayson-server"}} {
		if *d.v == "" {
			*d.v = d.instead
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func (s *Site) compose() {
	var stores []notify.Datastore
	for _, d := range dsserver.DefaultDatastores() {
		stores = append(stores, notify.Datastore(d))
	}
	s.presences = newPresences(s.store, s.o.Prefix, s.o.Log)
	s.manager = manage.New(manage.Options{Store: s.store, ServerID: s.o.ServerID, Notify: s.send, Send: s.manage, Log: s.o.Log})
	s.notifier = notify.New(notify.Options{Store: s.store, ServerID: s.o.ServerID, Stores: stores, Send: s.send, Log: s.o.Log})
	s.server = dsserver.New(dsserver.Options{Store: s.store, Datastores: dsserver.DefaultDatastores(), ID: s.o.ServerID, Version: s.o.Version,
		Lease: s.o.Lease, Brake: reconcile.DefaultBrake, Authenticator: dsserver.MaxAge(s.o.MaxAge), Changed: s.notifier.Changed, Answered: s.notifier.Answered, Asked: s.notifier.Asked,
		Busy: busy, Log: s.o.Log})
}

// busy is less than the minute that common proxies wait for an answer.
const busy = 20 * time.Second

// sendTime bounds one publish: the notifier goes on with the next device.
const sendTime = 10 * time.Second

func (s *Site) send(ctx context.Context, device string, payload []byte) error {
	return s.publish(ctx, device, mqtt.Topics.Notify, payload)
}

// manage sends a message of device management.
func (s *Site) manage(ctx context.Context, device string, payload []byte) error {
	return s.publish(ctx, device, mqtt.Topics.ManageDown, payload)
}

func (s *Site) publish(ctx context.Context, device string, topic func(mqtt.Topics) string, payload []byte) error {
	topics, err := mqtt.NewTopics(s.o.Prefix, device)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return s.client.Publish(ctx, mqtt.Message{Topic: topic(topics), Payload: payload})
}

// received takes what devices publish.
func (s *Site) received(m mqtt.Message) {
	if device := mqtt.ManagedDevice(s.o.Prefix, m.Topic); device != "" {
		s.manager.Received(device, m.Payload)
		return
	}
	s.presences.received(m)
	if device := mqtt.PresentDevice(s.o.Prefix, m.Topic); device != "" && string(m.Payload) == online {
		s.manager.Online(device)
	}
}

// serverUser is the server's name at its own broker. It is no device id.
const serverUser = "$server"

// dial prepares the connection to the broker, its own or another one: there is one road.
func (s *Site) dial() (err error) {
	url, user, password := s.o.Broker, s.o.BrokerUser, s.o.BrokerPassword
	var conf *tls.Config
	if url == "" {
		url, user, password, conf = s.broker.URL(), serverUser, s.internal, s.self.client
	}
	s.client, err = pahoclient.New(mqtt.Config{Broker: url, ClientID: s.o.ServerID, TLS: conf, MinPause: 50 * time.Millisecond, MaxPause: 10 * time.Second,
		Credentials: func() (string, string) { return user, password },
		Wishes:      []string{mqtt.AllPresences(s.o.Prefix), mqtt.AllManageUp(s.o.Prefix)},
		Received:    s.received,
		Connected:   func(bool) { s.notifier.Reconnected() },
		Lost:        func(err error) { s.o.Log.Warn("no broker; devices are woken when it is back", "reason", err) },
	})
	return err
}

func (s *Site) run(ctx context.Context) {
	s.wg.Go(func() { s.client.Run(ctx) })
	s.wg.Go(func() { s.notifier.Run(ctx) })
	s.wg.Go(func() { s.sweep(ctx) })
	s.wg.Go(func() { s.watchFilters(ctx) })
	s.wg.Go(func() { s.presences.run(ctx) })
	s.wg.Go(func() { s.manager.Run(ctx) })
	s.wg.Go(func() { s.pack(ctx) })
}

// packing is how often is looked for items whose facts are to be packed.
const packing = time.Minute

// pack keeps in columns what filters look at.
func (s *Site) pack(ctx context.Context) {
	k := scope.Keeper{Store: s.store, Kinds: make(map[string]pim.Kind)}
	for _, d := range dsserver.DefaultDatastores() {
		k.Kinds[d.URI] = d.Kind
	}
	t := time.NewTicker(packing)
	defer t.Stop()
	for {
		if err := k.Round(ctx); err != nil && ctx.Err() == nil {
			s.o.Log.Error("changes of filters will take longer to be judged", "reason", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (s *Site) sweep(ctx context.Context) {
	t := time.NewTicker(sweep)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := s.forget(ctx); err != nil {
			s.o.Log.Error("former versions are kept longer than they need to be", "reason", err)
		}
		n, err := s.server.Sweep(ctx)
		switch {
		case err != nil:
			s.o.Log.Error("sessions are not looked through", "reason", err)
		case n > 0:
			s.o.Log.Info("sessions ended because their lease ran out", "sessions", n)
		}
	}
}

// forget drops former versions that are older than promised.
func (s *Site) forget(ctx context.Context) error {
	return s.store.Update(ctx, func(tx dsstore.Tx) error {
		_, err := tx.ForgetKept(time.Now().Add(-KeepHistory))
		return err
	})
}

// How often is looked for filters that another process has set, the command line or another server, and for relative times that have gone by.
const (
	lookFilters = time.Second
	lookTime    = time.Minute
)

// watchFilters tells the notifier of devices whose filter was changed, whoever did it, and for which the window of a filter has rolled on (F12).
func (s *Site) watchFilters(ctx context.Context) {
	t := time.NewTicker(lookFilters)
	defer t.Stop()
	last, rolled := time.Now(), time.Time{}
	var revs map[dsstore.Collection]int64
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			roll := now.Sub(rolled) >= lookTime
			if roll {
				rolled = now
			}
			devices, newest, err := s.refiltered(ctx, last, now, roll)
			if err != nil && ctx.Err() == nil {
				s.o.Log.Error("cannot look for changed filters", "reason", err)
				continue
			}
			last = newest
			if revs, err = s.written(ctx, revs); err != nil && ctx.Err() == nil {
				s.o.Log.Error("cannot look for changes of other processes", "reason", err)
			}
			if len(devices) > 0 {
				s.notifier.Filtered(devices...)
			}
		}
	}
}

// written tells the notifier of collections that were changed since revs, also by another process: the command line, or another server.
func (s *Site) written(ctx context.Context, revs map[dsstore.Collection]int64) (now map[dsstore.Collection]int64, err error) {
	err = s.store.View(ctx, func(tx dsstore.Tx) error {
		now, err = tx.Revs()
		return err
	})
	if err != nil {
		return revs, err
	}
	for c, rev := range now {
		if revs != nil && revs[c] != rev {
			s.notifier.Written(c, rev)
		}
	}
	return now, nil
}

func (s *Site) refiltered(ctx context.Context, last, now time.Time, roll bool) (devices []string, newest time.Time, err error) {
	err = s.store.View(ctx, func(tx dsstore.Tx) error {
		if devices, newest, err = tx.Filtered(last); err != nil || !roll {
			return err
		}
		rolled, err := tx.Rolled(now)
		devices = append(devices, rolled...)
		return err
	})
	return devices, newest, err
}

// StartHTTP and StopHTTP begin and end the DS endpoint, at the same address each time.
func (s *Site) StartHTTP() error {
	addr := s.addr
	if addr == "" {
		addr = s.o.Listen
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen for devices: %w", err)
	}
	s.addr = l.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("/ds", s.server)
	mux.Handle("/v1/", s.api())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, TLSConfig: s.o.TLS,
		ErrorLog: slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug)}
	if s.o.TLS != nil {
		l = tls.NewListener(l, s.o.TLS)
	}
	server := s.http
	s.wg.Go(func() { server.Serve(l) }) //nolint:errcheck // it ends when it is closed
	return nil
}

// StopHTTP is described at StartHTTP.
func (s *Site) StopHTTP() error {
	if s.http == nil {
		return nil
	}
	return s.http.Close()
}

// StartBroker and StopBroker begin and end the broker of its own, if it has one.
func (s *Site) StartBroker() (err error) {
	if s.o.Broker != "" {
		return nil
	}
	addr := s.o.BrokerListen
	if s.broker != nil {
		addr = s.broker.Addr()
	}
	s.broker, err = broker.Start(broker.Options{Addr: addr, StoreDir: filepath.Join(s.o.DataDir, "broker"), TLS: s.self.broker, Authorize: s.authorize})
	return err
}

// StopBroker is described at StartBroker.
func (s *Site) StopBroker() {
	if s.broker != nil {
		s.broker.Close()
	}
}

// authorize lets devices in with the secret they have at the DS endpoint, and to their own topics only.
func (s *Site) authorize(user, password string) (broker.Rights, bool) {
	if user == serverUser {
		return broker.Rights{}, subtle.ConstantTimeCompare([]byte(password), []byte(s.internal)) == 1
	}
	topics, err := mqtt.NewTopics(s.o.Prefix, user)
	if err != nil {
		return broker.Rights{}, false
	}
	ok := false
	err = s.store.View(context.Background(), func(tx dsstore.Tx) error {
		d, err := tx.Device(user)
		ok = err == nil && subtle.ConstantTimeCompare([]byte(syncml.Credential(d.User, password)), []byte(d.Credential)) == 1
		return err
	})
	return broker.Rights{Publish: []string{topics.Presence(), topics.ManageUp()}, Subscribe: []string{topics.Notify(), topics.ManageDown()}}, ok && err == nil
}

// Close stops everything, in the order in which it would be missed.
func (s *Site) Close() error {
	err := s.StopHTTP()
	s.cancel()
	s.wg.Wait()
	s.StopBroker()
	if s.server != nil {
		s.server.Close()
	}
	return errors.Join(err, s.store.Close())
}

// URL is the DS endpoint.
func (s *Site) URL() string {
	if s.o.TLS != nil {
		return "https://" + s.addr + "/ds"
	}
	return "http://" + s.addr + "/ds"
}

// BrokerURL is where devices connect for notifications.
func (s *Site) BrokerURL() string {
	if s.o.Broker != "" {
		return s.o.Broker
	}
	return s.broker.URL()
}

// Store is what the server remembers.
func (s *Site) Store() dsstore.Store { return s.store }

// Server answers the devices.
func (s *Site) Server() *dsserver.Server { return s.server }
