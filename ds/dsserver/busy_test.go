package dsserver_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// slowStore is a store whose changes wait until a test lets them go on.
type slowStore struct {
	dsstore.Store
	gate  chan struct{} // a change takes one from it, or finds it closed
	begun chan struct{} // gets one for each change that comes
	made  chan struct{} // gets one for each change that was made
	open  func()
	mu    sync.Mutex
	count int // changes that were made; guarded by mu
}

func (s *slowStore) Update(ctx context.Context, fn func(dsstore.Tx) error) error {
	s.begun <- struct{}{}
	select {
	case <-s.gate:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	s.count++
	s.mu.Unlock()
	defer func() { s.made <- struct{}{} }()
	return s.Store.Update(ctx, fn)
}

// slow makes the world's server one that says that it is busy after this time, on a store that waits.
func (w *world) slow(busy time.Duration) *slowStore {
	s := &slowStore{Store: w.store, gate: make(chan struct{}), begun: make(chan struct{}, 1000), made: make(chan struct{}, 1000)}
	w.server = dsserver.New(dsserver.Options{Store: s, Datastores: dsserver.DefaultDatastores(), Busy: busy})
	s.open = sync.OnceFunc(func() { close(s.gate) })
	w.t.Cleanup(w.server.Close)
	w.t.Cleanup(s.open)
	return s
}

// TestABusyServerIsAskedLater: the device is told 101, waits, asks with Alert 221 and gets the answer to what it sent, which was carried out once (protocol.md C.7).
func TestABusyServerIsAskedLater(t *testing.T) {
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		t.Run(enc.String(), func(t *testing.T) {
			w := newWorld(t)
			a, b := w.device("a"), w.device("b")
			b.mem.put("1", card("theirs", "Ben"))
			b.sync()
			store := w.slow(50 * time.Millisecond)
			a.client.Encoding = enc
			a.mem.put("1", card("ours", "Ana"))
			pauses := 0
			a.client.Pause = func(context.Context, time.Duration) error {
				if pauses++; pauses > 1 { // the first message is asked for twice
					select {
					case store.gate <- struct{}{}:
						<-store.made
					case <-time.After(200 * time.Millisecond): // it is through the gate, and as good as done
					}
				}
				return nil
			}
			r := a.sync()
			if pauses < 2 || r.RoundTrips != store.count+pauses {
				t.Errorf("%d pauses, %d changes of the store, %d round trips", pauses, store.count, r.RoundTrips)
			}
			store.open()
			w.restart()
			b.sync()
			equalStores(t, a, b)
			if n := len(a.mem.bodies()); n != 2 {
				t.Errorf("%d items, want 2", n)
			}
			if a.trips = 0; a.sync().Stores[0].Alert != ds.AlertTwoWay || a.trips != 1 {
				t.Errorf("%d round trips after it, want a quiet one", a.trips)
			}
		})
	}
}

// TestAServerThatStaysBusy: the device gives up and comes back in a later exchange; what was carried out meanwhile is not done twice.
func TestAServerThatStaysBusy(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	store := w.slow(time.Millisecond)
	a.mem.put("1", card("u", "Ana"))
	var waited time.Duration
	a.client.Pause = func(_ context.Context, d time.Duration) error { waited += d; return nil }
	var busy *dsclient.BusyError
	if _, err := a.run(dsclient.Open, 0); !errors.As(err, &busy) || waited < time.Minute {
		t.Fatalf("%v after %v, want busy after minutes", err, waited)
	}
	store.open()
	w.server.Close()
	w.restart()
	a.sync()
	if n := len(w.live("contacts")); n != 1 {
		t.Errorf("%d items, want 1", n)
	}
}

// TestWhatWasBegunIsCompleted: a device that is cut off while the server works finds the answer when it sends its message again.
func TestWhatWasBegunIsCompleted(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	cut := &cutTransport{store: w.slow(time.Hour), server: w.server}
	a.client.Transport = cut
	a.mem.put("1", card("u", "Ana"))
	a.sync()
	if n := len(w.live("contacts")); n != 1 || !cut.done {
		t.Errorf("%d items, want 1; cut: %v", n, cut.done)
	}
}

// cutTransport is cut off while its first message is being worked on, and sends it again.
type cutTransport struct {
	store  *slowStore
	server *dsserver.Server
	done   bool
}

func (c *cutTransport) RoundTrip(ctx context.Context, _ string, body []byte, enc syncml.Encoding) ([]byte, error) {
	if !c.done {
		c.done = true
		gone, cancel := context.WithCancel(ctx)
		answer := make(chan error)
		go func() {
			_, err := c.server.Handle(gone, body, enc)
			answer <- err
		}()
		<-c.store.begun
		cancel()
		c.store.open()
		<-answer
	}
	return c.server.Handle(ctx, body, enc)
}

// TestTooManyAtOnce: one more message than the server has places for is sent back with the time to come again; nothing of it was begun.
func TestTooManyAtOnce(t *testing.T) {
	w := newWorld(t)
	var devices []*device
	for i := range 65 {
		devices = append(devices, w.device(string(rune('A'+i/26))+string(rune('a'+i%26))))
	}
	store := w.slow(20 * time.Millisecond)
	srv := httptest.NewServer(w.server)
	defer srv.Close()
	var told, all sync.WaitGroup
	opened := make(chan struct{})
	told.Add(64)
	for _, d := range devices[:64] {
		first := sync.OnceFunc(told.Done)
		d.client.Pause = func(context.Context, time.Duration) error { first(); <-opened; return nil }
		all.Go(func() { d.run(dsclient.Greet, 0) }) //nolint:errcheck // some give up
	}
	told.Wait()
	last := devices[64]
	last.client.Transport, last.client.URL = &dsclient.HTTP{Client: srv.Client()}, srv.URL
	var busy *dsclient.BusyError
	if _, err := last.run(dsclient.Greet, 0); !errors.As(err, &busy) || busy.After < 5*time.Second || !strings.Contains(err.Error(), "come back after") {
		t.Errorf("%v, want busy with a time to come back", err)
	}
	store.open()
	close(opened)
	all.Wait()
	w.server.Close()
	w.restart()
	last.client.Transport = last
	if _, err := last.run(dsclient.Greet, 0); err != nil {
		t.Error("afterwards:", err)
	}
}

// TestNoResult: nothing is known of a message that never came.
func TestNoResult(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	w.slow(time.Hour).open()
	forgetful := &forgetfulServer{server: w.server}
	a.client.Transport, a.client.Pause = forgetful, func(context.Context, time.Duration) error { return nil }
	var link *dsclient.TransportError
	if _, err := a.run(dsclient.Open, 0); !errors.As(err, &link) || !strings.Contains(err.Error(), "has forgotten the message") {
		t.Errorf("%v, want that the message is forgotten", err)
	}
}

// forgetfulServer says that it is busy with the first message, and is restarted before it is done.
type forgetfulServer struct {
	server *dsserver.Server
	busy   bool
}

func (f *forgetfulServer) RoundTrip(ctx context.Context, _ string, body []byte, enc syncml.Encoding) ([]byte, error) {
	if f.busy {
		return f.server.Handle(ctx, body, enc)
	}
	f.busy = true
	m, err := syncml.Decode(body, enc)
	if err != nil {
		return nil, err
	}
	return syncml.Encode(&syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: m.Header.SessionID, MsgID: "1",
		Target: m.Header.Source, Source: m.Header.Target},
		Commands: []syncml.Command{&syncml.Status{ID: "1", MsgRef: "1", CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusInProgress}}}, enc)
}
