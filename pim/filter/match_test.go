package filter_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

const message = "Received: from mx.a.example by mx.b.example;\r\n Fri, 20 Nov 2026 12:00:00 +0000\r\n" +
	"From: =?UTF-8?Q?Jo=C3=A3o_Silva?= <joao@Customer.example>\r\nTo: \"Ana, B.\" <ana@a.example>\r\nCc: team@b.example\r\n" +
	"Subject: =?UTF-8?B?V2Vla2x5IFJlcG9ydA==?=\r\nDate: Thu, 19 Nov 2026 23:00:00 +0000\r\nMessage-ID: <1@x>\r\nList-Id: news\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n" +
	"--c\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nThe price is f=C3=BCnf euros, so=\r\nrry.\r\n" +
	"--c\r\nContent-Type: text/html\r\n\r\n<p>only <b>in</b> HTML &amp; there</p>\r\n--c--\r\n" +
	"--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n"

const card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nN:Silva;Ana;Maria;;\r\nFN:Ana Silva\r\nNICKNAME:Nini\r\nORG:Customer Ltd;Sales\r\n" +
	"TITLE:Director\r\nEMAIL;TYPE=WORK:ana@customer.example\r\nTEL;TYPE=CELL:+351 (21) 555-0100\r\nCATEGORIES:Work,Old friends\r\n" +
	"NOTE:Prefers\\, well\\, e-mail\r\nBDAY:1970-03-04\r\nX-RANK:12\r\nPHOTO;ENCODING=b:aGVsbG8=\r\nEND:VCARD\r\n"

func event(lines string) pim.Item {
	return pim.Item{Type: pim.TypeICalendar, Body: []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\nSUMMARY:Review\r\n" +
		"LOCATION:Room 7\r\nCATEGORIES:Work\r\n" + lines + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")}
}

func task(lines string) pim.Item {
	return pim.Item{Type: pim.TypeICalendar, Body: []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t\r\nSUMMARY:Call\r\n" +
		"PERCENT-COMPLETE:50\r\n" + lines + "\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")}
}

// samples are one item of each kind.
var samples = map[pim.Kind]pim.Item{
	pim.Mail:     {Type: pim.TypeMessage, Folder: "Work/Old", Flags: "FSk", Body: []byte(message)},
	pim.Contacts: {Type: pim.TypeVCard, Folder: "Friends", Body: []byte(card)},
	pim.Calendar: event("DTSTART:20261120T100000Z\r\nDTEND:20261120T110000Z"),
	pim.Tasks:    task("DUE:20261130T120000Z\r\nSTATUS:IN-PROCESS"),
	pim.Notes:    {Type: pim.TypePlain, Body: []byte("Milk, bread\nand caf\xe9")},
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		kind    pim.Kind
		in, out []string
	}{
		{pim.Mail, []string{
			"", "from:@customer.example", "from:JOAO@customer.EXAMPLE", "from:joão", "from:silva", "from:@x,@customer.example", "from:customer.ex",
			"to:ana", "to:@b.example", `to:"ana, b."`, `subject:"weekly report"`, "subject:WEEK", "since:6d", "since:2026-11-20", "before:4d", "before:2026-11-21",
			"since:2026-11-20T12:00:00Z", "flag:seen", "flag:flagged,draft", "flag:k", "-flag:answered", "has:attachment", "folder:work", "folder:Work/Old",
			"-folder:Work/Older", "larger:500", "smaller:1m", "text:fünf", `text:"sorry."`, `text:"only in html & there"`, "text:customer", "property:LIST-ID=news",
			"property:SUBJECT~report", "property:X-SPAM=", "from:x or flag:seen", "from:silva (subject:x or -flag:draft)", "name:unknown", "-name:unknown",
			"from:@customer.example since:14d body:full attachments:all",
		}, []string{
			"from:@example", "from:@tomer.example", "from:ao@customer.example", "-from:@customer.example", "to:silva", "subject:report2", "since:4d",
			"since:2026-11-20T12:00:01Z", "before:6d", "before:2026-11-20T12:00:00Z", "flag:draft", "-flag:k", "-has:attachment", "folder:Wor", "folder:inbox", "folder:/",
			"larger:1m", "smaller:500", "text:quoted-printable", "text:pdf", "property:LIST-ID=new", "-property:LIST-ID~new", "from:silva subject:x", "-(from:silva or subject:x)",
		}},
		{pim.Contacts, []string{
			`name:"ana silva"`, "name:silva", "name:nini", `name:"ana maria silva"`, "email:@customer.example", "email:ana", "phone:5550100", "phone:+35121", `phone:"21 555"`,
			"org:sales", `org:"customer ltd"`, "category:work", `category:"old friends"`, "text:prefers", `text:"prefers, well"`, "property:TITLE=director", "property:TITLE==Director",
			"property:NOTE~well", "property:NOTE~~Prefers", "property:CATEGORIES=work", "property:N=Maria", "property:X-RANK>9", "property:X-RANK<=12", "property:BDAY<19800101",
			"property:URL=", "-property:TITLE=x", "folder:friends", "property:TITLE=x,director", "since:1d", "-since:1d",
		}, []string{
			"name:bob", "email:ana@x.example", "phone:999", "phone:mobile", "org:purchase", "category:friends", "category:wor", "text:aGVsbG8", "text:hello", "property:TITLE=Dir", "property:TITLE==director",
			"property:NOTE~~prefers", "property:X-RANK<9", "property:X-RANK>=100", "property:URL<5", "property:URL>5", "property:TITLE=", "folder:/", "property:PHOTO=hello",
		}},
		{pim.Calendar, []string{
			"since:6d", "since:2026-11-20", "since:2026-11-20T11:00:00Z", "before:+1d", "before:2026-11-21", "since:6d before:4d", "subject:review", "location:room", "category:work", "text:7", "property:SUMMARY=Review",
			"-since:4d", "property:DTSTART>=20261120", "property:DTSTART<2026-11-20T10:00:01Z", "status:done", "folder:/",
		}, []string{
			"since:4d", "since:2026-11-20T11:00:01Z", "before:2026-11-20T10:00:00Z", "before:6d", "-since:6d", "subject:x", "location:hall", "category:play", "property:DTSTART>20261121T000000Z",
		}},
		{pim.Tasks, []string{
			"due:7d", "due:2026-11-30", "-due:2d", "due:2026-11-30T12:00:00Z", "status:open", "-status:done", "since:1d", "before:+6d", "property:PERCENT-COMPLETE>=50", "subject:call",
		}, []string{"due:4d", "due:2026-11-29", "due:2026-11-30T11:59:59Z", "status:done", "before:+5d", "property:PERCENT-COMPLETE>50"}},
		{pim.Notes, []string{"text:milk", `text:"bread and café"`, "smaller:1k", "-text:beer", "from:x"}, []string{"text:beer", "larger:1k", "-text:milk"}},
	} {
		for i, texts := range [][]string{c.in, c.out} {
			for _, text := range texts {
				if got := parse(t, text).Match(samples[c.kind], c.kind, now); got != (i == 0) {
					t.Errorf("%s %s: in scope is %t", c.kind, text, got)
				}
			}
		}
	}
}

