package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
	"github.com/alwayson-sync/alwayson/ds"
	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/vdir"
)

// BenchmarkLookAtADeletion is what it costs that one of 10,000 files is deleted, and BenchmarkLookAtAnEdit that one is edited, as the watcher tells.
func BenchmarkLookAtADeletion(b *testing.B) {
	benchmarkHint(b, func(path string, _ int) error { return os.Remove(path) })
}

// BenchmarkLookAtAnEdit is described at BenchmarkLookAtADeletion.
func BenchmarkLookAtAnEdit(b *testing.B) {
	benchmarkHint(b, func(path string, i int) error { return os.WriteFile(path, fmt.Appendf(nil, "edit %d", i), 0o600) })
}

// BenchmarkApplyWhileADeletionIsHeld is what it costs that an item changes on the server while the deletion of another of 10,000 waits.
func BenchmarkApplyWhileADeletionIsHeld(b *testing.B) {
	r, dir := filled(b, 10_000)
	sent := allSent(b, r)
	if err := os.Remove(filepath.Join(dir, fileName(0))); err != nil {
		b.Fatal(err)
	}
	if _, err := r.Look(b.Context(), pim.Hint{}); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		it := pim.Item{Type: pim.TypeVCard, Body: fmt.Appendf(nil, "version %d", i)}
		res, err := r.Apply(b.Context(), []dsclient.Change{{Op: dsclient.Replace, LUID: sent[1+i%9_999], Item: it}})
		if err != nil || !res[0].Status.OK() {
			b.Fatal(res, err)
		}
	}
}

// allSent acknowledges all items, as a server would, and lists their LUIDs, in the order of their files.
func allSent(b *testing.B, r *replica.Replica) []string {
	var acks []dsclient.Ack
	luids := make([]string, r.Counts().Items)
	for c, err := range r.Changes(b.Context(), false) {
		if err != nil {
			b.Fatal(err)
		}
		acks = append(acks, dsclient.Ack{Change: c, Status: ds.StatusOK})
		var n int
		if _, err := fmt.Sscanf(string(c.Item.Body), "contact %d", &n); err != nil {
			b.Fatal(err)
		}
		luids[n] = c.LUID
	}
	if err := r.Acknowledge(b.Context(), acks); err != nil {
		b.Fatal(err)
	}
	return luids
}

func fileName(i int) string { return fmt.Sprintf("c%05d.vcf", i) }

// filled is a store of so many files that was looked at.
func filled(b *testing.B, files int) (r *replica.Replica, dir string) {
	dir = b.TempDir()
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fileName(i)), fmt.Appendf(nil, "contact %d", i), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	r, err := replica.Open(b.Context(), "contacts", "contacts", vdir.New(dir, pim.Contacts), openItems(b, &memkv.Store{}, "contacts"))
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Look(b.Context(), pim.Hint{}); err != nil {
		b.Fatal(err)
	}
	return r, dir
}

func benchmarkHint(b *testing.B, change func(path string, i int) error) {
	const files = 10_000
	r, dir := filled(b, files)
	b.ResetTimer()
	for i := range b.N {
		name := fileName(i % files)
		if err := change(filepath.Join(dir, name), i); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Look(b.Context(), pim.Hint{Keys: []string{name}}); err != nil {
			b.Fatal(err)
		}
	}
}
