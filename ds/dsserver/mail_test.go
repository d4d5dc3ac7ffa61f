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
	"github.com/alwayson-sync/alwayson/pim/mail"
)

const (
	typeEmail  = "application/vnd.omads-email+xml"
	typeFolder = "application/vnd.omads-folder+xml"
)

// mailer is a phone with e-mail objects and folders.
type mailer struct{ *stranger }

// exchange sends changes in a session and returns how they were answered, and what came, in short.
func (m *mailer) exchange(changes ...*syncml.Change) (codes []ds.Status, came []string) {
	m.t.Helper()
	m.session, m.msg = m.session+1, 0
	store := syncml.ContentType{Type: typeEmail, Version: "1.2"}
	inf := &syncml.DevInf{VerDTD: "1.2", DevID: "phone", DataStores: []syncml.DataStore{{SourceRef: "./mail", RxPref: store, TxPref: store, SyncTypes: []string{"1"},
		Rx: []syncml.ContentType{{Type: typeFolder, Version: "1.2"}}, SupportHierarchicalSync: true}}}
	init := []syncml.Command{
		&syncml.Put{ID: "1", Meta: syncml.Meta{Type: "application/vnd.syncml-devinf+xml"}, Items: []syncml.Item{{Source: &syncml.Location{URI: "./devinf12"}, Data: &syncml.Data{DevInf: inf}}}},
		&syncml.Alert{ID: "2", Code: ds.AlertTwoWay, Items: []syncml.Item{{Target: &syncml.Location{URI: "mail"}, Source: &syncml.Location{URI: "./mail"},
			Meta: syncml.Meta{Anchor: &ds.Anchors{Last: fmt.Sprint(m.anchor), Next: fmt.Sprint(m.anchor + 1)}}}}},
	}
	if status(m.send(true, init...), "SyncHdr") == ds.StatusInvalidCred { // the nonce
		m.session, m.msg = m.session+1, 0
		m.send(true, init...)
	}
	m.anchor++
	sync := &syncml.Sync{ID: "1", Target: syncml.Location{URI: "mail"}, Source: syncml.Location{URI: "./mail"}, NumberOfChanges: -1}
	for i, c := range changes {
		c.ID = fmt.Sprint(2 + i)
		sync.Commands = append(sync.Commands, c)
	}
	answer := m.send(true, sync)
	for _, c := range answer.Commands {
		if st, ok := c.(*syncml.Status); ok && st.Cmd != "SyncHdr" && st.Cmd != "Sync" {
			codes = append(codes, st.Code)
		}
		if s, ok := c.(*syncml.Sync); ok {
			for _, inner := range s.Commands {
				came = append(came, short(inner.(*syncml.Change)))
			}
		}
	}
	m.take("mail", answer)
	return codes, came
}

// short is a change as one line: what, where, and the telling part of the object.
func short(c *syncml.Change) string {
	it := &c.Items[0]
	out := c.Op.String()
	for _, p := range []string{it.SourceParent, it.TargetParent} {
		if p != "" {
			out += " in " + p
		}
	}
	if it.Data == nil {
		return out
	}
	body := string(it.Data.Bytes)
	for _, tag := range []string{"name", "read", "flagged"} {
		_, after, found := strings.Cut(body, "<"+tag+">")
		if v, _, ok := strings.Cut(after, "<"); found && ok {
			out += " " + tag + "=" + v
		}
	}
	if _, after, ok := strings.Cut(body, "Subject: "); ok {
		subject, _, _ := strings.Cut(after, "\n")
		out += " " + strings.TrimSpace(subject)
	}
	return out
}

func object(op syncml.Op, luid, parent, typ, body string) *syncml.Change {
	c := &syncml.Change{Op: op, Meta: syncml.Meta{Type: typ}, Items: []syncml.Item{{Source: &syncml.Location{URI: luid}, SourceParent: parent}}}
	if body != "" {
		c.Items[0].Data = &syncml.Data{Bytes: []byte(body)}
	}
	return c
}