// TestWhatCannotBeJudgedIsInScope, for a term and its contrary.
func TestWhatCannotBeJudgedIsInScope(t *testing.T) {
	for _, c := range []struct {
		name, term string
		item       pim.Item
		kind       pim.Kind
	}{
		{"garbage as a message", "from:a", pim.Item{Body: []byte("\x00\x01garbage")}, pim.Mail},
		{"an empty message", "since:1d", pim.Item{}, pim.Mail},
		{"a message without a date", "since:1d", pim.Item{Body: []byte("From: a@b\n\nx")}, pim.Mail},
		{"a message with a senseless date", "before:1d", pim.Item{Body: []byte("From: a@b\nDate: soon\n\nx")}, pim.Mail},
		{"parts without a boundary", "has:attachment", pim.Item{Body: []byte("From: a@b\nContent-Type: multipart/mixed\n\nx")}, pim.Mail},
		{"garbage as a card", "name:a", pim.Item{Body: []byte("garbage")}, pim.Contacts},
		{"garbage as an event", "since:1d", pim.Item{Body: []byte("BEGIN:VCALENDAR\nEND:VCALENDAR")}, pim.Calendar},
		{"an event without a begin", "since:1d", event("DTEND:20000101T000000Z"), pim.Calendar},
		{"an event with a senseless begin", "before:1d", event("DTSTART:soon"), pim.Calendar},
		{"a task in a calendar", "since:1d", task("DUE:20200101"), pim.Calendar},
		{"a task of no time", "since:1d", task("STATUS:COMPLETED"), pim.Tasks},
		{"a field of another kind", "name:a", samples[pim.Mail], pim.Mail},
		{"a folder", "from:a", pim.FolderItem("Work"), pim.Mail},
		{"a folder above a wanted one", "folder:Work/Old", pim.FolderItem("Work"), pim.Mail},
	} {
		for _, text := range []string{c.term, "-" + c.term, c.term + " -" + c.term} {
			if !parse(t, text).Match(c.item, c.kind, now) {
				t.Errorf("%s is hidden by %s", c.name, text)
			}
		}
	}
	if parse(t, "larger:1m").Match(pim.Item{Body: []byte("garbage")}, pim.Mail, now) {
		t.Error("the size of garbage is known")
	}
	if parse(t, "flag:seen or text:x").Match(pim.Item{Body: []byte("From: a@b\n\n")}, pim.Mail, now) {
		t.Error("an empty message has no text")
	}
}

