package filter_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// TestCGI goes there and back; back is the filter that comes back if it is another one.
func TestCGI(t *testing.T) {
	for _, c := range []struct {
		kind               pim.Kind
		filter, want, back string
	}{
		{pim.Mail, "", "", ""},
		{pim.Mail, "from:@customer.example since:14d", "from&iCON;@customer.example&AND;SINCE&EQ;20261111T120000Z", "from:@customer.example since:2026-11-11T12:00:00Z"},
		{pim.Mail, "since:2026-11-01 before:2026-11-25", "SINCE&EQ;20261101T000000Z&AND;BEFORE&EQ;20261125T000000Z", ""},
		{pim.Mail, "-since:2026-11-01", "BEFORE&EQ;20261101T000000Z", "before:2026-11-01"},
		{pim.Mail, "flag:flagged or since:2026-11-01", "flagged&iEQ;true&OR;received&GE;20261101T000000Z", ""},
		{pim.Mail, "flag:flagged or -since:2026-11-01", "flagged&iEQ;true&OR;received&LT;20261101T000000Z", "flag:flagged or before:2026-11-01"},
		{pim.Mail, "from:a,b subject:c", "(from&iCON;a&OR;from&iCON;b)&AND;subject&iCON;c", ""},
		{pim.Mail, "-from:a,b", "from&iNCON;a&AND;from&iNCON;b", ""},
		{pim.Mail, "-from:a,b or subject:c", "(from&iNCON;a&AND;from&iNCON;b)&OR;subject&iCON;c", ""},
		{pim.Mail, "from:a subject:b or to:c", "(from&iCON;a&AND;subject&iCON;b)&OR;to&iCON;c", ""},
		{pim.Mail, "-flag:seen,draft flag:answered", "read&iNE;true&AND;draft&iNE;true&AND;replied&iEQ;true", ""},
		{pim.Mail, "has:attachment larger:1m -smaller:10k", "attachment&iEQ;true&AND;size&GT;1048576&AND;size&GE;10240", ""},
		{pim.Mail, "-larger:1m", "size&LE;1048576", ""},
		{pim.Mail, "folder:Work/Old -folder:Spam", "folder&iEQ;Work/Old&AND;folder&iNE;Spam", ""},
		{pim.Mail, `subject:"a & b (100%) | +c,d"`, "subject&iCON;a%20%26%20b%20%28100%25%29%20%7C%20+c,d", ""},
		{pim.Mail, "text:fünf", "text&iCON;fünf", ""},
		{pim.Mail, "property:LIST-ID=news property:X-SPAM=", "LIST-ID&iEQ;news&AND;X-SPAM&EQ;&NULL;", ""},
		{pim.Contacts, "name:silva -org:x category:work", "FN&iCON;silva&AND;ORG&iNCON;x&AND;CATEGORIES&iCON;work", ""},
		{pim.Contacts, "phone:+351 email:@a.example", "TEL&iCON;+351&AND;EMAIL&iCON;@a.example", ""},
		{pim.Contacts, "property:TITLE=a property:TITLE~b property:TITLE==C property:TITLE~~D", "TITLE&iEQ;a&AND;TITLE&iCON;b&AND;TITLE&EQ;C&AND;TITLE&CON;D", ""},
		{pim.Contacts, "-property:TITLE=a -property:TITLE~b -property:TITLE=", "TITLE&iNE;a&AND;TITLE&NE;&NULL;&AND;TITLE&iNCON;b", `-property:TITLE=a,"" -property:TITLE~b`},
		{pim.Contacts, `property:BDAY>=19700101 property:X-RANK<5`, "BDAY&iGE;19700101&AND;X-RANK&iLT;5", ""},
		{pim.Calendar, "since:1d before:+30d subject:review", "SINCE&EQ;20261124T120000Z&AND;BEFORE&EQ;20261225T120000Z&AND;SUMMARY&iCON;review",
			"since:2026-11-24T12:00:00Z before:2026-12-25T12:00:00Z subject:review"},
		{pim.Tasks, "due:2026-11-30 status:open", "DUE&LE;20261130T235959Z&AND;STATUS&iNE;COMPLETED", ""},
		{pim.Tasks, "due:7d -status:done", "DUE&LE;20261202T120000Z&AND;STATUS&iNE;COMPLETED", "due:2026-12-02T12:00:00Z status:open"},
		{pim.Tasks, "-due:2026-11-30T00:00:00Z", "DUE&GT;20261130T000000Z", ""},
		{pim.Notes, "text:milk smaller:1k", "text&iCON;milk&AND;size&LT;1024", ""},
	} {
		record, err := parse(t, c.filter).ToCGI(c.kind, now)
		if err != nil || record != c.want {
			t.Errorf("%s: %s, %v, want %s", c.filter, record, err, c.want)
			continue
		}
		back, err := filter.FromCGI(record, c.kind)
		if c.back == "" {
			c.back = c.filter
		}
		if err != nil || back.String() != c.back {
			t.Errorf("%s came back as %s, %v", c.filter, back, err)
		}
		if again, err := back.ToCGI(c.kind, now); err != nil || again != record {
			t.Errorf("%s goes out again as %s, %v", record, again, err)
		}
	}
}

