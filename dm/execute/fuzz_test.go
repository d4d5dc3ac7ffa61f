package execute_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// FuzzCommands carries out what came. An Atomic that fails leaves the tree as it was, and every status is one that goes on the wire.
func FuzzCommands(f *testing.F) {
	for _, commands := range []string{
		get("1", ".?list=TNDS") + get("2", "./Set?prop=ACL"),
		command("Atomic", "1", add("2", "./DMAcc/a/Name", "n")+replace("3", "./DMAcc/a?prop=Name", "b")+command("Delete", "4", item("./DMAcc/b", ""))),
		command("Atomic", "1", replace("2", "./Set/Host", "b")+replace("3", "./Set/Host?prop=ACL", "Get=a")+get("4", ".")),
		command("Sequence", "1", command("Atomic", "2", add("3", "./DMAcc/a/Nonce", "x")+add("4", "./DMAcc/a/Name", "x")+confirm)+command("Exec", "5", item("./Set/Restart", ""))),
		command("Add", "1", item("./DMAcc", `<Data><MgmtTree><Node><NodeName>a</NodeName><RTProperties><ACL>Get=*</ACL></RTProperties></Node></MgmtTree></Data>`)),
		command("Replace", "1", item("./DMAcc?list=TNDS", `<Meta><Type>application/vnd.syncml.dmtnds+xml</Type></Meta><Data><![CDATA[<MgmtTree/>]]></Data>`)),
		command("Copy", "1", `<Item><Target><LocURI>./DMAcc/b/Name</LocURI></Target><Source><LocURI>./Set/Host</LocURI></Source></Item>`),
	} {
		f.Add([]byte(`<SyncML><SyncHdr/><SyncBody>` + commands + `</SyncBody></SyncML>`))
	}
	pimtest.Seed(f, 10_000, "dm")
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := syncml.Decode(in, syncml.Sniff(in))
		if err != nil {
			return
		}
		d := newDevice(t)
		for _, c := range m.Commands {
			before := d.dump()
			answers := d.run([]syncml.Command{c})
			if status(answers) == ds.StatusAtomicFailed && d.dump() != before {
				t.Errorf("an Atomic that failed has changed\n%s\nto\n%s", before, d.dump())
			}
			for _, a := range answers {
				if s, ok := a.(*syncml.Status); ok && (s.Code < 200 || s.Code > 517) {
					t.Errorf("status %d", s.Code)
				}
			}
		}
	})
}

// status is the first one.
func status(answers []syncml.Command) ds.Status {
	if len(answers) > 0 {
		if s, ok := answers[0].(*syncml.Status); ok {
			return s.Code
		}
	}
	return 0
}
