package packet_test

import (
	"reflect"
	"testing"

	"github.com/alwayson-sync/alwayson/dm/packet"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]packet.Packet{
		"<SyncML/>":    {Body: []byte("<SyncML/>")},
		"\x02\x00\x00": {Body: []byte("\x02\x00\x00")},
		"x-syncml-hmac: algorithm=MD5, username=\"us, er\", mac=AA==\r\n\r\n<SyncML/>": {Body: []byte("<SyncML/>"), HMAC: &packet.HMAC{User: "us, er", MAC: "AA=="}},
		"x-syncml-hmac:mac=AA==,username=user\r\n\r\n":                                 {Body: []byte{}, HMAC: &packet.HMAC{User: "user", MAC: "AA=="}},
		"x-syncml-hmac: USERNAME=\"user\" , other=1, mac=\"AA==\"\r\n\r\n\r\n\r\n":     {Body: []byte("\r\n\r\n"), HMAC: &packet.HMAC{User: "user", MAC: "AA=="}},
	} {
		got, err := packet.Parse([]byte(in))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", in, got, err)
		}
		again, err := packet.Parse(got.Marshal())
		if err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%q again: %+v, %v", in, again, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"x-syncml-hmac: mac=AA==":                           "cannot read packet: its header has no end",
		"x-syncml-hmac: \r\n\r\n":                           "cannot read packet: the HMAC has no mac",
		"x-syncml-hmac: mac\r\n\r\n":                        "cannot read packet: a parameter of the HMAC has no value",
		"x-syncml-hmac: username=\"a, mac=AA\r\n\r\n":       "cannot read packet: the quotation marks of the HMAC do not match",
		"x-syncml-hmac: algorithm=SHA1, mac=AA==\r\n\r\n\r": `cannot read packet: the algorithm "SHA1" of the HMAC is unknown`,
	} {
		if _, err := packet.Parse([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("x-syncml-hmac: algorithm=MD5, username=\"user\", mac=AA==\r\n\r\n<SyncML/>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := packet.Parse(in)
		if err != nil || p.HMAC == nil {
			return
		}
		again, err := packet.Parse(p.Marshal())
		if err != nil || string(again.Body) != string(p.Body) || *again.HMAC != *p.HMAC {
			t.Errorf("%+v became %+v: %v", p, again, err)
		}
	})
}
