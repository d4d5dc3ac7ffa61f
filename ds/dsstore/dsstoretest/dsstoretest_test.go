package dsstoretest_test

import (
	"path/filepath"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/dsstoretest"
	"github.com/alwayson-sync/alwayson/ds/dsstore/sqlstore"
)

// TestSQLite holds the database to the contract; the other stores do that in their own packages.
func TestSQLite(t *testing.T) {
	dsstoretest.Run(t, func(t *testing.T) dsstore.Store {
		s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "s.db"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}
