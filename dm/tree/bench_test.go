package tree_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/alwayson-sync/alwayson/dm"
	"github.com/alwayson-sync/alwayson/dm/ddf"
	"github.com/alwayson-sync/alwayson/dm/tree"
)

// large fills a tree with 10,000 leaves.
func large(t testing.TB) *world {
	t.Helper()
	w := newWorld(t, tree.Memory{}, all)
	ext := &ddf.Node{Name: "Ext", Path: "./DevInfo"}
	for i := range 100 {
		n := &ddf.Node{Name: fmt.Sprint(i)}
		for j := range 100 {
			value := fmt.Sprintf("the value of %d and %d", i, j)
			n.Nodes = append(n.Nodes, &ddf.Node{Name: fmt.Sprint("leaf", j), Value: &value})
		}
		ext.Nodes = append(ext.Nodes, n)
	}
	w.ok(w.tree.Provision(&ddf.Tree{Nodes: []*ddf.Node{ext}}, now))
	return w
}

// TestLargeTree holds a tree of 10,000 nodes to the budget: 20 MB, and 1 ms for a Get.
func TestLargeTree(t *testing.T) {
	before := heap()
	w := large(t)
	w.open()
	if used := heap() - before; used > 20<<20 {
		t.Errorf("a tree of 10,000 nodes takes %d octets", used)
	} else {
		t.Logf("%d kB", used>>10)
	}
	x := w.begin("admin")
	u := uri(t, "./DevInfo/Ext/50/leaf50")
	start := time.Now()
	const rounds = 1000
	for range rounds {
		if _, err := x.Get(u); err != nil {
			t.Fatal(err)
		}
	}
	if each := time.Since(start) / rounds; each > time.Millisecond {
		t.Errorf("a Get takes %v", each)
	}
	runtime.KeepAlive(w)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkGet(b *testing.B) {
	x := large(b).begin("admin")
	u := uri(b, "./DevInfo/Ext/50/leaf50")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Get(u); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReplaceAndCommit(b *testing.B) {
	x := large(b).begin("admin")
	u := uri(b, "./DevInfo/Ext/50/leaf50")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := x.Replace(u, dm.Value{Data: fmt.Append(nil, i)}); err != nil {
			b.Fatal(err)
		}
		if err := x.Commit(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBegin(b *testing.B) {
	w := large(b)
	b.ReportAllocs()
	for b.Loop() {
		w.begin("admin")
	}
}
