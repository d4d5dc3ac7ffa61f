package sim

import (
	"testing"

	"github.com/alwayson-sync/alwayson/pim"
	"github.com/alwayson-sync/alwayson/pim/pimtest"
)

// TestDisk holds the simulated disk to the contract of the real ones.
func TestDisk(t *testing.T) {
	for _, kind := range []pim.Kind{pim.Contacts, pim.Mail} {
		t.Run(string(kind), func(t *testing.T) { pimtest.Run(t, func(*testing.T) pim.Store { return newDisk(kind) }) })
	}
}
