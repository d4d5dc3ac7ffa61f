package syncml_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// otherLanguage is how documents of WML, service indications, e-mail notifications and their like are refused.
const otherLanguage = "is no SyncML"

// tree is a document for comparison: a line for each element and text, without white space, comments, prefixes and declarations.
func tree(t *testing.T, what string, doc []byte) string {
	t.Helper()
	if !utf8.Valid(doc) {
		latin := make([]rune, len(doc))
		for i, c := range doc {
			latin[i] = rune(c)
		}
		doc = []byte(string(latin))
	}
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var out strings.Builder
	if err := writeTree(&out, d, 0); err != nil {
		t.Fatalf("%s: %v in\n%.300s", what, err, doc)
	}
	return out.String()
}

func writeTree(out *strings.Builder, d *xml.Decoder, depth int) error {
	var text strings.Builder
	flush := func() {
		if s := strings.Join(strings.Fields(text.String()), " "); s != "" {
			fmt.Fprintf(out, "%*s%q\n", depth, "", s)
		}
		text.Reset()
	}
	for {
		tok, err := d.Token()
		if err == io.EOF && depth == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			flush()
			fmt.Fprintf(out, "%*s<%s>\n", depth, "", strings.ToLower(tok.Name.Local)) // some write DevId
			if err := writeTree(out, d, depth+1); err != nil {
				return err
			}
		case xml.EndElement:
			flush()
			return nil
		case xml.CharData:
			text.Write(tok)
		}
	}
}

// TestDocumentsAreThoseOfLibwbxml translates every WBXML file of the corpus that wbxml2xml decodes, and compares.
func TestDocumentsAreThoseOfLibwbxml(t *testing.T) {
	dir := pimtest.Shared(t)
	tool := pimtest.Program(t, "wbxml2xml", "libwbxml2-utils")
	compared, others := 0, 0
	for _, name := range decodable(t, dir) {
		in, err := os.ReadFile(filepath.Join(dir, "corpus", name))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := syncml.ToXML(in)
		if err != nil {
			if !strings.Contains(err.Error(), otherLanguage) {
				t.Errorf("%s: %v", name, err)
			}
			others++
			continue
		}
		theirs := filepath.Join(t.TempDir(), "x.xml")
		if out, err := exec.Command(tool, "-o", theirs, filepath.Join(dir, "corpus", name)).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		want, err := os.ReadFile(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(mediaTypes(tree(t, name, want)), mediaTypes(tree(t, name, ours))); d != "" {
			t.Errorf("%s (-wbxml2xml +ours):\n%.1500s", name, d)
		}
		again(t, name, ours)
		compared++
	}
	t.Logf("%d documents compared, %d of other languages refused", compared, others)
	if compared < 38 {
		t.Errorf("only %d documents", compared)
	}
}

// mediaTypes undoes that wbxml2xml translates the media types of nested documents, too; we leave the document's words alone.
func mediaTypes(s string) string {
	return strings.NewReplacer("devinf+xml", "devinf+wbxml", "dmtnds+xml", "dmtnds+wbxml").Replace(s)
}

// decodable lists the WBXML files that PROVENANCE says wbxml2xml decodes.
func decodable(t *testing.T, dir string) (out []string) {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(dir, "corpus/PROVENANCE.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) >= 6 && strings.HasSuffix(f[0], "wbxml") && strings.Contains(f[5], "wbxml2xml: decodes") {
			out = append(out, f[0])
		}
	}
	return out
}

// again writes a document as WBXML and back.
func again(t *testing.T, name string, doc []byte) {
	t.Helper()
	bin, err := syncml.ToWBXML(doc)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	back, err := syncml.ToXML(bin)
	if err != nil {
		t.Errorf("%s: written again: %v", name, err)
		return
	}
	if d := cmp.Diff(tree(t, name, doc), tree(t, name, back)); d != "" {
		t.Errorf("%s (-first +again):\n%.1000s", name, d)
	}
}

// notMessages are files of corpus/syncml-xml with a SyncML root that no receiver can take for a message, and why.
var notMessages = map[string]string{
	"sync_init.xml":               "its tags do not match",
	"wrongex.xml":                 "wrong on purpose",
	"syncml-013.xml":              "it has no SyncHdr",
	"syncml-014.xml":              "it has no SyncHdr",
	"testalertconfirm.xml":        "an ampersand is not escaped",
	"testalertmultiplechoice.xml": "an ampersand is not escaped",
	"testalertsinglechoice.xml":   "an ampersand is not escaped",
	"testalerttextinput.xml":      "an ampersand is not escaped",
}

// TestXMLDocuments takes every XML file of the corpus with a root of the SyncML family: messages decode and come back, and all of them
// survive the way over WBXML.
func TestXMLDocuments(t *testing.T) {
	dir := pimtest.Shared(t, "corpus")
	messages, others := 0, 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".xml") || notMessages[e.Name()] != "" {
			return err
		}
		in, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		switch root(in) {
		case "SyncML":
			messages++
			roundTrip(t, path)
			again(t, rel, in)
		case "DevInf":
			others++
			again(t, rel, in)
		}
		return nil
	})
	t.Logf("%d messages, %d other documents", messages, others)
	if err != nil || messages < 200 {
		t.Errorf("only %d messages, %v", messages, err)
	}
}

// root is the name of the root element, "" if there is none.
func root(in []byte) string {
	d := xml.NewDecoder(bytes.NewReader(in))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		tok, err := d.RawToken()
		if err != nil {
			return ""
		}
		if s, ok := tok.(xml.StartElement); ok {
			return s.Name.Local
		}
	}
}
