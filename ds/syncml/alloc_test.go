package syncml_test

import (
	"fmt"
	"testing"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

const manyCommands = 1000

// crowd is a message of many equal commands, in a Sync if they are changes.
func crowd(command func(id string) syncml.Command) *syncml.Message {
	var list []syncml.Command
	for i := range manyCommands {
		list = append(list, command(fmt.Sprint(i+2)))
	}
	if _, ok := list[0].(*syncml.Change); ok {
		list = []syncml.Command{&syncml.Sync{ID: "1", NumberOfChanges: -1, Commands: list}}
	}
	return &syncml.Message{Header: syncml.Header{VerDTD: "1.2"}, Commands: list, Final: true}
}

// TestCommandsCostFewAllocations bounds what the codec allocates for a command (numbers.md); it is far below the bound.
func TestCommandsCostFewAllocations(t *testing.T) {
	const most = 2.0
	body := []byte("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:First Last\r\nEND:VCARD\r\n")
	for name, command := range map[string]func(id string) syncml.Command{
		"Replace": func(id string) syncml.Command {
			return &syncml.Change{Op: syncml.OpReplace, ID: id, Meta: syncml.Meta{Type: "text/vcard"}, Items: []syncml.Item{{
				Target: &syncml.Location{URI: "guid-" + id}, Source: &syncml.Location{URI: "luid-" + id}, Data: &syncml.Data{Bytes: body}}}}
		},
		"Delete": func(id string) syncml.Command {
			return &syncml.Change{Op: syncml.OpDelete, ID: id, Items: []syncml.Item{{Source: &syncml.Location{URI: "luid-" + id}}}}
		},
		"Status": func(id string) syncml.Command {
			return &syncml.Status{ID: id, MsgRef: "1", CmdRef: id, Cmd: "Replace", SourceRefs: []string{"luid-" + id}, Code: ds.StatusOK}
		},
	} {
		m := crowd(command)
		for _, enc := range []syncml.Encoding{syncml.WBXML, syncml.XML} {
			out, err := syncml.Encode(m, enc)
			if err != nil {
				t.Fatal(err)
			}
			encode := testing.AllocsPerRun(5, func() { _, err = syncml.Encode(m, enc) }) / manyCommands
			decode := testing.AllocsPerRun(5, func() { _, err = syncml.Decode(out, enc) }) / manyCommands
			t.Logf("%s %v: %.2f to encode, %.2f to decode", name, enc, encode, decode)
			if err != nil || encode > most || decode > most {
				t.Errorf("a %s in %v costs %.2f allocations to encode and %.2f to decode, want at most %v; %v", name, enc, encode, decode, most, err)
			}
		}
	}
}
