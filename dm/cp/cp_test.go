package cp_test

import (
	"bytes"
	"encoding/xml"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/dm/cp"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

func read(t testing.TB, path string) []byte {
	t.Helper()
	in, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func parse(t testing.TB, path string) *cp.Characteristic {
	t.Helper()
	doc, err := cp.Parse(read(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return doc
}

// TestBothForms: the same document in XML and WBXML is the same, and so are the accounts in it, in the words of the tree.
func TestBothForms(t *testing.T) {
	text, binary := parse(t, "testdata/ds-dm.xml"), parse(t, "testdata/ds-dm.wbxml")
	if diff := cmp.Diff(text, binary); diff != "" {
		t.Errorf("-XML +WBXML:\n%s", diff)
	}
	if got := cp.Device(binary); got != "laptop" {
		t.Errorf("device %q", got)
	}
	for app, want := range map[string]map[string]string{
		cp.DM: {"AppID": "w7", "ServerID": "alwayson-server", "Name": "Example management", "AppAddr/1/Addr": "mqtts://sync.example.org:8883",
			"ToConRef/1/ConRef": "NAP1", "AppAuth/1/AAuthLevel": "CLCRED", "AppAuth/1/AAuthType": "DIGEST", "AppAuth/1/AAuthName": "ana",
			"AppAuth/2/AAuthLevel": "SRVCRED", "AppAuth/2/AAuthType": "DIGEST", "AppAuth/2/AAuthName": "alwayson-server"},
		cp.DS: {"AppID": "w5", "ServerID": "alwayson-server", "Name": "Example sync", "AppAddr/1/Addr": "https://sync.example.org:8443/ds",
			"ToConRef/1/ConRef": "NAP1", "AppAuth/1/AAuthLevel": "CLCRED", "AppAuth/1/AAuthType": "DIGEST", "AppAuth/1/AAuthName": "ana"},
	} {
		all := cp.Applications(binary, app)
		if len(all) != 1 {
			t.Fatalf("%d accounts %s", len(all), app)
		}
		if diff := cmp.Diff(want, all[0].Nodes()); diff != "" {
			t.Errorf("%s, -want +got:\n%s", app, diff)
		}
		if c, ok := all[0].Credential(); !ok || c.Secret != "s3cret-of-the-device" {
			t.Errorf("%s: credential %+v, %t", app, c, ok)
		}
	}
	resources := cp.Applications(binary, cp.DS)[0].Resources
	if want := (cp.Resource{Name: "Calendar", URI: "./calendar", Accept: []string{"text/x-vcalendar", "text/calendar"}}); len(resources) != 5 || !reflect.DeepEqual(resources[1], want) {
		t.Errorf("%+v", resources)
	}
}

// TestOperatorsDocuments reads those of the corpus, of which some are there in both forms.
func TestOperatorsDocuments(t *testing.T) {
	dir := filepath.Join(pimtest.Shared(t), "corpus/san/omacp")
	binaries := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".wbxml" || filepath.Base(filepath.Dir(path)) == "ota" {
			return err
		}
		binaries++
		doc := parse(t, path)
		if len(doc.Below) == 0 {
			t.Errorf("%s has nothing in it", path)
		}
		text, err := os.ReadFile(strings.TrimSuffix(path, ".wbxml") + ".xml")
		if err != nil {
			return nil //nolint:nilerr // it is there in one form only
		}
		want, err := cp.Parse(text)
		if diff := cmp.Diff(want, doc); err != nil || diff != "" {
			t.Errorf("%s: %v, -XML +WBXML:\n%s", path, err, diff)
		}
		return nil
	})
	if err != nil || binaries < 10 {
		t.Errorf("%d documents, %v", binaries, err)
	}
	doc := parse(t, filepath.Join(dir, "symbian-provisioning.wbxml"))
	ds, dm := cp.Applications(doc, cp.DS), cp.Applications(doc, cp.DM)
	if len(ds) != 1 || ds[0].Addr != "http://dsprofile.com" || ds[0].ServerID != "ServerId" || len(ds[0].Auth) != 1 || ds[0].Auth[0].Level != "CLCRED" {
		t.Errorf("w5: %+v", ds)
	}
	if len(dm) == 0 || dm[0].Addr != "http://www.mgmtserver1.com:8080/manage" || len(dm[0].Auth) != 3 || dm[0].Auth[2].Level != "SRVCRED" || dm[0].Auth[1].Type != "DIGEST" {
		t.Errorf("w7: %+v", dm)
	}
	phone := cp.Applications(parse(t, filepath.Join(dir, "ota.syncml")), cp.DS)
	if len(phone) != 1 || len(phone[0].Resources) != 3 || phone[0].Addr != "http://syncserver/sync" {
		t.Errorf("ota.syncml: %+v", phone)
	}
	if _, err := cp.Parse(read(t, filepath.Join(dir, "nokia-6600-sync-ota.xml"))); err == nil {
		t.Error("a document that is cut off was read")
	}
}

func TestPorts(t *testing.T) {
	for _, c := range []struct{ addr, port, want string }{
		{"http://a/b", "8080", "http://a:8080/b"}, {"http://a:1/b", "8080", "http://a:1/b"}, {"a.example", "443", "a.example:443"}, {"a.example", "", "a.example"},
		{"10.0.0.1", "80", "10.0.0.1:80"}, {"2001:db8::1", "80", "[2001:db8::1]:80"}, {"http://[2001:db8::1]/x", "80", "http://[2001:db8::1]:80/x"}, {"", "80", ":80"},
	} {
		doc := `<wap-provisioningdoc><characteristic type="APPLICATION"><parm name="APPID" value="w5"/><characteristic type="APPADDR"><parm name="ADDR" value="` + c.addr +
			`"/><characteristic type="PORT"><parm name="PORTNBR" value="` + c.port + `"/></characteristic></characteristic></characteristic></wap-provisioningdoc>`
		parsed, err := cp.Parse([]byte(doc))
		if err != nil {
			t.Fatal(err)
		}
		if got := cp.Applications(parsed, cp.DS)[0].Addr; got != c.want {
			t.Errorf("%q with %q is %q, want %q", c.addr, c.port, got, c.want)
		}
	}
}

// bomb is a document whose string table is used so often that what it says is many times as long.
func bomb() []byte {
	b := []byte{3, 0x0B, 0x6A, 0x81, 0x80, 0x00}
	b = append(b, bytes.Repeat([]byte("x"), 16383)...)
	b = append(b, 0, 0x45, 0x87, 0x06)
	return append(b, bytes.Repeat([]byte{0x83, 0}, 1000)...)
}

// TestRefused: what is no document of this kind, or wants too much, is refused with a reason.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"nothing":            {nil, "ends early"},
		"another root":       {[]byte("<html/>"), "not wap-provisioningdoc"},
		"the former format":  {[]byte("<CHARACTERISTIC-LIST/>"), "before OMA client provisioning"},
		"entities":           {[]byte(`<!DOCTYPE a [<!ENTITY b "c">]><wap-provisioningdoc/>`), "document type of its own"},
		"cut off":            {[]byte(`<wap-provisioningdoc><characteristic type="NAPDEF">`), "unexpected EOF"},
		"two roots":          {[]byte(`<wap-provisioningdoc/><wap-provisioningdoc/>`), "two roots"},
		"deep":               {[]byte(`<wap-provisioningdoc>` + strings.Repeat(`<characteristic type="a">`, 20)), "deeper than"},
		"large":              {bytes.Repeat([]byte("<"), 300<<10), "more than"},
		"another language":   {[]byte{3, 5, 0x6A, 0, 0x45, 1}, "another type"},
		"a strange charset":  {[]byte{3, 0x0B, 0x87, 0x68, 0, 0x45, 1}, "character set"},
		"no end":             {[]byte{3, 0x0B, 0x6A, 0, 0x45}, "ends early"},
		"too many ends":      {[]byte{3, 0x0B, 0x6A, 0, 0x05, 1}, "not begun"},
		"beyond the table":   {[]byte{3, 0x0B, 0x6A, 0, 0x45, 0x87, 0x06, 0x83, 9, 1, 1}, "beyond the table"},
		"a table too large":  {[]byte{3, 0x0B, 0x6A, 0x7F, 0x45, 1}, "ends early"},
		"a string open":      {[]byte{3, 0x0B, 0x6A, 0, 0x45, 0x87, 0x06, 3, 'x'}, "no end"},
		"a page too many":    {[]byte{3, 0x0B, 0x6A, 0, 0x45, 0x87, 0, 7, 1, 1}, "code page"},
		"an endless number":  {[]byte{3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, "five octets"},
		"no characters":      {[]byte{3, 0x0B, 0x6A, 0, 0x45, 0x87, 0x06, 3, 0xFF, 0, 1, 1}, "UTF-8"},
		"an escape":          {[]byte{3, 0x0B, 0x6A, 0, 0x45, 0x87, 0x06, 3, 0x1B, 0, 1, 1}, "control"},
		"more than it seems": {bomb(), "more than"},
	} {
		doc, err := cp.Parse(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v, want %q", name, doc, err, c.want)
		}
	}
}

// TestUnknownsArePassedOver: elements, tokens and character sets that others use do not spoil what is known.
func TestUnknownsArePassedOver(t *testing.T) {
	want := &cp.Characteristic{Below: []*cp.Characteristic{{Type: "NAPDEF", Parms: []cp.Parm{{Name: "NAME", Value: "é"}}}}}
	for name, in := range map[string][]byte{
		"XML":      []byte(`<wap-provisioningdoc><x:new xmlns:x="x"><parm name="NAME" value="no"/></x:new><characteristic type="NAPDEF" new="1"><parm name="NAME" value="é"/><parm/></characteristic></wap-provisioningdoc>`),
		"Latin-1":  {1, 0x0B, 4, 0, 0x45, 0xC6, 0x55, 1, 0x87, 0x07, 0x06, 3, 0xE9, 0, 1, 1, 1},
		"entity":   {3, 0x0B, 0x6A, 0, 0x45, 0xC6, 0x55, 1, 0x87, 0x07, 0x06, 2, 0x81, 0x69, 1, 1, 1},
		"literals": append([]byte{3, 0x0B, 0x6A, 10}, "new\x00value\x00\x45\x44\x00\x01\xC6\x7E\x03x\x00\x55\x01\x87\x07\x04\x04\x03é\x00\x01\x87\x7E\x03x\x00\x01\x01\x01"...),
		"by name":  append([]byte{3, 0, 0, 0x6A, 29}, "-//WAPFORUM//DTD PROV 1.0//EN\x45\xC6\x55\x01\x87\x07\x06\xC3\x02é\x01\x01\x01"...),
	} {
		got, err := cp.Parse(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -want +got:\n%s", name, err, diff)
		}
	}
}

// written is a document as XML.
func written(t *testing.T, doc *cp.Characteristic) []byte {
	t.Helper()
	var b bytes.Buffer
	attr := func(name, value string) {
		b.WriteString(" " + name + `="`)
		if err := xml.EscapeText(&b, []byte(value)); err != nil {
			t.Fatal(err)
		}
		b.WriteString(`"`)
	}
	var group func(c *cp.Characteristic)
	group = func(c *cp.Characteristic) {
		for _, p := range c.Parms {
			b.WriteString("<parm")
			attr("name", p.Name)
			attr("value", p.Value)
			b.WriteString("/>")
		}
		for _, below := range c.Below {
			b.WriteString("<characteristic")
			attr("type", below.Type)
			b.WriteString(">")
			group(below)
			b.WriteString("</characteristic>")
		}
	}
	b.WriteString("<wap-provisioningdoc>")
	group(doc)
	b.WriteString("</wap-provisioningdoc>")
	return b.Bytes()
}

// FuzzParse reads documents: what could be read is the same when it is written and read again.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/ds-dm.xml", "testdata/ds-dm.wbxml"} {
		f.Add(read(f, name))
	}
	f.Add(bomb())
	pimtest.Seed(f, 25_000, "san/omacp")
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := cp.Parse(in)
		if err != nil {
			return
		}
		for _, app := range []string{cp.DS, cp.DM} {
			for _, a := range cp.Applications(first, app) {
				a.Nodes()
			}
		}
		text := written(t, first)
		if len(text) > 200<<10 || bytes.ContainsRune(text, '\uFFFD') { // what XML cannot hold
			return
		}
		again, err := cp.Parse(text)
		if err != nil || !reflect.DeepEqual(first, again) {
			t.Errorf("%v (-first +again):\n%s", err, cmp.Diff(first, again))
		}
	})
}
