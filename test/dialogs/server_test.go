package dialogs

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
	"github.com/alwayson-sync/alwayson/pim/versit"
)

const (
	user   = "test"
	device = "sc-pim-lab-client-1"
)

// stores are the datastores of the recorded servers.
var stores = []dsserver.Datastore{{URI: "addressbook", Kind: pim.Contacts}, {URI: "calendar", Kind: pim.Calendar}, {URI: "todo", Kind: pim.Tasks},
	{URI: "memo", Kind: pim.Notes}, {URI: "contacts", Kind: pim.Contacts}, {URI: "tasks", Kind: pim.Tasks}}

// server is ours, with what the recorded one had.
type server struct {
	t      *testing.T
	store  *sqlstore.Store
	server *dsserver.Server
	device string
	nonce  string
	// refs are our commands by what they are, for the Statuses of the recorded client.
	refs map[string][]ref
	used map[string]int
	got  decisions
	// forms are the content types of items that our server sent, with their Format.
	forms map[string]string
	sent  *syncml.Message // what was sent last
	maps  []*syncml.Map   // bindings of items that our server has not sent yet: its messages hold a few more or less
}

type ref struct{ msg, cmd string }

func newServer(t *testing.T) *server {
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "server.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() }) //nolint:errcheck // the test is over
	s := &server{t: t, store: store, device: device, refs: map[string][]ref{}, used: map[string]int{}, got: decisions{}, forms: map[string]string{}}
	s.server = dsserver.New(dsserver.Options{Store: store, Datastores: stores})
	s.update(func(tx dsstore.Tx) error {
		return tx.PutDevice(dsstore.Device{ID: device, User: user, Credential: syncml.Credential(user, "test")})
	})
	return s
}

