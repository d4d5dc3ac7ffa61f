package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// tap passes messages on to a server and keeps what devices say.
type tap struct {
	*httptest.Server
	mu   sync.Mutex
	said []*syncml.Message
}

func newTap(t *testing.T, server string) *tap {
	p := &tap{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if m, err := syncml.Decode(body, syncml.WBXML); err == nil {
			p.mu.Lock()
			p.said = append(p.said, m)
			p.mu.Unlock()
		}
		res, err := http.Post(server, r.Header.Get("Content-Type"), bytes.NewReader(body))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer res.Body.Close()
		w.Header().Set("Content-Type", res.Header.Get("Content-Type"))
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body) //nolint:errcheck // who has gone needs no answer
	}))
	t.Cleanup(p.Close)
	return p
}

// messages are those of devices so far.
func (p *tap) messages() []*syncml.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*syncml.Message(nil), p.said...)
}

// everyKind is one item of each kind (G4).
var everyKind = []struct {
	kind pim.Kind
	file string
	body string
}{
	{pim.Contacts, "ana.vcf", card("u1", "Ana")},
	{pim.Calendar, "e.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e1\r\nSUMMARY:Lunch\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"},
	{pim.Tasks, "t.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t1\r\nSUMMARY:Do\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"},
	{pim.Notes, "n.txt", "remember\n"},
	{pim.Mail, "cur/1.x:2,S", "Message-ID: <m1@x>\r\nSubject: hello\r\n\r\nHello\r\n"},
}

