package interop

import (
	"encoding/base64"
	"flag"
	"fmt"
	"strings"
	"testing"
)

// card, event, task and note make items. Names are unique: SyncEvolution matches cards by N.
func card(name, tel string) string {
	return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nN:%s;Ana;Maria;Dr.;\r\nFN:Dr. Ana Maria %[1]s\r\nORG:Example;Sales\r\nTITLE:Buyer\r\n"+
		"TEL;TYPE=CELL:%s\r\nEMAIL;TYPE=WORK:ana@%[1]s.example\r\nADR;TYPE=HOME:;;Rua Direita 1;Lisboa;;1100;Portugal\r\nBDAY:1970-03-04\r\n"+
		"NOTE:one\\, two\\nthree\\; é\r\nEND:VCARD\r\n", name, tel)
}

func event(name, start string) string {
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:%s@interop\r\nDTSTAMP:20260101T000000Z\r\n"+
		"DTSTART:%sT100000Z\r\nDTEND:%[2]sT110000Z\r\nSUMMARY:Meeting %[1]s\r\nLOCATION:Room 1\\, left\r\nDESCRIPTION:Bring é\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", name, start)
}

// task has a description: without one SyncEvolution takes the summary for it.
func task(name string) string {
	return fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VTODO\r\nUID:%s@interop\r\nDTSTAMP:20260101T000000Z\r\n"+
		"SUMMARY:Do %[1]s\r\nDESCRIPTION:Soon\r\nDUE:20261224T120000Z\r\nSTATUS:NEEDS-ACTION\r\nEND:VTODO\r\nEND:VCALENDAR\r\n", name)
}

func note(text string) string { return text + "\r\nsecond line é\r\n" }

// scenario is one row of the table.
type scenario struct {
	name string
	o    options
	run  func(p *pair)
	// not says for which pair the row does not apply, and why.
	not map[string]string
}

// fill puts one item of each kind on each side.
func fill(p *pair) {
	p.device.put("contacts", "d1", card("Silva", "+351 1"))
	p.server.put("contacts", "s1", card("Costa", "+351 2"))
	p.device.put("calendar", "d1", event("d1", "20261201"))
	p.server.put("calendar", "s1", event("s1", "20261202"))
	p.device.put("tasks", "d1", task("d1"))
	p.server.put("tasks", "s1", task("s1"))
	p.device.put("notes", "d1", note("device"))
	p.server.put("notes", "s1", note("server"))
}

// filled is fill and a first sync.
func filled(p *pair) {
	p.Helper()
	fill(p)
	p.sync("slow")
}

// many puts contacts on one side.
func many(s side, prefix string, n int) {
	for i := range n {
		s.put("contacts", fmt.Sprint(prefix, i), card(fmt.Sprint(prefix, i), fmt.Sprint("+351 ", i)))
	}
}

// photo is a card with a picture of n octets, which do not compress.
func photo(name string, n int) string {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return strings.Replace(card(name, "+351 9"), "END:", "PHOTO;ENCODING=b;TYPE=JPEG:"+base64.StdEncoding.EncodeToString(b)+"\r\nEND:", 1)
}

var onlyContacts = []string{"contacts"}

