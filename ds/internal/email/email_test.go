package email

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/mail"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func TestRealMailsComeBackToTheOctet(t *testing.T) {
	n := 0
	err := filepath.WalkDir(pimtest.Shared(t, "corpus", "email"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		msg, err := os.ReadFile(path)
		n++
		for _, body := range [][]byte{msg, bytes.ReplaceAll(bytes.ReplaceAll(msg, []byte("\r"), nil), []byte("\n"), []byte("\r\n"))} {
			if err := comesBack(Of(pim.Item{Type: pim.TypeMessage, Flags: "DSa", Body: body})); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return err
	})
	if err != nil || n < 300 {
		t.Errorf("%d mails, %v", n, err)
	}
}

func comesBack(e Email) error {
	e.Received, e.Created = e.Received.UTC().Truncate(time.Second), e.Created.UTC().Truncate(time.Second)
	object := Encode(e)
	got, err := Decode(object)
	if err != nil {
		return fmt.Errorf("%v in %.200q", err, object)
	}
	if !bytes.Equal(e.Body, got.Body) || got.Body == nil {
		return fmt.Errorf("body %.100q", got.Body)
	}
	if d := cmp.Diff(e, got, cmpopts.IgnoreFields(Email{}, "Body")); d != "" {
		return errors.New(d)
	}
	if max := 3*len(e.Body) + 2000; len(object) > max {
		return fmt.Errorf("%d octets for %d", len(object), len(e.Body))
	}
	return nil
}

