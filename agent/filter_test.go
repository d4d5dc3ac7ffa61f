package agent_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/cmd/alwayson-server/site"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/scope"
	"github.com/alwayson-sync/alwayson/pim"
)

// people are three contacts that the server and the device have.
func people(t *testing.T) (*site.Site, *device) {
	t.Helper()
	s, d := pushed(t)
	for _, name := range []string{"Ana", "Ben", "Carla"} {
		put(t, s, name, card("u-"+name, name))
	}
	d.has("Ana", "Ben", "Carla")
	d.fence()
	return s, d
}

// has waits until the device has just these contacts, with nothing left to do.
func (d *device) has(names ...string) {
	d.t.Helper()
	d.until(strings.Join(names, ", "), func(s control.Status) bool { return idle(s) && cmp.Equal(names, d.files()) })
}

// files are the contacts in the device's folder.
func (d *device) files() []string {
	d.t.Helper()
	list, err := os.ReadDir(d.dir)
	if err != nil {
		d.t.Fatal(err)
	}
	out := []string{}
	for _, e := range list {
		if name, ok := strings.CutSuffix(e.Name(), ".vcf"); ok && !strings.HasPrefix(name, ".") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// alive are the contacts on the server.
func alive(t *testing.T, s *site.Site) []string {
	t.Helper()
	out := []string{}
	err := s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.List(dsstore.Collection{User: "ana", Store: "contacts"})
		for _, it := range list {
			out = append(out, strings.TrimSuffix(it.Name, ".vcf"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func (d *device) filter(text string) {
	d.t.Helper()
	if _, err := d.c.SetFilter(d.t.Context(), control.Filter{Store: "contacts", Filter: text}); err != nil {
		d.t.Fatal(err)
	}
}

// TestTheUserNarrowsAndWidens is M2, M6 and M8: what a filter leaves out leaves the device and stays on the server, and comes back when it is
// wanted again; what is added meanwhile is judged, too.
func TestTheUserNarrowsAndWidens(t *testing.T) {
	s, d := people(t)
	d.filter("name:ana,carla")
	d.has("Ana", "Carla")
	put(t, s, "Dora", card("u-Dora", "Dora")) // out of scope: the device is not woken for it
	put(t, s, "Anabel", card("u-Anabel", "Anabel"))
	d.has("Ana", "Anabel", "Carla")
	d.filter("")
	d.has("Ana", "Anabel", "Ben", "Carla", "Dora")
	if diff := cmp.Diff([]string{"Ana", "Anabel", "Ben", "Carla", "Dora"}, alive(t, s)); diff != "" {
		t.Errorf("on the server (-want +got):\n%s", diff)
	}
	for _, x := range d.log()[1:] {
		for _, st := range x.Stores {
			if st.Alert == int(ds.AlertSlow) {
				t.Errorf("a slow sync, for %s", x.Cause)
			}
		}
	}
}

// TestTheServerChangesAFilter is F1 to F8: the device is made to fetch the difference, in an abbreviated session, and is left alone if there
// is none. Here the server is the side that sees that a sync is due, and has the client begin it (S19, S21); what only the server needs is not sent
// at all (S5).
func TestTheServerChangesAFilter(t *testing.T) {
	s, d := people(t)
	set := func(text string, preview bool) scope.Difference {
		t.Helper()
		n, err := site.SetFilter(t.Context(), s.Store(), "@admin", "d", "contacts", text, preview)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := set("name:ben", true); n != (scope.Difference{Leave: 2}) { // F13
		t.Errorf("the preview says %+v", n)
	}
	before := len(d.log())
	set("name:ben", false)
	d.has("Ben")
	got := d.since(before)
	if len(got) != 1 || got[0].Cause != "server trigger" || got[0].Stores[0].Alert != int(ds.AlertOneWayFromServer) || got[0].Stores[0].Sent != 0 ||
		got[0].Stores[0].Received != 2 || len(got[0].Stores) != 1 {
		t.Errorf("%+v", got)
	}
	list, err := d.c.Filters(t.Context())
	if err != nil || list[0].Filter != "name:ben" || list[0].State != "in use" {
		t.Errorf("the device says %+v %v", list, err)
	}
	if _, err := d.c.Off(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	why, err := d.c.Why(t.Context())
	if err != nil || !slices.ContainsFunc(why, func(w control.Why) bool { return w.Exchange && w.Why == "server trigger" }) {
		t.Errorf("why: %+v %v", why, err)
	}
	d.has("Ben")
	before = len(d.log())
	set("name:ben -name:zoe", false) // F8: no difference
	d.fence()
	d.fence()
	if got := d.since(before); len(got) != 0 {
		t.Errorf("a session for nothing: %+v", got)
	}
	if diff := cmp.Diff([]string{"Ana", "Ben", "Carla"}, alive(t, s)); diff != "" {
		t.Errorf("on the server (-want +got):\n%s", diff)
	}
}

// TestAnEditWinsAgainstAFilter is F10: an edit that was not sent when the filter takes its item away goes out first.
func TestAnEditWinsAgainstAFilter(t *testing.T) {
	s, d := people(t)
	d.off()
	d.write("Ana.vcf", card("u-Ana", "Ana")+"\r\n")
	d.until("waiting", func(s control.Status) bool { return s.Stores[0].Pending == 1 })
	if _, err := site.SetFilter(t.Context(), s.Store(), "@admin", "d", "contacts", "name:ben", false); err != nil {
		t.Fatal(err)
	}
	if _, err := d.c.On(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.has("Ben")
	body := ""
	err := s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		it, err := tx.Item(dsstore.Collection{User: "ana", Store: "contacts"}, "Ana")
		if err != nil {
			return err
		}
		b, err := tx.Body(it.Hash)
		body = string(b)
		return err
	})
	if err != nil || body != card("u-Ana", "Ana")+"\r\n" {
		t.Errorf("the server has %q %v", body, err)
	}
}

// TestPreviewOnTheDevice is F13 from the device's side: it asks, and nothing changes.
func TestPreviewOnTheDevice(t *testing.T) {
	_, d := people(t)
	p, err := d.c.PreviewFilter(t.Context(), control.Filter{Store: "contacts", Filter: "name:ben"})
	if err != nil || p != (control.Preview{Store: "contacts", Leave: 2}) {
		t.Errorf("%+v %v", p, err)
	}
	d.fence()
	d.has("Ana", "Ben", "Carla")
	if _, err := d.c.PreviewFilter(t.Context(), control.Filter{Store: "contacts", Filter: "frm:ben"}); err == nil || !strings.Contains(err.Error(), "frm") {
		t.Errorf("a misspelled field: %v", err)
	}
}

// letter is a message with an attachment.
func letter(from, id string, at time.Time) string {
	head := "Message-ID: <" + id + "@x>\r\nFrom: " + from + "\r\nTo: ana@example.org\r\nSubject: " + id + "\r\nDate: " + at.Format(time.RFC1123Z) + "\r\n"
	return head + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello from " + id +
		"\r\n--b\r\nContent-Type: application/pdf; name=offer.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUJDREVGR0hJSktMTU5P\r\n", 2000) + "--b--\r\n"
}

// TestTheTraveller is M3 to M9: the device keeps the headers of three days; before a flight it takes along all mails of a customer of the
// last two weeks, whole; when the time is over they shrink and leave, and nothing is lost on the server.
func TestTheTraveller(t *testing.T) {
	s, d := pushedMail(t, "since:3d body:headers")
	now := time.Now()
	for _, m := range []struct {
		id, from string
		age      int
	}{{"new", "boss@example.org", 1}, {"old", "boss@example.org", 8}, {"customer-new", "joe@customer.example", 2}, {"customer-old", "joe@customer.example", 10},
		{"customer-ancient", "joe@customer.example", 30}} {
		at := now.Add(-time.Duration(m.age) * 24 * time.Hour)
		_, err := s.Server().Put(t.Context(), dsstore.Collection{User: "ana", Store: "mail"}, m.id, pim.Item{Type: pim.TypeMessage, Body: []byte(letter(m.from, m.id, at))})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.mails(map[string]bool{"new": false, "customer-new": false})
	x, err := d.c.SyncWith(t.Context(), control.SyncRequest{Wait: true, Filter: "from:@customer.example since:14d body:full attachments:all", For: time.Hour})
	if err != nil || x.Error != "" {
		t.Fatal(x.Error, err)
	}
	d.mails(map[string]bool{"new": false, "customer-new": true, "customer-old": true})
	if x, err := d.c.SyncWith(t.Context(), control.SyncRequest{Wait: true, Filter: "from:@customer.example", For: time.Nanosecond}); err != nil || x.Error != "" {
		t.Fatal(x.Error, err)
	}
	d.fence()
	d.mails(map[string]bool{"new": false, "customer-new": true}) // what is whole stays so; only what is out of scope leaves
	err = s.Store().View(t.Context(), func(tx dsstore.Tx) error {
		list, err := tx.List(dsstore.Collection{User: "ana", Store: "mail"})
		for _, it := range list {
			if it.Type == pim.TypeMessage && it.Size < 40_000 {
				t.Errorf("%s was cut on the server", it.GUID)
			}
		}
		if len(list) < 5 {
			t.Errorf("%d of 5 mails are left on the server", len(list))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pushedMail is pushed with a Maildir and a configured filter.
func pushedMail(t *testing.T, filter string) (*site.Site, *device) {
	t.Helper()
	dir := t.TempDir()
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return pushedWith(t, func(o *agent.Options) {
		o.Stores = []agent.Store{{Name: "mail", Kind: pim.Mail, Dir: dir, Filter: filter}}
	})
}

// mails waits until the Maildir holds these messages, each whole or not.
func (d *device) mails(want map[string]bool) {
	d.t.Helper()
	d.until("mails", func(s control.Status) bool {
		got := map[string]bool{}
		paths, err := filepath.Glob(filepath.Join(d.o.Stores[0].Dir, "*", "*"))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, p := range paths {
			body, err := os.ReadFile(p)
			if err != nil {
				return false // it is being renamed
			}
			_, after, _ := strings.Cut(string(body), "Message-ID: <")
			if id, _, ok := strings.Cut(after, "@"); ok {
				got[id] = len(body) > 40_000
			}
		}
		return idle(s) && cmp.Equal(want, got)
	})
}

// TestOneMessageWhole: a message of which only the headers are here is fetched whole by its file, and stays whole.
func TestOneMessageWhole(t *testing.T) {
	s, d := pushedMail(t, "body:headers")
	for _, id := range []string{"one", "two"} {
		_, err := s.Server().Put(t.Context(), dsstore.Collection{User: "ana", Store: "mail"}, id,
			pim.Item{Type: pim.TypeMessage, Body: []byte(letter("joe@customer.example", id, time.Now()))})
		if err != nil {
			t.Fatal(err)
		}
	}
	d.mails(map[string]bool{"one": false, "two": false})
	x, err := d.c.Fetch(t.Context(), d.mailFile("two"))
	if err != nil || x.Error != "" {
		t.Fatal(x.Error, err)
	}
	d.fence()
	d.mails(map[string]bool{"one": false, "two": true})
	if _, err := d.c.Fetch(t.Context(), "nothing"); err == nil {
		t.Error("an item that is not there was fetched")
	}
}

// mailFile is the file of a message.
func (d *device) mailFile(id string) string {
	d.t.Helper()
	paths, err := filepath.Glob(filepath.Join(d.o.Stores[0].Dir, "*", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range paths {
		if body, err := os.ReadFile(p); err == nil && strings.Contains(string(body), "<"+id+"@x>") {
			return p
		}
	}
	d.t.Fatalf("there is no message %s", id)
	return ""
}

// TestWhatTheServerTakesOffIsKept: a filter that the user has not wished takes nothing away for good, because only the server says that it has it; what
// the user's own leaves out needs no copy. Undo is for other changes; what left is brought back by name or time, and is no second item on the server.
func TestWhatTheServerTakesOffIsKept(t *testing.T) {
	s, d := people(t)
	d.filter("name:ana,ben")
	d.has("Ana", "Ben")
	former := func() []control.Former {
		t.Helper()
		list, err := d.c.History(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := former(); len(list) != 0 {
		t.Errorf("kept of what the user did not want: %+v", list)
	}
	if _, err := site.SetFilter(t.Context(), s.Store(), "@admin", "d", "contacts", "name:zoe", false); err != nil {
		t.Fatal(err)
	}
	d.has([]string{}...)
	list := former()
	if len(list) != 2 || !strings.Contains(list[0].Reason, "taken off") {
		t.Fatalf("%+v", list)
	}
	if back, err := d.c.Restore(t.Context(), control.RestoreRequest{}); err == nil {
		t.Errorf("undo brought %+v back", back)
	}
	if _, err := d.c.Restore(t.Context(), control.RestoreRequest{ID: list[0].ID}); err != nil {
		t.Fatal(err)
	}
	d.fence()
	if diff := cmp.Diff([]string{"Ana", "Ben", "Carla"}, alive(t, s)); diff != "" {
		t.Errorf("on the server (-want +got):\n%s", diff)
	}
}