func (s *server) update(fn func(dsstore.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// recall gives our server what the recorded one remembered of earlier conversations, as far as this one shows it.
func (s *server) recall(tr trace) {
	s.t.Helper()
	seen := map[string]bool{}
	for _, tn := range tr.turns {
		s.recallAnchors(tn, seen)
		known := answers(tn)
		changes(tn.request, func(store string, c *syncml.Change) { s.recallTheirs(store, c, known, seen) })
	}
	for _, tn := range tr.turns {
		changes(tn.answer, func(store string, c *syncml.Change) { s.recallOurs(tr, store, c, seen) })
	}
}

// answers are the codes of the Statuses of a turn by CmdRef.
func answers(tn turn) map[string]ds.Status {
	out := map[string]ds.Status{}
	for _, st := range statuses(tn.answer) {
		out[st.CmdRef] = st.Code
	}
	return out
}

// recallAnchors makes anchors match where the recorded server took them.
func (s *server) recallAnchors(tn turn, seen map[string]bool) {
	alerts := map[string]ds.Anchors{}
	for _, c := range tn.request.Commands {
		if a, ok := c.(*syncml.Alert); ok && len(a.Items) > 0 && a.Items[0].Meta.Anchor != nil {
			alerts[bare(uri(a.Items[0].Target))] = *a.Items[0].Meta.Anchor
		}
	}
	if tn.answer == nil {
		return
	}
	for _, c := range tn.answer.Commands {
		a, ok := c.(*syncml.Alert)
		if !ok || len(a.Items) == 0 || a.Items[0].Meta.Anchor == nil {
			continue
		}
		store := bare(uri(a.Items[0].Source))
		theirs, ours := alerts[store], *a.Items[0].Meta.Anchor
		seen["slow "+store] = a.Code == ds.AlertSlow
		if seen["anchors "+store] || theirs.Last == "" || ours.Last == "" {
			continue
		}
		seen["anchors "+store] = true
		s.update(func(tx dsstore.Tx) error {
			return tx.PutLink(device, collection(store), dsstore.Link{ClientLast: theirs.Last, ServerLast: ours.Last})
		})
	}
}

func collection(store string) dsstore.Collection { return dsstore.Collection{User: user, Store: store} }

// after are conversations that go on where another one stopped.
var after = map[string]string{
	"large-object-resumed-xml": "large-object-interrupted-xml", "large-object-resumed-wbxml": "large-object-interrupted-wbxml",
	"large-object-from-server-resumed-xml": "large-object-from-server-interrupted-xml", "large-object-from-server-resumed-wbxml": "large-object-from-server-interrupted-wbxml",
	"resume-after-connection-lost-xml": "connection-lost2-xml", "resume-after-connection-lost-wbxml": "connection-lost2-wbxml",
}

// differs are decisions in which we are not like the recorded server, with the reason.
var differs = map[string]map[string]string{
	"alert222-loop-guard-400-wbxml": {"client's Sync addressbook": "the recorded server never answers: it waits for its slow store"},
	"keepalive-alert222-ok-wbxml":   {"client's Sync addressbook": "as above", "client's Alert addressbook": "we can go on; the recorded server refuses with 509"},
	"auth-unknown-device-xml":       {"SyncHdr": "the recorded server answers with HTTP 500", "client's Alert addressbook": "likewise"},
	"two-way-after-one-way-xml":     forgotten, "two-way-after-one-way-wbxml": forgotten,
}

var forgotten = map[string]string{"client's Add 2": "what the recorded server knew of it, this conversation does not show", "client's Add 3": "likewise"}

// recallTheirs makes an item that the client changes or deletes known, if the recorded server knew it.
func (s *server) recallTheirs(store string, c *syncml.Change, known map[string]ds.Status, seen map[string]bool) {
	luid := uri(c.Items[0].Source)
	if c.Op == syncml.OpAdd || seen[luid] || known[c.ID] == ds.StatusAdded {
		seen[luid] = true
		return
	}
	seen[luid] = true
	if seen["slow "+store] && c.Items[0].Data != nil {
		s.put(store, "of-"+luid, string(c.Items[0].Data.Bytes)) // found equal in a slow sync
		return
	}
	s.hold(store, "of-"+luid, luid, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:"+luid+"\r\nFN:"+luid+"\r\nEND:VCARD\r\n")
}

// hold makes an item that the device has.
func (s *server) hold(store, guid, luid, body string) {
	s.put(store, guid, body)
	s.update(func(tx dsstore.Tx) error {
		it, err := tx.Item(collection(store), guid)
		if err != nil {
			return err
		}
		l, err := tx.Link(device, collection(store))
		if err != nil {
			return err
		}
		l.Done = it.Rev
		return tx.PutMapping(device, collection(store), dsstore.Mapping{GUID: guid, LUID: luid, Rev: it.Rev, Hash: it.Hash})
	})
}

func (s *server) put(store, guid, body string) { s.putAs(store, guid, "", body) }

// putAs stores an item that came in some form.
func (s *server) putAs(store, guid, typ, body string) {
	s.t.Helper()
	kind := pim.Contacts
	for _, d := range stores {
		if d.URI == store {
			kind = d.Kind
		}
	}
	it := pim.Item{Type: kind.ContentType(), Body: []byte(body)}
	switch {
	case typ == versit.TypeVCard || typ == versit.TypeVCalendar:
		it.Type, it.Body = versit.Modern(typ, it.Body)
	case sif.Is(typ):
		data, err := base64.StdEncoding.DecodeString(body) // as such items always are
		if err != nil {
			s.t.Fatal(err)
		}
		it.Type, it.Body = sif.Modern(typ, data)
	}
	if _, err := s.server.Put(s.t.Context(), collection(store), guid, it); err != nil {
		s.t.Fatal(err)
	}
}

// recallOurs makes an item that the recorded server sends, from all its chunks.
func (s *server) recallOurs(tr trace, store string, c *syncml.Change, seen map[string]bool) {
	id := of(c)
	if seen["sent "+id] {
		return
	}
	seen["sent "+id] = true
	switch c.Op {
	case syncml.OpAdd:
		s.put(store, id, whole(tr, id))
	case syncml.OpReplace:
		s.hold(store, "of-"+id, id, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:old"+id+"\r\nEND:VCARD\r\n")
		s.put(store, "of-"+id, whole(tr, id))
	case syncml.OpDelete:
		s.hold(store, "of-"+id, id, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:old"+id+"\r\nEND:VCARD\r\n")
		if err := s.server.Remove(s.t.Context(), collection(store), "of-"+id); err != nil {
			s.t.Fatal(err)
		}
	}
}

// whole is the body of an item that the recorded server sends, chunks put together.
func whole(tr trace, id string) string {
	var b strings.Builder
	for _, tn := range tr.turns {
		changes(tn.answer, func(_ string, c *syncml.Change) {
			if of(c) == id && c.Items[0].Data != nil {
				b.Write(c.Items[0].Data.Bytes)
			}
		})
	}
	return b.String()
}

// play sends one recorded message and notes what our server decides.
func (s *server) play(tn turn) *syncml.Message {
	s.t.Helper()
	return s.send(s.adapt(tn), tn.enc)
}

func (s *server) send(m *syncml.Message, enc syncml.Encoding) *syncml.Message {
	s.t.Helper()
	body, err := syncml.Encode(m, enc)
	if err != nil {
		s.t.Fatal(err)
	}
	s.sent = m
	out, err := s.server.Handle(s.t.Context(), body, enc)
	if err != nil {
		s.t.Fatalf("message %s: %v", m.Header.MsgID, err)
	}
	answer, err := syncml.Decode(out, enc)
	if err != nil {
		s.t.Fatal(err)
	}
	s.learn(answer)
	note(s.got, m, answer)
	return answer
}

// learn keeps the nonce, and our commands for the client's Statuses.
func (s *server) learn(answer *syncml.Message) {
	for _, st := range statuses(answer) {
		if st.Chal != nil && st.Chal.NextNonce != "" {
			s.nonce = st.Chal.NextNonce
		}
	}
	changes(answer, func(_ string, c *syncml.Change) {
		if c.Op != syncml.OpDelete {
			s.forms[of(c)] = c.Meta.Type + c.Items[0].Meta.Type + " " + c.Items[0].Meta.Format
		}
	})
	for id, c := range commands(answer) {
		s.refs[c.String()] = append(s.refs[c.String()], ref{answer.Header.MsgID, id})
	}
}

// note adds what one turn decided. SyncHdr and Alerts of an exchange that was refused and tried again count as they were last.
func note(d decisions, request, answer *syncml.Message) {
	asked := commands(request)
	for _, st := range statuses(answer) {
		c, ok := asked[st.CmdRef]
		if !ok || st.MsgRef != request.Header.MsgID {
			continue
		}
		switch c.name {
		case "SyncHdr":
			if st.Code == ds.StatusAuthenticated {
				st.Code = ds.StatusOK // says that no more credentials are needed
			}
			if d[c.String()] == "" || d[c.String()] == ds.StatusInvalidCred.Error() {
				d[c.String()] = st.Code.Error()
			}
		case "Put", "Get", "Results":
		case "Alert":
			if !strings.Contains(c.about, "/") { // else it asks for the next message
				d["client's "+c.String()] = st.Code.Error()
			}
		default:
			if st.Code != ds.StatusChunk {
				d["client's "+c.String()] = st.Code.Error()
			}
		}
	}
	for _, c := range answer.Commands {
		if a, ok := c.(*syncml.Alert); ok && a.Code.IsSync() && len(a.Items) > 0 {
			d["server's Alert "+bare(uri(a.Items[0].Source))] = fmt.Sprint(int(a.Code))
		}
	}
	changes(answer, func(_ string, c *syncml.Change) { d["server's "+c.Op.String()+" "+of(c)] = "sent" })
}

// adapt makes a recorded message one of a client of ours: credentials for our nonce if they were good, Statuses for our commands.
func (s *server) adapt(tn turn) *syncml.Message {
	m := *tn.request
	if c := m.Header.Cred; c != nil && s.accepted(tn) {
		if m.Header.Cred = syncml.MD5Cred(user, "test", s.nonce); c.Meta.Type == "syncml:auth-basic" {
			m.Header.Cred = syncml.BasicCred(user, "test")
		}
	}
	m.Commands = nil
	for _, c := range tn.request.Commands {
		if st, ok := c.(*syncml.Status); ok {
			if st = s.redirect(st); st == nil {
				continue
			}
			c = st
		}
		if mp, ok := c.(*syncml.Map); ok {
			c = s.known(mp)
		}
		m.Commands = append(m.Commands, c)
	}
	m.Final = m.Final && len(s.maps) == 0
	return &m
}

// known is a Map without what our server has not sent yet.
func (s *server) known(m *syncml.Map) *syncml.Map {
	now, later := *m, *m
	now.Items, later.Items = nil, nil
	for _, it := range m.Items {
		if len(s.refs["Add "+it.Target]) > 0 {
			now.Items = append(now.Items, it)
		} else {
			later.Items = append(later.Items, it)
		}
	}
	if len(later.Items) > 0 {
		s.maps = append(s.maps, &later)
	}
	return &now
}

// drain takes what our server still has to send after the recorded client has said all, and then brings the Maps that are left.
func (s *server) drain(answer *syncml.Message, enc syncml.Encoding) {
	for n := 1; n < 40 && !answer.Final; n++ {
		m := s.next(n)
		m.Commands = []syncml.Command{&syncml.Alert{ID: "1", Code: ds.AlertNextMessage, Items: []syncml.Item{{Target: &m.Header.Target, Source: &m.Header.Source}}}}
		answer = s.send(m, enc)
	}
	if len(s.maps) == 0 {
		return
	}
	m := s.next(100)
	m.Final = true
	for i, mp := range s.maps {
		mp.ID = fmt.Sprint(1 + i)
		m.Commands = append(m.Commands, mp)
	}
	s.send(m, enc)
}

// next is an empty message after all recorded ones.
func (s *server) next(n int) *syncml.Message {
	m := &syncml.Message{Header: s.sent.Header}
	m.Header.MsgID, m.Header.Cred = fmt.Sprint(100+n), nil
	return m
}

func (s *server) accepted(tn turn) bool {
	code, ok := answers(tn)["0"]
	return !ok || code != ds.StatusInvalidCred && code != ds.StatusCredMissing
}

// redirect finds our command that a Status of the recorded client is about, nil if we sent none like it.
func (s *server) redirect(st *syncml.Status) *syncml.Status {
	about := strings.Join(st.TargetRefs, "") + strings.Join(st.SourceRefs, "")
	switch st.Cmd {
	case "SyncHdr", "Put", "Get", "Results":
		about = ""
	case "Alert", "Sync":
		about = bare(about)
	}
	key := command{st.Cmd, about}.String()
	list := s.refs[key]
	if len(list) == 0 {
		return nil
	}
	n := min(s.used[key], len(list)-1)
	s.used[key]++
	moved := *st
	moved.MsgRef, moved.CmdRef = list[n].msg, list[n].cmd
	return &moved
}

// wanted is what the recorded server decided.
func wanted(tr trace) decisions {
	d := decisions{}
	for _, tn := range tr.turns {
		if tn.answer != nil {
			note(d, tn.request, tn.answer)
		}
	}
	return d
}

// TestServer plays the recorded clients against our server.
func TestServer(t *testing.T) {
	byName := map[string]trace{}
	for _, tr := range traces(t) {
		byName[tr.name] = tr
	}
	for name, tr := range byName {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			if before, ok := byName[after[name]]; ok {
				s.recall(before)
				s.playAll(before)
				s.got = decisions{}
			} else {
				s.recall(tr)
			}
			s.playAll(tr)
			want := wanted(tr)
			for line := range differs[name] {
				delete(want, line)
				delete(s.got, line)
			}
			if d := cmp.Diff(want.lines(), s.got.lines()); d != "" {
				t.Errorf("(-recorded +ours):\n%s", d)
			}
		})
	}
}

// playAll plays all that reached the recorded server.
func (s *server) playAll(tr trace) {
	s.t.Helper()
	var last *syncml.Message
	ended := false
	for i, tn := range tr.turns {
		switch {
		case tn.answer == nil && strings.HasPrefix(tr.name, "auth-unknown"), tn.answer != nil && i > 0 && repeats(tn, tr.turns[i-1]):
			last = s.send(s.again(tn), tn.enc)
		case tn.answer == nil:
			ended = true
		default:
			last = s.play(tn)
		}
	}
	if !ended && !strings.Contains(tr.name, "interrupted") && !strings.Contains(tr.name, "suspend") {
		s.drain(last, tr.turns[0].enc)
	}
}

// again is the message that was sent last, if there is one: the recorded client repeats itself.
func (s *server) again(tn turn) *syncml.Message {
	if s.sent != nil {
		return s.sent
	}
	return s.adapt(tn)
}
