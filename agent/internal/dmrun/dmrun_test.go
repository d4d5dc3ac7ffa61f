package dmrun_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/dmrun"
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const serverID = "srv"

// world is a runner and the server that manages it, with the broker between them.
type world struct {
	t        *testing.T
	runner   *dmrun.Runner
	settings *treetest.Settings

	mu     sync.Mutex // guards all below
	nonces dmclient.Nonces
	broken error // of the store of nonces
	events []dm.Event
	server *dmserver.Session
	kept   dmserver.Nonces // of the server
	work   []dmserver.Work
	began  int // sessions, as the server saw them
	deaf   int // so many messages of the device are lost
	up     int // messages of the device
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, settings: &treetest.Settings{Values: map[string]dm.Value{"Level": {Format: dm.FormatChr, Data: []byte("info")}}}}
	schema := treetest.Schema(t, "./Log node Get permanent\n./Log/Level chr Get,Replace permanent\n")
	m, err := tree.Open(schema, tree.Memory{}, map[string]tree.Object{"./Log": w.settings})
	if err != nil {
		t.Fatal(err)
	}
	w.runner = dmrun.New(dmrun.Options{Tree: m, Account: w.account, SaveNonces: w.save, DevInfo: func() dm.DevInfo { return dm.DevInfo{DevID: "d", Man: "m", Mod: "m", DmV: "1.2", Lang: "en"} },
		Send: w.send, Events: w.eventsLeft, Told: w.told})
	return w
}

// TestAside: what is done beside runs between messages, and waits no longer than its context.
func TestAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		late, end := context.WithTimeout(t.Context(), time.Second)
		defer end()
		if err := w.runner.Aside(late, func() { t.Error("nobody runs it") }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { w.runner.Run(ctx) })
		did := false
		if err := w.runner.Aside(t.Context(), func() { did = true }); err != nil || !did {
			t.Error(err, did)
		}
		cancel()
		wg.Wait()
	})
}

func (w *world) account() dmclient.Account {
	w.mu.Lock()
	defer w.mu.Unlock()
	return dmclient.Account{ServerID: serverID, User: "ana", Secret: "s", ServerSecret: "server", Nonces: w.nonces}
}

func (w *world) serverAccount() dmserver.Account {
	return dmserver.Account{ServerID: serverID, Secret: "server", User: "ana", Credential: syncml.Credential("ana", "s"), Nonces: w.kept}
}

func (w *world) save(n dmclient.Nonces) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.nonces = n
	}
	return w.broken
}

func (w *world) eventsLeft() []dm.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.events
}

func (w *world) told(id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = slices.DeleteFunc(slices.Clone(w.events), func(e dm.Event) bool { return e.ID == id })
	return nil
}

// send is the server: it answers at once.
func (w *world) send(_ context.Context, payload []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.up++; w.deaf > 0 {
		w.deaf--
		return nil
	}
	p, err := packet.Parse(payload)
	if err != nil {
		w.t.Error(err)
		return nil
	}
	if w.server == nil {
		w.begin()
	}
	answer, done, err := w.server.Handle(p)
	if errors.Is(err, dmserver.ErrAnew) {
		w.begin()
		answer, done, err = w.server.Handle(p)
	}
	if err != nil {
		w.t.Logf("server: %v", err)
	}
	w.kept = w.server.Report().Nonces
	if !answer.IsZero() {
		w.runner.Received(answer.Marshal())
	}
	if done {
		w.server = nil
	}
	return nil
}

func (w *world) begin() {
	s, err := dmserver.New(dmserver.Options{Account: w.serverAccount(), Work: w.work})
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = s
	w.began++
}

// notify gives the runner a notification, and tells whether it was about device management.
func (w *world) notify(id uint16, a dmserver.Account) bool {
	w.t.Helper()
	n, err := dmserver.Notification(a, id, san.Background)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.runner.Notified(n)
}

// during runs the runner while fn does what a test is about.
func during(t *testing.T, fn func(w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { w.runner.Run(ctx) })
		fn(w)
		cancel()
		wg.Wait()
		select {
		case <-w.runner.Idle():
		default:
			t.Error("a session runs after the end")
		}
	})
}

