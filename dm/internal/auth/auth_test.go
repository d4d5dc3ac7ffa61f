package auth

import (
	"testing"

	"github.com/alwayson-sync/alwayson/dm/packet"
	"github.com/alwayson-sync/alwayson/ds/syncml"
)

// TestVectors are those of protocol.md D.2.
func TestVectors(t *testing.T) {
	p := Prover{Scheme: syncml.AuthMD5, Key: Key{User: "user", Credential: syncml.Credential("user", "pass"), Nonce: "bm9uY2Ux"}}
	var h syncml.Header
	if p.Show(&h, true); h.Cred.Data != "bO9siA2ybOhJmCc59YnbaA==" || h.Source.Name != "user" {
		t.Errorf("%+v", h)
	}
	p.Scheme, h = HMAC, syncml.Header{}
	p.Show(&h, true)
	if sealed := p.Seal([]byte("<SyncML/>")); h.Cred != nil || sealed.HMAC == nil || *sealed.HMAC != (packet.HMAC{User: "user", MAC: "grPR7U2eM1u2bEIbZpRM1g=="}) {
		t.Errorf("%+v, %+v", h, sealed.HMAC)
	}
}

// TestHMACEachMessage: what was proved for one message proves nothing for the next one.
func TestHMACEachMessage(t *testing.T) {
	key := Key{User: "user", Credential: syncml.Credential("user", "pass")}
	p := Prover{Scheme: HMAC, Key: key}
	v := NewVerifier(HMAC, key, "", NewNonce)
	for i := range 3 {
		var h syncml.Header
		p.Show(&h, true)
		sealed := p.Seal([]byte("body"))
		if !v.Check(&h, sealed) {
			t.Fatalf("message %d is not believed", i)
		}
		st := &syncml.Status{}
		v.Answer(st)
		if again, err := p.Take(st); again || err != nil || st.Code != 200 || st.Chal == nil {
			t.Fatalf("message %d: %v %v %+v", i, again, err, st)
		}
		if v.Check(&h, sealed) || v.Check(&h, packet.Packet{Body: sealed.Body}) {
			t.Errorf("message %d is believed again", i)
		}
		sealed = p.Seal([]byte("body"))
		sealed.Body = []byte("BODY")
		if v.Check(&h, sealed) {
			t.Errorf("another body is believed")
		}
	}
}