var scenarios = []scenario{
	{name: "first sync, four datastores", run: func(p *pair) {
		filled(p)
		for _, k := range kinds {
			p.holds(k, 2)
		}
		p.equal()
	}},
	{name: "nothing changed", run: func(p *pair) {
		filled(p)
		p.sync("two-way")
		before := len(p.relay.taken())
		if o := p.sync("two-way"); o.changes != 0 {
			p.Errorf("%d changes\n%s", o.changes, o.text)
		}
		if n := (len(p.relay.taken()) - before) / 2; n > 4 {
			p.Errorf("%d round trips", n)
		}
	}},
	{name: "two-way: add, change, delete on both sides", run: func(p *pair) {
		filled(p)
		p.device.put("contacts", "x1", card("Drop1", "+351 3"))
		p.device.put("contacts", "x2", card("Drop2", "+351 3"))
		p.sync("two-way")
		p.equal()
		edit(p, p.device, "contacts", "FN:Dr. Ana Maria Silva", "FN:Ana Silva-Edited")
		edit(p, p.server, "contacts", "FN:Dr. Ana Maria Costa", "FN:Ana Costa-Edited")
		edit(p, p.device, "calendar", "Meeting s1", "Meeting moved")
		edit(p, p.server, "calendar", "Meeting d1", "Lunch")
		edit(p, p.server, "tasks", "Do d1", "Do it")
		edit(p, p.device, "notes", "server", "device now")
		drop(p, p.device, "contacts", "Drop1")
		drop(p, p.server, "contacts", "Drop2")
		p.device.put("contacts", "n1", card("New1", "+351 4"))
		p.server.put("contacts", "n2", card("New2", "+351 5"))
		p.sync("two-way")
		p.holds("contacts", 4)
		p.holds("calendar", 2)
		p.equal()
		find(p, p.server, "contacts", "Ana Silva-Edited")
		find(p, p.device, "contacts", "Ana Costa-Edited")
		find(p, p.server, "calendar", "Meeting moved")
		find(p, p.device, "tasks", "Do it")
	}},
	{name: "one-way from client", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		p.device.put("contacts", "n1", card("New1", "+351 4"))
		p.server.put("contacts", "n2", card("New2", "+351 5"))
		p.sync("one-way-from-client")
		p.count("contacts", 3, 4)
		p.sync("two-way")
		p.holds("contacts", 4)
		p.equal()
	}},
	{name: "one-way from server", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		p.device.put("contacts", "n1", card("New1", "+351 4"))
		p.server.put("contacts", "n2", card("New2", "+351 5"))
		p.sync("one-way-from-server")
		p.count("contacts", 4, 3)
		p.sync("two-way")
		p.holds("contacts", 4)
		p.equal()
	}},
	{name: "refresh from client", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		p.device.put("contacts", "n1", card("New1", "+351 4"))
		p.server.put("contacts", "n2", card("New2", "+351 5"))
		p.sync("refresh-from-client")
		p.holds("contacts", 3)
		p.equal()
		find(p, p.server, "contacts", "New1")
	}},
	{name: "refresh from server", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		p.device.put("contacts", "n1", card("New1", "+351 4"))
		p.server.put("contacts", "n2", card("New2", "+351 5"))
		p.sync("refresh-from-server")
		p.holds("contacts", 3)
		p.equal()
		find(p, p.device, "contacts", "New2")
	}},
	{name: "slow sync of what is equal", run: func(p *pair) {
		filled(p)
		p.sync("slow")
		for _, k := range kinds {
			p.holds(k, 2)
		}
		p.equal()
	}},
	{name: "basic authentication", o: options{only: onlyContacts, basic: true}, run: func(p *pair) {
		filled(p)
		p.holds("contacts", 2)
		p.equal()
	}},
	{name: "wrong password", o: options{only: onlyContacts, wrongPassword: true}, run: func(p *pair) {
		fill(p)
		if o := p.trySync("slow"); o.err == nil {
			p.Errorf("it was taken:\n%s", o.text)
		}
		p.count("contacts", 1, 1)
	}},
	{name: "unknown datastore", o: options{unknownStore: "notes"}, run: func(p *pair) {
		fill(p)
		p.trySync("slow") // SyncEvolution calls it an error, we call it a problem of that store
		p.holds("contacts", 2)
		p.holds("calendar", 2)
		p.count("notes", 1, 1)
	}},
	{name: "small messages", o: options{only: onlyContacts, clientMaxMsg: 10240, serverMaxMsg: 10240}, run: func(p *pair) {
		many(p.device, "Dev", 60)
		many(p.server, "Srv", 40)
		p.sync("slow")
		p.holds("contacts", 100)
		p.equal()
	}},
	{name: "200 KB photos in chunks", o: options{only: onlyContacts, clientMaxMsg: 60000, serverMaxMsg: 60000}, run: func(p *pair) {
		p.device.put("contacts", "p1", photo("Silva", 200_000))
		p.server.put("contacts", "p2", photo("Costa", 200_000))
		p.sync("slow")
		p.holds("contacts", 2)
		p.equal()
	}},
	{name: "the server has forgotten the device", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		p.device.put("contacts", "n1", card("New1", "+351 4"))
		p.forget()
		p.sync("two-way")
		p.holds("contacts", 3)
		p.equal()
	}},
	{name: "conflict: changed on both sides", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		edit(p, p.device, "contacts", "FN:Dr. Ana Maria Silva", "FN:Device Silva")
		edit(p, p.server, "contacts", "FN:Dr. Ana Maria Silva", "FN:Server Silva")
		p.trySync("two-way")
		p.sync("two-way")
		p.equal()
		p.survives("contacts", "Silva")
	}},
	{name: "conflict: changed here, deleted there", o: options{only: onlyContacts}, run: func(p *pair) {
		filled(p)
		edit(p, p.device, "contacts", "FN:Dr. Ana Maria Silva", "FN:Device Silva")
		drop(p, p.server, "contacts", "Silva")
		edit(p, p.server, "contacts", "FN:Dr. Ana Maria Costa", "FN:Server Costa")
		drop(p, p.device, "contacts", "Costa")
		p.sync("two-way")
		p.sync("two-way")
		p.holds("contacts", 2)
		p.equal()
	}},
	{name: "link lost while the client sends, then resumed", o: options{only: onlyContacts, clientMaxMsg: 10240, serverMaxMsg: 10240, resumable: true}, run: func(p *pair) {
		many(p.device, "Dev", 60)
		p.relay.faults(from(4))
		if o := p.trySync("slow"); o.err == nil {
			p.Fatalf("it did not notice:\n%s", o.text)
		}
		p.resumed(60)
	}},
	{name: "link lost while the server sends, then resumed", o: options{only: onlyContacts, clientMaxMsg: 10240, serverMaxMsg: 10240, resumable: true}, run: func(p *pair) {
		many(p.server, "Srv", 60)
		p.relay.faults(from(5))
		if o := p.trySync("slow"); o.err == nil {
			p.Fatalf("it did not notice:\n%s", o.text)
		}
		p.resumed(60)
	}},
	{name: "link lost inside a large object of the client", o: options{only: onlyContacts, clientMaxMsg: 10240, serverMaxMsg: 10240, resumable: true}, run: func(p *pair) {
		p.device.put("contacts", "p1", photo("Silva", 60_000))
		p.relay.faults(from(5))
		if o := p.trySync("slow"); o.err == nil {
			p.Fatalf("it did not notice:\n%s", o.text)
		}
		p.resumed(1)
	}},
	{name: "link lost inside a large object of the server", o: options{only: onlyContacts, clientMaxMsg: 10240, serverMaxMsg: 10240, resumable: true}, run: func(p *pair) {
		p.server.put("contacts", "p1", photo("Silva", 60_000))
		p.relay.faults(from(5))
		if o := p.trySync("slow"); o.err == nil {
			p.Fatalf("it did not notice:\n%s", o.text)
		}
		p.resumed(1)
	}},
	{name: "an answer is lost", o: options{only: onlyContacts}, run: func(p *pair) {
		fill(p)
		p.relay.faults(func(n int) fault {
			if n == 2 {
				return cutResponse
			}
			return none
		})
		p.trySync("slow") // SyncEvolution's client sends the message again, ours begins another exchange
		p.sync("two-way")
		p.holds("contacts", 2)
		p.equal()
	}},
	{name: "the server cannot resume", o: options{only: onlyContacts, clientMaxMsg: 10240, serverMaxMsg: 10240}, run: func(p *pair) {
		many(p.device, "Dev", 60)
		p.relay.faults(from(4))
		p.trySync("slow")
		p.relay.faults(noFault)
		p.sync("two-way")
		p.holds("contacts", 60)
		p.equal()
	}, not: map[string]string{theirClientOurServer: "ours can"}},
	{name: "what the peer cannot keep survives its edits", o: options{only: []string{"contacts", "calendar"}}, run: func(p *pair) {
		rich := strings.Replace(card("Silva", "+351 1"), "END:", "UID:rich-1\r\nRELATED;TYPE=friend:Ben\r\nEND:", 1)
		p.rich().put("contacts", "rich", rich)
		p.rich().put("calendar", "rich", event("rich", "20261201"))
		p.sync("slow")
		edit(p, p.poor(), "contacts", "FN:Dr. Ana Maria Silva", "FN:Ana Edited")
		p.sync("two-way")
		for _, want := range []string{"UID:rich-1", "RELATED;TYPE=friend:Ben", "FN:Ana Edited"} {
			find(p, p.rich(), "contacts", want)
		}
		p.sync("slow")
		for _, want := range []string{"UID:rich-1", "RELATED;TYPE=friend:Ben", "FN:Ana Edited"} {
			find(p, p.rich(), "contacts", want)
		}
		p.holds("contacts", 1)
	}},
	{name: "vCard 2.1 and vCalendar 1.0", o: options{clientProps: []string{"addressbook/syncFormat=text/x-vcard", "addressbook/forceSyncFormat=1",
		"calendar/syncFormat=text/x-vcalendar", "calendar/forceSyncFormat=1", "todo/syncFormat=text/x-vcalendar", "todo/forceSyncFormat=1"}}, run: func(p *pair) {
		filled(p)
		for _, k := range kinds {
			p.holds(k, 2)
		}
		p.equal()
		edit(p, p.device, "contacts", "FN:Dr. Ana Maria Costa", "FN:Ana Costa-Edited")
		edit(p, p.server, "calendar", "Meeting d1", "Lunch é")
		p.sync("two-way")
		p.equal()
		find(p, p.server, "contacts", "Ana Costa-Edited")
	}, not: map[string]string{ourClientTheirServer: "our client sends what its files are"}},
	{name: "SyncML 1.1", o: options{clientProps: []string{"SyncMLVersion=1.1"}}, run: func(p *pair) {
		filled(p)
		p.holds("contacts", 2)
		p.equal()
	}, not: map[string]string{ourClientTheirServer: "our client speaks 1.2"}},
	{name: "SyncML 1.0", o: options{clientProps: []string{"SyncMLVersion=1.0"}}, run: func(p *pair) {
		filled(p)
		p.holds("contacts", 2)
		p.equal()
	}, not: map[string]string{ourClientTheirServer: "our client speaks 1.2"}},
}

