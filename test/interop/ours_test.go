package interop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/test/testenv"
)

// ourClient is the agent, with Always-On off: each exchange is asked for by hand.
type ourClient struct {
	t   testing.TB
	dir string
	o   agent.Options
	a   *agent.Agent
	c   *control.Client
}

func newOurClient(t testing.TB, o options, url string) *ourClient {
	c := &ourClient{t: t, dir: t.TempDir()}
	c.o = agent.Options{StateDir: filepath.Join(c.dir, "state"), Socket: filepath.Join(c.dir, "sock"), Server: url, DeviceID: deviceID,
		User: user, Secret: o.clientSecret(), Basic: o.basic, MaxMsgSize: o.clientMaxMsg, Version: "test",
		Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if o.encoding == "XML" {
		c.o.Encoding = syncml.XML
	}
	for _, k := range kinds {
		if err := os.MkdirAll(c.data(k), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range o.stores() {
		remote := sources[k].name
		if k == o.unknownStore {
			remote = "diary"
		}
		c.o.Stores = append(c.o.Stores, agent.Store{Name: k, Remote: remote, Kind: pim.Kind(k), Dir: c.data(k)})
	}
	c.start()
	t.Cleanup(func() { c.a.Stop() }) //nolint:errcheck // the test is over
	return c
}

func (c *ourClient) start() {
	c.t.Helper()
	var err error
	if c.a, err = agent.Start(context.WithoutCancel(c.t.Context()), c.o); err != nil {
		c.t.Fatal(err)
	}
	c.c = control.Dial(c.o.Socket)
}

func (c *ourClient) data(store string) string { return filepath.Join(c.dir, store) }

// extensions are those of the files in a folder of items.
var extensions = map[string]string{"contacts": ".vcf", "calendar": ".ics", "tasks": ".ics", "notes": ".txt"}

func (c *ourClient) put(store, name, body string) {
	c.t.Helper()
	if filepath.Ext(name) == "" {
		name += extensions[store]
	}
	if err := os.WriteFile(filepath.Join(c.data(store), name), []byte(body), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *ourClient) remove(store, name string) {
	c.t.Helper()
	if err := os.Remove(filepath.Join(c.data(store), name)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *ourClient) items(store string) map[string]string { return dirItems(c.t, c.data(store)) }

func (c *ourClient) sync(ctx context.Context, stores []string, mode string) outcome {
	x, err := c.c.SyncWith(ctx, control.SyncRequest{Wait: true, Mode: mode, Stores: stores})
	if err != nil {
		return outcome{err: err, text: err.Error()}
	}
	o := outcome{text: fmt.Sprintf("%+v", x)}
	for _, s := range x.Stores {
		o.changes += s.Sent + s.Received
		if s.Failed > 0 {
			o.err = errors.Join(o.err, fmt.Errorf("%s: %d items failed", s.Name, s.Failed))
		}
	}
	if x.Error != "" {
		o.err = errors.New(x.Error)
	}
	return o
}

// ourServer is the server with one user and one device.
type ourServer struct {
	t    testing.TB
	site *site.Site
	// secret of the device
	secret string
}

func newOurServer(t testing.TB) *ourServer {
	s, err := site.Start(context.WithoutCancel(t.Context()), site.Options{DataDir: t.TempDir(), Listen: "127.0.0.1:" + testenv.FreePort(t), Version: "test",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	if err := site.PutUser(t.Context(), s.Store(), user, "", false); err != nil {
		t.Fatal(err)
	}
	secret, err := site.Enrol(t.Context(), s.Store(), user, deviceID)
	if err != nil {
		t.Fatal(err)
	}
	return &ourServer{t, s, secret}
}

func collection(store string) dsstore.Collection { return dsstore.Collection{User: user, Store: store} }

func (s *ourServer) put(store, name, body string) {
	s.t.Helper()
	if _, err := s.site.Server().Put(s.t.Context(), collection(store), name, pim.Item{Type: pim.Kind(store).ContentType(), Body: []byte(body)}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *ourServer) remove(store, name string) {
	s.t.Helper()
	if err := s.site.Server().Remove(s.t.Context(), collection(store), name); err != nil {
		s.t.Fatal(err)
	}
}

func (s *ourServer) items(store string) map[string]string {
	s.t.Helper()
	out := map[string]string{}
	err := s.site.Store().View(s.t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.List(collection(store))
		for _, it := range list {
			body, e := tx.Body(it.Hash)
			err = errors.Join(err, e)
			out[it.GUID] = string(body)
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}
