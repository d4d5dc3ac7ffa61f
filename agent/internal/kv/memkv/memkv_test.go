package memkv_test

import (
	"testing"

	"github.com/alwayson-sync/alwayson/agent/internal/kv"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/kvtest"
	"github.com/alwayson-sync/alwayson/agent/internal/kv/memkv"
)

func TestContract(t *testing.T) {
	stores := map[string]*memkv.Store{} // "opening again" finds what was written
	kvtest.Run(t, func(_ *testing.T, dir string) kv.Store {
		if stores[dir] == nil {
			stores[dir] = &memkv.Store{}
		}
		return stores[dir]
	})
}
