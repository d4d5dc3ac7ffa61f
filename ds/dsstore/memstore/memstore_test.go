package memstore_test

import (
	"errors"
	"testing"

	"github.com/alwayson-sync/alwayson/ds/dsstore"
	"github.com/alwayson-sync/alwayson/ds/dsstore/dsstoretest"
	"github.com/alwayson-sync/alwayson/ds/dsstore/memstore"
)

func TestContract(t *testing.T) {
	dsstoretest.Run(t, func(*testing.T) dsstore.Store { return memstore.New() })
}

func TestAFaultAtTheCommitUndoesAll(t *testing.T) {
	s := memstore.New()
	c := dsstore.Collection{User: "ana", Store: "contacts"}
	broken := errors.New("the disk is full")
	s.Fault = func() error { return broken }
	err := s.Update(t.Context(), func(tx dsstore.Tx) error {
		if _, err := tx.PutItem(c, dsstore.Item{GUID: "g", Hash: [32]byte{1}}, []byte("1")); err != nil {
			return err
		}
		return tx.Keep(c, dsstore.Item{GUID: "g"}, []byte("2"), "why")
	})
	if !errors.Is(err, broken) || len(s.History()) != 0 {
		t.Errorf("error %v, history %v", err, s.History())
	}
	err = s.View(t.Context(), func(tx dsstore.Tx) error {
		if rev, err := tx.Rev(c); rev != 0 || err != nil {
			t.Errorf("revision %d, %v", rev, err)
		}
		_, err := tx.Body([32]byte{1})
		return err
	})
	if !errors.Is(err, dsstore.ErrNotFound) {
		t.Errorf("the body: %v", err)
	}
}