func TestWhatCGICannotSay(t *testing.T) {
	for _, c := range []struct {
		kind         pim.Kind
		filter, want string
	}{
		{pim.Mail, "from:a flag:k", "the filter has no form in OMA DS: flag:k: the standard has no name for it"},
		{pim.Calendar, "-since:1d", "cannot negate"},
		{pim.Calendar, "since:1d or subject:x", "as an alternative"},
		{pim.Contacts, "property:FOO=1", "no peer knows the property"},
		{pim.Contacts, "-property:BDAY<19700101", "cannot negate"},
	} {
		record, err := parse(t, c.filter).ToCGI(c.kind, now)
		if !errors.Is(err, filter.ErrInexpressible) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %q, %v", c.filter, record, err)
		}
	}
	if _, err := parse(t, "name:a").ToCGI(pim.Mail, now); err == nil || errors.Is(err, filter.ErrInexpressible) {
		t.Errorf("another kind: %v", err)
	}
}

// TestFromCGI reads what peers write (protocol.md E.2, E.3).
func TestFromCGI(t *testing.T) {
	for _, c := range []struct {
		kind         pim.Kind
		record, want string
	}{
		{pim.Calendar, "BEFORE&EQ;20070808T000000Z&AND;SINCE&EQ;20070807T000000Z", "before:2007-08-08 since:2007-08-07"},
		{pim.Calendar, "since&eq;2007-08-07T02:00:00+02:00", "since:2007-08-07"},
		{pim.Mail, "modified&iGE;20051211T000000Z", "since:2005-12-11"},
		{pim.Mail, "received&GT;20051211T000000Z & received&LE;20051212", "since:2005-12-11T00:00:01Z before:2005-12-12T00:00:01Z"},
		{pim.Mail, "from&iCON;customer.example&AND;SINCE&EQ;20261111", "from:customer.example since:2026-11-11"},
		{pim.Mail, "from&EQ;ana@a.example|from&EQ;bob@a.example", "from:ana@a.example,bob@a.example"},
		{pim.Mail, "read&EQ;0&read&NE;yes", "-flag:seen"},
		{pim.Mail, "attachment&NE;false", "has:attachment"},
		{pim.Mail, "subject&iEQ;x", "property:SUBJECT=x"},
		{pim.Contacts, " ( FN&CON;a &OR; N&iCON;b ) &AND; CATEGORIES&EQ;Work ", "(name:a or property:N~b) category:Work"},
		{pim.Contacts, "FN&CON;a&OR;FN&CON;b&amp;ORG&CON;c", "name:a or name:b org:c"},
		{pim.Contacts, "EMAIL&EQ;&NULL;", `property:EMAIL=""`},
		{pim.Contacts, "email&NE;&UNASSIGNED;", `-property:EMAIL=""`},
		{pim.Contacts, "TITLE=a&AND;NOTE%b&AND;ROLE<>c", "property:TITLE==a property:NOTE~~b -property:ROLE==c"},
		{pim.Contacts, "NOTE&iCON;a%26b%20c", `property:NOTE~"a&b c"`},
		{pim.Tasks, "DUE&LE;20261130", "due:2026-11-30"},
		{pim.Tasks, "DUE&GE;20261130&STATUS&EQ;completed", `property:DUE>=20261130 status:done`},
		{pim.Tasks, "PERCENT-COMPLETE&GT;50", "property:PERCENT-COMPLETE>50"},
		{pim.Contacts, "  ", ""},
	} {
		f, err := filter.FromCGI(c.record, c.kind)
		if err != nil || !f.Equal(parse(t, c.want)) {
			t.Errorf("%s: %s, %v, want %s", c.record, f, err, c.want)
		}
	}
}

func TestBadCGI(t *testing.T) {
	for _, c := range []struct {
		kind   pim.Kind
		record string
		want   error
	}{
		{pim.Contacts, "FOO&EQ;1", filter.ErrSyntax},
		{pim.Contacts, "SINCE&EQ;20070807", filter.ErrSyntax},
		{pim.Calendar, "SINCE&GE;20070807", filter.ErrSyntax},
		{pim.Calendar, "SINCE&EQ;soon", filter.ErrSyntax},
		{pim.Calendar, "SINCE&EQ;", filter.ErrSyntax},
		{pim.Mail, "received&CON;2007", filter.ErrUnsupported},
		{pim.Mail, "MAXCOUNT&EQ;100", filter.ErrUnsupported},
		{pim.Mail, "&LUID;&EQ;1234", filter.ErrUnsupported},
		{pim.Mail, "from*=x", filter.ErrUnsupported},
		{pim.Contacts, "FN", filter.ErrSyntax},
		{pim.Contacts, "FN&XX;1", filter.ErrSyntax},
		{pim.Contacts, "FN&EQ;a&EQ;b", filter.ErrSyntax},
		{pim.Contacts, "FN&EQ;a&AND;", filter.ErrSyntax},
		{pim.Contacts, "FN&EQ;a)", filter.ErrSyntax},
		{pim.Contacts, "(FN&EQ;a", filter.ErrSyntax},
		{pim.Contacts, "FN&EQ;%4", filter.ErrSyntax},
		{pim.Contacts, "FN&EQ;%zz", filter.ErrSyntax},
		{pim.Contacts, "FN&EQ;%ff", filter.ErrSyntax},
		{pim.Contacts, "FN&CON;&NULL;", filter.ErrSyntax},
		{pim.Contacts, "FN&GT;&NULL;", filter.ErrSyntax},
		{pim.Mail, "size&GT;many", filter.ErrSyntax},
		{pim.Contacts, strings.Repeat("(", 1000) + "FN&EQ;a", filter.ErrSyntax},
		{pim.Contacts, strings.Repeat("FN&EQ;a|", 5000), filter.ErrSyntax},
	} {
		f, err := filter.FromCGI(c.record, c.kind)
		if !errors.Is(err, c.want) {
			t.Errorf("%.40s: %s, %v, want %v", c.record, f, err, c.want)
		}
	}
}

