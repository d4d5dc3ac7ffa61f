package ddf_test

import (
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
)

func path(t testing.TB, uri string) dm.Path {
	t.Helper()
	p, err := dm.ParsePath(uri)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDescriptionAgreesWithMetaData compares the AOSP client's description with the same facts in its own format.
func TestDescriptionAgreesWithMetaData(t *testing.T) {
	s := ddf.NewSchema()
	if err := s.Add(nil, load(t, "android-omadm/dmt_data/syncmldm.ddf")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for section := range strings.SplitSeq(string(read(t, "android-omadm/dmt_data/root.mdf")), "\n[") {
		uri, facts, _ := strings.Cut(section, "]")
		uri = "." + strings.TrimLeft(strings.TrimSpace(uri), "[.") // un-named nodes are called *
		if d := s.Find(path(t, uri)); d == nil {
			t.Errorf("%s is not described", uri)
		} else {
			n++
			agrees(t, uri, d.DF, facts)
		}
	}
	if n < 280 {
		t.Errorf("only %d nodes", n)
	}
}

func agrees(t *testing.T, uri string, d *ddf.DFProperties, facts string) {
	t.Helper()
	for line := range strings.Lines(facts) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch key {
		case "type":
			if string(d.Format) != value {
				t.Errorf("%s: format %s, want %s", uri, d.Format, value)
			}
		case "access":
			var want dm.Access
			for name := range strings.SplitSeq(value, ",") {
				a, _ := dm.ParseCommand(name)
				want |= a
			}
			if d.Access != want {
				t.Errorf("%s: access %s, want %s", uri, d.Access, want)
			}
		}
	}
}

const accounts = `<MgmtTree><VerDTD>1.2</VerDTD><Node><NodeName>DMAcc</NodeName>
<DFProperties><AccessType><Get/><Add/></AccessType><DFFormat><node/></DFFormat><Scope><Permanent/></Scope></DFProperties>
<Node><NodeName/><DFProperties><AccessType><Get/></AccessType><DFFormat><node/></DFFormat><Occurrence><ZeroOrN>3</ZeroOrN></Occurrence></DFProperties>
<Node><NodeName>Name</NodeName><DFProperties><AccessType><Get/></AccessType><DFFormat><chr/></DFFormat><Occurrence><ZeroOrOne/></Occurrence></DFProperties></Node>
<Node><NodeName>Ext</NodeName><DFProperties><AccessType><Add/></AccessType><DFFormat><node/></DFFormat></DFProperties></Node>
</Node></Node></MgmtTree>`

func TestFindingDescriptions(t *testing.T) {
	s := ddf.NewSchema()
	doc, err := ddf.Parse([]byte(accounts))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add(nil, doc); err != nil {
		t.Fatal(err)
	}
	for uri, want := range map[string]string{
		".": "Get", "./DMAcc": "Add, Get", "./DMAcc/x": "Get", "./DMAcc/x/Name": "Get", "./DMAcc/x/Ext": "Add",
		"./DMAcc/x/Ext/a/b": "Add, Copy, Delete, Get, Replace", "./DMAcc/x/Other": "-", "./DMAcc/x/Name/y": "-", "./dmacc": "-",
	} {
		got := "-"
		if d := s.Find(path(t, uri)); d != nil {
			got = d.DF.Access.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", uri, got, want)
		}
	}
	if o := s.Find(path(t, "./DMAcc/x")).DF.Occurrence; o.Least() != 0 || o.Most() != 3 {
		t.Errorf("occurrence %+v", o)
	}
}

func TestUnusableDescriptions(t *testing.T) {
	for in, reason := range map[string]string{
		`<Node><NodeName>a</NodeName></Node>`:                                                                                                           "./a has no DFProperties",
		`<Node><NodeName>a</NodeName><Path>./nowhere</Path><DFProperties/></Node>`:                                                                      "./nowhere is not described",
		`<Node><NodeName>a</NodeName><DFProperties/></Node><Node><NodeName>a</NodeName><DFProperties/></Node>`:                                          "./a is described already",
		`<Node><NodeName>a</NodeName><DFProperties><DFFormat><chr/></DFFormat></DFProperties><Node><NodeName>b</NodeName><DFProperties/></Node></Node>`: "format chr and nodes",
		`<Node><NodeName>a</NodeName><Path>/x</Path><DFProperties/></Node>`:                                                                             "no address",
	} {
		doc, err := ddf.Parse([]byte(`<MgmtTree>` + in + `</MgmtTree>`))
		if err != nil {
			t.Fatal(err)
		}
		if err := ddf.NewSchema().Add(nil, doc); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %q", in, err, reason)
		}
	}
}
