package filter_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/filter"
)

// now is the time of all tests.
var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func parse(t testing.TB, text string) filter.Filter {
	t.Helper()
	f, err := filter.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"  \n", ""},
		{"from:@customer.example since:14d body:full attachments:all", "from:@customer.example since:14d body:full attachments:all"},
		{"body:full FROM:@a.example attachments:ALL", "from:@a.example body:full attachments:all"},
		{"from:@a.example,@b.example", "from:@a.example,@b.example"},
		{"from:a or from:b", "from:a,b"},
		{"from:a,a", "from:a"},
		{"from:a or since:2d", "from:a or since:2d"},
		{"from:a or from:b since:2d", "from:a or from:b since:2d"},
		{"(from:a or subject:b) since:2d", "(from:a or subject:b) since:2d"},
		{"((from:a))", "from:a"},
		{"from:a and (since:2d and before:1d)", "from:a since:2d before:1d"},
		{"-(from:a or subject:b)", "-from:a -subject:b"},
		{"not:(from:a since:2d)", "-from:a or -since:2d"},
		{"--from:a", "from:a"},
		{"-from:a -from:b", "-from:a,b"},
		{"not:flag:Seen", "-flag:seen"},
		{"flag:S,replied,x", "flag:seen,answered,x"},
		{`subject:"weekly  report"`, `subject:"weekly report"`},
		{`subject:weekly" report"`, `subject:"weekly report"`},
		{`subject:"a \"b\" \\ c"`, `subject:"a \"b\" \\ c"`},
		{`subject:"a,b",c`, `subject:"a,b",c`},
		{"since:2026-11-25T10:00:00+02:00", "since:2026-11-25T08:00:00Z"},
		{"since:20261125T000000Z", "since:2026-11-25"},
		{"since:012h", "since:12h"},
		{"before:+30d", "before:+30d"},
		{"due:+7d", "due:7d"},
		{"due:2026-11-25T23:59:59Z", "due:2026-11-25"},
		{"due:2026-11-25T00:00:00Z", "due:2026-11-25T00:00:00Z"},
		{"larger:100kb smaller:5M", "larger:100k smaller:5m"},
		{"larger:2048k smaller:1000", "larger:2m smaller:1000"},
		{"folder:/Work/Old/", "folder:Work/Old"},
		{"folder:/", "folder:/"},
		{"has:attachments", "has:attachment"},
		{"property:title=Director", "property:TITLE=Director"},
		{`property:NOTE~"weekly report"`, `property:NOTE~"weekly report"`},
		{`property:"NOTE=a b"`, `property:NOTE="a b"`},
		{"property:EMAIL==", "property:EMAIL="},
		{"(property:EMAIL=)", "property:EMAIL="},
		{"property:EMAIL= or property:EMAIL=x", `property:EMAIL="",x`},
		{`property:A=x or property:A="b=c"`, `property:A=x,"b=c"`},
		{"body:50k body:text", "body:text body:50k"},
		{"attachments:2m", "attachments:2m"},
		{"from:a or subject:b body:headers", "from:a or subject:b body:headers"},
		{"status:open,done category:work", "status:open,done category:work"},
	} {
		f, err := filter.Parse(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := f.String(); got != c.want {
			t.Errorf("%s became %s, want %s", c.in, got, c.want)
		}
		if again := parse(t, f.String()); !again.Equal(f) {
			t.Errorf("%s came back as %s", f, again)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"since:14d form:@x", `cannot read form:@x at position 11 of the filter: there is no field "form"; did you mean from?`},
		{"sender:@x", `cannot read sender:@x at position 1 of the filter: there is no field "sender"; did you mean from?`},
		{"catgory:x", `did you mean category?`},
		{"zzzzzzzz:x", `there are attachments, before, body, category,`},
		{"hello", `cannot read hello at position 1 of the filter: a term is a field, a colon and a value; to look for a word write text:hello`},
		{"since:yesterday", `"yesterday" is no time; write a span like 14d, 2w, 6m, 1y or 12h, or a day like 2026-11-25`},
		{"since:2026-13-01", "is no time"},
		{"since:99999999d", "is no time"},
		{"since:1d,2d", "it takes one value"},
		{"larger:huge", `"huge" is no size`},
		{"larger:9999999999g", "is no size"},
		{"larger:-1", "is no size"},
		{"flag:unread", "unread messages are -flag:seen"},
		{"status:waiting", "write status:open or status:done"},
		{"has:fun", "write has:attachment"},
		{"from:", "the value is missing"},
		{"from:a,", "the value is missing"},
		{"folder:", "the value is missing"},
		{`subject:"open`, "the closing quote is missing"},
		{"(from:a", "there is no closing parenthesis for it"},
		{"from:a)", "cannot read ) at position 7 of the filter: there is no opening parenthesis for it"},
		{"()", "the parentheses are empty"},
		{"from:a or", "there must be a condition on both sides of or"},
		{"or from:a", "there must be a condition on both sides of or"},
		{"body:full or from:a", "there must be a condition on both sides of or"},
		{"-", "there must be a term behind a minus"},
		{"from:a -", "there must be a term behind a minus"},
		{"-body:full", "cannot stand in parentheses or be negated"},
		{"(from:a body:full)", "cannot stand in parentheses or be negated"},
		{"body:all", "it is none of body:headers, body:text, body:full and a size like body:50k"},
		{"body:text body:full", "the filter says body:text already"},
		{"body:1k body:2k", "the filter says body:1k already"},
		{"attachments:some", "it is none of attachments:none, attachments:all and a size like attachments:2m"},
		{"attachments:all attachments:none", "the filter says otherwise already"},
		{"attachments:all,none", "it takes one value"},
		{"property:TITLE", "as in property:TITLE=director"},
		{"property:=x", "as in property:TITLE=director"},
		{"property:A=x,B=y", "it names its property once"},
		{"property:A~", "the value is missing"},
		{"from:\xff", "it is no UTF-8"},
		{"from:äöü tö:x", `at position 10 of the filter: there is no field "tö"`},
		{strings.Repeat("(", 40) + "from:a", "deep in each other"},
		{strings.Repeat("-", 40) + "from:a", "deep in each other"},
		{strings.Repeat("x", 20000), "it is longer than"},
	} {
		f, err := filter.Parse(c.in)
		if err == nil {
			t.Errorf("%s was read as %s", c.in, f)
		} else if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.in, err, c.want)
		}
	}
}

