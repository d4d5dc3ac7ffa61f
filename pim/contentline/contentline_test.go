package contentline_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/pim/contentline"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func TestLines(t *testing.T) {
	type line struct {
		Group, Name string
		Params      []contentline.Param
		Text        string
	}
	for _, c := range []struct {
		name, in string
		want     line
	}{
		{"plain", "FN:Ana Silva\r\n", line{Name: "FN", Text: "Ana Silva"}},
		{"LF only", "fn:Ana\n", line{Name: "FN", Text: "Ana"}},
		{"no end", "FN:Ana", line{Name: "FN", Text: "Ana"}},
		{"group", "item1.TEL:1\r\n", line{Group: "item1", Name: "TEL", Text: "1"}},
		{"folded", "FN:Ana\r\n  Sil\r\n\tva\r\n", line{Name: "FN", Text: "Ana Silva"}},
		{"escapes", `NOTE:a\nb\, c\; \\d` + "\r\n", line{Name: "NOTE", Text: "a\nb, c; \\d"}},
		{"2.1 parameter", "TEL;CELL;VOICE:+351\r\n", line{Name: "TEL", Params: []contentline.Param{{Values: []string{"CELL"}}, {Values: []string{"VOICE"}}}, Text: "+351"}},
		{"quoted parameter", `ATTENDEE;CN="Silva; Ana",x:mailto:a@b` + "\r\n", line{Name: "ATTENDEE",
			Params: []contentline.Param{{Name: "CN", Values: []string{"Silva; Ana", "x"}}}, Text: "mailto:a@b"}},
		{"quoted-printable", "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:Jo=E3o=\r\n e Ana=0D=0Afim\r\n", line{Name: "NOTE", Params: []contentline.Param{
			{Name: "ENCODING", Values: []string{"QUOTED-PRINTABLE"}}, {Name: "CHARSET", Values: []string{"ISO-8859-1"}}}, Text: "João e Ana\r\nfim"}},
		{"Latin-1 without a word", "FN:Jo\xe3o\r\n", line{Name: "FN", Text: "João"}},
		{"no sense", "hello\r\n", line{}},
		{"an open quote", "A;B=\"c:d\r\n", line{}},
		{"no value (go-ical panics)", "X;A=b\r\n", line{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines := contentline.Parse([]byte(c.in))
			if len(lines) != 1 {
				t.Fatalf("%d lines: %+v", len(lines), lines)
			}
			l := lines[0]
			if d := cmp.Diff(c.want, line{l.Group, l.Name, l.Params, l.Text()}); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestFoldsOfVCard21KeepTheirBlank(t *testing.T) {
	lines := contentline.Parse([]byte("BEGIN:VCARD\nVERSION:2.1\nNOTE:one\n two\nEND:VCARD\n"))
	if got := lines[2].Text(); got != "one two" {
		t.Errorf("%q", got)
	}
}

func TestBinary(t *testing.T) {
	for _, in := range []string{
		"PHOTO;ENCODING=b;TYPE=JPEG:aGVs\r\n bG8=\r\n",
		"PHOTO;JPEG;ENCODING=BASE64:\r\n aGVs\r\n bG8=\r\n",
		"PHOTO;BASE64:\naGVs\nbG8=\n",
	} {
		lines := contentline.Parse([]byte(in + "\r\nEND:VCARD\r\n"))
		if data, ok := lines[0].Binary(); !ok || string(data) != "hello" {
			t.Errorf("%q: %q, %t", in, data, ok)
		}
	}
}

func TestPartsAndLists(t *testing.T) {
	lines := contentline.Parse([]byte("N:Silva\\;S;Ana;;;\r\nCATEGORIES:work, a\\,b\r\n"))
	if d := cmp.Diff([]string{"Silva;S", "Ana", "", "", ""}, lines[0].Parts()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"work", "a,b"}, lines[1].List()); d != "" {
		t.Error(d)
	}
}

// TestRealFilesComeBack to the octet, and a line that is written anew says the same.
func TestRealFilesComeBack(t *testing.T) {
	n := 0
	for _, dir := range []string{"vcard", "icalendar"} {
		err := filepath.WalkDir(pimtest.Shared(t, "corpus", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			n++
			lines := contentline.Parse(body)
			if !bytes.Equal(contentline.Write(lines), body) {
				t.Errorf("%s did not come back", path)
			}
			for i := range lines {
				writeAnew(t, path, &lines[i])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n < 700 {
		t.Errorf("only %d files", n)
	}
}

func writeAnew(t *testing.T, path string, l *contentline.Line) {
	t.Helper()
	if l.Name == "" || strings.Contains(l.Value, "\n") || l.Has("ENCODING", "QUOTED-PRINTABLE") {
		return // soft line breaks belong to the encoding
	}
	fresh := *l
	fresh.Raw = nil
	again := contentline.Parse(contentline.Write([]contentline.Line{fresh}))
	if len(again) != 1 || again[0].Name != l.Name || again[0].Value != l.Value || !cmp.Equal(again[0].Params, l.Params) {
		t.Errorf("%s: %q became %+v", path, l.Raw, again)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("BEGIN:VCARD\r\nTEL;CELL;X=\"a,b\",c:+1\r\n 2\r\nEND:VCARD\r\n"))
	f.Add([]byte("NOTE;ENCODING=QUOTED-PRINTABLE:a=\nb=\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines := contentline.Parse(body)
		for i := range lines {
			lines[i].Text()
			lines[i].Parts()
		}
		if !bytes.Equal(contentline.Write(lines), body) {
			t.Errorf("%q did not come back", body)
		}
	})
}

// TestNothingIsGluedToTheLastLine: an END that is added to a file that was cut off stands on a line of its own (found by fuzzing).
func TestNothingIsGluedToTheLastLine(t *testing.T) {
	for _, body := range []string{"BEGIN:VEVENT\r\nSUMMARY:x", "BEGIN:VCARD\r\nNOTE;ENCODING=QUOTED-PRINTABLE:a=\r\n", "BEGIN:\r\nSUMMARY:x\r\nEND:\r\n"} {
		lines := contentline.ParseTree([]byte(body)).Lines()
		if again := contentline.Parse(contentline.Write(lines)); len(again) != len(lines) || again[len(again)-1].Name != "END" {
			t.Errorf("%q becomes %q", body, contentline.Write(lines))
		}
	}
}
