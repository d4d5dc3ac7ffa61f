package syncml_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// vector reads a message of protocol.md B.8, which libwbxml made.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectorsComeBackToTheByte(t *testing.T) {
	for _, name := range []string{"M1", "R1", "G1"} {
		want := vector(t, name)
		m, err := syncml.Decode(want, syncml.WBXML)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := syncml.Encode(m, syncml.WBXML)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s:\ngot  %x\nwant %x", name, got, want)
		}
		roundTripXML(t, name, m)
	}
}

func roundTripXML(t *testing.T, name string, m *syncml.Message) {
	t.Helper()
	text, err := syncml.Encode(m, syncml.XML)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	again, err := syncml.Decode(text, syncml.XML)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if d := cmp.Diff(m, again); d != "" {
		t.Errorf("%s through XML (-want +got):\n%s", name, d)
	}
}

func TestM1(t *testing.T) {
	m, err := syncml.Decode(vector(t, "M1"), syncml.WBXML)
	if err != nil {
		t.Fatal(err)
	}
	want := &syncml.Message{
		Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: "1", MsgID: "1",
			Target: syncml.Location{URI: "http://s/x"}, Source: syncml.Location{URI: "IMEI:1"},
			Meta: syncml.Meta{MaxMsgSize: 16384, MaxObjSize: 65536}},
		Commands: []syncml.Command{&syncml.Alert{ID: "1", Code: ds.AlertTwoWay, Items: []syncml.Item{{
			Target: &syncml.Location{URI: "card"}, Source: &syncml.Location{URI: "./contacts"},
			Meta: syncml.Meta{Anchor: &ds.Anchors{Last: "A1", Next: "A2"}}}}}},
		Final: true,
	}
	if d := cmp.Diff(want, m); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDevInfIsADocumentOfItsOwn(t *testing.T) {
	inf, err := syncml.DecodeDevInf(vector(t, "D1"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := syncml.EncodeDevInf(inf, syncml.WBXML)
	if err != nil || !bytes.Equal(doc, vector(t, "D1")) {
		t.Errorf("D1 came back as %x, %v", doc, err)
	}
	put := &syncml.Message{Header: syncml.Header{VerDTD: "1.2"}, Commands: []syncml.Command{&syncml.Put{ID: "1",
		Meta:  syncml.Meta{Type: "application/vnd.syncml-devinf+wbxml"},
		Items: []syncml.Item{{Source: &syncml.Location{URI: "./devinf12"}, Data: &syncml.Data{DevInf: inf}}}}}}
	got, err := syncml.Encode(put, syncml.WBXML)
	if err != nil || !bytes.Contains(got, append([]byte{0x4F, 0xC3, 0x6E}, append(doc, 0x01)...)) {
		t.Errorf("the Put does not hold D1 as octets: %x, %v", got, err)
	}
	again, err := syncml.Decode(got, syncml.WBXML)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(put, again); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	roundTripXML(t, "P1", put)
}

func TestBodiesSurviveBothEncodings(t *testing.T) {
	for _, body := range []string{"", "plain", "a\r\nb\rc\n", "]]>&<>\"'", "\x00\x01\x02", "\xff\xfe latin", "ü€𝄞", "\ufffe"} {
		m := &syncml.Message{Commands: []syncml.Command{&syncml.Sync{ID: "1", NumberOfChanges: -1, Commands: []syncml.Command{
			&syncml.Change{Op: syncml.OpAdd, ID: "2", Items: []syncml.Item{{Data: &syncml.Data{Bytes: []byte(body)}}}}}}}}
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			b, err := syncml.Encode(m, enc)
			if err != nil {
				t.Fatal(err)
			}
			again, err := syncml.Decode(b, enc)
			if err != nil {
				t.Fatalf("%v %q: %v", enc, body, err)
			}
			it := again.Commands[0].(*syncml.Sync).Commands[0].(*syncml.Change).Items[0]
			got, err := it.Body()
			if err != nil || string(got) != body {
				t.Errorf("%v: %q came back as %q, %v", enc, body, got, err)
			}
		}
	}
}

func TestTruncatedDocumentsAreRefusedWithTheOffset(t *testing.T) {
	whole := vector(t, "R1")
	for n := range len(whole) - 1 {
		if _, err := syncml.Decode(whole[:n], syncml.WBXML); err == nil || !strings.Contains(err.Error(), "offset") {
			t.Errorf("%d octets of %d: error %v", n, len(whole), err)
		}
	}
}