// TestTheNormalFlow is the first synchronization, step by step: N1 to N7, N9, G3, G4, G7 and T8. The server has one of the items already.
func TestTheNormalFlow(t *testing.T) {
	s, err := site.Start(t.Context(), site.Options{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	if err := site.PutUser(t.Context(), s.Store(), "ana", "", false); err != nil {
		t.Fatal(err)
	}
	secret, err := site.Enrol(t.Context(), s.Store(), "ana", "d")
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "known", everyKind[0].body)
	p, d := newTap(t, s.URL()), newDevice(t)
	d.o.Secret, d.o.Stores = secret, nil
	for _, k := range everyKind {
		dir := filepath.Join(t.TempDir(), string(k.kind))
		for _, sub := range []string{"", "cur", "new", "tmp"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil && k.kind == pim.Mail {
				t.Fatal(err)
			}
			if k.kind != pim.Mail {
				break
			}
		}
		if err := os.WriteFile(filepath.Join(dir, k.file), []byte(k.body), 0o600); err != nil {
			t.Fatal(err)
		}
		d.o.Stores = append(d.o.Stores, agent.Store{Name: string(k.kind), Kind: k.kind, Dir: dir})
	}
	d.start(p.URL) // G7: configured, and nothing else
	d.on()
	st, err := d.c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.Session == nil || st.State != "idle" || st.Running != "" || st.Advice != "" { // N9, G3
		t.Errorf("%+v", st)
	}
	checkInit(t, p.messages())
	checkServer(t, s, &st)
	n := len(p.messages())
	d.fence()
	for _, m := range p.messages()[n:] { // N4, T8: the next one is incremental, in the same session
		for _, c := range m.Commands {
			if a, ok := c.(*syncml.Alert); ok && a.Code != ds.AlertTwoWay {
				t.Errorf("the second sync asks for %d", a.Code)
			}
		}
	}
	if again, err := d.c.Status(t.Context()); err != nil || again.Session.ID != st.Session.ID {
		t.Errorf("session %+v, was %s: %v", again.Session, st.Session.ID, err)
	}
}

// checkInit: device information both ways and one Alert for each datastore in one package (N2, N3), then all data of the device (N5).
func checkInit(t *testing.T, said []*syncml.Message) {
	t.Helper()
	alerts, gets, puts, adds := 0, 0, 0, 0
	for i, m := range said {
		for _, c := range m.Commands {
			switch c := c.(type) {
			case *syncml.Put:
				puts++
			case *syncml.Get:
				gets++
			case *syncml.Alert:
				if alerts++; c.Code != ds.AlertSlow {
					t.Errorf("message %d asks for %d", i, c.Code)
				}
			case *syncml.Sync:
				adds += len(c.Commands)
			}
		}
		if i == 0 && (alerts != len(everyKind) || adds != 0) && gets > 0 {
			t.Errorf("the first package has %d alerts and %d items", alerts, adds)
		}
	}
	if puts == 0 || gets == 0 || adds != len(everyKind) {
		t.Errorf("%d Put, %d Get, %d items", puts, gets, adds)
	}
}

// checkServer: the same session (N4), the device's information (N2), no doubles (N6), and a map for each item (N7).
func checkServer(t *testing.T, s *site.Site, st *control.Status) {
	t.Helper()
	if st.ServerDevInf == "" {
		t.Error("the device does not know what the server is")
	}
	err := s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		d, err := tx.Device("d")
		if err != nil || len(d.DevInf) == 0 {
			t.Errorf("the server does not know what the device is: %v", err)
		}
		l, err := tx.Session(st.Session.ID)
		if err != nil || !l.Open(time.Now()) || l.Device != "d" {
			t.Errorf("session on the server: %+v %v", l, err)
		}
		for _, k := range everyKind {
			c := dsstore.Collection{User: "ana", Store: string(k.kind)}
			list, err := tx.List(c)
			if err != nil || len(list) != 1 {
				t.Errorf("%s: %d items on the server, %v", k.kind, len(list), err)
				continue
			}
			if m, err := tx.ByGUID("d", c, list[0].GUID); err != nil || m.LUID == "" {
				t.Errorf("%s: no map, %v", k.kind, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestTheSwitch is T2, T6 and T7: on and off again and again is one thing, it outlives a restart, and off works without the server, which learns
// of it later.
func TestTheSwitch(t *testing.T) {
	s, d := newEndpoint(t), newDevice(t)
	d.start(s.http.URL)
	first := d.on()
	if second := d.on(); second.Session.ID != first.Session.ID { // T2, T6
		t.Errorf("switching on twice: session %s, was %s", second.Session.ID, first.Session.ID)
	}
	d.stop()
	d.start(s.http.URL)
	if st := d.until("on after a restart", idle); !st.AlwaysOn || st.Session.ID != first.Session.ID {
		t.Errorf("%+v", st)
	}
	s.http.Close()
	for range 2 {
		if _, err := d.c.Off(t.Context()); err != nil { // T7
			t.Fatal(err)
		}
	}
	d.until("off", func(s control.Status) bool { return s.State == "off" && s.Running == "" && s.Session == nil })
	if l := s.session(); l.Ending != "" {
		t.Errorf("the server knows already: %+v", l)
	}
	s.start()
	d.stop()
	d.start(s.http.URL)
	if st, err := d.c.Status(t.Context()); err != nil || st.AlwaysOn {
		t.Errorf("on again after a restart: %+v %v", st, err)
	}
	if st := d.on(); st.Session.ID == first.Session.ID {
		t.Error("the closed session goes on")
	}
	if l := s.session(); l.ID == first.Session.ID || l.Ending != "" {
		t.Errorf("%+v", l)
	}
}

// TestDefaultFilters is M1: a filter of the configuration is in use from the first sync, one that the user sets outlives a restart, and a change in the
// configuration file is a wish like any other (S6).
func TestDefaultFilters(t *testing.T) {
	s, d := pushedWith(t, func(o *agent.Options) { o.Stores[0].Filter = "name:ana" })
	for _, n := range []string{"Ana", "Ben", "Carla"} {
		put(t, s, n, card("u-"+n, n))
	}
	d.has("Ana")
	d.filter("name:ben")
	d.has("Ben")
	for _, c := range []struct {
		configured string
		want       []string
	}{{"name:ana", []string{"Ben"}}, {"name:carla", []string{"Carla"}}} {
		d.stop()
		d.o.Stores[0].Filter = c.configured
		d.start(d.o.Server)
		d.has(c.want...)
	}
}

// TestAnAbbreviatedSessionBringsMaps is F9 and F11: the server cannot call the device, so it notifies it; items that a wider filter brings get their
// map in the same session, though the change request speaks of return codes only.
func TestAnAbbreviatedSessionBringsMaps(t *testing.T) {
	s, d := people(t)
	for _, f := range []string{"name:ana", ""} {
		if _, err := site.SetFilter(t.Context(), s.Store(), "@admin", "d", "contacts", f, false); err != nil {
			t.Fatal(err)
		}
		d.has(map[string][]string{"name:ana": {"Ana"}, "": {"Ana", "Ben", "Carla"}}[f]...)
	}
	d.until("nothing left", idle)
	last := d.last()
	if last.Cause != "server trigger" || last.Stores[0].Alert != int(ds.AlertOneWayFromServer) || last.Stores[0].Received != 2 {
		t.Errorf("%+v", last)
	}
	luids := map[string]bool{}
	err := s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		for _, guid := range []string{"Ana", "Ben", "Carla"} {
			m, err := tx.ByGUID("d", dsstore.Collection{User: "ana", Store: "contacts"}, guid)
			if err != nil {
				return fmt.Errorf("%s: %w", guid, err)
			}
			luids[m.LUID] = true
		}
		return nil
	})
	if err != nil || len(luids) != 3 || cmp.Equal(luids, map[string]bool{"": true}) {
		t.Errorf("%v %v", luids, err)
	}
}
