package dsserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
)

// stranger is a device of others, message by message.
type stranger struct {
	*world
	session int
	msg     int
	anchor  int
	nonce   string
	luids   int
}

func (w *world) stranger() *stranger {
	w.device("phone")
	return &stranger{world: w}
}

// send sends one message and returns the answer.
func (s *stranger) send(final bool, commands ...syncml.Command) *syncml.Message {
	s.t.Helper()
	s.msg++
	m := &syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: fmt.Sprint(s.session), MsgID: fmt.Sprint(s.msg),
		Target: syncml.Location{URI: "http://server/ds"}, Source: syncml.Location{URI: "phone"}}, Commands: commands, Final: final}
	if s.msg == 1 {
		m.Header.Cred = syncml.MD5Cred("ana", "secret-phone", s.nonce)
	}
	body, err := syncml.Encode(m, syncml.XML)
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := s.server.Handle(s.t.Context(), body, syncml.XML)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := syncml.Decode(out, syncml.XML)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range answer.Commands {
		if st, ok := c.(*syncml.Status); ok && st.Chal != nil {
			s.nonce = st.Chal.NextNonce
		}
	}
	return answer
}

// sync is a whole session with a filter. It returns the Status of the Alert and what the server sent, in order.
func (s *stranger) sync(store string, f *syncml.Filter) (ds.Status, []string) {
	s.t.Helper()
	s.session, s.msg = s.session+1, 0
	alert := &syncml.Alert{ID: "1", Code: ds.AlertTwoWay, Items: []syncml.Item{{Target: &syncml.Location{URI: store, Filter: f}, Source: &syncml.Location{URI: "./" + store},
		Meta: syncml.Meta{Anchor: &ds.Anchors{Last: fmt.Sprint(s.anchor), Next: fmt.Sprint(s.anchor + 1)}}}}}
	answer := s.send(true, alert)
	if status(answer, "SyncHdr") == ds.StatusInvalidCred { // the nonce
		s.session, s.msg = s.session+1, 0
		answer = s.send(true, alert)
	}
	code := status(answer, "Alert")
	if code != ds.StatusOK && code != ds.StatusRefreshRequired {
		return code, nil
	}
	s.anchor++
	answer = s.send(true, &syncml.Sync{ID: "1", Target: syncml.Location{URI: store}, Source: syncml.Location{URI: "./" + store}, NumberOfChanges: -1})
	return code, s.take(store, answer)
}

// take acknowledges everything in an answer.
func (s *stranger) take(store string, answer *syncml.Message) (got []string) {
	var out []syncml.Command
	m := &syncml.Map{ID: "1", Target: syncml.Location{URI: store}, Source: syncml.Location{URI: "./" + store}}
	for _, c := range answer.Commands {
		sync, ok := c.(*syncml.Sync)
		if !ok {
			continue
		}
		for _, inner := range sync.Commands {
			ch := inner.(*syncml.Change)
			it := &ch.Items[0]
			out = append(out, &syncml.Status{ID: fmt.Sprint(2 + len(out)), MsgRef: answer.Header.MsgID, CmdRef: ch.ID, Cmd: ch.Op.String(), Code: ds.StatusOK})
			what := ch.Op.String()
			if it.Source != nil {
				s.luids++
				m.Items = append(m.Items, syncml.MapItem{Target: it.Source.URI, Source: fmt.Sprint("l", s.luids)})
				what += " " + it.Source.URI
			}
			if it.Data != nil && len(got) < 20 {
				what += " " + firstLine(string(it.Data.Bytes))
			}
			got = append(got, what)
		}
	}
	if len(m.Items) > 0 {
		out = append(out, m)
	}
	s.send(true, out...)
	return got
}

func firstLine(body string) string {
	for line := range strings.Lines(body) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "FN:"); ok {
			return name
		}
	}
	return ""
}

func status(m *syncml.Message, cmd string) ds.Status {
	for _, c := range m.Commands {
		if st, ok := c.(*syncml.Status); ok && st.Cmd == cmd {
			return st.Code
		}
	}
	return 0
}

func contact(name, more string) string {
	return "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:" + name + "\r\nN:" + name + ";;;;\r\nFN:" + name + "\r\n" + more + "END:VCARD\r\n"
}

func (w *world) put(store, guid, typ, body string) {
	w.t.Helper()
	if _, err := w.server.Put(w.t.Context(), dsstore.Collection{User: "ana", Store: store}, guid, pim.Item{Type: typ, Body: []byte(body)}); err != nil {
		w.t.Fatal(err)
	}
}

