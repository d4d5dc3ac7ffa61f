package managed_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent/internal/config"
	"github.com/alwayson-sync/alwayson/agent/internal/managed"
	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/mo"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds"
)

const file = `device = "d"
state = "state"
[account]
server = "https://sync.example.org/ds"
user = "ana"
secret_file = "secret"
[session]
poll = "20m"
probation = "1m"
[[store]]
name = "contacts"
kind = "contacts"
dir = "c"
`

// world is the settings of a device, as they are after a restart, too.
type world struct {
	t    *testing.T
	path string
	now  time.Time
	*managed.Settings
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "alwayson.toml"), now: time.Unix(1_000_000, 0)}
	w.write(file)
	w.restart()
	return w
}

func (w *world) write(text string) {
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) restart() {
	w.t.Helper()
	s, err := managed.Open(w.path, func() time.Time { return w.now })
	if err != nil {
		w.t.Fatal(err)
	}
	w.Settings = s
}

func (w *world) set(by managed.Origin, values ...string) (mo.Effect, error) {
	m := map[string]*string{}
	for i := 0; i < len(values); i += 2 {
		m[values[i]] = &values[i+1]
	}
	return w.Set(by, m)
}

// holds checks what holds, now and after a restart.
func (w *world) holds(key, want string, origin managed.Origin) {
	w.t.Helper()
	for _, when := range []string{"", " after a restart"} {
		for _, v := range w.Values() {
			if v.Key == key && (v.Value != want || v.Origin != origin) {
				w.t.Errorf("%s = %q by %s%s, want %q by %s", key, v.Value, v.Origin, when, want, origin)
			}
		}
		if got, _ := w.Config().Get(key); got != want {
			w.t.Errorf("%s = %q in use%s, want %q", key, got, when, want)
		}
		w.restart()
	}
}

func (w *world) reason() string {
	text, _ := w.Reason()
	return text
}

// told tells whether the agent was told of a change.
func (w *world) told() bool {
	select {
	case <-w.Changed():
		return true
	default:
		return false
	}
}

// TestTheLastWishHolds is S6: it does not matter by which road a change comes; a later one on any road replaces it, and what is locked stays.
func TestTheLastWishHolds(t *testing.T) {
	w := newWorld(t)
	w.holds("session.poll", "20m", managed.File)
	w.holds("log.level", "info", managed.Default)
	effect, err := w.set(managed.Pushed, "session.poll", "5m", "log.level", "debug")
	if err != nil || effect != mo.None || !w.told() || w.reason() != "settings changed by the administrator" {
		t.Fatal(effect, err, w.reason())
	}
	w.holds("session.poll", "5m", managed.Pushed)
	if effect, err := w.set(managed.User, "session.poll", "7m"); err != nil || effect != mo.None {
		t.Fatal(effect, err)
	}
	w.holds("session.poll", "7m", managed.User)
	w.write(strings.Replace(file, "20m", "9m", 1))
	if _, err := w.Reload(); err != nil || !w.told() {
		t.Fatal(err)
	}
	w.holds("session.poll", "9m", managed.File)
	w.holds("log.level", "debug", managed.Pushed)
	if _, err := w.set(managed.Pushed, "session.poll", "1m", mo.Locked, "session.poll"); err != nil {
		t.Fatal(err)
	}
	w.write(strings.Replace(file, "20m", "3m", 1))
	if _, err := w.Reload(); err != nil {
		t.Fatal(err)
	}
	w.holds("session.poll", "1m", managed.Pushed)
	if _, err := w.set(managed.User, "session.poll", "7m"); !errors.Is(err, managed.ErrLocked) {
		t.Error(err)
	}
}

