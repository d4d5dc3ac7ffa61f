package syncml_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// seed adds the vectors and the documents of other people in these folders of the corpus.
func seed(f *testing.F, folders ...string) {
	f.Add([]byte(`<SyncML><SyncHdr/><SyncBody><Final/></SyncBody></SyncML>`))
	f.Add([]byte(message("<a xmlns:b='c'><b:d>&lt;</b:d></a>")))
	for _, name := range []string{"M1", "R1", "G1", "D1", "T1"} {
		f.Add(vector(f, name))
	}
	pimtest.Seed(f, 10_000, folders...)
}

// FuzzDecode reads messages. What it could read it can write, and then read and write without a further change.
func FuzzDecode(f *testing.F) {
	seed(f, "syncml-wbxml", "syncml-xml", "dm")
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := syncml.Decode(in, syncml.Sniff(in))
		if err != nil {
			return
		}
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			stable(t, m, enc)
		}
	})
}

// stable writes and reads until nothing may change any more: elements in data become text in WBXML the first time.
func stable(t *testing.T, m *syncml.Message, enc syncml.Encoding) {
	t.Helper()
	var before []byte
	for round := range 3 {
		doc, err := syncml.Encode(m, enc)
		if round == 0 && errors.Is(err, syncml.ErrNotXML) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if round == 2 && !bytes.Equal(doc, before) {
			t.Errorf("first  %q\nsecond %q", before, doc)
		}
		if m, err = syncml.Decode(doc, enc); err != nil {
			t.Fatalf("cannot read what was written: %v\n%q", err, doc)
		}
		before = doc
	}
}

// FuzzDevInf reads device information.
func FuzzDevInf(f *testing.F) {
	seed(f, "devinf", "syncml-wbxml/wbxml-stream/devinf")
	f.Fuzz(func(t *testing.T, in []byte) {
		inf, err := syncml.DecodeDevInf(in)
		if err != nil {
			return
		}
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			doc, err := syncml.EncodeDevInf(inf, enc)
			if errors.Is(err, syncml.ErrNotXML) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := syncml.DecodeDevInf(doc); err != nil {
				t.Errorf("cannot read what was written: %v\n%q", err, doc)
			}
		}
	})
}

// FuzzDocuments translates documents for people, there and back.
func FuzzDocuments(f *testing.F) {
	seed(f, "syncml-wbxml", "syncml-xml", "dm", "devinf", "san/omacp")
	f.Fuzz(func(t *testing.T, in []byte) {
		doc := in
		if syncml.Sniff(in) == syncml.WBXML {
			var err error
			if doc, err = syncml.ToXML(in); err != nil {
				return
			}
		}
		bin, err := syncml.ToWBXML(doc)
		if err != nil {
			return
		}
		if _, err := syncml.ToXML(bin); err != nil && !errors.Is(err, syncml.ErrNotXML) {
			t.Errorf("cannot read what was written: %v", err)
		}
	})
}
