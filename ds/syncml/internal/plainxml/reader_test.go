package plainxml_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/syncml/internal/plainxml"
	"github.com/alwayson-sync/alwayson/ds/syncml/internal/wbxml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// ours and standard are the root element of a document as lines, with joined text; the error is where it ended.
func ours(doc []byte) (string, error) {
	var out lines
	r, err := plainxml.NewReader(doc)
	for err == nil && !out.done {
		var t wbxml.Token
		if t, err = r.Next(); err != nil {
			break
		}
		switch t.Kind {
		case wbxml.Start:
			out.start(t.Name)
		case wbxml.End:
			out.end(t.Name)
		case wbxml.Text:
			out.text.Write(t.Text)
		}
	}
	return out.b.String(), err
}

func standard(doc []byte) (string, error) {
	var out lines
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for !out.done {
		t, err := d.RawToken()
		if err != nil {
			return out.b.String(), err
		}
		switch t := t.(type) {
		case xml.StartElement:
			out.start(t.Name.Local)
		case xml.EndElement:
			out.end(t.Name.Local)
		case xml.CharData:
			out.text.Write(t)
		}
	}
	return out.b.String(), nil
}

type lines struct {
	b, text strings.Builder
	depth   int
	done    bool
}

// flush writes the text before a tag; the standard library makes line feeds of carriage returns.
func (l *lines) flush() {
	if s := strings.ReplaceAll(strings.ReplaceAll(l.text.String(), "\r\n", "\n"), "\r", "\n"); s != "" && l.depth > 0 {
		fmt.Fprintf(&l.b, "%q\n", s)
	}
	l.text.Reset()
}

func (l *lines) start(name string) {
	l.flush()
	l.depth++
	fmt.Fprintf(&l.b, "<%s>\n", name)
}

func (l *lines) end(name string) {
	l.flush()
	l.depth--
	l.done = l.depth <= 0
	fmt.Fprintf(&l.b, "</%s>\n", name)
}

// compare says where both read a document, and differ.
func compare(t *testing.T, name string, doc []byte) {
	t.Helper()
	got, err := ours(doc)
	if err != nil {
		return
	}
	want, err := standard(doc)
	if err == nil && got != want {
		t.Errorf("%s (-standard +ours):\n%.1000s", name, cmp.Diff(want, got))
	}
}

// TestCorpusReadsAsTheStandardLibraryReadsIt holds the reader against encoding/xml: it may refuse more, but not read anything else.
func TestCorpusReadsAsTheStandardLibraryReadsIt(t *testing.T) {
	read, refused := 0, 0
	err := filepath.WalkDir(pimtest.Shared(t, "corpus"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".xml") {
			return err
		}
		doc, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		_, here := ours(doc)
		_, there := standard(doc)
		switch {
		case here == nil && there == nil:
			read++
			compare(t, path, doc)
		case there == nil:
			refused++
			t.Logf("%s is refused here only: %v", path, here)
		}
		return nil
	})
	if err != nil || read < 300 || refused > 0 {
		t.Errorf("%d documents were read, %d only by the standard library; %v", read, refused, err)
	}
	t.Logf("%d documents", read)
}

func FuzzReader(f *testing.F) {
	for _, doc := range []string{
		"<a/>", "<?xml version='1.0'?><!DOCTYPE a><a b='c' xmlns:d=\"e\"><d:f>&lt;&#65;</d:f><![CDATA[]]]]><!-- x --></a>", "<a>\r\n\r</a>", "<a><b></a>", "<a>]]></a>",
	} {
		f.Add([]byte(doc))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if utf8.Valid(doc) { // else it is Latin-1 here
			compare(t, "fuzz", doc)
		}
	})
}
