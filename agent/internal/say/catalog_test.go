package say

import (
	"go/ast"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chai2010/gettext-go/po"
)

// speaking is the code that a person may hear of: all but the server's.
var speaking = []string{"agent", "dm/mo/table.go", "ds/ds.go", "ds/dsclient", "ds/session", "pim", "mqtt"}

// each runs a test with the messages of each language, which is spoken meanwhile.
func each(t *testing.T, test func(*testing.T, []po.Message)) {
	t.Helper()
	files, err := catalogs.ReadDir(".")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			t.Cleanup(func() { Use() })
			Use(file.Name())
			text, err := catalogs.ReadFile(file.Name())
			if err != nil {
				t.Fatal(err)
			}
			f, err := po.Load(text)
			if err != nil {
				t.Fatal(err)
			}
			test(t, f.Messages)
		})
	}
}

// asked are the messages that the source asks for by Text and Count, with their plural.
func asked(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	s := parse(t, "agent")
	for file, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch asks(file, call) {
			case "Text", "text":
				out[constant(t, &s, file, call.Args[0])] = ""
			case "Count":
				out[constant(t, &s, file, call.Args[1])] = constant(t, &s, file, call.Args[2])
			}
			return true
		})
	}
	return out
}

// asks is what a call asks for, "" if that is no message: the page has its speaker in a type of its own, under several names.
func asks(file string, call *ast.CallExpr) string {
	name, ofSay := callee(call), strings.HasPrefix(file, "agent/internal/say/")
	switch {
	case strings.HasPrefix(name, "say.") && !ofSay, name == "c.text" && ofSay,
		strings.HasPrefix(file, "agent/internal/page/") && len(call.Args) > 0 && name != "gomponents.Text":
		return last(call.Fun)
	}
	return ""
}

// callee is how a call names what it calls, "" if that is no name.
func callee(call *ast.CallExpr) string {
	if f, ok := call.Fun.(*ast.SelectorExpr); ok {
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

func constant(t *testing.T, s *source, file string, e ast.Expr) string {
	t.Helper()
	m := text(e)
	variable := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, name := n.(*ast.Ident)
		variable = variable || name
		return true
	})
	if variable && !strings.HasPrefix(file, "agent/internal/say/") {
		t.Errorf("%s:%d: the message is not constant, so nobody can translate it", file, s.set.Position(e.Pos()).Line)
	}
	return m
}

// TestEachMessageIsTranslated: what the source asks for is in the catalog, with the same plural, and the catalog has nothing else.
func TestEachMessageIsTranslated(t *testing.T) {
	each(t, func(t *testing.T, list []po.Message) { checkTranslated(t, asked(t), list) })
}

func checkTranslated(t *testing.T, source map[string]string, list []po.Message) {
	t.Helper()
	for _, m := range list {
		if m.MsgContext != "" {
			continue
		}
		many, ok := source[m.MsgId]
		switch {
		case !ok:
			t.Errorf("nobody says %q any more", m.MsgId)
		case many != m.MsgIdPlural:
			t.Errorf("the plural of %q is %q, and the source says %q", m.MsgId, m.MsgIdPlural, many)
		}
		delete(source, m.MsgId)
	}
	delete(source, "") // of functions of package say
	for _, missing := range slices.Sorted(maps.Keys(source)) {
		t.Errorf("there is no entry for\nmsgid %q", missing)
	}
}

// TestNoMessageIsEmpty, nor is it there twice: gettext takes any of the two.
func TestNoMessageIsEmpty(t *testing.T) {
	each(t, checkFull)
}

func checkFull(t *testing.T, list []po.Message) {
	t.Helper()
	seen := map[string]bool{}
	for _, m := range list {
		if id := m.MsgContext + "\x04" + m.MsgId; seen[id] {
			t.Errorf("%q is there twice", m.MsgId)
		} else {
			seen[id] = true
		}
		forms := m.MsgStrPlural
		if m.MsgIdPlural == "" {
			forms = []string{m.MsgStr}
		}
		if len(forms) == 0 || slices.Contains(forms, "") || m.MsgIdPlural != "" && len(forms) != 2 {
			t.Errorf("%q has not all its translations: %q", m.MsgId, forms)
		}
	}
}

