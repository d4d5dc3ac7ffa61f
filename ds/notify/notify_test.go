package notify_test

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/notify"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

type sent struct {
	device  string
	payload []byte
}

// post is a notifier on a real store with two devices of one user, of which only "open" has a session.
type post struct {
	t     *testing.T
	store *sqlstore.Store
	n     *notify.Notifier
	sent  chan sent
	fail  chan error // answers of the road, nil ones if there is none
	rev   int64
}

var contacts = dsstore.Collection{User: "ana", Store: "contacts"}

func newPost(t *testing.T) *post {
	p := &post{t: t, sent: make(chan sent, 100), fail: make(chan error, 1)}
	var err error
	if p.store, err = sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "s.db")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	p.update(func(tx dsstore.Tx) error {
		return errors.Join(
			tx.PutDevice(dsstore.Device{ID: "open", User: "ana", Credential: "cred"}),
			tx.PutDevice(dsstore.Device{ID: "closed", User: "ana", Credential: "cred"}),
			tx.PutSession(dsstore.Session{ID: "L", Device: "open", Opened: now, Renewed: now, Lease: time.Hour}),
			tx.PutLink("open", contacts, dsstore.Link{ClientNext: "1"}),
			tx.PutLink("closed", contacts, dsstore.Link{ClientNext: "1"}))
	})
	p.n = notify.New(notify.Options{Store: p.store, ServerID: "srv", Stores: []notify.Datastore{{URI: "contacts", Kind: pim.Contacts}, {URI: "mail", Kind: pim.Mail}},
		Send: func(_ context.Context, device string, payload []byte) error {
			p.sent <- sent{device, payload}
			select {
			case err := <-p.fail:
				return err
			default:
				return nil
			}
		}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.n.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; p.store.Close() })
	return p
}

func (p *post) update(fn func(dsstore.Tx) error) {
	p.t.Helper()
	if err := p.store.Update(p.t.Context(), fn); err != nil {
		p.t.Fatal(err)
	}
}

// change puts an item on the server.
func (p *post) change(guid string) {
	p.update(func(tx dsstore.Tx) (err error) {
		p.rev, err = tx.PutItem(contacts, dsstore.Item{GUID: guid, Type: "text/vcard", Hash: [32]byte{1}}, []byte("x"))
		return err
	})
	p.n.Changed(contacts, "")
}

// fetch is an exchange in which the device took everything, or nothing.
func (p *post) fetch(guids ...string) {
	p.update(func(tx dsstore.Tx) error {
		for _, g := range guids {
			if err := tx.PutMapping("open", contacts, dsstore.Mapping{GUID: g, LUID: g, Rev: p.rev}); err != nil {
				return err
			}
		}
		return nil
	})
	p.n.Answered("open")
}

func (p *post) expect(what string) sent {
	p.t.Helper()
	select {
	case s := <-p.sent:
		if s.device != "open" {
			p.t.Errorf("%s: %s was notified", what, s.device)
		}
		return s
	case <-time.After(10 * time.Second):
		p.t.Fatalf("%s: nothing was sent", what)
	}
	return sent{}
}

// TestOneNotificationUntilAnswered: coalesced, not repeated, again for what came meanwhile, and never for what the device could not take.
func TestOneNotificationUntilAnswered(t *testing.T) {
	p := newPost(t)
	p.change("1")
	s := p.expect("a change")
	p.change("2") // during the exchange: no second one
	p.fetch("1")
	p.expect("what came during the exchange")
	p.fetch() // it could not take "2", e.g. for a conflict: that must not turn in circles
	p.change("3")
	p.expect("a further change")
	if n := len(p.sent); n != 0 {
		t.Errorf("%d notifications too many", n)
	}
	if got, err := notify.Read(s.payload, "cred", "L"); err != nil || len(got.Syncs) != 1 || got.Syncs[0].URI != "contacts" {
		t.Errorf("%+v, %v", got, err)
	}
	for _, wrong := range [][2]string{{"other", "L"}, {"cred", "former"}} {
		if _, err := notify.Read(s.payload, wrong[0], wrong[1]); !errors.Is(err, notify.ErrNotForUs) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

// TestServersOfDS11Notify: with a SyncML message, which nobody else can have sent (protocol.md F.6).
func TestServersOfDS11Notify(t *testing.T) {
	nonce := base64.StdEncoding.EncodeToString([]byte("L"))
	for _, c := range []struct {
		name string
		cred *syncml.Cred
		want error
	}{
		{"ours", syncml.MD5Cred("ana", "secret", nonce), nil},
		{"of a former session", syncml.MD5Cred("ana", "secret", "Zm9ybWVy"), notify.ErrNotForUs},
		{"of somebody", syncml.MD5Cred("ana", "guess", nonce), notify.ErrNotForUs},
		{"of nobody", nil, notify.ErrNotForUs},
	} {
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			payload, err := syncml.Encode(&syncml.Message{Header: syncml.Header{VerDTD: "1.1", VerProto: "SyncML/1.1", SessionID: "7", MsgID: "1",
				Target: syncml.Location{URI: "/"}, Source: syncml.Location{URI: "server"}, Cred: c.cred}, Final: true,
				Commands: []syncml.Command{&syncml.Alert{ID: "1", Code: ds.AlertTwoWayByServer, Items: []syncml.Item{{
					Source: &syncml.Location{URI: "contacts"}, Meta: syncml.Meta{Type: "text/x-vcard"}}}}}}, enc)
			if err != nil {
				t.Fatal(err)
			}
			got, err := notify.Read(payload, syncml.Credential("ana", "secret"), "L")
			if !errors.Is(err, c.want) || err == nil && (len(got.Syncs) != 1 || got.Syncs[0].URI != "contacts") {
				t.Errorf("%s, %v: %+v, %v", c.name, enc, got, err)
			}
		}
	}
}

// TestALostNotificationIsSentAgain: the broker is never the only one who knows.
func TestALostNotificationIsSentAgain(t *testing.T) {
	p := newPost(t)
	p.fail <- errors.New("no broker")
	p.change("1")
	p.expect("a change")
	p.n.Reconnected()
	p.expect("the broker came back")
}
