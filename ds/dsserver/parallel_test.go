package dsserver_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsclient"
	"github.com/alwayson-sync/alwayson/ds/dsserver"
)

// TestSessionsInParallel: devices of one user synchronize at the same time, and each ends up with what all have.
func TestSessionsInParallel(t *testing.T) {
	const many, each = 8, 20
	w := newWorld(t)
	w.server = dsserver.New(dsserver.Options{Store: w.store, Datastores: dsserver.DefaultDatastores()})
	var devices []*device
	for i := range many {
		d := w.device(fmt.Sprint("d", i))
		for j := range each {
			d.mem.put(fmt.Sprint(j), card(fmt.Sprintf("u%d-%d", i, j), "Ana"))
		}
		devices = append(devices, d)
	}
	for _, purpose := range []dsclient.Purpose{dsclient.Open, dsclient.Sync} {
		errs := make([]error, many)
		var wg sync.WaitGroup
		for i, d := range devices {
			wg.Go(func() { _, errs[i] = d.run(purpose, 0) })
		}
		wg.Wait()
		for i, err := range errs {
			if err != nil {
				t.Errorf("d%d: %v", i, err)
			}
		}
	}
	for _, d := range devices {
		d.sync()
		equalStores(t, devices[0], d)
	}
	if n := len(devices[0].mem.bodies()); n != many*each {
		t.Errorf("%d items, want %d", n, many*each)
	}
}