// verbsOf are the verbs of a format by the value that they show.
func verbsOf(format string) (out []string) {
	found, next := map[int]string{}, 0
	for {
		_, verb, after := cutVerb(format)
		if format = after; verb == "" {
			break
		}
		if verb == "%%" {
			continue
		}
		if verb[1] == '[' {
			next = int(verb[2]-'0') - 1
		}
		found[next] = verb[len(verb)-1:]
		next++
	}
	for i := range len(found) {
		out = append(out, found[i])
	}
	return out
}

// TestTheVerbsAreTheSame: a translation shows the values that its message has, in any order; that of a plural those of one of its two forms.
func TestTheVerbsAreTheSame(t *testing.T) {
	each(t, checkVerbs)
}

func checkVerbs(t *testing.T, list []po.Message) {
	t.Helper()
	for _, m := range list {
		one, many := verbsOf(m.MsgId), verbsOf(m.MsgIdPlural)
		for _, said := range append(slices.Clone(m.MsgStrPlural), m.MsgStr) {
			if has := verbsOf(said); said != "" && !slices.Equal(has, one) && (m.MsgIdPlural == "" || !slices.Equal(has, many)) {
				t.Errorf("%q has the values %q, and %q has %q", m.MsgId, one, said, has)
			}
		}
	}
}

// plain is a format in which all verbs but those of numbers are the same: how a value is written says nothing about the sentence.
func plain(format string) string {
	return anyVerb.ReplaceAllStringFunc(format, func(v string) string {
		switch {
		case v == "%%":
			return "%" // as it stands in a text that is no format
		case strings.HasSuffix(v, "d"):
			return v
		}
		return "%s"
	})
}

var anyVerb = regexp.MustCompile(`%[-+#.0-9]*[a-zA-Z%]`)

// TestWhatIsHeardIsSaid: each sentence and word that the catalog waits for is in the source, so that it is translated also after a change there.
func TestWhatIsHeardIsSaid(t *testing.T) {
	s := parse(t, speaking...)
	var all strings.Builder
	s.texts(func(_, text string, _ ast.Expr) { all.WriteString(plain(text) + "\x00") })
	all.WriteString("Mon\x00Tue\x00Wed\x00Thu\x00Fri\x00Sat\x00Sun\x00Jan\x00Feb\x00Mar\x00Apr\x00May\x00Jun\x00Jul\x00Aug\x00Sep\x00Oct\x00Nov\x00Dec\x00" +
		"January\x00February\x00March\x00April\x00June\x00July\x00August\x00September\x00October\x00November\x00December\x00")
	each(t, func(t *testing.T, list []po.Message) { checkHeard(t, all.String(), list) })
}

func checkHeard(t *testing.T, all string, list []po.Message) {
	t.Helper()
	for _, m := range list {
		if m.MsgContext == "" || strings.Contains(m.Comment.ExtractedComment, "of a library") {
			continue
		}
		for _, id := range []string{m.MsgId, m.MsgIdPlural} {
			if !strings.Contains(all, plain(id)) {
				t.Errorf("nobody says %q any more", id)
			}
		}
	}
}

var (
	// quiet are calls whose texts are for a log, or for a program.
	quiet = regexp.MustCompile(`^(Debug|Info|Warn|Error|HandleFunc|Format|Parse|Command|CommandContext|Contains|Cut)$`)
	// prose has two words side by side, and is no command, nor is it for the files of other programs.
	prose   = regexp.MustCompile(`[a-z]{2,} [a-z]{2,}`)
	command = regexp.MustCompile(`^(alwayson|sudo|chmod|socks|GET|POST|remote|systemctl|loginctl) |Written by alwayson|^Keeps contacts, calendars and mail equal`)
)

// TestWhatIsSaidIsKnown: what the packages that know what has happened say of it is in the catalog, put together as they do.
func TestWhatIsSaidIsKnown(t *testing.T) {
	each(t, func(t *testing.T, _ []po.Message) { checkSaid(t) })
}

