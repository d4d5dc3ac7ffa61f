package state

import (
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
)

func TestARowComesBack(t *testing.T) {
	want := Row{LUID: "l", Key: "work/ü.vcf", Type: pim.TypeVCard, Stamp: pim.Stamp{Size: 5, ModTime: -1, Inode: 1 << 63},
		Version: Version{Hash: [32]byte{1}, Flags: "RS", Folder: "work"}, UID: 1 << 60, Shared: true, Synced: Version{Hash: [32]byte{2}, Folder: "x"}, Problem: "p"}
	got, err := decodeRow(want.encode())
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	whole := want.encode()
	for n := range len(whole) {
		if _, err := decodeRow(whole[:n]); err == nil {
			t.Errorf("%d octets of %d were taken", n, len(whole))
		}
	}
	want.Whole = "v"
	if got, err := decodeRow(want.encode()); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestRowsOfTheFormerFormat were written before UIDs were noted.
func TestRowsOfTheFormerFormat(t *testing.T) {
	want := Row{LUID: "l", Key: "a.vcf", Type: pim.TypeVCard, Stamp: pim.Stamp{Size: 5, Inode: 7}, Shared: true, Whole: "v"}
	b := want.encode()
	b[0] = noUIDs
	b = append(b[:len(b)-2], 'v') // without the octet of the UID
	if got, err := decodeRow(b); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}
