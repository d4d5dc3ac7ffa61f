package dsserver_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// TestAHostileDeviceSeesItsUserOnly: a device that knows the ids of another user's items can neither read nor change them, by whatever command.
func TestAHostileDeviceSeesItsUserOnly(t *testing.T) {
	w := newWorld(t)
	for _, store := range []string{"contacts", "mail"} {
		c := dsstore.Collection{User: "victim", Store: store}
		it := pim.Item{Type: pim.TypeVCard, Body: []byte(contact("Secret", ""))}
		if store == "mail" {
			it = pim.Item{Type: pim.TypeMessage, Folder: "Private", Body: []byte(message("secret"))}
		}
		if _, err := w.server.Put(t.Context(), c, "theirs-"+store, it); err != nil {
			t.Fatal(err)
		}
	}
	before := w.everything("victim")
	s := w.stranger()
	var said strings.Builder
	for _, store := range []string{"contacts", "mail"} {
		guid := "theirs-" + store
		s.sync(store, nil)
		s.session, s.msg = s.session+1, 0
		s.send(true, &syncml.Alert{ID: "1", Code: ds.AlertTwoWay, Items: []syncml.Item{{Target: &syncml.Location{URI: store}, Source: &syncml.Location{URI: "./" + store},
			Meta: syncml.Meta{Anchor: &ds.Anchors{Last: fmt.Sprint(s.anchor), Next: fmt.Sprint(s.anchor + 1)}}}}})
		s.anchor++
		change := func(op syncml.Op, id string) *syncml.Change {
			return &syncml.Change{Op: op, ID: id, Meta: syncml.Meta{Type: "text/vcard"}, Items: []syncml.Item{{Source: &syncml.Location{URI: guid}, Target: &syncml.Location{URI: guid},
				TargetParent: guid, SourceParent: guid, Data: &syncml.Data{Bytes: []byte("BEGIN:VCARD\r\nEND:VCARD\r\n")}}}}
		}
		answer := s.send(true,
			&syncml.Map{ID: "1", Target: syncml.Location{URI: store}, Source: syncml.Location{URI: "./" + store}, Items: []syncml.MapItem{{Target: guid, Source: guid}}},
			&syncml.Get{ID: "2", Items: []syncml.Item{{Target: &syncml.Location{URI: "./x-alwayson/digest/" + store + "/"}}, {Target: &syncml.Location{URI: guid}}}},
			&syncml.Sync{ID: "3", Target: syncml.Location{URI: store}, Source: syncml.Location{URI: "./" + store}, NumberOfChanges: -1, Commands: []syncml.Command{
				change(syncml.OpReplace, "4"), change(syncml.OpMove, "5"), change(syncml.OpCopy, "6"), change(syncml.OpDelete, "7")}})
		body, err := syncml.Encode(answer, syncml.XML)
		if err != nil {
			t.Fatal(err)
		}
		said.Write(body)
	}
	if strings.Contains(strings.ToLower(said.String()), "secret") {
		t.Errorf("the server says what is none of the device's business: %s", said.String())
	}
	if d := cmp.Diff(before, w.everything("victim")); d != "" {
		t.Errorf("the other user's items were changed (-before +after):\n%s", d)
	}
}

// everything is what a user has.
func (w *world) everything(user string) (out []dsstore.Item) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) error {
		for _, store := range []string{"contacts", "mail"} {
			list, err := tx.List(dsstore.Collection{User: user, Store: store})
			if err != nil {
				return err
			}
			out = append(out, list...)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestAServerThatGoesOnWithoutEnd: the exchange fails as if the link were bad, and the pauses of a bad link follow.
func TestAServerThatGoesOnWithoutEnd(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	a.mem.put("1", contact("Ana", ""))
	endless := &endlessServer{t: t}
	a.client.Transport = endless
	var link *dsclient.TransportError
	if _, err := a.run(dsclient.Open, 0); !errors.As(err, &link) || endless.messages > 20 {
		t.Errorf("after %d messages: %v", endless.messages, err)
	}
}

// endlessServer takes every message, says nothing, and is never done.
type endlessServer struct {
	t        *testing.T
	messages int
}

func (e *endlessServer) RoundTrip(_ context.Context, _ string, body []byte, enc syncml.Encoding) ([]byte, error) {
	if e.messages++; e.messages > 1000 {
		e.t.Fatal("the client goes on without end, too")
	}
	m, err := syncml.Decode(body, enc)
	if err != nil {
		return nil, err
	}
	return syncml.Encode(&syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: m.Header.SessionID, MsgID: m.Header.MsgID,
		Target: m.Header.Source, Source: m.Header.Target},
		Commands: []syncml.Command{&syncml.Status{ID: "1", MsgRef: m.Header.MsgID, CmdRef: "0", Cmd: "SyncHdr", Code: ds.StatusAuthenticated}}}, enc)
}

