package sif_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/sif"
)

// modern is what stands in the innermost component, alarms with it.
func modern(t *testing.T, typ, fields string) string {
	t.Helper()
	root := map[string]string{sif.TypeContact: "contact", sif.TypeEvent: "appointment", sif.TypeTask: "task"}[typ]
	got, body := sif.Modern(typ, []byte("<"+root+">"+fields+"</"+root+">"))
	if got == typ {
		t.Fatalf("%s is not read", fields)
	}
	inner := strings.ReplaceAll(string(body), "\r\n ", "")
	for _, name := range []string{"VCARD", "VEVENT", "VTODO"} {
		if _, after, ok := strings.Cut(inner, "BEGIN:"+name+"\r\n"); ok {
			inner, _, _ = strings.Cut(after, "END:"+name)
		}
	}
	return strings.ReplaceAll(strings.TrimPrefix(inner, "VERSION:3.0\r\n"), "\r\n", "\n")
}

// given are fields that are in what a client gets.
func given(t *testing.T, typ, lines string) string {
	t.Helper()
	body := "BEGIN:VCARD\nVERSION:3.0\n" + lines + "END:VCARD\n"
	wrapped := map[string]string{sif.TypeEvent: "VEVENT", sif.TypeTask: "VTODO"}[typ]
	modernType := pim.TypeVCard
	if wrapped != "" {
		modernType, body = pim.TypeICalendar, "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:"+wrapped+"\n"+lines+"END:"+wrapped+"\nEND:VCALENDAR\n"
	}
	got, out := sif.Old(modernType, []byte(body))
	if got != typ {
		t.Fatalf("%s became %s", lines, got)
	}
	return string(out)
}

func TestContacts(t *testing.T) {
	for _, c := range []struct{ fields, lines string }{
		{"<FirstName>Ana</FirstName><LastName>Silva</LastName><Title>Dr.</Title><FileAs>Silva, Ana</FileAs>", "N:Silva;Ana;;Dr.;\nFN:Silva\\, Ana\n"},
		{"<FileAs>a</FileAs><CompanyName>A &amp; B; C</CompanyName><OfficeLocation>3</OfficeLocation>", "N:;;;;\nFN:a\nORG:A & B\\; C;;3\n"},
		{"<FileAs>a</FileAs><Email1Address>a@b</Email1Address><Email2Address>/o=x</Email2Address><Email2AddressType>EX</Email2AddressType>",
			"N:;;;;\nFN:a\nEMAIL;TYPE=INTERNET:a@b\nEMAIL;TYPE=X-EX:/o=x\n"},
		{"<FileAs>a</FileAs><HomeTelephoneNumber>1</HomeTelephoneNumber><Home2TelephoneNumber>2</Home2TelephoneNumber><HomeFaxNumber>3</HomeFaxNumber>" +
			"<PrimaryTelephoneNumber>4</PrimaryTelephoneNumber><OtherTelephoneNumber>5</OtherTelephoneNumber><TelexNumber>6</TelexNumber>",
			"N:;;;;\nFN:a\nTEL;TYPE=X-EVOLUTION-TELEX:6\nTEL;TYPE=HOME,FAX:3\nTEL;TYPE=HOME:1\nTEL;TYPE=HOME:2\nTEL;TYPE=PREF:4\nTEL:5\n"},
		{"<FileAs>a</FileAs><Birthday>1970-03-04</Birthday><Anniversary>20000102</Anniversary><Spouse>b</Spouse>",
			"N:;;;;\nFN:a\nX-EVOLUTION-SPOUSE:b\nBDAY:1970-03-04\nX-EVOLUTION-ANNIVERSARY:2000-01-02\n"},
		{"<FileAs>a</FileAs><BusinessAddressStreet>S\n1</BusinessAddressStreet><BusinessAddressCity>Lisboa</BusinessAddressCity>",
			"N:;;;;\nFN:a\nADR;TYPE=WORK:;;S\\n1;Lisboa;;;\n"},
		{"<FileAs>a</FileAs><Categories>x; y,z</Categories><Hobby>chess</Hobby><CustomField>q</CustomField><Photo TYPE=\"JPEG\">aGVs\nbG8=</Photo>",
			"N:;;;;\nFN:a\nCATEGORIES:x,y,z\nPHOTO;ENCODING=b;TYPE=JPEG:aGVsbG8=\nX-SIF-HOBBY:chess\nX-SIF-CUSTOMFIELD;X-NAME=CustomField:q\n"},
		{"<FileAs>a</FileAs><Sensitivity>1</Sensitivity>", "N:;;;;\nFN:a\nCLASS:PRIVATE\nX-SIF-SENSITIVITY:1\n"},
	} {
		if d := cmp.Diff(c.lines, modern(t, sif.TypeContact, c.fields)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.fields, d)
		}
		if d := cmp.Diff(c.lines, modern(t, sif.TypeContact, inside(given(t, sif.TypeContact, c.lines)))); d != "" {
			t.Errorf("%s by way of SIF (-want +got):\n%s", c.lines, d)
		}
	}
}

