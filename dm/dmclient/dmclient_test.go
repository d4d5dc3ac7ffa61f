package dmclient_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

func TestNewRefuses(t *testing.T) {
	for what, change := range map[string]func(*dmclient.Options){
		"no tree":            func(o *dmclient.Options) { o.Tree = nil },
		"no session":         func(o *dmclient.Options) { o.SessionID = "" },
		"no server":          func(o *dmclient.Options) { o.Account.ServerID = "" },
		"no user":            func(o *dmclient.Options) { o.Account.User = "" },
		"a quoted user":      func(o *dmclient.Options) { o.Account.User = `a"b` },
		"no server's secret": func(o *dmclient.Options) { o.Account.ServerSecret = "" },
		"an unknown scheme":  func(o *dmclient.Options) { o.Account.Scheme = syncml.AuthBasic },
	} {
		o := options(t)
		change(&o)
		if _, err := dmclient.New(o); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// TestOtherNames: a server may have another name as the user of an account than its id, and another address.
func TestOtherNames(t *testing.T) {
	o := options(t)
	o.Account.ServerUser, o.Account.URI = "admin", "https://srv.example/dm"
	s, err := dmclient.New(o)
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Start()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := syncml.Decode(first.Body, syncml.XML); err != nil || m.Header.Target.URI != o.Account.URI || m.Header.Source.Name != "user" {
		t.Errorf("%+v, %v", m, err)
	}
	if last := s.Last(); string(last.Body) != string(first.Body) {
		t.Error("the last message is not the first one")
	}
	m := message(t, `<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><CmdRef>0</CmdRef><Cmd>SyncHdr</Cmd><Data>212</Data></Status>`)
	m.Final, m.Header = true, syncml.Header{SessionID: "A5", MsgID: "1", Source: syncml.Location{URI: o.Account.URI, Name: "admin"}, Cred: syncml.MD5Cred("admin", "secret", "")}
	body, err := syncml.Encode(m, syncml.XML)
	if err != nil {
		t.Fatal(err)
	}
	if answer, done, err := s.Handle(noon, packet.Packet{Body: body}); !answer.IsZero() || !done || err != nil {
		t.Errorf("%t %v", done, err)
	}
}