func checkSaid(t *testing.T) {
	t.Helper()
	s := parse(t, "agent/internal/daemon", "agent/internal/egress/egress.go", "agent/internal/egress/portal.go", "agent/internal/egress/proxy.go", "agent/internal/egress/networks.go",
		"agent/internal/creds", "agent/internal/clientcert/clientcert.go", "agent/internal/clientcert/refusal.go", "agent/internal/doctor", "agent/internal/power", "agent/internal/verify", "agent/internal/replica", "agent/internal/history",
		"agent/internal/want", "agent/internal/config", "agent/internal/sock", "agent/internal/svc/svc.go", "agent/internal/svc/manager_linux.go", "agent/internal/provision", "agent/control", "agent/credentials.go", "pim/watch", "pim/safefile", "ds/dsclient", "mqtt/mqtt.go", "pim/pim.go", "mqtt/pahoclient", "pim/vdir", "pim/maildir",
		"pim/filter/filter.go", "pim/filter/parse.go", "pim/filter/policy.go", "pim/filter/term.go", "pim/filter/value.go", "pim/filter/words.go",
		"dm/mo/table.go")
	for file, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if _, isImport := n.(*ast.ImportSpec); isImport || ok && quiet.MatchString(last(call.Fun)) {
				return false
			}
			return !s.checkKnown(t, file, n)
		})
	}
}

// TestErrorsOfCommandsAreKnown is TestWhatIsSaidIsKnown for the command line and the page, whose other texts are their own.
func TestErrorsOfCommandsAreKnown(t *testing.T) {
	each(t, func(t *testing.T, _ []po.Message) { checkErrors(t) })
}

func checkErrors(t *testing.T) {
	t.Helper()
	s := parse(t, "agent/internal/cli", "agent/internal/page")
	for file, f := range s.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && slices.Contains([]string{"errors.New", "fmt.Errorf"}, callee(call)) && !strings.HasPrefix(file, "agent/internal/cli/manual") {
				s.checkKnown(t, file, call.Args[0])
			}
			return true
		})
	}
}

// last is what a call calls, without of what.
func last(e ast.Expr) string {
	if s, ok := e.(*ast.SelectorExpr); ok {
		return s.Sel.Name
	}
	return ""
}

// checkKnown tells whether a node is a text, of which the catalog must know the prose.
func (s *source) checkKnown(t *testing.T, file string, n ast.Node) (isText bool) {
	t.Helper()
	e, ok := n.(ast.Expr)
	if !ok || text(e) == "" {
		return false
	}
	said := text(e)
	if prose.MatchString(said) && !command.MatchString(said) && !knows(user().catalog(), said) {
		t.Errorf("%s:%d: no entry knows %q", file, s.set.Position(n.Pos()).Line, said)
	}
	return true
}

// knows tells whether a format is known when its values are.
func knows(c *catalog, format string) bool {
	if strings.HasPrefix(format, " (") {
		format = "%s" + format
	}
	format = strings.TrimLeft(strings.TrimSpace(format), ";: ")
	if glued := regexp.MustCompile(`\pL%[sw]$`); glued.MatchString(format) {
		format = format[:len(format)-2] // what may follow begins with a seam
	}
	said := anyVerb.ReplaceAllStringFunc(format, func(v string) string {
		switch {
		case v == "%%":
			return "%"
		case strings.HasSuffix(v, "d"):
			return "3"
		case strings.HasSuffix(v, "q"):
			return `"in sync"`
		}
		return "in sync"
	})
	_, known := c.translate(said)
	return known || c.words[said] != ""
}

// TestTheWordsOfTheSessionAreKnown: where it stands, how it ended, and why it exchanged something.
func TestTheWordsOfTheSessionAreKnown(t *testing.T) {
	each(t, func(t *testing.T, _ []po.Message) {
		for file, f := range parse(t, "ds/session").files {
			ast.Inspect(f, func(n ast.Node) bool {
				spec, ok := n.(*ast.ValueSpec)
				if !ok {
					return true
				}
				if kind, ok := spec.Type.(*ast.Ident); ok && slices.Contains([]string{"Cause", "State", "Ending"}, kind.Name) {
					if word := text(spec.Values[0]); !knows(user().catalog(), word) {
						t.Errorf("%s: no entry knows the %s %q", file, kind.Name, word)
					}
				}
				return false
			})
		}
	})
}