// TestTheEnvironmentIsPartOfTheConfiguration: what it says now holds over the user's file and below what was set since, as an edit of the file does.
func TestTheEnvironmentIsPartOfTheConfiguration(t *testing.T) {
	w := newWorld(t)
	start := func(poll string) {
		t.Helper()
		s, err := managed.OpenFrom(config.Sources{User: w.path, Environ: []string{"ALWAYSON_SESSION_POLL=" + poll}}, func() time.Time { return w.now })
		if err != nil {
			t.Fatal(err)
		}
		w.Settings = s
	}
	poll := func(want string, origin managed.Origin, where string) {
		t.Helper()
		for _, v := range w.Values() {
			if v.Key == "session.poll" && (v.Value != want || v.Origin != origin || v.Where != where) {
				t.Errorf("%+v, want %s %s %s", v, want, origin, where)
			}
		}
	}
	start("11m")
	poll("11m", managed.Environment, "ALWAYSON_SESSION_POLL")
	if _, err := w.set(managed.Pushed, "session.poll", "5m"); err != nil {
		t.Fatal(err)
	}
	start("11m")
	poll("5m", managed.Pushed, "")
	w.write(strings.Replace(file, "20m", "9m", 1)) // it does not hold anyway
	if _, err := w.Reload(); err != nil {
		t.Fatal(err)
	}
	poll("5m", managed.Pushed, "")
	start("12m") // the later wish
	poll("12m", managed.Environment, "ALWAYSON_SESSION_POLL")
	if _, err := w.set(managed.Pushed, "session.poll", "5m", mo.Locked, "session.poll"); err != nil {
		t.Fatal(err)
	}
	start("13m")
	poll("5m", managed.Pushed, "")
}

// TestEffects is S2: what follows from a change depends on the change, and several together have the effect that asks the most.
func TestEffects(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   mo.Effect
	}{
		{[]string{"log.level", "debug"}, mo.None},
		{[]string{"session.poll", "1h", "brake.count", "3"}, mo.None},
		{[]string{"store.contacts.conflicts", "server"}, mo.None},
		{[]string{"store.contacts.filter", "name:ana"}, mo.Sync},
		{[]string{"log.level", "debug", "store.contacts.filter", "name:ana"}, mo.Sync},
		{[]string{"account.server", "https://other.example.org/ds"}, mo.Restart},
		{[]string{"account.max_message", "5000", "store.contacts.filter", "name:ana", "log.level", "debug"}, mo.Restart},
		{[]string{"session.poll", "20m"}, mo.None}, // as it is
	} {
		w := newWorld(t)
		if effect, err := w.set(managed.Pushed, c.values...); err != nil || effect != c.want {
			t.Errorf("%v: %v, %v, want %v", c.values, effect, err, c.want)
		}
	}
	if s, ok := mo.Find(mo.Switch); !ok || s.Effect != mo.Open {
		t.Errorf("the switch: %+v", s)
	}
}

// TestNothingChanges is S9: what holds already is not told again.
func TestNothingChanges(t *testing.T) {
	w := newWorld(t)
	for range 2 {
		if effect, err := w.set(managed.Pushed, "session.poll", "1200s", "account.server", "https://sync.example.org/ds"); err != nil || effect != mo.None || w.told() {
			t.Error(effect, err)
		}
	}
	if _, err := w.Reload(); err != nil || w.told() {
		t.Error(err)
	}
}

// TestMistakesChangeNothing: on whatever road they come, all of it is refused, with the reason.
func TestMistakesChangeNothing(t *testing.T) {
	w := newWorld(t)
	for _, values := range [][]string{
		{"log.level", "debug", "session.poll", "soon"}, {"nothing", "1"}, {mo.Locked, "log.level nothing"}, {"account.server", "ftp://x"},
		{"log.level", "debug", "store.contacts.filter", "nonsense:"},
	} {
		if _, err := w.set(managed.Pushed, values...); err == nil || w.told() {
			t.Errorf("%v: accepted", values)
		}
	}
	w.write("device = ")
	if _, err := w.Reload(); err == nil || w.told() {
		t.Error("the file was accepted")
	}
	w.write(file)
	w.holds("log.level", "info", managed.Default)
}

