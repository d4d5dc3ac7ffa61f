package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/session"
	"github.com/alwayson-sync/alwayson/pim"
)

// world is one device at a site, with lines between them that can be cut, and what both shall hold in the end.
type world struct {
	t      testing.TB
	house  *house
	user   string
	ds     *messages
	broker *stream
	o      agent.Options
	agent  *agent.Agent
	c      *control.Client
	dir    string
	hints  chan string // of the network, to the agent
	want   map[string]string
}

// house is a site that can be restarted.
type house struct {
	t    testing.TB
	o    site.Options
	site *site.Site
}

// newHouse starts one with a broker of its own, or with the one at that URL.
func newHouse(t testing.TB, broker string) *house {
	h := &house{t: t, o: site.Options{DataDir: t.TempDir(), Broker: broker}}
	h.open()
	t.Cleanup(func() { h.close() })
	return h
}

func (h *house) open() {
	s, err := site.Start(h.t.Context(), h.o)
	if err != nil {
		h.t.Error(err)
		return
	}
	h.site = s
}

func (h *house) close() {
	if err := h.site.Close(); err != nil {
		h.t.Error(err)
	}
}

// newWorld is a device that is switched on and in sync, with some items of either side.
func newWorld(t testing.TB, h *house, c session.Config) *world {
	t.Helper()
	base := t.TempDir()
	device := fmt.Sprintf("d%d", devices.Add(1))
	w := &world{t: t, house: h, user: "owner-of-" + device, ds: newMessages(t), broker: newStream(t), dir: t.TempDir(),
		hints: make(chan string), want: make(map[string]string)}
	w.aim()
	w.check(site.PutUser(t.Context(), h.site.Store(), w.user, "", false))
	secret, err := site.Enrol(t.Context(), h.site.Store(), w.user, device)
	w.check(err)
	w.o = agent.Options{StateDir: filepath.Join(base, "state"), Socket: filepath.Join(base, "s"), Server: w.ds.URL + "/ds", DeviceID: device,
		User: w.user, Secret: secret, Version: "test", MaxMsgSize: message, Session: c, Link: w.link,
		Stores: []agent.Store{{Name: "contacts", Kind: pim.Contacts, Dir: w.dir}},
		Push:   agent.Push{Broker: w.broker.url(), Prefix: "alwayson", User: device, MinPause: 5 * time.Millisecond, MaxPause: 50 * time.Millisecond}}
	w.c = control.Dial(w.o.Socket)
	t.Cleanup(w.c.Close)
	for i := range 4 {
		w.edit(fmt.Sprint("b", i))
		w.serve(fmt.Sprint("c", i))
	}
	w.start()
	t.Cleanup(w.stop)
	_, err = w.c.On(t.Context())
	w.check(err)
	w.settles()
	w.until("push connected", func(s control.Status) bool { return s.Push.State == "connected" && quiet(s) })
	w.fence()
	return w
}

func (w *world) aim() {
	w.ds.aim(w.house.site.URL())
	w.broker.aim(w.house.site.BrokerURL())
}

// link is the network as the agent is told of it.
func (w *world) link(ctx context.Context, hint func(string)) {
	for {
		select {
		case reason := <-w.hints:
			hint(reason)
		case <-ctx.Done():
			return
		}
	}
}

func (w *world) start() {
	a, err := agent.Start(w.t.Context(), w.o)
	w.check(err)
	w.agent = a
}

