package interop

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// options of a pair.
type options struct {
	encoding      string // XML, WBXML
	basic         bool   // authentication; else md5
	wrongPassword bool
	clientMaxMsg  int    // octets the client takes; 0 is its usual size
	serverMaxMsg  int    // likewise, of SyncEvolution's server
	unknownStore  string // the datastore that the client looks for under a wrong name
	resumable     bool   // SyncEvolution's server says that it can resume
	only          []string
	clientProps   []string // of SyncEvolution's client
	deviceSecret  string   // as the server made it; "test" for SyncEvolution's
}

// secret is what the server knows.
func (o options) secret() string {
	if o.deviceSecret != "" {
		return o.deviceSecret
	}
	return "test"
}

// clientSecret is what the client tries.
func (o options) clientSecret() string {
	if o.wrongPassword {
		return "wrong"
	}
	return o.secret()
}

// stores that take part.
func (o options) stores() []string {
	if len(o.only) > 0 {
		return o.only
	}
	return kinds
}

// side is the data of one end.
type side interface {
	put(store, name, body string) // a new item, or a new version of that name
	remove(store, name string)
	items(store string) map[string]string // by name
}

func (h *home) put(store, name, body string) { h.write(store, name, body) }

func (h *home) items(store string) map[string]string { return dirItems(h.t, h.data(store)) }

// outcome is what became of one exchange.
type outcome struct {
	err     error
	changes int    // on both sides
	text    string // what the client says
}

// pair is a client and a server that synchronize through a relay.
type pair struct {
	*testing.T
	o              options
	ours           string // which end is this project's
	device, server side
	client         interface {
		sync(ctx context.Context, stores []string, mode string) outcome
	}
	relay *relay
}

// The pairs.
const (
	ourClientTheirServer = "our client, SyncEvolution server"
	theirClientOurServer = "SyncEvolution client, our server"
)

// newPair starts both ends.
func newPair(t *testing.T, ours string, o options) *pair {
	p := &pair{T: t, o: o, ours: ours}
	if ours == ourClientTheirServer {
		s := newSEServer(t, o)
		p.relay = newRelay(t, s.Port, "/syncevolution")
		c := newOurClient(t, o, p.relay.url())
		p.device, p.client, p.server = c, c, s
		return p
	}
	s := newOurServer(t)
	p.o.deviceSecret = s.secret
	p.relay = newRelay(t, strings.TrimPrefix(strings.TrimSuffix(s.site.URL(), "/ds"), "http://127.0.0.1:"), "/ds")
	c := newSEClient(t, p.o, p.relay.url())
	p.device, p.client, p.server = c, c, s
	return p
}

// sync runs one exchange of all stores that must go well.
func (p *pair) sync(mode string) outcome {
	p.Helper()
	o := p.trySync(mode)
	if o.err != nil {
		p.Fatalf("sync %s: %v\n%s", mode, o.err, o.text)
	}
	return o
}

func (p *pair) trySync(mode string) outcome {
	return p.client.sync(p.Context(), p.o.stores(), mode)
}

// equal says that both sides hold the same, property by property, and that another sync finds nothing to do.
func (p *pair) equal() {
	p.Helper()
	p.same()
	if o := p.sync("two-way"); o.changes != 0 {
		p.Errorf("a second sync changed %d items\n%s", o.changes, o.text)
	}
	p.same()
}

// same says that both sides hold the same.
func (p *pair) same() {
	p.Helper()
	for _, k := range p.o.stores() {
		diff(p, k, p.device.items(k), p.server.items(k))
	}
}

// holds says how many items each side has in a store.
func (p *pair) holds(store string, n int) {
	p.Helper()
	if d, s := len(p.device.items(store)), len(p.server.items(store)); d != n || s != n {
		p.Errorf("%s: the device has %d and the server %d items, want %d", store, d, s, n)
	}
}

// count says how many items the device and the server have.
func (p *pair) count(store string, device, server int) {
	p.Helper()
	if d, s := len(p.device.items(store)), len(p.server.items(store)); d != device || s != server {
		p.Errorf("%s: the device has %d and the server %d items, want %d and %d", store, d, s, device, server)
	}
}

// rich is our side, poor the other.
func (p *pair) rich() side {
	if p.ours == ourClientTheirServer {
		return p.device
	}
	return p.server
}

func (p *pair) poor() side {
	if p.ours == ourClientTheirServer {
		return p.server
	}
	return p.device
}

// survives says that an item is still there, in whatever version.
func (p *pair) survives(store, text string) {
	p.Helper()
	for _, body := range p.device.items(store) {
		if strings.Contains(body, text) {
			return
		}
	}
	p.Errorf("no item of %s has %q any more", store, text)
}

// forget makes the server lose what it knows of the device, but no item.
func (p *pair) forget() {
	p.Helper()
	switch s := p.server.(type) {
	case *seServer:
		s.forget()
	case *ourServer:
		err := s.site.Store().Update(p.Context(), func(tx dsstore.Tx) error {
			return errors.Join(tx.PutLink(deviceID, collection("contacts"), dsstore.Link{}), tx.ClearMappings(deviceID, collection("contacts")))
		})
		if err != nil {
			p.Fatal(err)
		}
	}
}

// resumed lets the link be and says that the next sync goes on where the last one was cut off: n contacts in the end, and none sent twice.
func (p *pair) resumed(n int) {
	p.Helper()
	p.relay.faults(noFault)
	before := len(p.relay.taken())
	p.sync("two-way")
	p.holds("contacts", n)
	sent := 0
	for _, m := range p.relay.taken()[before:] {
		sent += items(p, m)
	}
	if n > 1 && sent >= n {
		p.Errorf("%d of %d items were sent again", sent, n)
	}
	p.equal()
}

// items counts the items in a message.
func items(t testing.TB, m recorded) (n int) {
	t.Helper()
	msg, err := syncml.Decode(m.body, m.encoding)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range msg.Commands {
		if s, ok := c.(*syncml.Sync); ok {
			n += len(s.Commands)
		}
	}
	return n
}

// find is the name of the one item that has a text.
func find(t testing.TB, s side, store, text string) string {
	t.Helper()
	var found []string
	for name, body := range s.items(store) {
		if strings.Contains(body, text) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d items of %s have %q, want one: %v", len(found), store, text, slices.Sorted(maps.Values(s.items(store))))
	}
	return found[0]
}

// edit replaces a text in the one item that has it.
func edit(t testing.TB, s side, store, old, by string) {
	t.Helper()
	name := find(t, s, store, old)
	s.put(store, name, strings.ReplaceAll(s.items(store)[name], old, by))
}

func drop(t testing.TB, s side, store, text string) {
	t.Helper()
	s.remove(store, find(t, s, store, text))
}

// needPeers skips, or fails in CI, where something is missing.
func needPeers(t *testing.T) {
	t.Helper()
	shared := pimtest.Shared(t)
	if m := missing(); len(m) > 0 {
		pimtest.Need(t, strings.Join(m, " "))
	}
	if labDir != "" {
		return
	}
	var err error
	if labDir, err = buildShims(shared); err != nil {
		t.Fatal(err)
	}
}