func TestFolders(t *testing.T) {
	inbox := pim.Item{Type: pim.TypeMessage, Body: []byte(message)}
	if f := parse(t, "folder:Inbox"); !f.Match(inbox, pim.Mail, now) || f.Match(samples[pim.Mail], pim.Mail, now) {
		t.Error("the top of a mail store is its inbox")
	}
	for text, want := range map[string]bool{"folder:Work": true, "folder:Work/Old": true, "folder:Home": false, "-folder:Work": false, "-folder:Work/Old": true} {
		if got := parse(t, text).Match(pim.FolderItem("Work"), pim.Mail, now); got != want {
			t.Errorf("%s of the folder Work: %t", text, got)
		}
	}
}

// TestFactsDoForTheItem, also after a way through JSON, except for what needs the body.
func TestFactsDoForTheItem(t *testing.T) {
	for _, text := range []string{"from:silva", "since:4d", "name:ana", "due:7d", "status:done", "has:attachment", "folder:work", "-category:work", "before:+1d"} {
		f := parse(t, text)
		for kind, item := range samples {
			stored, err := json.Marshal(filter.FactsOf(item, kind))
			if err != nil {
				t.Fatal(err)
			}
			var facts filter.Facts
			if err := json.Unmarshal(stored, &facts); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(filter.FactsOf(item, kind), facts); d != "" {
				t.Error(d)
			}
			if f.MatchFacts(facts, now) != f.Match(item, kind, now) {
				t.Errorf("%s of %s differs", text, kind)
			}
		}
	}
	if !parse(t, "text:nothing").MatchFacts(filter.FactsOf(samples[pim.Mail], pim.Mail), now) {
		t.Error("facts without the body hide an item")
	}
	if (filter.Facts{}).Stale() == filter.FactsOf(samples[pim.Mail], pim.Mail).Stale() {
		t.Error("no facts are stale, and new ones are not")
	}
	if !parse(t, "from:a").MatchFacts(filter.Facts{}, now) {
		t.Error("no facts hide an item")
	}
}

func TestDatesOfMessages(t *testing.T) {
	for _, header := range []string{
		"Date: Fri, 20 Nov 2026 12:00:00 +0000", "Date: Fri, 20 Nov 2026 14:00:00 +0200 (EET)", "Date: 20 Nov 26 12:00 GMT", "Date: Fri Nov 20 12:00:00 2026",
		"Date: 2026-11-20T12:00:00Z", "Date: Friday, 20 November 2026 12:00:00 +0000", "Received: by x; Fri, 20 Nov 2026 12:00:00 +0000\nDate: Mon, 1 Jan 1990 00:00:00 +0000",
		"Received: by x; no date\nDate: Fri, 20 Nov 2026 12:00:00 GMT",
	} {
		facts := filter.FactsOf(pim.Item{Body: []byte(header + "\n\n")}, pim.Mail)
		if want := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Unix(); facts.Begin == nil || *facts.Begin != (filter.Moment{want, want}) {
			t.Errorf("%s: %v", header, facts.Begin)
		}
	}
}

// FuzzFactsOf: no body makes it fail, and none is hidden by a filter and by its contrary.
func FuzzFactsOf(f *testing.F) {
	for _, item := range samples {
		f.Add(item.Body)
	}
	f.Add([]byte("BEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=MONTHLY;COUNT=9;BYDAY=5MO;INTERVAL=2\nRDATE;VALUE=PERIOD:20260101T000000Z/-P1D"))
	texts := []string{"since:3d", "before:2026-01-01", "from:a", "has:attachment", "text:a", "due:1d", "status:open", "property:N>5", "name:a"}
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind := range samples {
			item := pim.Item{Body: body}
			facts := filter.FactsOf(item, kind)
			if facts.Begin != nil && (facts.Begin[0] > facts.Begin[1] || facts.End[0] > facts.End[1]) {
				t.Errorf("%q: from %v to %v", body, *facts.Begin, *facts.End)
			}
			for _, text := range texts {
				if !parse(t, text).Match(item, kind, now) && !parse(t, "-"+text).Match(item, kind, now) {
					t.Errorf("%q is hidden by %s and its contrary", body, text)
				}
				parse(t, text).NextChange(item, kind, now)
			}
		}
		filter.Reduce(body, filter.Fields{{Name: "NOTE", MaxSize: 3}})
	})
}

// BenchmarkMatchFacts is a server that judges the store of one device.
func BenchmarkMatchFacts(b *testing.B) {
	f := parse(b, "from:@customer.example since:14d -flag:draft (has:attachment or subject:report)")
	facts := filter.FactsOf(samples[pim.Mail], pim.Mail)
	for b.Loop() {
		for range 10000 {
			f.MatchFacts(facts, now)
		}
	}
}

func ExampleFilter_Match() {
	f, err := filter.Parse("from:@customer.example since:14d body:full attachments:all")
	if err != nil {
		fmt.Println(err)
		return
	}
	item := pim.Item{Type: pim.TypeMessage, Body: []byte("From: ana@customer.example\nDate: Fri, 20 Nov 2026 12:00:00 +0000\n\nHello")}
	fmt.Println(f.Match(item, pim.Mail, now), f.Policy().Body)
	// Output: true full
}