func noFault(int) fault { return none }

// from makes the server unreachable from the nth request on.
func from(n int) func(int) fault {
	return func(i int) fault {
		if i == n {
			return unreachableOn
		}
		return none
	}
}

// update writes the table anew.
var update = flag.Bool("update", false, "write README.md")

var (
	pairs     = []string{ourClientTheirServer, theirClientOurServer}
	encodings = []string{"WBXML", "XML"}
)

func TestInterop(t *testing.T) {
	needPeers(t)
	r := &results{rows: map[string]map[string]string{}}
	t.Run("all", func(t *testing.T) {
		for _, s := range scenarios {
			r.rows[s.name] = map[string]string{}
			for _, ours := range pairs {
				for _, enc := range encodings {
					r.play(t, s, ours, enc)
				}
			}
		}
	})
	if f := flag.Lookup("test.run"); f.Value.String() == "" {
		r.check(t)
	}
}

// play runs one scenario with one pair in one encoding.
func (r *results) play(t *testing.T, s scenario, ours, enc string) {
	if why := s.not[ours]; why != "" {
		r.rows[s.name][column(ours, enc)] = "– " + why
		return
	}
	t.Run(strings.Join([]string{s.name, ours, enc}, "/"), func(t *testing.T) {
		t.Parallel()
		o := s.o
		o.encoding = enc
		defer func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.rows[s.name][column(ours, enc)] = "yes"; t.Failed() {
				r.rows[s.name][column(ours, enc)] = "no"
			}
		}()
		p := newPair(t, ours, o)
		s.run(p)
		p.secondOpinion()
	})
}