// inside is what stands in the outermost element.
func inside(item string) string {
	_, item, _ = strings.Cut(item, "<contact>")
	item, _, _ = strings.Cut(item, "</contact>")
	return item
}

// TestNumbersFindTheirFields: a number that has several types goes where a person would look for it.
func TestNumbersFindTheirFields(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"TEL;TYPE=CELL;TYPE=PREF:1\n", "<MobileTelephoneNumber>1<"},
		{"TEL;TYPE=HOME,CELL,VOICE:1\n", "<MobileTelephoneNumber>1<"},
		{"TEL;type=WORK;type=pref:1\n", "<BusinessTelephoneNumber>1<"},
		{"TEL;TYPE=X-FUNAMBOL-CALLBACK:1\n", "<CallbackTelephoneNumber>1<"},
		{"TEL;TYPE=WORK:1\nTEL;TYPE=WORK:2\nTEL;TYPE=WORK:3\n", "<OtherTelephoneNumber>3<"},
		{"TEL;TYPE=FAX:1\nTEL;TYPE=FAX:2\n", "<OtherTelephoneNumber><"}, // nobody calls a fax
		{"TEL:tel:+351\n", "<OtherTelephoneNumber>+351<"},
		{"X-SPOUSE:b\n", "<Spouse>b<"},
		{"URL;TYPE=WORK:http://a\n", "<WebPage>http://a<"},
		{"ADR;TYPE=HOME:;;1;;;;\nADR;TYPE=HOME:;;2;;;;\n", "<OtherAddressStreet>2<"},
	} {
		if got := given(t, sif.TypeContact, c.lines); !strings.Contains(got, c.want) {
			t.Errorf("%s became %s", c.lines, got)
		}
	}
}

func TestEvents(t *testing.T) {
	for _, c := range []struct{ fields, lines string }{
		{"<Subject>a</Subject><Start>20070102T050000Z</Start><Duration>60</Duration>", "SUMMARY:a\nDTSTART:20070102T050000Z\nDTEND:20070102T060000Z\n"},
		{"<Start>20070102T050000</Start><End>20070102T060000</End><AllDayEvent>False</AllDayEvent>", "DTSTART:20070102T050000\nDTEND:20070102T060000\n"},
		{"<Start>2007-01-01</Start><End>2007-01-02</End>", "DTSTART;VALUE=DATE:20070101\nDTEND;VALUE=DATE:20070103\n"},
		{"<AllDayEvent>1</AllDayEvent><Start>20061231T230000Z</Start><End>20070101T225900Z</End>", "DTSTART;VALUE=DATE:20070101\nDTEND;VALUE=DATE:20070102\n"},
		{"<AllDayEvent>True</AllDayEvent><Start>20070101T000000</Start><End>20070102T000000</End>", "DTSTART;VALUE=DATE:20070101\nDTEND;VALUE=DATE:20070102\n"},
		{"<BusyStatus>0</BusyStatus><Importance>2</Importance><Sensitivity>3</Sensitivity>", "CLASS:CONFIDENTIAL\nPRIORITY:1\nTRANSP:TRANSPARENT\n"},
		{"<BusyStatus>3</BusyStatus><MeetingStatus>1</MeetingStatus>", "X-MICROSOFT-CDO-BUSYSTATUS:OOF\nX-SIF-MEETINGSTATUS:1\n"},
		{"<Start>whenever</Start>", "X-SIF-START;X-NAME=Start:whenever\n"},
		{"<ReminderSet>0</ReminderSet><ReminderMinutesBeforeStart>15</ReminderMinutesBeforeStart>", ""},
		{"<ReminderSet>1</ReminderSet><ReminderMinutesBeforeStart>15</ReminderMinutesBeforeStart>",
			"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Reminder\nTRIGGER:-PT15M\nEND:VALARM\n"},
		{"<Attendees><Attendee><Name>b</Name></Attendee></Attendees>", "X-SIF-ATTENDEES;X-XML=1:<Attendee><Name>b</Name></Attendee>\n"},
	} {
		if d := cmp.Diff(c.lines, modern(t, sif.TypeEvent, c.fields)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.fields, d)
		}
	}
	for _, c := range []struct{ lines, want string }{
		{"DTSTART;VALUE=DATE:20070101\nDTEND;VALUE=DATE:20070103\n", "<Start>2007-01-01</Start><End>2007-01-02</End><AllDayEvent>1<"},
		{"DTSTART;TZID=Europe/Lisbon:20260701T100000\nDURATION:PT1H\n", "<Start>20260701T090000Z</Start><End>20260701T100000Z</End><AllDayEvent>0<"},
		{"DTSTART:20260701T100000Z\nBEGIN:VALARM\nTRIGGER:-P1D\nACTION:AUDIO\nEND:VALARM\n", "<ReminderMinutesBeforeStart>1440<"},
		{"X-SIF-ATTENDEES;X-XML=1:<Attendee><Name>b</Name></Attendee>\n", "<Attendees><Attendee><Name>b</Name></Attendee></Attendees>"},
		{"SUMMARY:a\\nb & c\n", "<Subject>a\r\nb &amp; c<"},
	} {
		if got := given(t, sif.TypeEvent, c.lines); !strings.Contains(got, c.want) {
			t.Errorf("%s became %s", c.lines, got)
		}
	}
}

