package syncml_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// TestRecordedConversations decodes every message of SyncEvolution's recorded conversations and writes it again.
func TestRecordedConversations(t *testing.T) {
	n := 0
	err := filepath.WalkDir(pimtest.Shared(t, "traces"), func(path string, e fs.DirEntry, err error) error {
		name := filepath.Base(path)
		wire := strings.HasSuffix(name, ".wbxml") || strings.HasSuffix(name, ".xml") && strings.HasSuffix(filepath.Dir(path), "xml") && !strings.HasSuffix(filepath.Dir(path), "wbxml")
		if err != nil || e.IsDir() || !wire || len(name) < 3 || name[2] != '-' {
			return err
		}
		n++
		roundTrip(t, path)
		return nil
	})
	if err != nil || n < 200 {
		t.Errorf("only %d messages, %v", n, err)
	}
	t.Logf("%d messages", n)
}

func roundTrip(t *testing.T, path string) {
	t.Helper()
	in, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	enc := syncml.Sniff(in)
	m, err := syncml.Decode(in, enc)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	out, err := syncml.Encode(m, enc)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return
	}
	again, err := syncml.Decode(out, enc)
	if err != nil {
		t.Errorf("%s: written again: %v", path, err)
		return
	}
	if !reflect.DeepEqual(m, again) {
		d := cmp.Diff(m, again)
		t.Errorf("%s (-first +again):\n%.600s", path, d)
	}
}

// TestHostileDocumentsAreRefused feeds the inputs that crash a C decoder.
func TestHostileDocumentsAreRefused(t *testing.T) {
	files, err := filepath.Glob(pimtest.Shared(t, "corpus/syncml-wbxml/libwbxml-fuzz/*"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = syncml.Decode(in, syncml.WBXML)
		if err != nil && !strings.Contains(err.Error(), "offset") {
			t.Errorf("%s: the error does not say where: %v", filepath.Base(path), err)
		}
	}
}

// TestOtherPeoplesMessages decodes the SyncML documents of the corpus that libwbxml decodes, and the well-formed XML ones, and writes
// them again. Documents of other languages (WML channels, e-mail notifications …) are refused by name.
func TestOtherPeoplesMessages(t *testing.T) {
	dir := pimtest.Shared(t)
	table, err := os.ReadFile(filepath.Join(dir, "corpus/PROVENANCE.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	messages := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) < 6 || !strings.HasPrefix(f[0], "syncml-wbxml/") || !strings.Contains(f[5], "wbxml2xml: decodes") {
			continue
		}
		path := filepath.Join(dir, "corpus", f[0])
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = syncml.Decode(in, syncml.WBXML)
		_, notDevInf := syncml.DecodeDevInf(in)
		switch {
		case err == nil:
			messages++
			roundTrip(t, path)
		case notDevInf == nil, strings.Contains(err.Error(), "is no SyncML"), strings.Contains(err.Error(), "its root is"):
		case strings.Contains(err.Error(), "it has no SyncHdr"): // well-formed, but no message
		default:
			t.Errorf("%s: %v", f[0], err)
		}
	}
	if messages < 20 {
		t.Errorf("only %d messages", messages)
	}
	t.Logf("%d messages", messages)
}