func (w *world) stop() {
	if w.agent != nil {
		w.check(w.agent.Stop())
	}
	w.agent = nil
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// body is a card of so many octets that a message takes a few of them only.
func (w *world) body(name string) string {
	edit := edits.Add(1)
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:%s\r\nFN:%s %d\r\nNOTE:%s\r\nEND:VCARD\r\n", name, name, edit, strings.Repeat("x", message/5))
}

// edit saves an item on the device, as editors do.
func (w *world) edit(name string) {
	w.t.Helper()
	body := w.body(name)
	temp := filepath.Join(w.dir, name+".tmp")
	w.check(os.WriteFile(temp, []byte(body), 0o600))
	w.check(os.Rename(temp, filepath.Join(w.dir, name+".vcf")))
	w.want[name+".vcf"] = body
}

func (w *world) remove(name string) {
	w.t.Helper()
	w.check(os.Remove(filepath.Join(w.dir, name+".vcf")))
	delete(w.want, name+".vcf")
}

func (w *world) contacts() dsstore.Collection {
	return dsstore.Collection{User: w.user, Store: "contacts"}
}

// serve puts an item on the server, new or in place of the one that it put there before.
func (w *world) serve(name string) {
	w.t.Helper()
	body := w.body(name)
	_, err := w.house.site.Server().Put(w.t.Context(), w.contacts(), name, pim.Item{Type: pim.TypeVCard, Name: name + ".vcf", Body: []byte(body)})
	w.check(err)
	w.want[name+".vcf"] = body
}

func (w *world) withdraw(name string) {
	w.t.Helper()
	w.check(w.house.site.Server().Remove(w.t.Context(), w.contacts(), name))
	delete(w.want, name+".vcf")
}

func (w *world) view(fn func(dsstore.Tx) error) {
	w.t.Helper()
	w.check(w.house.site.Store().View(w.t.Context(), fn))
}

// onServer is what the server holds. A double shows as a longer body.
func (w *world) onServer() map[string]string {
	w.t.Helper()
	got := make(map[string]string)
	w.view(func(tx dsstore.Tx) error {
		clear(got)
		return dsstore.Each(tx, w.contacts(), func(it dsstore.Item, body []byte) error {
			got[it.Name] += string(body)
			return nil
		})
	})
	return got
}

// onDevice is what lies in the folder.
func (w *world) onDevice() map[string]string {
	w.t.Helper()
	got := make(map[string]string)
	entries, err := os.ReadDir(w.dir)
	w.check(err)
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(w.dir, e.Name()))
		if strings.HasPrefix(e.Name(), ".") || errors.Is(err, fs.ErrNotExist) {
			continue // it was renamed while we looked
		}
		w.check(err)
		got[e.Name()] = string(body)
	}
	return got
}

// until waits for a status.
func (w *world) until(what string, holds func(control.Status) bool) control.Status {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), bound)
	defer cancel()
	var last control.Status
	for s, err := range w.c.Watch(ctx) {
		if err != nil {
			w.t.Fatal(what, err)
		}
		if last = s; holds(s) {
			return s
		}
	}
	last.ServerDevInf = ""
	w.t.Logf("not %s: %+v\ndevice %s", what, last, difference(w.onDevice(), w.want))
	if w.house != nil { // it is another process's where the network is one
		w.t.Logf("server %s", difference(w.onServer(), w.want))
	}
	w.t.FailNow()
	return last
}

// quiet is a device that has nothing to do.
func quiet(s control.Status) bool { return s.InSync() && s.Running == "" }

// settles waits until both sides hold what they shall, and know it.
func (w *world) settles() control.Status {
	w.t.Helper()
	return w.until("equal", func(s control.Status) bool {
		return quiet(s) && maps.Equal(w.onDevice(), w.want) && maps.Equal(w.onServer(), w.want)
	})
}

// fence is an exchange by hand, which must find nothing to do.
func (w *world) fence() {
	w.t.Helper()
	x, err := w.c.Sync(w.t.Context(), true)
	if err != nil || x.Error != "" {
		w.t.Fatal(x.Error, err)
	}
	for _, s := range x.Stores {
		if s.Sent+s.Received+s.Failed != 0 {
			w.t.Errorf("after all was in sync an exchange found something: %+v", x)
		}
	}
}

func (w *world) log() []control.Exchange {
	w.t.Helper()
	list, err := w.c.Log(w.t.Context(), 0)
	w.check(err)
	return list
}

// sessions are those that the server knows of the device, newest first.
func (w *world) sessions() (list []dsstore.Session) {
	w.t.Helper()
	w.view(func(tx dsstore.Tx) (err error) {
		list, err = tx.Sessions(w.o.DeviceID)
		return err
	})
	return list
}

// difference names the items in which got is not want.
func difference(got, want map[string]string) string {
	var out []string
	for name, body := range want {
		if g, ok := got[name]; !ok {
			out = append(out, name+" is missing")
		} else if g != body {
			out = append(out, name+" is another version or double")
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			out = append(out, name+" is too much")
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