func record(typ, expression string) *syncml.Filter {
	return &syncml.Filter{Meta: syncml.Meta{Type: typ}, Record: &syncml.Item{Meta: syncml.Meta{Type: "syncml:filtertype-cgi"}, Data: &syncml.Data{Bytes: []byte(expression)}}}
}

// TestStandardFilters are those of protocol.md E, from a peer that knows nothing of ours.
func TestStandardFilters(t *testing.T) {
	w := newWorld(t)
	for _, n := range []string{"Ana", "Ben", "Carla"} {
		w.put("contacts", n, pim.TypeVCard, contact(n, "ORG:Example\r\n"))
	}
	s := w.stranger()
	steps := []struct {
		name string
		f    *syncml.Filter
		code ds.Status
		want []string
	}{
		{"exclusive", record("text/vcard", "FN&EQ;Ana&OR;FN&EQ;Ben"), ds.StatusRefreshRequired, []string{"Add Ana Ana", "Add Ben Ben"}},
		{"the same again", record("text/vcard", "FN&EQ;Ana&OR;FN&EQ;Ben"), ds.StatusOK, nil},
		{"narrower", record("text/vcard", "FN&EQ;Ana"), ds.StatusOK, []string{"Delete"}},
		{"inclusive: others stay", &syncml.Filter{Meta: syncml.Meta{Type: "text/vcard"}, Type: "INCLUSIVE", Record: record("", "FN&iCON;carl").Record}, ds.StatusOK,
			[]string{"Add Carla Carla"}},
		{"none: all", nil, ds.StatusOK, []string{"Add Ben Ben"}},
		{"old content type, alias of the grammar", &syncml.Filter{Meta: syncml.Meta{Type: "text/x-vcard"}, Record: &syncml.Item{
			Meta: syncml.Meta{Type: "syncml::filtertype-cgi"}, Data: &syncml.Data{Bytes: []byte("FN&NE;Ben")}}}, ds.StatusOK, []string{"Delete"}},
		{"content type of another kind", record("text/calendar", "SUMMARY&EQ;x"), ds.StatusMediaType, nil},
		{"malformed", record("text/vcard", "FN&EQ"), ds.StatusBadFilter, nil},
		{"unknown filter type", &syncml.Filter{Meta: syncml.Meta{Type: "text/vcard"}, Type: "SOMETIMES", Record: record("", "FN&EQ;Ana").Record}, ds.StatusBadFilter, nil},
		{"unknown keyword", record("text/vcard", "MAXCOUNT&EQ;5"), ds.StatusUnsupported, nil},
	}
	for _, st := range steps {
		code, got := s.sync("contacts", st.f)
		slices.Sort(got)
		if code != st.code || cmp.Diff(st.want, got) != "" {
			t.Errorf("%s: %v %q, want %v %q", st.name, code, got, st.code, st.want)
		}
	}
	if len(w.live("contacts")) != 3 {
		t.Error("a filter deleted something on the server")
	}
}