// TestTheDeviceComesBack is S10: new ways to the server that do not prove themselves are taken back, also after restarts, and whoever set them.
func TestTheDeviceComesBack(t *testing.T) {
	const wrong = "https://wrong.example.org/ds"
	for _, by := range []managed.Origin{managed.Pushed, managed.User, managed.File} {
		t.Run(string(by), func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.set(managed.Pushed, "account.user", "ben"); err != nil {
				t.Fatal(err)
			}
			if err := w.Proven(0); err != nil {
				t.Fatal(err)
			}
			if _, ok := w.OnProbation(); !ok {
				t.Error("what was there before has proved what came since")
			}
			if err := w.Proven(1); err != nil {
				t.Fatal(err)
			}
			w.spoil(by, wrong)
			w.holds("account.server", wrong, by)
			if until, ok := w.OnProbation(); !ok || !until.Equal(w.now.Add(time.Minute)) {
				t.Errorf("on probation until %v %v", until, ok)
			}
			if _, err := w.set(managed.User, "push.broker", "mqtt://wrong.example.org"); err != nil { // another change does not make it better
				t.Fatal(err)
			}
			w.told()
			if err := w.Return("no answer from wrong.example.org"); err != nil || !w.told() {
				t.Fatal(err)
			}
			report := w.Report()
			if len(report) != 2 || report["account.server"] != "no answer from wrong.example.org" || !strings.HasSuffix(w.reason(), report["push.broker"]) {
				t.Errorf("%q, %q", report, w.reason())
			}
			origin := managed.File
			if by == managed.File {
				origin = managed.Back
			}
			w.holds("account.server", "https://sync.example.org/ds", origin)
			if c := w.Config(); c.Account.User != "ben" || c.Push.Broker != "" {
				t.Errorf("%+v", c)
			}
			if _, ok := w.OnProbation(); ok {
				t.Error("still on probation")
			}
			for key := range report {
				if err := w.Reported(key); err != nil {
					t.Error(err)
				}
			}
			if w.restart(); len(w.Report()) != 0 {
				t.Error(w.Report())
			}
		})
	}
}

// spoil sets a wrong server.
func (w *world) spoil(by managed.Origin, server string) {
	w.t.Helper()
	var effect mo.Effect
	var err error
	if by == managed.File {
		w.write(strings.Replace(file, "https://sync.example.org/ds", server, 1))
		effect, err = w.Reload()
	} else {
		effect, err = w.set(by, "account.server", server)
	}
	if err != nil || effect != mo.Restart {
		w.t.Fatal(effect, err)
	}
}

// TestTheTreeChangesSettings: a push reads and replaces settings, what does not fit is refused with its status, and an Atomic is one change.
func TestTheTreeChangesSettings(t *testing.T) {
	w := newWorld(t)
	schema := ddf.NewSchema()
	if err := schema.Add(nil, mo.Description()); err != nil {
		t.Fatal(err)
	}
	m := w.tree(schema)
	for _, c := range []struct {
		uri, value string
		want       ds.Status
	}{
		{"./Vendor/AlwaysOn/Log/Level", "debug", ds.StatusOK},
		{"./DS/1/AlwaysOn/RetryMax", "90", ds.StatusOK},
		{"./DS/1/DB/contacts/Filter", "name:ana", ds.StatusOK},
		{"./NAP/1/Addr", "eth* !wwan*", ds.StatusOK},
		{"./NAP/1/Addr", "eth[", ds.StatusFailed},
		{"./Vendor/AlwaysOn/Log/Level", "loud", ds.StatusMediaType},
		{"./DS/1/AlwaysOn/RetryMax", "x", ds.StatusMediaType},
		{"./DS/1/DB/contacts/Filter", "nonsense:", ds.StatusFailed},
		{"./DS/1/DB/mail/Filter", "", ds.StatusNotFound},
		{"./DS/1/Nothing", "", ds.StatusNotFound},
	} {
		err := replace(t, m, "srv", c.uri, c.value, w.now)
		if got := dm.StatusOf(err); got != c.want {
			t.Errorf("%s = %q: %v (%v), want %v", c.uri, c.value, got, err, c.want)
		}
	}
	if got := dm.StatusOf(replace(t, m, "somebody", "./Vendor/AlwaysOn/Log/Level", "info", w.now)); got != ds.StatusPermission {
		t.Errorf("somebody: %v", got)
	}
	w.holds("log.level", "debug", managed.Pushed)
	w.holds("session.max_pause", "1m30s", managed.Pushed)
	w.holds("store.contacts.filter", "name:ana", managed.Pushed)
	w.holds("network.allowed", "eth* !wwan*", managed.Pushed)
}

