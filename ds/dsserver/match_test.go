package dsserver

import (
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
	"github.com/alwayson-sync/alwayson/ds/reconcile"
)

// TestSince asks who changed an item since a device had it, before a slow sync in which it comes again.
func TestSince(t *testing.T) {
	var none [32]byte
	old, mine, theirs := sha256.Sum256([]byte("old")), sha256.Sum256([]byte("mine")), sha256.Sum256([]byte("theirs"))
	for _, c := range []struct {
		name         string
		settled      bool
		former       dsstore.Mapping // what the device held; nothing without a GUID
		ours, theirs [32]byte        // the server's item, and the device's
		word         []byte          // what it was made from, as the device says
		base         [32]byte
		like         reconcile.Likeness
	}{
		{"it never had it", false, dsstore.Mapping{}, mine, theirs, nil, none, reconcile.Akin},
		{"it made one of the same name since they were equal", true, dsstore.Mapping{}, mine, theirs, nil, none, reconcile.Contrary},
		{"under this id it had another item", true, dsstore.Mapping{GUID: "other", LUID: "l", Hash: old}, mine, theirs, nil, none, reconcile.Akin},
		{"nobody knows in which version", true, dsstore.Mapping{GUID: "g", LUID: "l"}, mine, theirs, nil, none, reconcile.Akin},
		{"nor does the device, which has not changed it", true, dsstore.Mapping{GUID: "g", LUID: "l"}, mine, theirs, []byte("theirs"), none, reconcile.Akin},
		{"it has not changed it though it never told its id", true, dsstore.Mapping{}, mine, theirs, []byte("theirs"), none, reconcile.Akin},
		{"but the device does, and has changed ours", false, dsstore.Mapping{}, mine, theirs, []byte("mine"), none, reconcile.Newer},
		{"but the device does, and both were changed", true, dsstore.Mapping{GUID: "g", LUID: "l"}, mine, theirs, []byte("old"), none, reconcile.Contrary},
		{"under this id it had another item, and says so", true, dsstore.Mapping{GUID: "other", LUID: "l", Hash: old}, mine, theirs, []byte("old"), none, reconcile.Akin},
		{"only the server's was changed", true, dsstore.Mapping{GUID: "g", LUID: "l", Hash: theirs}, mine, theirs, nil, none, reconcile.Akin},
		{"only the device's was changed", true, dsstore.Mapping{GUID: "g", LUID: "l", Hash: mine}, mine, theirs, nil, none, reconcile.Newer},
		{"both were changed", true, dsstore.Mapping{GUID: "g", LUID: "l", Hash: old}, mine, theirs, nil, old, reconcile.Contrary},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &reconcile.Incoming{Version: ds.VersionOf(c.theirs)}
			if c.word != nil {
				in.Base = ds.Version(c.word)
			}
			base, like := since(t, c.settled, c.former, in, dsstore.Item{GUID: "g", Hash: c.ours}, dsstore.Item{Hash: c.theirs})
			if base != c.base || like != c.like {
				t.Errorf("base %x, likeness %d; want %x, %d", base[:4], like, c.base[:4], c.like)
			}
		})
	}
}

// since asks with a mapping from before the slow sync.
func since(t *testing.T, settled bool, former dsstore.Mapping, in *reconcile.Incoming, it, rec dsstore.Item) (base [32]byte, like reconcile.Likeness) {
	t.Helper()
	st := &storeState{settled: settled, c: dsstore.Collection{User: "ana", Store: "contacts"}}
	err := memstore.New().Update(t.Context(), func(tx dsstore.Tx) (err error) {
		if former.GUID != "" {
			err = errors.Join(tx.PutMapping("d", st.c, former), tx.Forget("d", st.c))
		}
		r := &reply{tx: tx, x: &exchange{deviceID: "d"}}
		var e error
		base, like, e = r.since(st, "l", in, it, rec, nil)
		return errors.Join(err, e)
	})
	if err != nil {
		t.Fatal(err)
	}
	return base, like
}
