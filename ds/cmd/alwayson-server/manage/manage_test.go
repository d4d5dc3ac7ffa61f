package manage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/dm/tree/treetest"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/manage"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const serverID = "srv"

// fleet is a server that manages devices, with the broker between them.
type fleet struct {
	t       *testing.T
	store   *memstore.Store
	manager *manage.Manager
	devices map[string]*device

	random *rand.Rand // of the manager's goroutine

	mu   sync.Mutex
	sent int // notifications; guarded by mu
}

// device is a managed device without an agent around it. Messages are handled one after the other.
type device struct {
	f        *fleet
	id       string
	settings *settings
	tree     *tree.Tree

	mu      sync.Mutex // guards all below
	account dmclient.Account
	session *dmclient.Session
	last    string // id of the session it was notified of
	away    bool
	lose    int // of so many messages in both directions one is lost, 0 is none
	die     int // of so many messages one kills the device when it has been handled, before anything of that is durable or answered; 0 is none
}

// settings are those of a device, which can be asked to open a session if opens is set.
type settings struct {
	treetest.Settings
	opens  bool
	opened int
}

// Exec implements tree.Executor.
func (s *settings) Exec(dm.Path, tree.Call) (ds.Status, error) {
	if !s.opens {
		return 0, dm.Refuse(ds.StatusFailed, "Always-On is off")
	}
	s.opened++
	return ds.StatusAccepted, nil
}

func newFleet(t *testing.T, n int) *fleet {
	f := &fleet{t: t, random: rand.New(rand.NewPCG(1, 2)), store: memstore.New(), devices: map[string]*device{}}
	f.manager = manage.New(manage.Options{Store: f.store, ServerID: serverID, Notify: f.notify, Send: f.send})
	for i := range n {
		f.add(fmt.Sprintf("d%03d", i))
	}
	return f
}

func (f *fleet) update(fn func(dsstore.Tx) error) {
	f.t.Helper()
	if err := f.store.Update(f.t.Context(), fn); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) add(id string) *device {
	f.t.Helper()
	credential := syncml.Credential("ana", "secret-"+id)
	f.update(func(tx dsstore.Tx) error {
		return tx.PutDevice(dsstore.Device{ID: id, User: "ana", Credential: credential})
	})
	settings := &settings{Settings: treetest.Settings{Values: map[string]dm.Value{"OpenSession": {Format: dm.FormatNull}}}}
	for i := range mo.Table {
		s := &mo.Table[i]
		if rest, ok := s.Of(s.Key).Below(dm.Path{"Vendor", "AlwaysOn"}); ok {
			settings.Values[strings.Join(rest, "/")] = s.Value(s.Default)
		}
	}
	schema := ddf.NewSchema()
	if err := schema.Add(nil, mo.Description()); err != nil {
		f.t.Fatal(err)
	}
	m, err := tree.Open(schema, tree.Memory{}, map[string]tree.Object{"./Vendor/AlwaysOn": settings})
	if err != nil {
		f.t.Fatal(err)
	}
	rights := mo.Rights(serverID)
	rights.Nodes = rights.Nodes[len(rights.Nodes)-1:]
	if err := m.Provision(rights, time.Now()); err != nil {
		f.t.Fatal(err)
	}
	d := &device{f: f, id: id, settings: settings, tree: m,
		account: dmclient.Account{ServerID: serverID, User: "ana", Secret: "secret-" + id, ServerSecret: credential, Scheme: dmclient.HMAC}}
	f.devices[id] = d
	return d
}

// want asks for a setting of every device.
func (f *fleet) want(values ...string) {
	f.t.Helper()
	at := time.Now()
	f.update(func(tx dsstore.Tx) (err error) {
		for id := range f.devices {
			for i := 0; i < len(values); i += 2 {
				_, e := tx.WantSetting(dsstore.Setting{Device: id, Key: values[i], Value: values[i+1], By: "admin", At: at})
				err = errors.Join(err, e)
			}
		}
		return err
	})
}

