package bench

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/test/testenv"
)

const many = 100_000

// BenchmarkDevice measures what a person and a device feel of an agent with many items: its start, and the answer to a question.
func BenchmarkDevice(b *testing.B) {
	for b.Loop() {
		t := &table{b: b}
		device(b, t)
		t.print()
	}
}

func device(b *testing.B, t *table) {
	w := testenv.New(b, testenv.Options{Stores: []string{"contacts"}, Devices: []string{"laptop"}})
	d := w.Devices[0]
	ready(b, d, 0)
	d.Kill()
	write(b, filepath.Join(d.Dir, "contacts"), many, vcf, contact)
	start := time.Now()
	d.Start()
	ready(b, d, many)
	t.timed("start with 100,000 unknown contacts (read and hash)", time.Since(start), 20*time.Second, "")
	d.Kill()
	start = time.Now()
	d.Start()
	testenv.Ask(b, "the agent answers", func(ctx context.Context) error { _, err := d.Control.Status(ctx); return err })
	t.timed("start with 100,000 known contacts, until it answers", time.Since(start), time.Second, "")
	ready(b, d, many)
	var took []time.Duration
	for range 20 {
		start := time.Now()
		if out, err := d.Command("status"); err != nil {
			b.Fatal(err, out)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.timed("alwayson status, the whole process, 100,000 contacts", took[len(took)/2], 30*time.Millisecond, "")
}
