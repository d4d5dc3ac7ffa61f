package dsserver

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/merge"
)

// reconcileBoth is for an item that was changed on both sides since they agreed: the edits are put together property by property if they do not
// contradict each other, else both versions live on.
func (r *reply) reconcileBoth(st *storeState, luid string, cur, rec dsstore.Item, m dsstore.Mapping, base string, body []byte) (ds.Status, error) {
	again, err := r.mergedBefore(st, cur, rec)
	switch {
	case err != nil:
		return 0, err
	case again && m.LUID == luid:
		return ds.StatusMerged, nil
	case again: // under another id (found by simulation)
		return ds.StatusMerged, r.behind(st, cur, dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: another, Hash: rec.Hash})
	}
	if ds.VersionOf(m.Hash) != base {
		named, err := r.named(st, cur.GUID, base)
		if err != nil {
			return 0, err
		}
		if named != ([32]byte{}) {
			m.Hash = named
		}
	}
	merged, ok, err := r.merge(cur, rec, m, body)
	if err != nil {
		return 0, err
	}
	if !ok {
		return ds.StatusDuplicated, r.keepBoth(st, luid, cur, rec, base, body)
	}
	rec.GUID = cur.GUID
	for _, v := range []struct {
		it   dsstore.Item
		body []byte
	}{{cur, nil}, {rec, body}} {
		if err := r.tx.Keep(st.c, v.it, v.body, putTogether); err != nil {
			return 0, err
		}
	}
	it := pimItem(cur)
	it.Body = merged
	both := record(it)
	both.GUID, both.Modified, both.By = cur.GUID, r.now, r.x.deviceID
	if _, err := r.tx.PutItem(st.c, both, merged); err != nil {
		return 0, err
	}
	r.changed[st.c] = true
	return ds.StatusMerged, r.tx.PutMapping(r.x.deviceID, st.c, dsstore.Mapping{GUID: cur.GUID, LUID: luid, Rev: another, Hash: rec.Hash}) // ours goes out
}

// mergedBefore tells whether this edit is in the item already: the answer was lost, and the device sends it again.
func (r *reply) mergedBefore(st *storeState, cur, rec dsstore.Item) (bool, error) {
	kept, err := r.tx.KeptVersions(st.c, time.Time{}, recent)
	for _, k := range kept {
		if k.Item.GUID == cur.GUID && k.Item.Hash == rec.Hash && k.Item.By == rec.By && k.Reason == putTogether {
			return true, err
		}
	}
	return false, err
}

// named is the former version of an item that a device names as what it made an edit from: its Map came late, or its word that it took ours was lost, so we
// do not know what it had (found by simulation). It is zero if there is none.
func (r *reply) named(st *storeState, guid, version string) (hash [32]byte, err error) {
	if version == "" || version == ds.VersionUnknown {
		return hash, nil
	}
	kept, err := r.tx.KeptVersions(st.c, time.Time{}, recent)
	for _, k := range kept {
		if k.Item.GUID == guid && ds.VersionOf(k.Item.Hash) == version {
			hash = k.Item.Hash
		}
	}
	return hash, err
}

// recent is how many former versions are looked through for an edit that comes again.
const recent = 1000

// putTogether is why a version was kept that lives on in a merged one.
const putTogether = "put together with another edit"

// merge puts two edits together; not ok if they contradict each other, or if nobody knows what they were made from.
func (r *reply) merge(cur, rec dsstore.Item, m dsstore.Mapping, body []byte) (merged []byte, ok bool, err error) {
	if m.Hash == ([32]byte{}) || cur.Type != rec.Type {
		return nil, false, nil
	}
	base, err := r.tx.Body(m.Hash)
	if errors.Is(err, dsstore.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	ours, err := r.tx.Body(cur.Hash)
	if err != nil {
		return nil, false, err
	}
	merged, conflicts := merge.Three(rec.Type, base, ours, body)
	return merged, len(conflicts) == 0, nil
}

// adds tells whether nothing of ours is missing in a version of a device.
func (r *reply) adds(cur dsstore.Item, body []byte) (bool, error) {
	ours, err := r.tx.Body(cur.Hash)
	if err != nil {
		return false, ignoreNotFound(err)
	}
	lines := slices.Collect(bytes.Lines(body))
	for line := range bytes.Lines(ours) {
		i := slices.IndexFunc(lines, func(l []byte) bool { return bytes.Equal(l, line) })
		if i < 0 {
			return false, nil
		}
		lines = lines[i+1:]
	}
	return true, nil
}

// conflictMark stands in the name of a version that was kept beside the other, with whose it is and since when.
const conflictMark = ".conflict-"

// label names the version of a device that lives on beside the server's, so that people see what it is.
func (r *reply) label(cur, rec dsstore.Item) string {
	name := rec.Name
	if name == "" {
		name = cur.Name
	}
	ext := path.Ext(name)
	if ext == "" {
		ext = extensions[rec.Type]
	}
	base, _, _ := strings.Cut(strings.TrimSuffix(name, ext), conflictMark)
	return fmt.Sprintf("%s%s%s-%s%s", base, conflictMark, r.x.deviceID, r.now.UTC().Format("20060102-150405"), ext)
}

var extensions = map[string]string{pim.TypeVCard: ".vcf", pim.TypeICalendar: ".ics", pim.TypePlain: ".txt"}
