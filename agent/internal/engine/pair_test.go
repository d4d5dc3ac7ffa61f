package engine_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent/internal/history"
	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/badgerkv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/agent/internal/state"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/maildir"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// server is a Data Sync Server over HTTP on loopback.
func server(t testing.TB) (url string, store *sqlstore.Store) {
	t.Helper()
	return serverWith(t, reconcile.Brake{})
}

func serverWith(t testing.TB, brake reconcile.Brake) (url string, store *sqlstore.Store) {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "server.db"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(dsserver.New(dsserver.Options{Store: store, Datastores: dsserver.DefaultDatastores(), Brake: brake}))
	t.Cleanup(func() {
		s.Close()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return s.URL, store
}

// device has real folders and a real state.
type device struct {
	t       testing.TB
	dir     string
	client  *dsclient.Client
	stores  []*replica.Replica
	session string
}

func newDevice(t testing.TB, url string, store *sqlstore.Store, id string, enc syncml.Encoding) *device {
	t.Helper()
	return newDeviceWith(t, url, store, id, enc, func(kv.Store) replica.Safety { return replica.Safety{} })
}

func newDeviceWith(t testing.TB, url string, store *sqlstore.Store, id string, enc syncml.Encoding, safety func(kv.Store) replica.Safety) *device {
	t.Helper()
	err := store.Update(t.Context(), func(tx dsstore.Tx) error {
		return tx.PutDevice(dsstore.Device{ID: id, User: "ana", Credential: syncml.Credential("ana", "secret")})
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, dir: t.TempDir()}
	d.client = &dsclient.Client{Transport: &dsclient.HTTP{Client: &http.Client{Timeout: time.Minute}}, URL: url, DeviceID: id,
		User: "ana", Secret: "secret", Encoding: enc}
	db, err := badgerkv.Open(badgerkv.Options{Dir: filepath.Join(t.TempDir(), "state")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, kind := range kinds {
		dir := filepath.Join(d.dir, string(kind))
		store, err := createStore(dir, kind)
		if err != nil {
			t.Fatal(err)
		}
		r, err := replica.OpenSafe(t.Context(), string(kind), string(kind), store, openItems(t, db, string(kind)), safety(db))
		if err != nil {
			t.Fatal(err)
		}
		d.stores = append(d.stores, r)
	}
	return d
}

var kinds = []pim.Kind{pim.Contacts, pim.Calendar, pim.Mail}

func createStore(dir string, kind pim.Kind) (pim.Store, error) {
	if kind == pim.Mail {
		return maildir.New(dir), maildir.Create(dir)
	}
	return vdir.New(dir, kind), vdir.Create(dir)
}

// sync looks at all stores and makes one exchange.
func (d *device) sync() dsclient.Report {
	d.t.Helper()
	req := dsclient.Request{Purpose: dsclient.Open, Session: d.session}
	if d.session != "" {
		req.Purpose = dsclient.Sync
	}
	for _, r := range d.stores {
		if _, err := r.Look(d.t.Context(), pim.Hint{}); err != nil {
			d.t.Fatal(err)
		}
		req.Stores = append(req.Stores, dsclient.StoreRequest{Store: r})
	}
	report, err := d.client.Run(d.t.Context(), req)
	if err != nil {
		d.t.Fatal(err)
	}
	d.session, d.client.Nonce = report.Session, report.NextNonce
	return report
}

// contents are the bytes of all files, sorted.
func (d *device) contents() []string {
	d.t.Helper()
	var out []string
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		rel, _ := filepath.Rel(d.dir, filepath.Dir(path))
		out = append(out, rel+": "+string(body))
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// TestRealFilesArriveToTheByte sends every real card, calendar and message of the corpus, broken ones included, to another device, in both
// encodings.
func TestRealFilesArriveToTheByte(t *testing.T) {
	corpus := pimtest.Shared(t, "corpus")
	for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
		t.Run(enc.String(), func(t *testing.T) {
			url, store := server(t)
			a, b := newDevice(t, url, store, "a", enc), newDevice(t, url, store, "b", enc)
			a.fill(filepath.Join(corpus, "vcard"), pim.Contacts, ".vcf")
			a.fill(filepath.Join(corpus, "icalendar"), pim.Calendar, ".ics")
			a.fill(filepath.Join(corpus, "email"), "mail/new", ".eml")
			a.sync()
			b.sync()
			if n := len(a.contents()); n < 900 {
				t.Errorf("only %d files", n)
			}
			if d := cmp.Diff(a.contents(), b.contents()); d != "" {
				t.Errorf("the devices differ:\n%.2000s", d)
			}
			a.trips(1)
			b.trips(1)
		})
	}
}

// trips checks that a further exchange finds nothing to do and is so many round trips.
func (d *device) trips(want int) {
	d.t.Helper()
	r := d.sync()
	for _, s := range r.Stores {
		if s.Sent+s.Received+s.Failed != 0 {
			d.t.Errorf("%s: a second sync of %s did something: %+v", d.client.DeviceID, s.Name, s)
		}
	}
	if r.RoundTrips != want {
		d.t.Errorf("%d round trips, want %d", r.RoundTrips, want)
	}
}

// fill copies real files into a store, each under a name of its own.
func (d *device) fill(from string, kind pim.Kind, ext string) {
	d.t.Helper()
	n := 0
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		n++
		name := fmt.Sprintf("%03d-%s%s", n, strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), ext)
		if kind == "mail/new" {
			name = strings.ReplaceAll(name, ":", "_") // in a Maildir it begins the flags
		}
		return os.WriteFile(filepath.Join(d.dir, string(kind), name), body, 0o600)
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// BenchmarkFirstSync syncs 10,000 contacts up and down, without and with what keeps them safe: brake, history and the reserve of the disk, which may
// cost 15 %. As much is left of the machine's noise as -count says; the least of each is to be compared.
func BenchmarkFirstSync(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		firstSync(b, func(kv.Store) replica.Safety { return replica.Safety{} }, reconcile.Brake{})
	})
	b.Run("safe", func(b *testing.B) {
		firstSync(b, func(db kv.Store) replica.Safety {
			dir := b.TempDir()
			book, err := history.Open(db, filepath.Join(dir, "history"))
			if err != nil {
				b.Fatal(err)
			}
			return replica.Safety{Brake: reconcile.DefaultBrake, History: book, Dir: dir, Reserve: replica.DefaultReserve}
		}, reconcile.DefaultBrake)
	})
}

func firstSync(b *testing.B, safety func(kv.Store) replica.Safety, brake reconcile.Brake) {
	const n = 10_000
	for b.Loop() {
		b.StopTimer()
		url, store := serverWith(b, brake)
		up, down := newDeviceWith(b, url, store, "up", syncml.WBXML, safety), newDeviceWith(b, url, store, "down", syncml.WBXML, safety)
		for i := range n {
			body := fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:uid-%d\r\nN:Last%d;First\r\nFN:First Last%d\r\nNOTE:%s\r\nEND:VCARD\r\n", i, i, i, strings.Repeat("word ", 90))
			if err := os.WriteFile(filepath.Join(up.dir, "contacts", fmt.Sprint(i, ".vcf")), []byte(body), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		step := func(name string, fn func()) {
			start := time.Now()
			fn()
			b.ReportMetric(time.Since(start).Seconds(), name)
		}
		step("look-s", func() {
			for _, r := range up.stores {
				if _, err := r.Look(b.Context(), pim.Hint{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		step("up-s", func() { up.sync() })
		step("down-s", func() { down.sync() })
		step("quiet-s", func() { down.sync() })
		step("quiet-without-scan-s", func() {
			up.stores = up.stores[:1]
			if _, err := up.client.Run(b.Context(), dsclient.Request{Session: up.session, Stores: []dsclient.StoreRequest{{Store: up.stores[0]}}}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func openItems(t testing.TB, db kv.Store, store string) *state.Items {
	t.Helper()
	x, err := state.OpenItems(db, store)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