func TestLUID(t *testing.T) {
	if id, ok := filter.LUID("&LUID;&EQ;12%2034"); !ok || id != "12 34" {
		t.Errorf("%q, %t", id, ok)
	}
	for _, no := range []string{"", "FN&EQ;a", "&LUID;&NE;1", "&LUID;&EQ;", "&LUID;&EQ;1&AND;FN&EQ;a"} {
		if id, ok := filter.LUID(no); ok {
			t.Errorf("%s asks for %q", no, id)
		}
	}
}

func TestCheckType(t *testing.T) {
	for _, c := range []struct {
		grammar, content string
		kind             pim.Kind
		ok               bool
	}{
		{filter.TypeCGI, "text/x-vcard", pim.Contacts, true},
		{"SyncML::FilterType-CGI", "text/vcard; charset=utf-8", pim.Contacts, true},
		{"", "", pim.Mail, true},
		{"syncml:filtertype-sql", "", pim.Mail, false},
		{"", "text/calendar", pim.Contacts, false},
		{"", "text", pim.Contacts, false},
	} {
		if err := filter.CheckType(c.grammar, c.content, c.kind); (err == nil) != c.ok || err != nil && !errors.Is(err, filter.ErrType) {
			t.Errorf("%s, %s: %v", c.grammar, c.content, err)
		}
	}
}

// TestCapabilities: whatever is announced can be asked for.
func TestCapabilities(t *testing.T) {
	for _, kind := range []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes} {
		keywords, properties := filter.Capabilities(kind)
		for _, k := range keywords {
			if _, err := filter.FromCGI(k+"&EQ;20261125T000000Z", kind); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		for _, p := range properties {
			_, text := filter.FromCGI(p+"&iCON;x", kind)
			_, number := filter.FromCGI(p+"&GT;20261125", kind)
			_, flag := filter.FromCGI(p+"&EQ;true", kind)
			if text != nil && number != nil && flag != nil {
				t.Errorf("%s %s: %v, %v, %v", kind, p, text, number, flag)
			}
		}
	}
	keywords, properties := filter.Capabilities(pim.Notes)
	if d := cmp.Diff([]string{"folder", "size", "text"}, properties); d != "" || keywords != nil {
		t.Error(keywords, d)
	}
}

// FuzzFromCGI: what is read can be printed, and if it can be said again, it is read as the same.
func FuzzFromCGI(f *testing.F) {
	for _, s := range []string{
		"BEFORE&EQ;20070808T000000Z&AND;SINCE&EQ;20070807T000000Z", "(FN&iCON;a|N&NCON;b)&CATEGORIES&EQ;Work", "from&iCON;a%26&AND;modified&iGE;20051211T000000Z",
		"DUE&LE;20261130&OR;STATUS&NE;COMPLETED", "EMAIL&EQ;&NULL;", "&LUID;&EQ;1", "size&GE;5&AND;read&EQ;1", "TITLE=a&NOTE%b", "BDAY&GT;19700101",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, record string) {
		for kind := range samples {
			a, err := filter.FromCGI(record, kind)
			if err != nil {
				if !errors.Is(err, filter.ErrSyntax) && !errors.Is(err, filter.ErrUnsupported) {
					t.Errorf("%q: %v", record, err)
				}
				continue
			}
			b, err := filter.Parse(a.String())
			if err != nil || !a.Equal(b) {
				t.Fatalf("%q is %q, which reads as %q, %v", record, a, b, err)
			}
			if err := a.Validate(kind); err != nil {
				t.Errorf("%q: %v", record, err)
			}
			again, err := a.ToCGI(kind, now)
			if err != nil {
				continue
			}
			if c, err := filter.FromCGI(again, kind); err != nil || c.Match(samples[kind], kind, now) != a.Match(samples[kind], kind, now) {
				t.Errorf("%q is %q, which goes out as %q and comes back as %q, %v", record, a, again, c, err)
			}
		}
	})
}
