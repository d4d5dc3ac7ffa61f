package san_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/san"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// authentic are notifications that other programs made: buteo and Funambol (corpus/san), SyncEvolution and libsynthesis (traces), with
// who signed them where that is known (peers.md 12).
var authentic = []struct {
	file        string
	user        string
	key         *san.Key // nil if nobody knows
	syncs, kind int
}{
	{"corpus/san/buteo/SAN01.bin", "PC Suite Data Sync", &san.Key{}, 1, 206},
	{"corpus/san/buteo/SAN02.bin", "PC Suite Data Sync", &san.Key{}, 1, 206},
	{"corpus/san/funambol/att-address-book.san.bin", "", nil, 1, 206},
	{"corpus/san/funambol/funambol-3-sources.san.bin", "", nil, 3, 206},
	{"traces/san-1.2-over-http/01-client.san", "test", syncEvolution, 1, 206},
	{"traces/san-210-refresh-from-server-wbxml/00-server.san", "test", &san.Key{Password: "test", Nonce: []byte("nonce")}, 1, 210},
	{"traces/san-triggered-sync-wbxml/00-server.san", "test", &san.Key{Password: "test", Nonce: []byte("nonce")}, 1, 206},
	{"traces/san-samples/all-default-uri-none.san", "", nil, 0, 0},
	{"traces/san-samples/empty-digest.san", "", nil, 1, 206},
	{"traces/san-samples/five-types-ui3.san", "bruce1", synthesis, 5, 206},
	{"traces/san-samples/one-twoway-bg.san", "bruce1", synthesis, 1, 206},
	{"traces/san-samples/syncevo-one-way-from-server-2.san", "test", syncEvolution, 2, 209},
	{"traces/san-samples/syncevo-refresh-from-client-4.san", "test", syncEvolution, 4, 208},
	{"traces/san-samples/syncevo-two-way-1.san", "test", syncEvolution, 1, 206},
	{"traces/san-samples/user-initiated-ui2.san", "bruce1", &san.Key{Password: "secret"}, 1, 210},
}

var (
	syncEvolution = &san.Key{Password: "test", Nonce: []byte("SyncEvolution")}
	synthesis     = &san.Key{Password: "secret", Nonce: []byte("12345678")}
)

func TestAuthenticNotifications(t *testing.T) {
	for _, a := range authentic {
		b, err := os.ReadFile(pimtest.Shared(t, a.file))
		if err != nil {
			t.Fatal(err)
		}
		n, err := san.Parse(b)
		if err != nil {
			t.Errorf("%s: %v", a.file, err)
			continue
		}
		if n.Version != san.DS || len(n.Syncs) != a.syncs || a.syncs > 0 && n.Syncs[0].Type != a.kind {
			t.Errorf("%s: %+v", a.file, n)
		}
		if a.key != nil && !san.Verify(b, a.user, *a.key) {
			t.Errorf("%s: the digest is not that of its maker", a.file)
		}
		again, err := n.Build(san.Key{})
		if err != nil || string(again[16:]) != string(b[16:]) {
			t.Errorf("%s: written again it is %x, %v", a.file, again, err)
		}
	}
}

// TestOtherPushesAreNoNotifications: settings (OMA CP) and the other kinds of WAP push are other languages.
func TestOtherPushesAreNoNotifications(t *testing.T) {
	for _, glob := range []string{"omacp/*", "omacp/*/*", "wap-push/*/*", "ota-settings-symbian/*", "funambol/sms-*"} {
		files, err := filepath.Glob(pimtest.Shared(t, "corpus/san", glob))
		if err != nil || len(files) == 0 {
			t.Fatal("no files", err)
		}
		for _, path := range files {
			b, _ := os.ReadFile(path) // some are folders
			if n, err := san.Parse(b); err == nil {
				t.Errorf("%s was read as %+v", path, n)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for n := range everyCount {
		if b, err := n.Build(san.Key{}); err == nil {
			f.Add(b)
		}
	}
	for _, a := range authentic {
		if b, err := os.ReadFile(pimtest.Shared(f, a.file)); err == nil {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		n, err := san.Parse(in)
		if err != nil {
			return
		}
		b, err := n.Build(san.Key{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := san.Parse(b); err != nil {
			t.Errorf("cannot read what was written: %v", err)
		}
	})
}
