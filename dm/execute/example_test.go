package execute_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/execute"
	"github.com/alwayson-sync/alwayson/dm/tree"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// A device describes its tree, opens it, and carries out what a server has sent.
func Example() {
	description, err := ddf.Parse([]byte(`<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>Greeting</NodeName><DFProperties>
		<AccessType><Get/><Replace/></AccessType><DefaultValue>hello</DefaultValue><DFFormat><chr/></DFFormat><Scope><Permanent/></Scope></DFProperties></Node></MgmtTree>`))
	if err != nil {
		panic(err)
	}
	schema := ddf.NewSchema()
	if err := schema.Add(nil, description); err != nil {
		panic(err)
	}
	device, err := tree.Open(schema, tree.Memory{}, nil)
	if err != nil {
		panic(err)
	}
	work, err := device.Begin("server.example", time.Now())
	if err != nil {
		panic(err)
	}
	get := &syncml.Get{ID: "3", Items: []syncml.Item{{Target: &syncml.Location{URI: "./Greeting"}}}}
	for _, answer := range execute.Commands(work, execute.Message{ID: "1", Commands: []syncml.Command{get}}) {
		switch answer := answer.(type) {
		case *syncml.Status:
			fmt.Println(strings.Join(answer.TargetRefs, " "), int(answer.Code))
		case *syncml.Results:
			fmt.Println(string(answer.Items[0].Data.Bytes))
		}
	}
	// Output:
	// ./Greeting 200
	// hello
}
