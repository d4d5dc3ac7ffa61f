package replica_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
	"github.com/alwayson-sync/alwayson/agent/internal/replica"
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

func benchmarkHint(b *testing.B, change func(path string, i int) error) {
	const files = 10_000
	dir := b.TempDir()
	name := func(i int) string { return fmt.Sprintf("c%05d.vcf", i%files) }
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, name(i)), fmt.Appendf(nil, "contact %d", i), 0o600); err != nil {
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
	b.ResetTimer()
	for i := range b.N {
		if err := change(filepath.Join(dir, name(i)), i); err != nil {
			b.Fatal(err)
		}
		if _, err := r.Look(b.Context(), pim.Hint{Keys: []string{name(i)}}); err != nil {
			b.Fatal(err)
		}
	}
}