// settle waits until nothing happens any more but by time.
func (w *world) settle(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

func (w *world) want(began, up int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.began != began || up >= 0 && w.up != up {
		w.t.Errorf("%d sessions with %d messages, want %d with %d", w.began, w.up, began, up)
	}
}

// TestANotificationTwice begins one session.
func TestANotificationTwice(t *testing.T) {
	during(t, func(w *world) {
		for range 3 {
			if !w.notify(7, w.serverAccount()) {
				t.Error("not taken")
			}
			w.settle(time.Second)
		}
		w.want(1, -1)
		w.mu.Lock()
		a := w.serverAccount()
		w.mu.Unlock()
		w.notify(8, a)
		w.settle(time.Second)
		w.want(2, -1)
		if w.runner.Notified([]byte("hello")) {
			t.Error("anything was taken for a notification")
		}
	})
}

// TestWhoCannotBeVerified: a notification that was made with another key may mean that the nonces differ; the device begins a session of its own, once a minute.
func TestWhoCannotBeVerified(t *testing.T) {
	during(t, func(w *world) {
		wrong := w.serverAccount()
		wrong.Secret = "guess"
		for range 5 {
			if !w.notify(7, wrong) {
				t.Error("not taken")
			}
			w.settle(time.Second)
		}
		w.want(1, -1)
		w.settle(time.Minute)
		w.notify(7, wrong)
		w.settle(time.Second)
		w.want(2, -1)
		wrong.ServerID = "other"
		w.settle(time.Minute)
		if w.notify(7, wrong) {
			t.Error("a notification of another server was taken")
		}
		w.want(2, -1)
	})
}

// TestALostMessageIsSentAgain, and the device gives up in the end: the next notification is followed, also if it names the same session.
func TestALostMessageIsSentAgain(t *testing.T) {
	during(t, func(w *world) {
		w.mu.Lock()
		w.deaf = 2
		w.mu.Unlock()
		w.notify(7, w.serverAccount())
		w.settle(time.Second)
		w.want(0, 1)
		w.settle(20 * time.Second)
		w.want(1, -1)
		w.mu.Lock()
		w.deaf, w.up = 100, 0
		a := w.serverAccount()
		w.mu.Unlock()
		w.notify(8, a)
		w.settle(2 * time.Minute)
		w.want(1, 4)
		w.mu.Lock()
		w.deaf = 0
		w.mu.Unlock()
		w.notify(8, a)
		w.settle(time.Second)
		w.want(2, -1)
	})
}

// TestEventsAreToldOnce: by a session of the device's own, and again if it was cut off.
func TestEventsAreToldOnce(t *testing.T) {
	during(t, func(w *world) {
		w.runner.Wish()
		w.settle(time.Second)
		w.want(0, 0) // there is nothing to tell
		w.mu.Lock()
		w.events = []dm.Event{{ID: "a", Type: "Reversed-Domain-Name: org.example.a", Data: []byte("x")}, {ID: "b", Type: "Reversed-Domain-Name: org.example.b", Data: []byte("y")}}
		w.deaf = 100
		w.mu.Unlock()
		w.runner.Wish()
		w.settle(time.Minute)
		w.mu.Lock()
		w.deaf = 0
		w.mu.Unlock()
		w.runner.Wish()
		w.settle(time.Second)
		w.want(1, -1)
		if left := w.eventsLeft(); len(left) != 0 {
			t.Errorf("not told: %+v", left)
		}
	})
}

// TestNoncesThatCannotBeKept: nothing is answered that the device could not repeat after a restart.
func TestNoncesThatCannotBeKept(t *testing.T) {
	during(t, func(w *world) {
		w.mu.Lock()
		w.broken = errors.New("disk full")
		w.mu.Unlock()
		w.notify(7, w.serverAccount())
		w.settle(time.Second)
		w.want(1, 1)
		w.mu.Lock()
		w.broken = nil
		a := w.serverAccount()
		w.mu.Unlock()
		w.notify(8, a)
		w.settle(time.Second)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.nonces == (dmclient.Nonces{}) {
			t.Error("no nonces were kept")
		}
	})
}