func TestTasks(t *testing.T) {
	for _, c := range []struct{ fields, lines string }{
		{"<Subject>a</Subject><StartDate>2007-01-01</StartDate><DueDate>20070103T000000Z</DueDate>",
			"SUMMARY:a\nDTSTART;VALUE=DATE:20070101\nDUE;VALUE=DATE:20070103\n"},
		{"<Complete>1</Complete><DateCompleted>2007-01-02</DateCompleted><PercentComplete>100</PercentComplete>",
			"STATUS:COMPLETED\nCOMPLETED:20070102T000000Z\nPERCENT-COMPLETE:100\n"},
		{"<Status>3</Status><DueDate>4501-01-01</DueDate>", "STATUS:NEEDS-ACTION\nX-SIF-STATUS:3\n"},
		{"<ReminderSet>1</ReminderSet><ReminderTime>20070102T080000</ReminderTime>",
			"BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:Reminder\nTRIGGER;VALUE=DATE-TIME:20070102T080000\nEND:VALARM\n"},
	} {
		if d := cmp.Diff(c.lines, modern(t, sif.TypeTask, c.fields)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.fields, d)
		}
	}
	for _, c := range []struct{ lines, want string }{
		{"DUE;TZID=America/New_York:20260701T230000\nSTATUS:IN-PROCESS\n", "<DueDate>2026-07-01</DueDate><Status>1</Status><Complete>0<"},
		{"STATUS:COMPLETED\nCOMPLETED:20070102T101112Z\n", "<Complete>1</Complete><DateCompleted>2007-01-02<"},
		{"STATUS:NEEDS-ACTION\nX-SIF-STATUS:4\n", "<Status>4<"},
	} {
		if got := given(t, sif.TypeTask, c.lines); !strings.Contains(got, c.want) {
			t.Errorf("%s became %s", c.lines, got)
		}
	}
}

func TestNotes(t *testing.T) {
	for _, c := range []struct{ fields, text string }{
		{"<Subject>a</Subject><Body>a\r\nb</Body>", "a\nb"},
		{"<Subject>a</Subject><Body>b</Body>", "a\nb"},
		{"<Subject>a</Subject>", "a"},
		{"<Body> a &lt;b&gt; </Body>", " a <b> "},
	} {
		typ, text := sif.Modern(sif.TypeNote, []byte("<note>"+c.fields+"<Color>3</Color></note>"))
		if string(text) != c.text || typ != pim.TypePlain {
			t.Errorf("%s became %s %q", c.fields, typ, text)
		}
		if _, again := sif.Modern(sif.Old(typ, text)); string(again) != c.text {
			t.Errorf("%q became %q", c.text, again)
		}
	}
}

// TestHostileItems come back as they are, so that the server keeps what it cannot read.
func TestHostileItems(t *testing.T) {
	for name, body := range map[string]string{
		"no XML": "BEGIN:VCARD", "nothing": "", "another root": "<task><Subject>a</Subject></task>", "two roots": "<note/><note/>", "no end": "<note><Body>a",
		"crossed": "<note><a><b></a></b></note>", "document type": `<!DOCTYPE note [<!ENTITY a "b">]><note><Body>&a;</Body></note>`,
		"deep": "<note>" + strings.Repeat("<a>", 20) + strings.Repeat("</a>", 20) + "</note>", "wide": "<note>" + strings.Repeat("<a/>", 20000) + "</note>",
	} {
		if typ, out := sif.Modern(sif.TypeNote, []byte(body)); typ != sif.TypeNote || string(out) != body {
			t.Errorf("%s became %s %q", name, typ, out)
		}
	}
	if _, out := sif.Modern(sif.TypeNote, []byte("<note><Body>&unknown; caf\xe9\x01</Body></note>")); string(out) != "&unknown; café" {
		t.Errorf("%q", out)
	}
}
