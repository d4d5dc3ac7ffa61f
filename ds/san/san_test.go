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

// everyCount are notifications with 1 to 15 datastores of all sync types, which fit, and one more, which does not.
func everyCount(yield func(n *san.Notification) bool) {
	n := &san.Notification{Version: san.DS, UI: san.Interaction, ByServer: true, SessionID: 0xFFFF, ServerID: strings.Repeat("s", 255)}
	for i := range 16 {
		n.Syncs = append(n.Syncs, san.Sync{Type: 206 + i%5, ContentType: 0x309 + uint32(i)<<16, URI: strings.Repeat("u", i*17)})
		if !yield(n) {
			return
		}
	}
}

func TestUpToFifteenDatastores(t *testing.T) {
	key := san.Key{Password: "secret", Nonce: []byte{0, 1, 0xFF}}
	for n := range everyCount {
		b, err := n.Build(key)
		if len(n.Syncs) > 15 {
			if err == nil {
				t.Errorf("%d datastores were built", len(n.Syncs))
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := san.Parse(b)
		if d := cmp.Diff(n, back); d != "" || err != nil {
			t.Errorf("%d datastores: %s, %v", len(n.Syncs), d, err)
		}
		b[len(b)-1] ^= 1
		if san.Verify(b, n.ServerID, key) {
			t.Errorf("%d datastores: a changed octet was not seen", len(n.Syncs))
		}
	}
}

func TestWhatDoesNotFitIsNotBuilt(t *testing.T) {
	for name, n := range map[string]san.Notification{
		"sync type 205":    {Version: san.DS, Syncs: []san.Sync{{Type: 205}}},
		"sync type 211":    {Version: san.DS, Syncs: []san.Sync{{Type: 211}}},
		"a long URI":       {Version: san.DS, Syncs: []san.Sync{{Type: 206, URI: strings.Repeat("u", 256)}}},
		"a long server id": {Version: san.DS, ServerID: strings.Repeat("s", 256)},
	} {
		if b, err := n.Build(san.Key{}); err == nil {
			t.Errorf("%s: built %x", name, b)
		}
	}
}

// TestUnknownSyncTypesArePassedOver: but what names only such does not come to mean everything.
func TestUnknownSyncTypesArePassedOver(t *testing.T) {
	n := san.Notification{Version: san.DS, ServerID: "srv", Syncs: []san.Sync{{Type: 206, URI: "a"}, {Type: 210, URI: "b"}}}
	b, err := n.Build(san.Key{})
	if err != nil {
		t.Fatal(err)
	}
	first := 16 + 8 + len("srv") + 1
	b[first] = 0xF0
	got, err := san.Parse(b)
	if err != nil || len(got.Syncs) != 1 || got.Syncs[0].URI != "b" {
		t.Errorf("%+v, %v", got, err)
	}
	b[first+6] = 0x10
	if got, err := san.Parse(b); err == nil {
		t.Errorf("%+v was read", got)
	}
}