func TestPolicy(t *testing.T) {
	for _, c := range []struct {
		in   string
		want filter.Policy
	}{
		{"from:a", filter.Policy{}},
		{"body:headers", filter.Policy{Body: filter.Headers}},
		{"body:50k", filter.Policy{BodyLimit: 50 << 10}},
		{"body:text body:50k attachments:2m", filter.Policy{Body: filter.Text, BodyLimit: 50 << 10, Attachments: filter.UpTo, AttachmentLimit: 2 << 20}},
		{"body:full attachments:none", filter.Policy{Body: filter.Full, Attachments: filter.NoAttachments}},
	} {
		f := parse(t, c.in)
		if d := cmp.Diff(c.want, f.Policy()); d != "" {
			t.Errorf("%s: %s", c.in, d)
		}
		if got := parse(t, "from:b").WithPolicy(c.want).Policy(); got != c.want {
			t.Errorf("%s: with the policy %+v", c.in, got)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		in   string
		kind pim.Kind
		want string // part of the error, "" for none
	}{
		{"from:a since:1d body:text", pim.Mail, ""},
		{"name:a text:b", pim.Contacts, ""},
		{"due:1d or status:open", pim.Tasks, ""},
		{"since:1d property:SUMMARY~x", pim.Calendar, ""},
		{"text:a smaller:1k folder:b", pim.Notes, ""},
		{"", pim.Notes, ""},
		{"name:a since:1d", pim.Contacts, "cannot filter contacts by since; their fields are name, email, phone, org, category, folder, larger, smaller, property, text"},
		{"-(folder:x or status:open)", pim.Mail, "cannot filter mail by status"},
		{"property:A=b", pim.Notes, "cannot filter notes by property"},
		{"body:text", pim.Contacts, "cannot apply body:text to contacts"},
	} {
		err := parse(t, c.in).Validate(c.kind)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s for %s: %v, want %q", c.in, c.kind, err, c.want)
		}
	}
}

func TestWhatAFilterIs(t *testing.T) {
	for _, c := range []struct {
		in                      string
		everything, body, rolls bool
	}{
		{"", true, false, false},
		{"body:text", true, false, false},
		{"from:a", false, false, false},
		{"from:a -text:b", false, true, false},
		{"property:A=b", false, true, false},
		{"from:a or since:3d", false, false, true},
		{"since:2026-11-25", false, false, false},
	} {
		f := parse(t, c.in)
		if f.Everything() != c.everything || f.NeedsBody() != c.body || f.Rolls() != c.rolls {
			t.Errorf("%q: %t, %t, %t", c.in, f.Everything(), f.NeedsBody(), f.Rolls())
		}
	}
}

func TestEveryFieldHasHelpAndAKind(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range []pim.Kind{pim.Mail, pim.Contacts, pim.Calendar, pim.Tasks, pim.Notes} {
		for _, name := range filter.FieldNames(k) {
			seen[name] = true
			if filter.Help(name) == "" {
				t.Errorf("%s has no help", name)
			}
		}
	}
	if len(seen) != 20 || filter.Help("nonsense") != "" {
		t.Errorf("fields %v", seen)
	}
}

func TestText(t *testing.T) {
	var f filter.Filter
	if err := f.UnmarshalText([]byte("from:a  since:1d")); err != nil {
		t.Fatal(err)
	}
	if b, err := f.MarshalText(); err != nil || string(b) != "from:a since:1d" {
		t.Errorf("%s, %v", b, err)
	}
	if err := f.UnmarshalText([]byte("x")); err == nil {
		t.Error("nonsense was read")
	}
}

// FuzzParse: what is read prints to a text that reads and prints the same, and judging with it does not fail.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"from:@customer.example since:14d body:full attachments:all", `subject:"weekly report" -(flag:seen or folder:Spam)`,
		"(from:a or from:b since:2d) before:+3d", `property:NOTE~"a \" b",c or property:A=`, "due:2026-11-25 status:open,done", "-not:-(text:a,b)",
		"larger:5m smaller:1g body:50k body:text", "from:a or -from:a and -from:b,c", "has:attachment phone:+351,1 category:x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := filter.Parse(text)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "cannot read") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		b, err := filter.Parse(a.String())
		if err != nil || b.String() != a.String() {
			t.Fatalf("%q prints %q, which reads as %q, %v", text, a, b, err)
		}
		for kind, item := range samples {
			if a.Match(item, kind, now) != b.Match(item, kind, now) {
				t.Errorf("%q and %q judge differently", text, b)
			}
			a.NextChange(item, kind, now)
		}
	})
}
