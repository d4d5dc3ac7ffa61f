package dm_test

import (
	"fmt"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// A server wakes a device and changes a setting. Between the ends there is a carrier; both keep their nonces before they send anything.
func Example() {
	serverKnows := dmserver.Account{ServerID: "srv", Secret: "secret of the server", User: "device-1", Credential: syncml.Credential("device-1", "secret of the device")}
	deviceKnows := dmclient.Account{ServerID: "srv", ServerSecret: "secret of the server", User: "device-1", Secret: "secret of the device"}
	wish, err := dmserver.Notification(serverKnows, 0xA5, san.Background)
	if err != nil {
		panic(err)
	}

	asked, err := dmclient.ReadNotification(wish, deviceKnows)
	if err != nil {
		panic(err) // to be dropped silently: somebody else has made it
	}
	device, err := dmclient.New(dmclient.Options{Account: deviceKnows, Tree: greeter(), SessionID: asked.SessionID, ByServer: true,
		DevInfo: dm.DevInfo{DevID: "urn:uuid:1", Man: "Acme", Mod: "X1", DmV: "1.2", Lang: "en"}})
	if err != nil {
		panic(err)
	}
	server, err := dmserver.New(dmserver.Options{Account: serverKnows, Work: []dmserver.Work{
		{ID: "revision 7", Op: dmserver.Replace, URI: "./Greeting", Value: dm.Value{Format: dm.FormatChr, Data: []byte("good evening")}},
		{ID: "look", Op: dmserver.Get, URI: "./Greeting"},
		{ID: "typo", Op: dmserver.Replace, URI: "./Greting", Value: dm.Value{Format: dm.FormatChr}},
	}})
	if err != nil {
		panic(err)
	}

	up, err := device.Start()
	for err == nil && !up.IsZero() {
		down, _, refused := server.Handle(up)
		if refused != nil {
			panic(refused)
		}
		serverKnows.Nonces = server.Report().Nonces
		up, _, err = device.Handle(time.Now(), down)
		deviceKnows.Nonces = device.Report().Nonces
	}
	fmt.Println("changed:", device.Report().Changed, err)
	for _, o := range server.Report().Outcomes {
		fmt.Printf("%s: %d %q\n", o.ID, int(o.Status), o.Reason)
		for _, f := range o.Found {
			fmt.Printf("  %s is %s\n", f.URI, f.Value.Data)
		}
	}
	// Output:
	// changed: true <nil>
	// revision 7: 200 ""
	// look: 200 ""
	//   ./Greeting is good evening
	// typo: 404 "there is no ./Greting"
}

// greeter is a tree with one setting, which every server may change.
func greeter() *tree.Tree {
	description, err := ddf.Parse([]byte(`<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>Greeting</NodeName><DFProperties>
		<AccessType><Get/><Replace/></AccessType><DefaultValue>hello</DefaultValue><DFFormat><chr/></DFFormat><Scope><Permanent/></Scope></DFProperties></Node></MgmtTree>`))
	if err != nil {
		panic(err)
	}
	schema := ddf.NewSchema()
	if err := schema.Add(nil, description); err != nil {
		panic(err)
	}
	t, err := tree.Open(schema, tree.Memory{}, nil)
	if err != nil {
		panic(err)
	}
	everybody := &ddf.Tree{Nodes: []*ddf.Node{{Name: "Greeting", RT: &ddf.RTProperties{Format: dm.FormatChr, ACL: "Get=*&Replace=*"}}}}
	if err := t.Provision(everybody, time.Now()); err != nil {
		panic(err)
	}
	return t
}