// states counts how far the settings of all devices have come.
func (f *fleet) states() map[dsstore.SettingState]int {
	out := map[dsstore.SettingState]int{}
	err := f.store.View(f.t.Context(), func(tx dsstore.Tx) error {
		for id := range f.devices {
			all, err := tx.Settings(id)
			if err != nil {
				return err
			}
			for _, s := range all {
				out[s.State]++
			}
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// run manages for so long.
func (f *fleet) run(d time.Duration) {
	ctx, cancel := context.WithTimeout(f.t.Context(), d)
	defer cancel()
	f.manager.Run(ctx)
}

func (f *fleet) notify(_ context.Context, id string, payload []byte) error {
	f.mu.Lock()
	f.sent++
	f.mu.Unlock()
	d := f.devices[id]
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away || d.lost() {
		return nil
	}
	n, err := dmclient.ReadNotification(payload, d.account)
	switch {
	case err != nil: // it is dropped silently
		return nil
	case n.SessionID == d.last && d.session != nil:
		d.up(d.session.Last())
		return nil
	case n.SessionID == d.last:
		return nil
	}
	d.last = n.SessionID
	d.begin(n.SessionID)
	return nil
}

func (d *device) lost() bool { return d.lose > 0 && d.f.random.IntN(d.lose) == 0 }

func (d *device) begin(id string) {
	s, err := dmclient.New(dmclient.Options{Account: d.account, Tree: d.tree, DevInfo: dm.DevInfo{DevID: d.id, Man: "m", Mod: "m", DmV: "1.2", Lang: "en"},
		SessionID: id, ByServer: true})
	if err != nil {
		d.f.t.Error(err)
		return
	}
	first, err := s.Start()
	if err != nil {
		d.f.t.Error(err)
		return
	}
	d.session = s
	d.up(first)
}

func (d *device) up(p packet.Packet) {
	if !d.lost() {
		d.f.manager.Received(d.id, p.Marshal())
	}
}

func (f *fleet) send(_ context.Context, id string, payload []byte) error {
	d := f.devices[id]
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.away || d.session == nil || d.lost() {
		return nil
	}
	p, err := packet.Parse(payload)
	if err != nil {
		f.t.Error(err)
		return nil
	}
	answer, done, err := d.session.Handle(time.Now(), p)
	if d.die > 0 && f.random.IntN(d.die) == 0 {
		d.session, d.last = nil, ""
		f.manager.Online(id)
		return nil
	}
	if err != nil {
		f.t.Logf("%s: %v", id, err)
	}
	d.account.Nonces = d.session.Report().Nonces
	if !answer.IsZero() {
		d.up(answer)
	}
	if done {
		d.session = nil
	}
	return nil
}

func (d *device) value(node string) string { return string(d.settings.Values[node].Data) }

// TestAThousandDevices: 100 of them are away, 100 lose messages, 100 die now and then in the middle, 10 refuse the value. All that can have it get it, the others are known with a reason,
// and those that were away get it when they come (S8).
func TestAThousandDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1000)
		for i := range 1000 {
			d := f.devices[fmt.Sprintf("d%03d", i)]
			d.away = i < 100
			if i >= 100 && i < 200 {
				d.lose = 10 + i%5
			}
			if i >= 200 && i < 300 {
				d.die = 3
			}
			if i >= 990 {
				d.settings.Refused = "debug"
			}
		}
		f.want("log.level", "debug")
		f.run(10 * time.Second)
		if got := f.states(); got[dsstore.SettingApplied] < 690 || got[dsstore.SettingFailed] != 10 {
			t.Errorf("after ten seconds: %v", got)
		}
		f.run(45 * time.Minute)
		if got := f.states(); got[dsstore.SettingApplied] != 890 || got[dsstore.SettingFailed] != 10 || got[dsstore.SettingPending] != 100 {
			t.Errorf("while 100 are away: %v", got)
		}
		for i := range 100 {
			d := f.devices[fmt.Sprintf("d%03d", i)]
			d.mu.Lock()
			d.away = false
			d.mu.Unlock()
			f.manager.Online(d.id)
		}
		f.run(time.Minute)
		if got := f.states(); got[dsstore.SettingApplied] != 990 || got[dsstore.SettingFailed] != 10 {
			t.Errorf("in the end: %v", got)
		}
		for id, d := range f.devices {
			if want := d.settings.Refused == ""; (d.value("Log/Level") == "debug") != want {
				t.Errorf("%s has %q", id, d.value("Log/Level"))
			}
		}
		sent := f.sent
		f.run(10 * time.Minute)
		if f.sent != sent {
			t.Errorf("%d notifications for nothing", f.sent-sent)
		}
	})
}

// TestTogetherOrNotAtAll: of settings that were wanted together one is refused: the others are as they were, and both are failed with a reason.
func TestTogetherOrNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		d := f.devices["d000"]
		d.settings.Refused = "debug"
		f.want("session.poll", "7m", "log.level", "debug")
		f.run(time.Minute)
		if got := f.states(); got[dsstore.SettingFailed] != 2 || d.value("Session/Poll") != "30m" {
			t.Errorf("%v, poll %s", got, d.value("Session/Poll"))
		}
		d.settings.Refused = ""
		f.want("session.poll", "7m", "log.level", "debug")
		f.run(time.Minute)
		if got := f.states(); got[dsstore.SettingApplied] != 2 || d.value("Session/Poll") != "7m" || d.value("Log/Level") != "debug" {
			t.Errorf("%v, %v", got, d.settings.Values)
		}
	})
}