// tree is the management tree over the settings, in which srv may change them.
func (w *world) tree(schema *ddf.Schema) *tree.Tree {
	w.t.Helper()
	m, err := tree.Open(schema, tree.Memory{}, w.Objects())
	if err != nil {
		w.t.Fatal(err)
	}
	if err := m.Provision(mo.Rights("srv"), w.now); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// TestWhatIsDeletedIsAsTheDeviceSays: a Delete takes back what the administrator has set, together with other changes or not at all, and not what the user
// has set since; the node stays.
func TestWhatIsDeletedIsAsTheDeviceSays(t *testing.T) {
	w := newWorld(t)
	schema := ddf.NewSchema()
	if err := schema.Add(nil, mo.Description()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.set(managed.Pushed, "session.poll", "5m", "log.level", "debug", "push.prefix", "p", mo.Locked, "push.prefix"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.set(managed.User, "log.level", "warn"); err != nil {
		t.Fatal(err)
	}
	m := w.tree(schema)
	change(t, m, w.now, func(x *tree.Tx) error {
		return errors.Join(x.Delete(uri("./Vendor/AlwaysOn/Session/Poll")), x.Delete(uri("./Vendor/AlwaysOn/Log/Level")), x.Delete(uri("./DS/1/AlwaysOn/PushTopic")),
			x.Delete(uri("./Vendor/AlwaysOn/Locked")), x.Replace(uri("./Vendor/AlwaysOn/Brake/Count"), dm.Value{Data: []byte("7")}))
	}, ds.StatusOK)
	change(t, m, w.now, func(x *tree.Tx) error { return x.Delete(uri("./DS/1/AppAddr/1/Addr")) }, ds.StatusOK) // nobody had set it
	change(t, m, w.now, func(x *tree.Tx) error {
		return x.Replace(uri("./Vendor/AlwaysOn/Session/Probe"), dm.Value{Data: []byte("50s")}) // the nodes are there still
	}, ds.StatusOK)
	change(t, m, w.now, func(x *tree.Tx) error { return x.Delete(uri("./DS/1/AppAddr/1")) }, ds.StatusNotAllowed)
	w.holds("session.poll", "20m", managed.File)
	w.holds("log.level", "warn", managed.User)
	w.holds("push.prefix", "alwayson", managed.Default)
	w.holds("brake.count", "7", managed.Pushed)
	w.holds("session.probe", "50s", managed.Pushed)
	if w.Locked("push.prefix") {
		t.Error("it is locked still")
	}
}

func uri(text string) dm.URI {
	u, err := dm.ParseURI(text)
	if err != nil {
		panic(err)
	}
	return u
}

// change is what srv does at once.
func change(t *testing.T, m *tree.Tree, now time.Time, do func(*tree.Tx) error, want ds.Status) {
	t.Helper()
	x, err := m.Begin("srv", now)
	if err != nil {
		t.Fatal(err)
	}
	if err = do(x); err == nil {
		err = x.Commit()
	}
	if got := dm.StatusOf(err); got != want {
		t.Errorf("%v (%v), want %v", got, err, want)
	}
}

func replace(t *testing.T, m *tree.Tree, server, at, value string, now time.Time) error {
	t.Helper()
	x, err := m.Begin(server, now)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Replace(uri(at), dm.Value{Data: []byte(value)}); err != nil {
		return err
	}
	return x.Commit()
}
