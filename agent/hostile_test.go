package agent_test

import (
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alwayson-sync/alwayson/agent"
	"github.com/alwayson-sync/alwayson/agent/control"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
)

// TestAHostileServerStaysInTheFolder: names and folders of the server never lead out of the store, whatever they are; the items arrive all the same.
func TestAHostileServerStaysInTheFolder(t *testing.T) {
	s, d := pushed(t)
	names := []string{"../../evil.vcf", "/etc/evil.vcf", "..", ".", "", "a/../../evil.vcf", "con.vcf", "a\x00b.vcf", strings.Repeat("x", 5000) + ".vcf", ".hidden", "-rf"}
	folders := []string{"../..", "/etc", "a/../../..", "..", ".", strings.Repeat("deep/", 500)}
	n := 0
	send := func(name, folder string) {
		t.Helper()
		n++
		_, err := s.Server().Put(t.Context(), dsstore.Collection{User: "ana", Store: "contacts"}, "", pim.Item{Type: pim.TypeVCard, Name: name, Folder: folder,
			Body: []byte(card(strings.Repeat("u", n), "Evil"))})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		send(name, "")
	}
	for _, folder := range folders {
		send("x.vcf", folder)
	}
	if x, err := d.c.Sync(t.Context(), true); err != nil || x.Error != "" {
		t.Fatal(x.Error, err)
	}
	found := 0
	err := filepath.WalkDir(filepath.Dir(d.dir), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, inside := strings.CutPrefix(path, d.dir+string(filepath.Separator))
		switch {
		case inside && !strings.HasPrefix(filepath.Base(rel), ".alwayson"):
			found++
		case strings.Contains(path, "evil"):
			t.Errorf("%s was written", path)
		}
		return nil
	})
	if err != nil || found < n-2 { // what no file system takes is reported and left out
		t.Errorf("%d of %d items arrived: %v", found, n, err)
	}
}

// TestTheDiskKeepsItsReserve: a server that sends without end cannot fill the disk; what does not fit is told, and waits.
func TestTheDiskKeepsItsReserve(t *testing.T) {
	s, d := pushedWith(t, func(o *agent.Options) { o.DiskReserve = math.MaxInt64 / 2 })
	put(t, s, "g1", card("u1", "Ana"))
	if x, err := d.c.Sync(t.Context(), true); err != nil || x.Problem != control.Partial {
		t.Errorf("%+v %v", x, err)
	}
	if files := d.files(); len(files) != 0 {
		t.Errorf("%v was written", files)
	}
	d.stop()
	d.o.DiskReserve = 1
	d.start(d.o.Server)
	d.has("g1")
}