func message(subject string) string {
	return "Message-ID: <" + subject + "@x>\nFrom: a@example.org\nSubject: " + subject + "\n\nHello\n"
}

func emailObject(subject string, read bool) string {
	return fmt.Sprintf("<Email><read>%t</read><emailitem><![CDATA[%s]]></emailitem></Email>", read, message(subject))
}

// mailbox is what the server holds: path, flags and subject.
func (w *world) mailbox() (out []string) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(tx dsstore.Tx) error {
		return dsstore.Each(tx, dsstore.Collection{User: "ana", Store: "mail"}, func(it dsstore.Item, body []byte) error {
			line := it.Folder + "/"
			if _, after, ok := strings.Cut(string(body), "Subject: "); ok {
				subject, _, _ := strings.Cut(after, "\n")
				line += subject + " " + string(it.Flags)
			}
			out = append(out, strings.TrimSpace(line))
			return nil
		})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// TestEmailObjects is hierarchical sync with a phone of others: folders, messages in them, marks, moves, renamed and deleted folders.
func TestEmailObjects(t *testing.T) {
	w := newWorld(t)
	c := dsstore.Collection{User: "ana", Store: "mail"}
	for _, it := range []pim.Item{{Type: pim.TypeFolder, Folder: "Work"}, {Type: pim.TypeFolder, Folder: "Work/Old"},
		{Type: pim.TypeMessage, Folder: "Work", Flags: "FS", Body: []byte(message("offer"))}, {Type: pim.TypeMessage, Body: []byte(message("hello"))}} {
		guid := it.Folder + string(it.Type[0:1]) + fmt.Sprint(len(it.Body))
		if _, err := w.server.Put(t.Context(), c, guid, it); err != nil {
			t.Fatal(err)
		}
	}
	m := &mailer{stranger: w.stranger()}
	expect := func(step string, codes []ds.Status, came, wantCame []string, wantCodes ...ds.Status) {
		t.Helper()
		slices.Sort(came)
		if d := cmp.Diff(wantCame, came); d != "" {
			t.Errorf("%s: came (-want +got):\n%s", step, d)
		}
		if d := cmp.Diff(wantCodes, codes); d != "" {
			t.Errorf("%s: codes (-want +got):\n%s", step, d)
		}
	}
	codes, came := m.exchange()
	expect("first", codes, came, []string{"Add in Worka0 name=Old", "Add in Worka0 read=true flagged=true offer", "Add name=Work", "Add read=false flagged=false hello"})
	codes, came = m.exchange(
		object(syncml.OpAdd, "f1", "", typeFolder, "<Folder><name>Home</name></Folder>"),
		object(syncml.OpAdd, "f2", "f1", typeFolder, "<Folder><name>Bills</name></Folder>"),
		object(syncml.OpAdd, "m1", "f2", typeEmail, emailObject("rent", false)),
		object(syncml.OpReplace, "l3", "", typeEmail, "<Email><read>false</read></Email>"),
	)
	expect("added", codes, came, nil, ds.StatusAdded, ds.StatusAdded, ds.StatusAdded, ds.StatusOK)
	if d := cmp.Diff([]string{"/hello", "Home/", "Home/Bills/", "Home/Bills/rent", "Work/", "Work/Old/", "Work/offer F"}, w.mailbox()); d != "" {
		t.Errorf("added (-want +got):\n%s", d)
	}
	codes, came = m.exchange(
		object(syncml.OpReplace, "f1", "", typeFolder, "<Folder><name>House</name></Folder>"),
		object(syncml.OpMove, "m1", "f1", "", ""),
		object(syncml.OpMove, "f2", "l1", "", ""),
		object(syncml.OpMove, "f1", "f1", "", ""),
		object(syncml.OpMove, "nowhere", "f1", "", ""),
		object(syncml.OpReplace, "l3", "", typeEmail, "<Email><read>true</read><emailitem><![CDATA[Subject: cut]]></emailitem><Ext><XNam>x-funambol-body</XNam><XVal>4711</XVal></Ext></Email>"),
	)
	expect("moved", codes, came, nil, ds.StatusOK, ds.StatusOK, ds.StatusOK, ds.StatusMoveFailed, ds.StatusNotFound, ds.StatusOK)
	if d := cmp.Diff([]string{"/hello", "House/", "House/rent", "Work/", "Work/Bills/", "Work/Old/", "Work/offer FS"}, w.mailbox()); d != "" {
		t.Errorf("moved (-want +got):\n%s", d)
	}
	codes, came = m.exchange(object(syncml.OpDelete, "l1", "", "", ""))
	expect("deleted", codes, came, nil, ds.StatusOK)
	if d := cmp.Diff([]string{"/hello", "House/", "House/rent"}, w.mailbox()); d != "" {
		t.Errorf("deleted (-want +got):\n%s", d)
	}
}

// TestADeletedFolderWithALotInItIsHeld: a phone of others names only the folder, and what lies in it is weighed all the same (pains.md 7).
func TestADeletedFolderWithALotInItIsHeld(t *testing.T) {
	w := newWorld(t)
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores(), Brake: reconcile.DefaultBrake})
	items := []pim.Item{{Type: pim.TypeFolder, Folder: "Work"}}
	for i := range 30 {
		items = append(items, pim.Item{Type: pim.TypeMessage, Folder: "Work", Body: []byte(message(fmt.Sprint("offer", i)))})
	}
	for i, it := range items {
		if _, err := w.server.Put(t.Context(), dsstore.Collection{User: "ana", Store: "mail"}, fmt.Sprint("g", i), it); err != nil {
			t.Fatal(err)
		}
	}
	m := &mailer{stranger: w.stranger()}
	m.exchange()
	if codes, _ := m.exchange(object(syncml.OpDelete, "l1", "", "", "")); !slices.Equal(codes, []ds.Status{ds.StatusOK}) {
		t.Errorf("the deletion was answered %v", codes)
	}
	if n := len(w.mailbox()); n != 31 {
		t.Errorf("%d of 31 are left before anybody has looked", n)
	}
	if _, came := m.exchange(); len(came) != 0 {
		t.Errorf("the phone gets back what it deleted: %q", came)
	}
}