func TestAnyOctetsComeBack(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, body := range []string{"", " ", "\n", "\r", "\r\n.\r\n", "]]>", "]", "]]", "a]]>b]]>", "<![CDATA[", "&amp;", "=\n", "x\x00y", string(all), strings.Repeat("=", 300),
		strings.Repeat("a", 300) + "\r\n", "\xef\xbb\xbfx", "caf\xe9", "\u2028\u0085", "\uffff", "--b\r\n-"} {
		e := Of(pim.Item{Body: []byte(body)})
		if err := comesBack(e); err != nil {
			t.Errorf("%q: %v", body, err)
		}
		if err := throughAMessage(e); err != nil {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// throughAMessage sends an object in both forms of SyncML.
func throughAMessage(e Email) error {
	for _, enc := range []syncml.Encoding{syncml.XML, syncml.WBXML} {
		m := &syncml.Message{Header: syncml.Header{VerDTD: "1.2", VerProto: "SyncML/1.2", SessionID: "1", MsgID: "1"}}
		data := &syncml.Data{Bytes: Encode(e)}
		c := &syncml.Change{Op: syncml.OpAdd, ID: "2", Items: []syncml.Item{{Source: &syncml.Location{URI: "1"}, SourceParent: "/", Data: data}}}
		m.Commands = []syncml.Command{&syncml.Sync{ID: "1", NumberOfChanges: -1, Commands: []syncml.Command{c}}}
		b, err := syncml.Encode(m, enc)
		if err != nil {
			return err
		}
		if m, err = syncml.Decode(b, enc); err != nil {
			return err
		}
		got, err := Decode(m.Commands[0].(*syncml.Sync).Commands[0].(*syncml.Change).Items[0].Data.Bytes)
		if err != nil || !bytes.Equal(got.Body, e.Body) {
			return fmt.Errorf("%v: %q, %v", enc, got.Body, err)
		}
	}
	return nil
}

const golden = `<Email><read>true</read><forwarded>false</forwarded><replied>false</replied><deleted>false</deleted><flagged>true</flagged>` +
	`<received>20260303T100005Z</received><created>20260303T100000Z</created><emailitem><![CDATA[Received: by mx.example; Tue, 03 Mar 2026 10:00:05 +0000
From: Ann <ann@x.example>
Subject: a & b
Date: Tue, 3 Mar 2026 11:00:00 +0100

Hello <you>
]]></emailitem><Ext><XNam>x-alwayson-flags</XNam><XVal>Da</XVal></Ext></Email>`

const body = "Received: by mx.example; Tue, 03 Mar 2026 10:00:05 +0000\nFrom: Ann <ann@x.example>\nSubject: a & b\n" +
	"Date: Tue, 3 Mar 2026 11:00:00 +0100\n\nHello <you>\n"

func TestTheGoldenExample(t *testing.T) {
	it := pim.Item{Type: pim.TypeMessage, Folder: "Work", Flags: "DFSa", Body: []byte(body)}
	if d := cmp.Diff(golden, string(Encode(Of(it)))); d != "" {
		t.Error(d)
	}
	e, err := Decode([]byte(golden))
	if d := cmp.Diff(it, e.Item("Work")); d != "" || err != nil {
		t.Error(d, err)
	}
	crlf := Of(pim.Item{Body: []byte("Subject: a=b\r\n\r\nHello, this is a line of some length, as in most letters.\r\n")})
	const want = "<emailitem enc=\"quoted-printable\"><![CDATA[Subject: a=3Db=0D=0A=\n=0D=0A=\nHello, this is a line of some length, as in most letters.=0D=0A]]></emailitem>"
	if got := Encode(crlf); !bytes.Contains(got, []byte(want)) {
		t.Errorf("%s", got)
	}
}

func TestAChangeOfFlagsSaysNothingOfTheBody(t *testing.T) {
	e, err := Decode(Encode(FlagsOf(pim.Item{Flags: "Sb"})))
	if err != nil || e.Body != nil || e.Apply("FRa") != "Sb" {
		t.Errorf("%+v %v: %s", e, err, e.Apply("FRa"))
	}
	// a peer that tells one flag only
	for object, want := range map[string]pim.Flags{
		"<Email><read>true</read></Email>":                                   "DFSa",
		"<Email><read/><flagged>false</flagged><emailitem/></Email>":         "Da",
		"<Email><deleted>1</deleted><replied>maybe</replied></Email>":        "DFTa",
		"<Email><Ext><XNam>x-other</XNam><XVal>Z</XVal></Ext></Email>":       "DFa",
		"<e:Email xmlns:e='x'><e:read> TRUE </e:read><new>1</new></e:Email>": "DFSa",
	} {
		e, err := Decode([]byte(object))
		if err != nil || e.Body != nil || e.Apply("DFa") != want {
			t.Errorf("%s: %v, body %q, flags %s, not %s", object, err, e.Body, e.Apply("DFa"), want)
		}
	}
}

func TestWhatFunambolWrites(t *testing.T) {
	for name, object := range map[string]string{
		"client":  "<Email>\n<read>false</read>\n<received>20080102T030405Z</received>\n<emailitem>\n<![CDATA[A: b\r\n\r\n<c>\xe4 &amp; d]]&gt;\n</emailitem>\n</Email>\n",
		"server":  `<Email><read>false</read><received>20080102T030405Z</received><emailitem enc="quoted-printable"><![CDATA[A: b=0D` + "\n=0D\n" + `<c>=E4 &amp;=` + "\n" + ` d]]></emailitem></Email>`,
		"escaped": "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Email><received>20080102T030405</received><emailitem ENC='base64'> QTogYg0K\r\nDQo8Yz7kICZh\nbXA7IGQ= </emailitem></Email>",
		"plain":   "<Email><received>2008-01-02T03:04:05Z</received><emailitem>A: b&#13;\n\r\n&lt;c&gt;\xe4 &amp;amp; d</emailitem></Email>",
	} {
		e, err := Decode([]byte(object))
		if err != nil || string(e.Body) != "A: b\r\n\r\n<c>\xe4 &amp; d" || e.Received.Unix() != 1199243045 {
			t.Errorf("%s: %q %v %v", name, e.Body, e.Received, err)
		}
	}
	partial := "<Email><emailitem><![CDATA[A: b\n\nc]]></emailitem><Ext><XNam>x-funambol-size</XNam><XVal>900</XVal></Ext>" +
		"<Ext><XNam>x-funambol-attach-n</XNam><XVal>1</XVal></Ext><Ext><XNam>x-funambol-attach</XNam><XVal>a.pdf</XVal><XVal>800</XVal></Ext></Email>"
	if e, err := Decode([]byte(partial)); err != nil || !e.Partial || e.Size != 900 {
		t.Errorf("%+v %v", e, err)
	}
}

func TestAPartialMessageTellsFunambolWhatIsMissing(t *testing.T) {
	whole := []byte("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\nContent-Type: application/pdf; name=a&b.pdf\n\n" +
		strings.Repeat("x", 5000) + "\n--b--\n")
	part, _ := mail.Reduce(whole, mail.Policy{Attachments: mail.None})
	object := Encode(Of(pim.Item{Body: part}))
	want := fmt.Sprintf("<Ext><XNam>x-funambol-size</XNam><XVal>%d</XVal></Ext><Ext><XNam>x-funambol-attach-n</XNam><XVal>1</XVal></Ext>"+
		"<Ext><XNam>x-funambol-attach</XNam><XVal>a&amp;b.pdf</XVal><XVal>5000</XVal></Ext></Email>", len(whole))
	e, err := Decode(object)
	if !bytes.HasSuffix(object, []byte(want)) || err != nil || !e.Partial || e.Size != int64(len(whole)) || !mail.SameMessage(e.Body, whole) {
		t.Errorf("%+v %v\n%s\n%s", e, err, object, want)
	}
}

func TestHostileObjectsAreRefusedWithTheirOffset(t *testing.T) {
	for name, object := range map[string]string{
		"empty":      "",
		"cut":        "<Email><read>true</read>",
		"other root": "<Folder><name>x</name></Folder>",
		"doctype":    "<!DOCTYPE Email [<!ENTITY a 'b'>]><Email><read>true</read></Email>",
		"entity":     "<Email><emailitem>&a;</emailitem></Email>",
		"deep":       "<Email>" + strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100) + "</Email>",
		"crossed":    "<Email><a></b></a></Email>",
		"base64":     "<Email><emailitem enc='base64'>QQ=!</emailitem></Email>",
		"quoted":     "<Email><emailitem enc='quoted-printable'>=G0</emailitem></Email>",
		"encoding":   "<Email><emailitem enc='rot13'>x</emailitem></Email>",
		"two bodies": "<Email><emailitem>a</emailitem><emailitem>b</emailitem></Email>",
		"a nul":      "<Email><emailitem><![CDATA[\x00]]></emailitem></Email>",
		"wbxml":      "\x03\x01\x6a\x00",
	} {
		e, err := Decode([]byte(object))
		if err == nil || !strings.Contains(err.Error(), "offset ") || e.Body != nil {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	if _, err := Decode(make([]byte, MaxObject+1)); !errors.Is(err, pim.ErrTooLarge) {
		t.Errorf("too large an object: %v", err)
	}
	if _, err := decodeBody(make([]byte, pim.MaxItemSize+1), ""); !errors.Is(err, pim.ErrTooLarge) {
		t.Errorf("too large a message: %v", err)
	}
}

func TestFolders(t *testing.T) {
	f := FolderOf(pim.Item{Type: pim.TypeFolder, Folder: "Work/Tours & more"})
	f.Created = time.Date(2026, 3, 3, 10, 0, 0, 0, time.UTC)
	const want = "<Folder><name>Tours &amp; more</name><created>20260303T100000Z</created></Folder>"
	if got := string(EncodeFolder(f)); got != want {
		t.Error(got)
	}
	sent := FolderOf(pim.Item{Type: pim.TypeFolder, Folder: "Sent Items"})
	for _, f := range []Folder{f, sent, {Name: "x", Role: "other", Modified: f.Created}} {
		got, err := DecodeFolder(EncodeFolder(f))
		if d := cmp.Diff(f, got); d != "" || err != nil {
			t.Error(d, err)
		}
	}
	if sent.Role != Sent || RoleOf("Work/Sent") != "" || RoleOf("") != Inbox {
		t.Error(sent)
	}
	if f, err := DecodeFolder([]byte("<Folder><name>../a\nb</name><attributes><h>true</h></attributes><role>DRAFT</role></Folder>")); err != nil || f.Name != ".._a_b" || f.Role != Draft {
		t.Errorf("%+v %v", f, err)
	}
	if f, err := DecodeFolder([]byte("<Folder><name>Entw\xfcrfe</name></Folder>")); err != nil || f.Name != "Entw\u00fcrfe" {
		t.Errorf("Latin-1: %+v %v", f, err)
	}
	for _, bad := range []string{"", "<name/>", "<name>..</name>", "<name>" + strings.Repeat("x", 300) + "</name>"} {
		if f, err := DecodeFolder([]byte("<Folder>" + bad + "</Folder>")); err == nil {
			t.Errorf("%q gives %+v", bad, f)
		}
	}
}

func TestCTCapsCanBeAnnounced(t *testing.T) {
	inf := &syncml.DevInf{VerDTD: "1.2", DevID: "x", DevTyp: "server", DataStores: []syncml.DataStore{{SourceRef: "mail", CTCaps: CTCaps()}}}
	for _, enc := range []syncml.Encoding{syncml.XML, syncml.WBXML} {
		b, err := syncml.EncodeDevInf(inf, enc)
		if err != nil {
			t.Fatal(err)
		}
		got, err := syncml.DecodeDevInf(b)
		if d := cmp.Diff(inf.DataStores[0].CTCaps, got.DataStores[0].CTCaps); d != "" || err != nil {
			t.Error(d, err)
		}
	}
}

func TestMarkersNameABodyAsTheWireDoes(t *testing.T) {
	if mail.ID([]byte(body)) != ds.Version([]byte(body)) {
		t.Error("mail.ID is not ds.Version")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(golden))
	f.Add([]byte("<Email>\n<emailitem enc='quoted-printable'>\n<![CDATA[a=0D=\n\xe4]]&gt;\n</emailitem>"))
	f.Add([]byte("<Folder><name>&#x41;&lt;</name><role>inbox</role></Folder>"))
	f.Add([]byte("<Email><emailitem enc='base64'>QUJD</emailitem><Ext><XNam>x-alwayson-flags</XNam><XVal>D</XVal></Ext></Email>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if folder, err := DecodeFolder(in); err == nil {
			if again, err := DecodeFolder(EncodeFolder(folder)); err != nil || again != folder {
				t.Errorf("folder %+v, then %+v, %v", folder, again, err)
			}
		}
		e, err := Decode(in)
		if err != nil {
			return
		}
		again, err := Decode(Encode(e))
		if err != nil || !bytes.Equal(again.Body, e.Body) || (again.Body == nil) != (e.Body == nil) || again.Apply("DFa") != e.Apply("DFa") {
			t.Errorf("%+v, then %+v, %v", e, again, err)
		}
	})
}

func FuzzBody(f *testing.F) {
	f.Add([]byte("a\r\nb]]>\x00=\xff"))
	f.Add([]byte(strings.Repeat("=\n", 100)))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := Of(pim.Item{Body: body})
		got, err := Decode(Encode(e))
		if err != nil || !bytes.Equal(got.Body, body) || got.Body == nil {
			t.Errorf("%q: %q, %v", body, got.Body, err)
		}
		if e.Body, err = decodeBody(encodeQuoted(body), "quoted-printable"); err != nil || !bytes.Equal(e.Body, body) || quotedSize(body) < len(encodeQuoted(body)) {
			t.Errorf("quoted-printable of %q: %q, %v", body, e.Body, err)
		}
	})
}
