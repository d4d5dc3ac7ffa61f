package san_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/alwayson-sync/alwayson/ds/san"
)

var vectors = []struct {
	name  string // protocol.md F.4
	bytes string
	n     san.Notification
	key   san.Key
}{
	{"two datastores", "c7664069e893b76602ec663f400e4a9e0318000000 00a50b7372762e6578616d706c65 20 60000007 0463617264 90000306 046d61696c",
		san.Notification{Version: san.DS, UI: san.Background, ByServer: true, SessionID: 0xA5, ServerID: "srv.example",
			Syncs: []san.Sync{{206, 0x07, "card"}, {209, 0x306, "mail"}}}, san.Key{Password: "secret", Nonce: []byte("nonce1")}},
	{"everything", "78bc3e98b18598879c3dfaac243a8440 0318000000 0001 0b7372762e6578616d706c65 00",
		san.Notification{Version: san.DS, UI: san.Background, ByServer: true, SessionID: 1, ServerID: "srv.example"},
		san.Key{Password: "secret", Nonce: []byte("nonce1")}},
	{"device management", "7a4a9fc7a09cb8e179fd4bbc2d233506 02d8000000 00a5 0b7372762e6578616d706c65",
		san.Notification{Version: san.DM, UI: san.Background, ByServer: true, SessionID: 0xA5, ServerID: "srv.example"},
		san.Key{Password: "secret", Nonce: []byte("nonce1")}},
	{"buteo", "0179ab671b68f26698269b4ca78222ad 0318000000",
		san.Notification{Version: san.DS, UI: san.Background, ByServer: true, ServerID: "PC Suite Data Sync", Syncs: []san.Sync{{206, 0, "Contacts"}}}, san.Key{}},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		if v.name == "buteo" {
			v.bytes = "0179ab671b68f26698269b4ca78222ad 0318000000 0000 12" + hex.EncodeToString([]byte("PC Suite Data Sync")) + "10 60 000000 08" + hex.EncodeToString([]byte("Contacts"))
		}
		want, err := hex.DecodeString(strings.ReplaceAll(v.bytes, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.n.Build(v.key)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: built %x, %v, want %x", v.name, got, err, want)
		}
		back, err := san.Parse(want)
		if err != nil {
			t.Errorf("%s: %v", v.name, err)
			continue
		}
		if len(back.Vendor) == 0 {
			back.Vendor = nil
		}
		if d := cmp.Diff(&v.n, back); d != "" {
			t.Errorf("%s: %s", v.name, d)
		}
		if !san.Verify(want, v.n.ServerID, v.key) || san.Verify(want, v.n.ServerID, san.Key{Password: "other", Nonce: v.key.Nonce}) {
			t.Errorf("%s: the digest decides wrongly", v.name)
		}
	}
}

func TestTruncatedNotificationsAreRefused(t *testing.T) {
	whole, err := vectors[0].n.Build(vectors[0].key)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := san.Parse(whole[:n]); err == nil {
			t.Errorf("%d octets of %d were read", n, len(whole))
		}
	}
}

func FuzzParse(f *testing.F) {
	whole, _ := vectors[0].n.Build(vectors[0].key)
	f.Add(whole)
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := san.Parse(in)
		if err != nil {
			return
		}
		if _, err := n.Build(san.Key{}); err != nil && n.Version == san.DM {
			t.Error(err)
		}
	})
}