// TestAPartUnderAnotherIdIsTheWholeMessage: a device copies a part, or moves it and tells of the deletion later. Neither the part nor another message
// of the same name may be all that lives on.
func TestAPartUnderAnotherIdIsTheWholeMessage(t *testing.T) {
	w := newWorld(t)
	m := &mailer{w.stranger()}
	whole := message("plan") + strings.Repeat("long\n", 100)
	m.exchange(object(syncml.OpAdd, "old", "", pim.TypeMessage, whole))
	w.put("mail", "other", pim.TypeMessage, message("plan")+"other")
	part, _ := mail.Reduce([]byte(whole), mail.Policy{Body: mail.Headers})
	edited := strings.Replace(string(part), "Subject: plan", "Subject: my plan", 1)
	m.exchange(object(syncml.OpAdd, "copy", "", pim.TypeMessage, string(part)), object(syncml.OpAdd, "moved", "", pim.TypeMessage, edited))
	m.exchange(object(syncml.OpDelete, "old", "", "", ""))
	var lengths []int
	err := w.store.View(t.Context(), func(tx dsstore.Tx) error {
		return dsstore.Each(tx, dsstore.Collection{User: "ana", Store: "mail"}, func(_ dsstore.Item, body []byte) error {
			lengths = append(lengths, len(body))
			return nil
		})
	})
	slices.Sort(lengths)
	if want := []int{len(message("plan") + "other"), len(whole), len(whole)}; err != nil || !slices.Equal(lengths, want) {
		t.Errorf("%v live on, want %v: %v", lengths, want, err)
	}
	if !w.kept(edited) {
		t.Error("the edit of the part is not in the history")
	}
}