func (w *world) live(store string) (out []dsstore.Item) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) (err error) {
		out, err = tx.List(dsstore.Collection{User: "ana", Store: store})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestFieldFilter: a device that wants three properties gets no more, and its edit deletes none that it never saw.
func TestFieldFilter(t *testing.T) {
	w := newWorld(t)
	w.put("contacts", "Ana", pim.TypeVCard, contact("Ana", "TEL:+351 1\r\nNOTE:secret\r\nX-MORE:1\r\n"))
	s := w.stranger()
	f := &syncml.Filter{Meta: syncml.Meta{Type: "text/vcard"}, Field: &syncml.Item{Meta: syncml.Meta{Type: "application/vnd.syncml-devinf+xml"},
		Data: &syncml.Data{Bytes: []byte("<Property><PropName>FN</PropName></Property><Property><PropName>TEL</PropName></Property>")}}}
	s.session, s.msg = 1, 0
	if code, got := s.sync("contacts", f); code != ds.StatusRefreshRequired || len(got) != 1 {
		t.Fatal(code, got)
	}
	s.session, s.msg = s.session+1, 0
	s.send(true, &syncml.Alert{ID: "1", Code: ds.AlertTwoWay, Items: []syncml.Item{{Target: &syncml.Location{URI: "contacts", Filter: f}, Source: &syncml.Location{URI: "./contacts"},
		Meta: syncml.Meta{Anchor: &ds.Anchors{Last: "1", Next: "2"}}}}})
	edited := "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Ana;;;;\r\nFN:Ana\r\nTEL:+351 2\r\nEND:VCARD\r\n"
	answer := s.send(true, &syncml.Sync{ID: "1", Target: syncml.Location{URI: "contacts"}, Source: syncml.Location{URI: "./contacts"}, NumberOfChanges: -1,
		Commands: []syncml.Command{&syncml.Change{Op: syncml.OpReplace, ID: "2", Meta: syncml.Meta{Type: "text/vcard"}, Items: []syncml.Item{{
			Source: &syncml.Location{URI: "l1"}, Data: &syncml.Data{Bytes: []byte(edited)}}}}}})
	if code := status(answer, "Replace"); code != ds.StatusOK {
		t.Errorf("the edit was answered %v", code)
	}
	list := w.live("contacts")
	body := ""
	err := w.store.View(t.Context(), func(tx dsstore.Tx) error {
		b, err := tx.Body(list[0].Hash)
		body = string(b)
		return err
	})
	if diff := cmp.Diff(contact("Ana", "TEL:+351 2\r\nNOTE:secret\r\nX-MORE:1\r\n"), body); err != nil || diff != "" {
		t.Errorf("(-want +got): %s %v", diff, err)
	}
}

// TestOneItemWhole: a device that keeps headers gets one message whole when it asks for it by its own id (protocol.md E.3).
func TestOneItemWhole(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"a", "b"} {
		w.put("mail", id, pim.TypeMessage, "Message-ID: <"+id+"@x>\r\nFrom: x@example.org\r\nSubject: "+id+"\r\n\r\n"+strings.Repeat("many words\r\n", 1000))
	}
	s := w.stranger()
	headers := &syncml.Filter{Meta: syncml.Meta{Type: "message/rfc822"}, Field: &syncml.Item{Data: &syncml.Data{Bytes: []byte("<Property><PropName>emailitem</PropName></Property>")}}}
	if _, got := s.sync("mail", headers); len(got) != 2 {
		t.Fatal(got)
	}
	for round := range 2 {
		code, got := s.sync("mail", &syncml.Filter{Meta: syncml.Meta{Type: "message/rfc822"}, Type: "INCLUSIVE", Record: record("", "&LUID;&EQ;l1").Record})
		if code != ds.StatusOK || len(got) != 1 || !strings.HasPrefix(got[0], "Replace") {
			t.Errorf("round %d: %v %q", round, code, got)
		}
	}
}

// TestAWaveOfDeletionsIsHeld: a device of others that loses its memory deletes nothing on the server before somebody has said so (pains.md 7).
func TestAWaveOfDeletionsIsHeld(t *testing.T) {
	w := newWorld(t)
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(), Brake: reconcile.DefaultBrake})
	for i := range 40 {
		w.put("contacts", fmt.Sprint("g", i), pim.TypeVCard, contact(fmt.Sprint("Person", i), ""))
	}
	s := w.stranger()
	if _, got := s.sync("contacts", nil); len(got) != 40 {
		t.Fatal(len(got))
	}
	drop := func(from, to int) {
		t.Helper()
		s.session, s.msg = s.session+1, 0
		s.anchor++
		s.send(true, &syncml.Alert{ID: "1", Code: ds.AlertTwoWay, Items: []syncml.Item{{Target: &syncml.Location{URI: "contacts"}, Source: &syncml.Location{URI: "./contacts"},
			Meta: syncml.Meta{Anchor: &ds.Anchors{Last: fmt.Sprint(s.anchor - 1), Next: fmt.Sprint(s.anchor)}}}}})
		for i := from; i <= to; i++ { // one message each, so that they are weighed together and not as they come
			sync := &syncml.Sync{ID: "1", Target: syncml.Location{URI: "contacts"}, Source: syncml.Location{URI: "./contacts"}, NumberOfChanges: -1, Commands: []syncml.Command{
				&syncml.Change{Op: syncml.OpDelete, ID: "2", Items: []syncml.Item{{Source: &syncml.Location{URI: fmt.Sprint("l", i)}}}}}}
			answer := s.send(i == to, sync)
			if code := status(answer, "Delete"); code != ds.StatusOK {
				t.Fatalf("%d was answered %v", i, code)
			}
			if i == to {
				s.take("contacts", answer)
			}
		}
	}
	drop(1, 5)
	if n := len(w.live("contacts")); n != 35 {
		t.Errorf("after a few deletions %d are left, want 35", n)
	}
	drop(6, 35)
	if n := len(w.live("contacts")); n != 35 {
		t.Errorf("after a wave %d are left, want 35", n)
	}
	if code, got := s.sync("contacts", nil); code != ds.StatusOK || len(got) != 0 {
		t.Errorf("the device gets back what it deleted: %v %q", code, got)
	}
}
