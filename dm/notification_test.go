package dm_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/dm/dmclient"
	"github.com/alwayson-sync/alwayson/dm/dmserver"
	"github.com/alwayson-sync/alwayson/ds/san"
)

func TestNotification(t *testing.T) {
	server := dmserver.Account{ServerID: "srv", Secret: "secret", Nonces: dmserver.Nonces{Own: "bm9uY2Ux"}}
	device := dmclient.Account{ServerID: "srv", ServerSecret: "secret", Nonces: dmclient.Nonces{Server: "bm9uY2Ux"}}
	n, err := dmserver.Notification(server, 0xA5, san.Informative)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := dmclient.ReadNotification(n, device); err != nil || *got != (dmclient.Notification{SessionID: "A5", UI: san.Informative}) {
		t.Errorf("%+v, %v", got, err)
	}
	former := device
	former.Nonces = dmclient.Nonces{Server: "bm9uY2Uy", FormerServer: "bm9uY2Ux"}
	if _, err := dmclient.ReadNotification(n, former); err != nil {
		t.Errorf("with the nonce before the last one: %v", err)
	}
	for what, change := range map[string]func(*dmclient.Account){
		"replayed":       func(a *dmclient.Account) { a.Nonces = dmclient.Nonces{Server: "bm9uY2Uz", FormerServer: "bm9uY2Uy"} },
		"of another":     func(a *dmclient.Account) { a.ServerID = "other" },
		"other secret":   func(a *dmclient.Account) { a.ServerSecret = "other" },
		"without secret": func(a *dmclient.Account) { a.ServerSecret = "" },
	} {
		a := device
		change(&a)
		if got, err := dmclient.ReadNotification(n, a); err == nil {
			t.Errorf("%s: %+v", what, got)
		}
	}
	n[20] ^= 1
	if _, err := dmclient.ReadNotification(n, device); err == nil {
		t.Error("it was changed on the way")
	}
	sync := san.Notification{Version: san.DS, ServerID: "srv"}
	n, _ = sync.Build(san.Key{Password: "secret", Nonce: []byte("nonce1")})
	if _, err := dmclient.ReadNotification(n, device); err == nil {
		t.Error("it is about synchronization")
	}
}