// events is what the journal of a device says, one line each.
func (f *fleet) events(device string) (out []string) {
	f.t.Helper()
	err := f.store.View(f.t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.Events(device)
		for _, e := range list {
			out = append(out, fmt.Sprintf("%s: %s: %s", e.What, e.Why, e.Outcome))
		}
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return out
}

// TestSessionsAreInTheJournal: what each was about and what became of it, once, also if messages are lost (S8).
func TestSessionsAreInTheJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		d := f.devices["d000"]
		d.lose = 4
		d.settings.Refused = "debug"
		f.want("session.poll", "7m")
		f.run(20 * time.Minute)
		f.want("session.poll", "8m", "log.level", "debug")
		f.run(20 * time.Minute)
		d.lose = 0
		d.begin("f00d")
		f.run(time.Minute)
		got := f.events("d000")
		want := []string{
			"management: wanted: session.poll: 1 applied",
			`management: wanted: log.level, session.poll: 0 applied, 2 failed: "debug" is out of bounds`,
			"management: the server had asked for it: 0 applied",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// TestADeviceReturnsToItsOwn: what nobody wants of it any more is deleted on the device; what is wanted at the same time does not depend on it.
func TestADeviceReturnsToItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 1)
		d := f.devices["d000"]
		f.want("session.poll", "7m", "log.level", "debug")
		f.run(time.Minute)
		at := time.Now()
		f.update(func(tx dsstore.Tx) error {
			_, err := tx.WantSetting(dsstore.Setting{Device: d.id, Key: "log.level", Own: true, By: "admin", At: at})
			_, e := tx.WantSetting(dsstore.Setting{Device: d.id, Key: "session.poll", Value: "8m", By: "admin", At: at})
			_, gone := tx.WantSetting(dsstore.Setting{Device: d.id, Key: "store.nothing.conflicts", Own: true, By: "admin", At: at})
			return errors.Join(err, e, gone)
		})
		f.run(time.Minute)
		if _, there := d.settings.Values["Log/Level"]; there || d.value("Session/Poll") != "8m" || f.states()[dsstore.SettingApplied] != 2 {
			t.Errorf("%v, %v", f.states(), d.settings.Values)
		}
	})
}

// TestTheLatestWishWins is S9: a later wish replaces one that the device has not been told of, also while a session runs and over failing stores.
func TestTheLatestWishWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 3)
		f.store.Fault = func() error {
			if f.random.IntN(4) == 0 {
				return treetest.ErrFault
			}
			return nil
		}
		for i := range 20 {
			func() {
				defer func(fault func() error) { f.store.Fault = fault }(f.store.Fault)
				f.store.Fault = nil
				f.want("session.poll", strconv.Itoa(i+1)+"m")
			}()
			f.run(time.Second / 2)
		}
		f.run(20 * time.Minute)
		for id, d := range f.devices {
			if d.value("Session/Poll") != "20m" {
				t.Errorf("%s has %s", id, d.value("Session/Poll"))
			}
		}
		if got := f.states(); got[dsstore.SettingApplied] != 3 {
			t.Errorf("%v", got)
		}
	})
}

// TestAnActionIsByItself: what a device shall do is executed, not set, and does not take settings with it that were wanted at the same time (S3).
func TestAnActionIsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		f.devices["d000"].settings.opens = true
		f.want("session.poll", "7m", mo.OpenSession, "", "log.level", "debug")
		f.run(time.Minute)
		if got := f.states(); got[dsstore.SettingApplied] != 5 || got[dsstore.SettingFailed] != 1 {
			t.Errorf("%v", got)
		}
		for id, want := range map[string]int{"d000": 1, "d001": 0} {
			if d := f.devices[id]; d.settings.opened != want || d.value("Session/Poll") != "7m" || d.value("Log/Level") != "debug" {
				t.Errorf("%s has opened %d sessions: %v", id, d.settings.opened, d.settings.Values)
			}
		}
	})
}

// TestStrangersAreNotAnswered: what is no message, or of no device of ours, gets no answer; a device that tries another one's secret gets nothing.
func TestStrangersAreNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, 2)
		f.want("log.level", "debug")
		thief := f.devices["d000"]
		thief.account.Secret, thief.account.ServerSecret = "secret-d001", syncml.Credential("ana", "secret-d001")
		f.manager.Received("nobody", []byte("hello"))
		f.manager.Received("d001", []byte("\x03\x01hello"))
		f.manager.Received("../x", nil)
		f.run(20 * time.Minute)
		if got := f.states(); got[dsstore.SettingApplied] != 1 || got[dsstore.SettingPending] != 1 || thief.value("Log/Level") != "info" {
			t.Errorf("%v, %s", got, thief.value("Log/Level"))
		}
	})
}