// TestADeviceCannotStallTheServer: whatever a device sends at once, in one exchange or in many, it gets a few of the places; the rest are sent back at
// once, and others are served meanwhile.
func TestADeviceCannotStallTheServer(t *testing.T) {
	w := newWorld(t)
	w.device("hostile")
	good := w.device("good")
	good.mem.put("1", contact("Ana", ""))
	store := w.slow(time.Hour)
	var flood sync.WaitGroup
	refused := make(chan error, 1000)
	for i := range 200 {
		body := greeting(t, "hostile", fmt.Sprint(i%20))
		flood.Go(func() {
			if _, err := w.server.Handle(t.Context(), body, syncml.XML); err != nil {
				refused <- err
			}
		})
	}
	for range 196 {
		if err := <-refused; !errors.Is(err, dsserver.ErrOverloaded) {
			t.Fatalf("%v, want that there are too many", err)
		}
	}
	store.open()
	if r, err := good.run(dsclient.Open, 0); err != nil || r.RoundTrips == 0 {
		t.Error("a device that does as it should is not served:", err)
	}
	flood.Wait()
}

// TestStrangersAreBounded: anybody can begin exchanges in the name of any device. They are few in memory, and end nothing of those that run.
func TestStrangersAreBounded(t *testing.T) {
	w := newWorld(t)
	a := w.device("a")
	a.mem.put("1", contact("Ana", ""))
	beside := &besideTransport{device: a, do: func() {
		for i := range 20 {
			if _, err := w.server.Handle(t.Context(), greeting(t, "a", fmt.Sprint("x", i)), syncml.XML); err != nil {
				t.Fatal(err)
			}
		}
	}}
	a.client.Transport = beside
	for _, purpose := range []dsclient.Purpose{dsclient.Open, dsclient.Sync} {
		if _, err := a.run(purpose, 0); err != nil {
			t.Errorf("strangers have disturbed the device: %v", err)
		}
	}
	if beside.times < 3 {
		t.Errorf("strangers came %d times", beside.times)
	}
	before := memory()
	for i := range 4_000 {
		if _, err := w.server.Handle(t.Context(), greeting(t, fmt.Sprint("nobody", i), "1"), syncml.XML); err != nil {
			t.Fatal(err)
		}
	}
	if grown := memory() - before; grown > 8<<20 {
		t.Errorf("4,000 strangers take %d MB", grown>>20)
	}
}

// besideTransport lets strangers talk to the server before each message of a device.
type besideTransport struct {
	*device
	do    func()
	times int
}

func (b *besideTransport) RoundTrip(ctx context.Context, url string, body []byte, enc syncml.Encoding) ([]byte, error) {
	b.times++
	b.do()
	return b.device.RoundTrip(ctx, url, body, enc)
}

// greeting is a first message of somebody who knows no secret.
func greeting(t *testing.T, device, session string) []byte {
	t.Helper()
	body, err := syncml.Encode(&syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: session, MsgID: "1",
		Target: syncml.Location{URI: "http://server/ds"}, Source: syncml.Location{URI: device}, Cred: syncml.MD5Cred("ana", "guessed", "")},
		Commands: []syncml.Command{&syncml.Alert{ID: "1", Code: ds.AlertTwoWay, Items: []syncml.Item{{Target: &syncml.Location{URI: "contacts"},
			Source: &syncml.Location{URI: "./contacts"}, Meta: syncml.Meta{Anchor: &ds.Anchors{Next: "1"}}}}}}, Final: true}, syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// memory is what the process holds.
func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
